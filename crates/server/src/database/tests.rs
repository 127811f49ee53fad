use super::*;
use crate::ErrorKind;
use crate::reader::{Reading, Usable};
use lobule_dicomio::InstanceKeys;
use lobule_dicomio::web::{Entry, InstanceEntry, SeriesEntry, StudyEntry};

const LEASE: Millis = 1_000;

fn database() -> (tempfile::TempDir, Database) {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&dir.path().join("test.db")).unwrap();
    (dir, database)
}

pub(super) fn entry(study: &str, instance: &str) -> Entry {
    Entry {
        keys: InstanceKeys {
            study_uid: study.to_owned(),
            series_uid: format!("{study}.1"),
            instance_uid: instance.to_owned(),
            class_uid: "1.2".to_owned(),
            modality: "US".to_owned(),
        },
        syntax_uid: "1.2.3".to_owned(),
        study: StudyEntry::default(),
        series: SeriesEntry::default(),
        instance: InstanceEntry::default(),
    }
}

fn arrive(database: &Database, study: &str, instance: &str, now: Millis) -> Arrival {
    let content = format!("content of {instance}");
    let one = Arrived {
        study_uid: study,
        study_key: "exam-1",
        instance_uid: instance,
        class_uid: "1.2",
        modality: "US",
        sha256: &content,
        bytes: 10,
        source: "MODALITY",
        entry: &entry(study, instance),
    };
    database.arrive(one, now).unwrap()
}

fn state(database: &Database, study: &str) -> State {
    database.study(study).unwrap().unwrap().state
}

fn take(database: &Database, now: Millis) -> Option<Claim> {
    database.take(Kind::Assess, now, now + LEASE).unwrap()
}

fn queued(database: &Database, study: &str, now: Millis) {
    arrive(database, study, &format!("{study}.1"), now);
    database.complete(now, now).unwrap();
    assert_eq!(state(database, study), State::Complete);
    database.queue(now).unwrap();
    assert_eq!(state(database, study), State::Queued);
}

fn retry(database: &Database, study: &str) -> Retried {
    let entry = super::Entry::by("ann", "study.retry", "exam-1");
    database.retry(study, &entry, 31).unwrap()
}

fn reading() -> Reading {
    Reading {
        score: Some(0.5),
        flagged: true,
        synthetic: false,
        usable: Usable::Yes,
    }
}

#[test]
fn a_study_goes_from_arrival_to_done() {
    let (_dir, database) = database();
    assert_eq!(arrive(&database, "1", "1.1", 100), Arrival::New);
    assert_eq!(arrive(&database, "1", "1.1", 105), Arrival::Known);
    assert_eq!(arrive(&database, "1", "1.2", 110), Arrival::New);
    assert_eq!(database.complete(109, 120).unwrap(), 0);
    assert_eq!(database.complete(110, 120).unwrap(), 1);
    database.queue(120).unwrap();
    assert_eq!(database.queue(120).unwrap(), 0);
    let claim = take(&database, 130).unwrap();
    assert_eq!(state(&database, "1"), State::Running);
    assert_eq!(take(&database, 130), None);
    assert_eq!(database.contents(claim.study).unwrap().len(), 2);
    let to = ["archive".to_owned()];
    let entered = database
        .finish_assessment(&claim, &reading(), "r1", &[], &to, 140)
        .unwrap();
    assert_eq!(entered, Some(jobs::Replaced(None)));
    let study = database.study("1").unwrap().unwrap();
    assert_eq!(
        (study.state, study.score, study.read_instances),
        (State::Done, Some(0.5), 2)
    );
    let sending = database.take(Kind::Send, 150, 160).unwrap().unwrap();
    assert_eq!(
        (sending.destination.as_str(), sending.result.as_deref()),
        ("archive", Some("r1"))
    );
    database.finish_sending(&sending, None).unwrap();
    assert_eq!(database.deliveries(claim.study).unwrap()[0].state, "done");
}

#[test]
fn the_first_content_of_an_instance_is_kept() {
    let (_dir, database) = database();
    arrive(&database, "1", "1.1", 1);
    let other = Arrived {
        study_uid: "2",
        study_key: "exam-2",
        instance_uid: "1.1",
        class_uid: "1.2",
        modality: "US",
        sha256: "other",
        bytes: 1,
        source: "",
        entry: &entry("2", "1.1"),
    };
    assert_eq!(
        database.arrive(other, 2).unwrap(),
        Arrival::KnownWithOtherContent
    );
    assert_eq!(database.study("2").unwrap(), None);
    assert!(!database.has_content("other").unwrap());
}

#[test]
fn what_arrives_meanwhile_is_read_afterwards() {
    let (_dir, database) = database();
    queued(&database, "1", 1);
    arrive(&database, "1", "1.late", 2);
    assert_eq!(state(&database, "1"), State::Arriving);
    assert_eq!(take(&database, 3), None);
    database.complete(3, 3).unwrap();
    database.queue(3).unwrap();
    let claim = take(&database, 3).unwrap();
    arrive(&database, "1", "1.later", 4);
    assert_eq!(state(&database, "1"), State::Running);
    database
        .finish_assessment(&claim, &reading(), "r1", &[], &[], 5)
        .unwrap();
    assert_eq!(state(&database, "1"), State::Arriving);
    database.complete(5, 6).unwrap();
    database.queue(6).unwrap();
    let again = take(&database, 7).unwrap();
    let entered = database
        .finish_assessment(&again, &reading(), "r2", &[], &[], 8)
        .unwrap();
    assert_eq!(entered, Some(jobs::Replaced(Some("r1".to_owned()))));
    assert_eq!(state(&database, "1"), State::Done);
    assert_eq!(database.all_results().unwrap().len(), 1);
}

#[test]
fn an_abandoned_job_is_taken_up_and_its_first_worker_cannot_finish_it() {
    let (_dir, database) = database();
    queued(&database, "1", 1);
    let first = take(&database, 2).unwrap();
    assert!(database.prolong(&first, 50).unwrap());
    assert_eq!(database.expire(50, 50, 3).unwrap(), 0);
    assert_eq!(database.expire(51, 51, 3).unwrap(), 1);
    assert_eq!(state(&database, "1"), State::Queued);
    let second = take(&database, 60).unwrap();
    assert_eq!(second.attempts, 2);
    assert!(!database.prolong(&first, 99).unwrap());
    assert_eq!(
        database
            .finish_assessment(&first, &reading(), "r1", &[], &[], 61)
            .unwrap(),
        None
    );
    assert!(
        database
            .finish_assessment(&second, &reading(), "r2", &[], &[], 62)
            .unwrap()
            .is_some()
    );
    let study = database.study("1").unwrap().unwrap();
    assert_eq!(
        (study.state, study.result.as_deref()),
        (State::Done, Some("r2"))
    );
}

#[test]
fn what_stops_the_service_every_time_has_failed_until_somebody_asks() {
    let (_dir, database) = database();
    queued(&database, "1", 1);
    for time in [10, 20] {
        assert!(take(&database, time).is_some());
        database.expire(Millis::MAX, time, 2).unwrap();
    }
    let study = database.study("1").unwrap().unwrap();
    assert_eq!(study.state, State::Failed);
    assert!(study.reason.unwrap().contains("2 times"));
    assert_eq!(take(&database, 30), None);
    assert_eq!(retry(&database, "1"), Retried::Queued);
    assert_eq!(retry(&database, "1"), Retried::NothingFailed);
    assert_eq!(retry(&database, "9"), Retried::Unknown);
    assert_eq!(take(&database, 32).unwrap().attempts, 1);
}

#[test]
fn a_failed_job_waits_before_it_is_tried_again() {
    let (_dir, database) = database();
    queued(&database, "1", 1);
    let claim = take(&database, 2).unwrap();
    database
        .fail(&claim, "no luck", Again::NotBefore(100), 3)
        .unwrap();
    assert_eq!(take(&database, 99), None);
    let claim = take(&database, 100).unwrap();
    database.fail(&claim, "no luck", Again::Never, 101).unwrap();
    let study = database.study("1").unwrap().unwrap();
    assert_eq!(
        (study.state, study.reason.as_deref()),
        (State::Failed, Some("no luck"))
    );
    arrive(&database, "1", "1.new", 200);
    assert_eq!(state(&database, "1"), State::Arriving);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_an_old_one_stays() {
    let (dir, database) = database();
    arrive(&database, "1", "1.1", 1);
    drop(database);
    let path = dir.path().join("test.db");
    let again = Database::open(&path).unwrap();
    assert_eq!(again.volume().unwrap(), (1, 10));
    drop(again);
    let newer = Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let error = Database::open(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Newer);
}

#[test]
fn lists_are_read_by_an_index() {
    let (_dir, database) = database();
    for sql in [
        "SELECT uid FROM study ORDER BY flagged DESC, score DESC, id LIMIT 10",
        "SELECT uid FROM study ORDER BY first_arrival DESC, id DESC LIMIT 10",
        "SELECT uid FROM study WHERE changed_at >= 5 ORDER BY changed_at",
        "SELECT uid FROM study WHERE uid = '1'",
        "SELECT id FROM job WHERE state = 'queued' AND kind = 'assess' AND not_before <= 5 ORDER BY not_before, id LIMIT 1",
        "SELECT 1 FROM study WHERE state = 'arriving' AND last_arrival <= 5",
    ] {
        let reader = database.reader();
        let mut statement = reader
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let steps: Vec<String> = statement
            .query_map([], |row| row.get(3))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let plan = steps.join("; ");
        assert!(
            plan.contains("INDEX") && !plan.contains("TEMP B-TREE"),
            "{sql}: {plan}"
        );
    }
}
