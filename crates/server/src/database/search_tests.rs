use lobule_dicomio::InstanceKeys;
use lobule_dicomio::web::{Entry, InstanceEntry, SeriesEntry, StudyEntry};

use super::super::index::{Place, ResultObject, Target};
use super::*;
use crate::database::{Arrival, Arrived};

/// One study with an instance in each of its series.
struct Study {
    uid: &'static str,
    name: &'static str,
    id: &'static str,
    date: &'static str,
    modalities: &'static [&'static str],
}

const STUDIES: [Study; 4] = [
    Study {
        uid: "1",
        name: "doe^jane",
        id: "A1",
        date: "20260101",
        modalities: &["MG"],
    },
    Study {
        uid: "2",
        name: "doe^june",
        id: "A2",
        date: "20260215",
        modalities: &["MG", "US"],
    },
    Study {
        uid: "3",
        name: "müller^zoë",
        id: "[B]*",
        date: "20250630",
        modalities: &["US"],
    },
    Study {
        uid: "4",
        name: "",
        id: "",
        date: "",
        modalities: &["OT"],
    },
];

fn entry(study: &Study, series: usize, kind: &str) -> Entry {
    let uid = study.uid;
    Entry {
        keys: InstanceKeys {
            study_uid: uid.to_owned(),
            series_uid: format!("{uid}.{series}"),
            instance_uid: format!("{uid}.{series}.{kind}"),
            class_uid: format!("9.{kind}"),
            modality: study.modalities[series].to_owned(),
        },
        syntax_uid: "1.2".to_owned(),
        study: StudyEntry {
            patient_name: study.name.to_owned(),
            patient_id: study.id.to_owned(),
            date: study.date.to_owned(),
            time: "101500000000".to_owned(),
            description: format!("Screening {uid}"),
            attributes: format!("study {uid}"),
            ..StudyEntry::default()
        },
        series: SeriesEntry {
            number: Some(series as i64),
            attributes: String::new(),
        },
        instance: InstanceEntry {
            number: Some(7),
            attributes: String::new(),
        },
    }
}

fn database() -> (tempfile::TempDir, Database) {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(&dir.path().join("test.db")).unwrap();
    for study in &STUDIES {
        for series in 0..study.modalities.len() {
            let entry = entry(study, series, "1");
            let one = Arrived {
                study_uid: study.uid,
                study_key: "exam-1",
                instance_uid: &entry.keys.instance_uid,
                class_uid: &entry.keys.class_uid,
                modality: &entry.keys.modality,
                sha256: &entry.keys.instance_uid,
                bytes: 1,
                entry: &entry,
                source: "",
            };
            assert_eq!(database.arrive(one, 1).unwrap(), Arrival::New);
        }
    }
    (dir, database)
}

fn found(database: &Database, level: Level, query: &str) -> Vec<String> {
    let query = Query::parse(level, query).unwrap();
    let matches = database.search(level, &query).unwrap().matches;
    let mut uids: Vec<String> = matches
        .into_iter()
        .map(|m| match level {
            Level::Study => m.study_uid,
            Level::Series => m.series_uid,
            Level::Instance => m.instance_uid,
        })
        .collect();
    uids.sort();
    uids
}

/// Every kind of condition alone and with others.
const QUERIES: [(Level, &str, &[&str]); 34] = [
    (Level::Study, "", &["1", "2", "3", "4"]),
    (Level::Study, "StudyInstanceUID=1,3,9", &["1", "3"]),
    (Level::Study, "PatientID=A1", &["1"]),
    (Level::Study, "PatientID=a1", &[]),
    (Level::Study, "PatientID=A*", &["1", "2"]),
    (Level::Study, "PatientID=A?", &["1", "2"]),
    (Level::Study, "PatientID=%5BB%5D%2A", &["3"]),
    (Level::Study, "PatientID=*1", &["1"]),
    (Level::Study, "PatientName=DOE%5EJANE", &["1"]),
    (Level::Study, "PatientName=doe", &[]),
    (Level::Study, "PatientName=Doe*", &["1", "2"]),
    (Level::Study, "PatientName=*J?NE", &["1", "2"]),
    (Level::Study, "PatientName=*ller*", &["3"]),
    (Level::Study, "PatientName=*ZO%C3%8B", &["3"]),
    (Level::Study, "PatientName=*e*", &["1", "2", "3"]),
    (Level::Study, "StudyDate=20260101-20260301", &["1", "2"]),
    (Level::Study, "StudyDate=20260101", &["1"]),
    (Level::Study, "StudyDate=-20251231", &["3"]),
    (Level::Study, "StudyTime=10-11", &["1", "2", "3", "4"]),
    (Level::Study, "StudyTime=1016-", &[]),
    (Level::Study, "ModalitiesInStudy=US", &["2", "3"]),
    (Level::Study, "ModalitiesInStudy=US,MG", &["1", "2", "3"]),
    (
        Level::Study,
        "ModalitiesInStudy=US&StudyDate=20260101-",
        &["2"],
    ),
    (Level::Study, "ModalitiesInStudy=M*", &["1", "2"]),
    (Level::Study, "StudyDescription=*ening%202", &["2"]),
    (
        Level::Study,
        "PatientName=doe*&ModalitiesInStudy=US&StudyDate=2026021-",
        &[],
    ),
    (Level::Series, "", &["1.0", "2.0", "2.1", "3.0", "4.0"]),
    (Level::Series, "PatientID=A2", &["2.0", "2.1"]),
    (Level::Series, "Modality=US", &["2.1", "3.0"]),
    (Level::Series, "SeriesNumber=1", &["2.1"]),
    (Level::Series, "StudyInstanceUID=2&Modality=MG", &["2.0"]),
    (Level::Instance, "SOPInstanceUID=3.0.1", &["3.0.1"]),
    (
        Level::Instance,
        "SOPClassUID=9.1&InstanceNumber=7&Modality=OT",
        &["4.0.1"],
    ),
    (Level::Instance, "SeriesInstanceUID=2.1", &["2.1.1"]),
];

#[test]
fn every_kind_of_condition_finds_what_it_says() {
    let (_dir, database) = database();
    for (level, query, expected) in QUERIES {
        if query.contains("2026021-") {
            assert!(Query::parse(level, query).is_err());
            continue;
        }
        assert_eq!(found(&database, level, query), expected, "{query}");
    }
}

#[test]
fn no_search_reads_whole_tables() {
    let (_dir, database) = database();
    for (level, query, _) in QUERIES {
        let Ok(query) = Query::parse(level, query) else {
            continue;
        };
        let statement = statement(level, &query, 10);
        let searcher = database.searcher();
        let mut plan = searcher
            .prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql))
            .unwrap();
        let steps = plan
            .query_map(params_from_iter(statement.values), |row| row.get(3))
            .unwrap();
        let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
        for step in steps.iter().filter(|step| step.starts_with("SCAN")) {
            // In the order of an index or of the table up to the limit; what a subquery has found.
            let is_bounded = (query.conditions.is_empty() || statement.only_newest)
                && (step.contains("USING INDEX study_index_by_date")
                    || step.contains("USING COVERING INDEX study_index_by_date")
                    || ["SCAN e", "SCAN o", "SCAN series", "SCAN object"].contains(&step.as_str()));
            let is_found =
                step == "SCAN n" || (step.contains("VIRTUAL TABLE INDEX") && step.contains(":G"));
            assert!(is_bounded || is_found, "{}: {steps:?}", statement.sql);
        }
        let sorts = steps
            .iter()
            .any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
        // Studies of several modalities are found one modality after the other, and sorted then.
        let is_found_apart = statement.sql.contains("SELECT DISTINCT study");
        let is_large =
            level == Level::Study && query.conditions.len() < 2 && !statement.only_newest;
        assert!(
            !(sorts && is_large && !is_found_apart),
            "{}: {steps:?}",
            statement.sql
        );
    }
}

#[test]
fn pages_follow_each_other() {
    let (_dir, database) = database();
    let page = |offset| {
        let query = Query::parse(Level::Study, &format!("limit=3&offset={offset}")).unwrap();
        let found = database.search(Level::Study, &query).unwrap();
        let uids: Vec<String> = found.matches.iter().map(|m| m.study_uid.clone()).collect();
        (uids, found.more)
    };
    // The newest first; what has no date comes last.
    assert_eq!(
        page(0),
        (vec!["2".to_owned(), "1".to_owned(), "3".to_owned()], true)
    );
    assert_eq!(page(3), (vec!["4".to_owned()], false));
    assert_eq!(page(9), (Vec::new(), false));
}

#[test]
fn results_come_and_go_with_their_study() {
    let (_dir, database) = database();
    let study = database.study("1").unwrap().unwrap();
    let target = Target {
        study: "1".to_owned(),
        series: None,
        instance: None,
    };
    let kinds = |database: &Database| -> Vec<String> {
        let objects = database.objects(&target).unwrap();
        objects.into_iter().map(|o| o.uid).collect()
    };
    let result = |kind: &str| {
        let sr = Study {
            modalities: &["SR", "SR", "SR"],
            ..STUDIES[0]
        };
        ResultObject {
            entry: entry(&sr, 2, kind),
            file: format!("r/{kind}.dcm"),
        }
    };
    database
        .change(|t| super::super::index::replace_results(t, study.id, &[result("5"), result("6")]))
        .unwrap();
    assert_eq!(kinds(&database), ["1.0.1", "1.2.5", "1.2.6"]);
    let all = database.search(
        Level::Study,
        &Query::parse(Level::Study, "PatientID=A1").unwrap(),
    );
    let one = &all.unwrap().matches[0];
    assert_eq!((one.n_series, one.n_instances), (2, 3));
    assert_eq!(one.modalities, ["MG", "SR"]);
    // The next result takes the place of the last one.
    database
        .change(|t| super::super::index::replace_results(t, study.id, &[result("7")]))
        .unwrap();
    assert_eq!(kinds(&database), ["1.0.1", "1.2.7"]);
    let kept = database.objects(&target).unwrap();
    assert_eq!(kept[1].place, Place::Result("r/7.dcm".to_owned()));
    database
        .change(|t| super::super::index::replace_results(t, study.id, &[]))
        .unwrap();
    assert_eq!(
        found(&database, Level::Study, "ModalitiesInStudy=SR"),
        [""; 0]
    );
    // With the study goes everything that searches know of it.
    database
        .change(|t| t.execute("DELETE FROM study WHERE uid = '1'", []))
        .unwrap();
    for query in [
        "",
        "PatientName=*jane*",
        "ModalitiesInStudy=MG",
        "PatientID=A1",
    ] {
        assert!(
            !found(&database, Level::Study, query).contains(&"1".to_owned()),
            "{query}"
        );
    }
    let count = "SELECT (SELECT count(*) FROM object) + (SELECT count(*) FROM series) * 100";
    let left: i64 = database
        .searcher()
        .query_row(count, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 404);
}

#[test]
fn what_was_there_before_is_made_up_for() {
    let (_dir, database) = database();
    database
        .change(|t| {
            t.execute_batch(
                "DELETE FROM study_index; DELETE FROM series; \
                 INSERT INTO unindexed SELECT uid FROM instance; \
                 UPDATE study SET result = 'r' WHERE uid = '2'; \
                 INSERT INTO unindexed_result SELECT id FROM study WHERE result IS NOT NULL;",
            )
        })
        .unwrap();
    assert_eq!(found(&database, Level::Study, ""), [""; 0]);
    let left = database.unindexed(100).unwrap();
    assert_eq!((left.instances.len(), left.results.len()), (5, 1));
    let read: Vec<_> = left
        .instances
        .into_iter()
        .map(|(uid, sha256)| {
            let study = STUDIES.iter().find(|s| uid.starts_with(s.uid)).unwrap();
            let series = uid.as_bytes()[2] - b'0';
            let entry = (study.uid != "4").then(|| entry(study, series.into(), "1"));
            (uid, sha256, entry)
        })
        .collect();
    database.index_instances(&read).unwrap();
    database.index_result(left.results[0].0, "r", &[]).unwrap();
    assert_eq!(found(&database, Level::Study, ""), ["1", "2", "3"]);
    assert_eq!(database.unindexed(100).unwrap(), Default::default());
}
