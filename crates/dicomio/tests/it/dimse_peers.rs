//! Peers that come in crowds, break off, or come from where nobody is known.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dicom_ul::pdu::{AbortRQSource, PDataValueType, Pdu};
use lobule_dicomio::dimse::{NetworkLimits, Peer, echo, send};

use crate::dimse::{
    Running, ULTRASOUND, answer, bytes_of, data, data_set, folder_bytes, instance, request,
    short_limits, store_command,
};

#[test]
fn hundreds_of_idle_connections_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let listener = Running::start(|_| ());
    let idle: Vec<TcpStream> = (0..400).map(|_| listener.connect()).collect();
    let files: Vec<_> = (1..=10)
        .map(|n| instance(folder.path(), "idle", n))
        .collect();
    let began = Instant::now();
    let sent = send(&listener.remote(), &files).unwrap();
    assert!(sent.iter().all(|one| one.is_taken()));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(idle);
    listener.finish();
}

#[test]
fn one_address_cannot_take_every_place() {
    let listener = Running::start(|config| {
        config.limits.associations = 6;
        config.limits.associations_per_address = 4;
    });
    let mut open = Vec::new();
    for at in 0..6 {
        let mut stream = listener.connect();
        stream.write_all(&request(&[(1, ULTRASOUND)])).unwrap();
        let is_taken = matches!(answer(&mut stream), Some(Pdu::AssociationAC(_)));
        assert_eq!(is_taken, at < 4, "association {at}");
        open.push(stream);
    }
    let error = echo(&listener.remote()).unwrap_err();
    assert!(error.reason().contains("limit"), "{error}");
    // A place that is given back is free at once.
    open[0].write_all(&bytes_of(&Pdu::ReleaseRQ)).unwrap();
    assert!(matches!(answer(&mut open[0]), Some(Pdu::ReleaseRP)));
    open.remove(0);
    let began = Instant::now();
    while echo(&listener.remote()).is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
    }
    drop(open);
    listener.finish();
}

#[test]
fn associations_that_break_off_leave_nothing() {
    let file = folder_bytes("aborted");
    let whole = data_set(&file).to_vec();
    let listener = Running::start(|config| config.limits = short_limits());
    let began = |listener: &Running| {
        let mut stream = listener.connect();
        stream.write_all(&request(&[(1, ULTRASOUND)])).unwrap();
        assert!(matches!(answer(&mut stream), Some(Pdu::AssociationAC(_))));
        let command = data(PDataValueType::Command, true, store_command("1.2.3"));
        stream.write_all(&command).unwrap();
        let part = data(PDataValueType::Data, false, whole[..200].to_vec());
        stream.write_all(&part).unwrap();
        stream
    };
    let source = AbortRQSource::ServiceUser;
    let mut aborted = began(&listener);
    aborted
        .write_all(&bytes_of(&Pdu::AbortRQ { source }))
        .unwrap();
    let _ = aborted.read_to_end(&mut Vec::new());
    drop(began(&listener));
    let mut released = began(&listener);
    released.write_all(&bytes_of(&Pdu::ReleaseRQ)).unwrap();
    let _ = released.read_to_end(&mut Vec::new());
    let _silent = began(&listener);
    echo(&listener.remote()).unwrap();
    std::thread::sleep(short_limits().message + Duration::from_secs(1));
    assert!(listener.taken.lock().unwrap().is_empty());
    // `finish` looks for files that are left.
    listener.finish();
}

#[test]
fn addresses_of_no_peer_are_not_heard() {
    let listener = Running::start(|config| {
        config.peers = vec![Peer {
            ae_title: None,
            address: Some("192.0.2.0/24".parse().unwrap()),
        }];
    });
    for _ in 0..3 {
        assert!(echo(&listener.remote()).is_err());
    }
    assert_eq!(listener.finish(), (0, 3, 0));
}

#[test]
fn who_comes_too_often_is_turned_away_and_who_sends_too_fast_is_held_back() {
    let often = Running::start(|config| config.limits.connections_per_minute = 3);
    let answers: Vec<bool> = (0..5).map(|_| echo(&often.remote()).is_ok()).collect();
    assert_eq!(answers, [true, true, true, false, false]);
    assert_eq!(often.finish(), (3, 2, 0));

    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (1..=20)
        .map(|n| instance(folder.path(), "fast", n))
        .collect();
    let bytes: u64 = files.iter().map(|f| f.metadata().unwrap().len()).sum();
    let slow = Running::start(|config| config.limits.bytes_per_sec = Some(bytes / 2));
    let began = Instant::now();
    let sent = send(&slow.remote(), &files).unwrap();
    let took = began.elapsed();
    assert!(sent.iter().all(|one| one.is_taken()));
    assert!((1500..10_000).contains(&took.as_millis()), "{took:?}");
    assert_eq!(slow.finish(), (1, 0, 0));
}

#[test]
fn a_flood_of_empty_units_comes_to_an_end() {
    let listener = Running::start(|config| {
        config.limits = NetworkLimits {
            message: Duration::from_millis(700),
            ..short_limits()
        };
    });
    let mut stream = listener.connect();
    stream.write_all(&request(&[(1, ULTRASOUND)])).unwrap();
    assert!(matches!(answer(&mut stream), Some(Pdu::AssociationAC(_))));
    let empty = data(PDataValueType::Command, false, Vec::new());
    let began = Instant::now();
    while stream.write_all(&empty).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "still heard");
    }
    let (_, _, failed) = listener.finish();
    assert_eq!(failed, 1);
}
