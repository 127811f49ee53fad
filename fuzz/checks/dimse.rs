//! What must hold for any bytes that a peer says over the DICOM network.
//!
//! Bytes that begin like the answer to a request (types 2 and 3) are heard by the side that asks for
//! studies, any others by the side that listens.

use std::io::{Cursor, Read, Result, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use lobule_dicomio::dimse::{
    ListenerConfig, NetworkLimits, Received, Remote, find_studies_over, serve_stream,
};
use lobule_dicomio::{Error, Frames, SyntheticUltrasound, write_ultrasound};
use lobule_exam::{PixelBox, Side, Spacing};
use lobule_raster::Image;

/// Some units, the longest of 256 KiB, and what is made of them.
pub const MOST_BYTES: usize = 8 << 20;
const LARGEST_INSTANCE: u64 = 1 << 16;

/// A peer whose every word is known beforehand.
struct Peer<'a> {
    says: Cursor<&'a [u8]>,
    was_told: usize,
}

impl Read for Peer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.says.read(buffer)
    }
}

impl Write for Peer<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.was_told += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// An association that comes to a proper end, or an error with a reason; whether it was the former
/// and something was said in it.
pub fn run(bytes: &[u8], folder: &Path) -> bool {
    let mut peer = Peer {
        says: Cursor::new(bytes),
        was_told: 0,
    };
    match bytes.first() {
        Some(2 | 3) => is_answered(&mut peer, folder),
        _ => is_served(&mut peer, folder),
    }
}

fn is_served(peer: &mut Peer<'_>, folder: &Path) -> bool {
    let spool = folder.join("spool");
    std::fs::create_dir_all(&spool).expect("the folder can be written to");
    let mut config = ListenerConfig::new(&spool);
    config.limits.instance_bytes = LARGEST_INSTANCE;
    let taken = AtomicUsize::new(0);
    let store = |received: Received| {
        let keys = &received.keys;
        for uid in [&keys.study_uid, &keys.series_uid, &keys.instance_uid] {
            let is_part = |b: u8| b.is_ascii_digit() || b == b'.';
            assert!(uid.len() <= 64 && uid.bytes().all(is_part), "{uid}");
        }
        // Its head is this side's own.
        assert!(received.bytes <= LARGEST_INSTANCE + 1024);
        taken.fetch_add(1, Ordering::Relaxed);
        Ok(())
    };
    let served = serve_stream(&mut *peer, &config, &store).map_err(has_reason);
    let left = std::fs::read_dir(&spool).expect("the folder is there");
    assert_eq!(left.count(), 0, "an instance was left behind");
    served.is_ok() && peer.was_told > 0
}

fn is_answered(peer: &mut Peer<'_>, folder: &Path) -> bool {
    let file = folder.join("of.dcm");
    if !file.exists() {
        write_ultrasound(&file, &sonogram()).expect("the folder can be written to");
    }
    let remote = Remote {
        address: String::new(),
        ae_title: "ARCHIVE".to_owned(),
        calling_ae_title: "LOBULE".to_owned(),
        tls: None,
        limits: NetworkLimits::default(),
    };
    let found = find_studies_over(&mut *peer, &remote, &file, 100).map_err(has_reason);
    found.is_ok_and(|found| !found.others.is_empty())
}

fn sonogram() -> SyntheticUltrasound {
    SyntheticUltrasound {
        frames: Frames::Gray(vec![Image::filled(8, 8, 0)]),
        side: Side::Unknown,
        spacing: Spacing::new(0.1, 0.1).expect("positive"),
        region: PixelBox {
            row: 0,
            col: 0,
            rows: 8,
            cols: 8,
        },
        study_seed: "fuzz".to_owned(),
        instance_number: 1,
    }
}

fn has_reason(error: Error) {
    assert!(!error.reason().is_empty(), "{:?}", error.kind());
}
