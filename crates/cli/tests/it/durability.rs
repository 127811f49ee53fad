//! Killed and out of room in the middle of arrivals: what was acknowledged is there, every study has one
//! result, nothing is left over.
//!
//! The larger versions: `cargo test --release -p lobule-cli --test it durability -- --ignored --nocapture`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lobule_dicomio::dimse::{Remote, send};
use lobule_dicomio::read_keys;
use serde_json::Value;

use crate::serve::{PATIENCE, QUICK, Service, count_files, sonogram};

const IMAGES: u32 = 2;

fn arrivals(folder: &Path, studies: usize) -> Vec<PathBuf> {
    let of_study = |s: usize| (1..=IMAGES).map(move |n| (s, n));
    let all = (0..studies).flat_map(of_study);
    all.map(|(s, n)| sonogram(folder, &format!("s{s}"), n))
        .collect()
}

/// Sends files one by one from four sides until `enough` says so of those that were acknowledged.
fn send_until(
    remote: &Remote,
    files: &[PathBuf],
    mut enough: impl FnMut(usize, usize) -> bool,
    end: impl FnOnce(),
) -> BTreeSet<PathBuf> {
    let acknowledged = Mutex::new(BTreeSet::new());
    let (next, refused, over) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    let Some(file) = files.get(next.fetch_add(1, Ordering::SeqCst)) else {
                        return;
                    };
                    let sent = send(remote, std::slice::from_ref(file));
                    match sent.is_ok_and(|sent| sent[0].is_taken()) {
                        true => drop(acknowledged.lock().unwrap().insert(file.clone())),
                        false => drop(refused.fetch_add(1, Ordering::SeqCst)),
                    }
                }
            });
        }
        let began = Instant::now();
        while !enough(
            acknowledged.lock().unwrap().len(),
            refused.load(Ordering::SeqCst),
        ) {
            assert!(began.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(5));
        }
        end();
        over.store(true, Ordering::SeqCst);
    });
    acknowledged.into_inner().unwrap()
}

/// After a start: every file has a row and every row a file, and what was acknowledged is there.
fn nothing_is_lost(service: &Service, data: &Path, acknowledged: &BTreeSet<PathBuf>) -> usize {
    let kept = count_files(&data.join("instances"));
    let studies = service.studies();
    let entered: u64 = studies.iter().filter_map(|s| s["instances"].as_u64()).sum();
    assert_eq!(kept as u64, entered, "files and rows");
    assert_eq!(count_files(&data.join("incoming")), 0);
    for file in acknowledged {
        let own = fs::read(file).unwrap();
        let keys = read_keys(file).unwrap();
        assert!(
            studies
                .iter()
                .any(|s| s["study_uid"] == keys.study_uid.as_str())
        );
        let there = instance(data, &keys.instance_uid);
        assert!(
            there.is_some_and(|bytes| ends_alike(&bytes, &own)),
            "{}",
            file.display()
        );
    }
    kept
}

/// The bytes of a kept instance, found by reading every file: no name says what is in it.
fn instance(data: &Path, uid: &str) -> Option<Vec<u8>> {
    let folders = fs::read_dir(data.join("instances")).unwrap();
    let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
    let mut paths = files.map(|file| file.unwrap().path());
    let found = paths.find(|path| read_keys(path).unwrap().instance_uid == uid);
    found.map(|path| fs::read(path).unwrap())
}

/// The data set is as it was sent; only the head of the file is the receiver's own.
fn ends_alike(a: &[u8], b: &[u8]) -> bool {
    const DATA: usize = 12_000;
    a.len() > DATA && b.len() > DATA && a[a.len() - DATA..] == b[b.len() - DATA..]
}

/// Senders try again what was not acknowledged, and some of what was.
fn all_are_read_once(service: &Service, data: &Path, files: &[PathBuf], studies: usize) {
    let sent = send(&service.remote(), files).unwrap();
    assert!(sent.iter().all(|one| one.is_taken()));
    for study in &service.wait_for(studies) {
        assert_eq!(study["state"], "done", "{study}");
        let counts = (&study["instances"], &study["read_instances"]);
        assert_eq!(
            counts,
            (&Value::from(IMAGES), &Value::from(IMAGES)),
            "{study}"
        );
    }
    assert_eq!(count_files(&data.join("instances")), files.len());
    let results = fs::read_dir(data.join("results")).unwrap().count();
    assert_eq!(results, studies, "one result per study");
    assert_eq!(fs::read_dir(data.join("work")).unwrap().count(), 0);
}

fn killed(studies: usize) {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let service = Service::start(&data, QUICK);
    let files = arrivals(dir.path(), studies);
    let half = files.len() / 2;
    let remote = service.remote();
    // Long enough that the first studies are already being read.
    let enough = |taken: usize, _| taken >= half;
    let acknowledged = send_until(&remote, &files, enough, || service.kill());
    assert!(acknowledged.len() < files.len(), "the kill came too late");
    let service = Service::start(&data, QUICK);
    let kept = nothing_is_lost(&service, &data, &acknowledged);
    all_are_read_once(&service, &data, &files, studies);
    let (taken, all) = (acknowledged.len(), files.len());
    println!("killed with {taken} of {all} acknowledged and {kept} kept");
    service.kill();
}

#[test]
fn killed_in_the_middle_of_arrivals_nothing_that_was_acknowledged_is_lost() {
    killed(20);
}

#[test]
#[ignore = "takes some minutes"]
fn killed_in_the_middle_of_200_studies() {
    killed(200);
}

/// A small file system in memory, until it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, mib: usize) -> Option<SmallDisk> {
        fs::create_dir(at).unwrap();
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "lobule-test"])
            .arg(at);
        match mount.output() {
            Ok(done) if done.status.success() => Some(SmallDisk(at.to_owned())),
            _ => {
                println!("skipped: a small file system cannot be mounted (root alone can)");
                None
            }
        }
    }

    /// Takes all room that there is.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        for size in [1 << 20, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn full(studies: usize) {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&dir.path().join("disk"), 32 + 3 * studies) else {
        return;
    };
    let data = disk.0.join("data");
    let config = format!("{QUICK}[disk]\nkeep_free_mib = 1\n");
    let service = Service::start(&data, &config);
    let files = arrivals(dir.path(), studies);
    let third = files.len() / 3;
    let mut is_full = false;
    let enough = |taken: usize, refused: usize| {
        if taken >= third && !is_full {
            disk.fill();
            is_full = true;
        }
        refused > 0 && taken + refused >= 2 * third
    };
    let remote = service.remote();
    let acknowledged = send_until(&remote, &files, enough, || ());
    // It still answers while nothing can be written.
    assert_eq!(service.ask("GET", "/health", "").0, 200);
    assert!(
        acknowledged.len() < files.len(),
        "the disk was filled too late"
    );
    service.kill();
    disk.make_room();
    let service = Service::start(&data, &config);
    let kept = nothing_is_lost(&service, &data, &acknowledged);
    all_are_read_once(&service, &data, &files, studies);
    let (taken, all) = (acknowledged.len(), files.len());
    println!("disk full with {taken} of {all} acknowledged and {kept} kept");
    service.kill();
}

#[test]
fn on_a_full_disk_nothing_that_was_acknowledged_is_lost() {
    full(15);
}

#[test]
#[ignore = "takes some minutes"]
fn on_a_full_disk_in_the_middle_of_200_studies() {
    full(200);
}
