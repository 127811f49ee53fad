//! Tables that can be read, and each that cannot with its message.

use lobule_study::ErrorKind;
use lobule_study::table::*;

use super::{read, reference, refusal, written};

const HEAD: &str = "reader,modality,case,truth,rating\n";

fn wide(readers: &str, algorithms: &str) -> ReadConfig {
    let list = |text: &str| match text {
        "" => Vec::new(),
        text => vec![text.to_owned()],
    };
    ReadConfig {
        wide: Some(WideColumns {
            readers: list(readers),
            algorithms: list(algorithms),
        }),
        ..ReadConfig::default()
    }
}

#[test]
fn bad_tables_are_refused_where_they_are_bad() {
    let rows = |rows: &str| format!("{HEAD}{rows}");
    let cases: [(String, ErrorKind, &str); 13] = [
        (
            String::new(),
            ErrorKind::Missing,
            "t.csv: expected a header, got an empty table",
        ),
        (
            HEAD.into(),
            ErrorKind::Missing,
            "t.csv: expected at least one rating, got none",
        ),
        (
            "a,b\n1,2\n".into(),
            ErrorKind::Column,
            "t.csv: expected the long layout (case, truth, rating …), iMRMC's, RJafroc's, or named \
             columns of readers or algorithms; got the columns `a`, `b`",
        ),
        (
            "case,rating\nc1,2\n".into(),
            ErrorKind::Column,
            "t.csv: expected a column `truth`, got `case`, `rating`",
        ),
        (
            "case,truth,Rating,rating\nc1,1,2,2\n".into(),
            ErrorKind::Column,
            "t.csv: expected one column `rating` or `score`, got `Rating` and `rating` (columns 3 \
             and 4)",
        ),
        (
            rows("ann,film,c1,0,1\nann,film,c2,1,NaN\n"),
            ErrorKind::Value,
            "t.csv, line 3, column `rating`: expected a finite number, got `NaN`",
        ),
        (
            rows("ann,film,c1,0,\n"),
            ErrorKind::Value,
            "t.csv, line 2, column `rating`: expected a finite number, got an empty cell",
        ),
        (
            rows("ann,film,c1,maybe,1\n"),
            ErrorKind::Value,
            "t.csv, line 2, column `truth`: expected a truth of 0 or 1, got `maybe`",
        ),
        (
            rows(",film,c1,0,1\n"),
            ErrorKind::Value,
            "t.csv, line 2, column `reader`: expected a reader, got an empty cell",
        ),
        (
            rows("ann,film,c1,0,1\nbob,film,c1,1,1\n"),
            ErrorKind::Contradiction,
            "t.csv, line 3, column `truth`: expected one truth per case, got 1 for case `c1` and 0 \
             in line 2",
        ),
        (
            rows("ann,film,c1,0,1\nann,film,c2,0,1\n"),
            ErrorKind::SingleClass,
            "t.csv: expected cases with and without the disease, got 0 with it of 2 cases",
        ),
        (
            rows("ann,film,c1,0,1\nann,film,c2,1,1\nbob,film,c1,0,1\nann,film,c1,0,1\n"),
            ErrorKind::Duplicate,
            "t.csv, line 5: expected one rating per reader, modality and case, got another of \
             reader `ann`, modality `film`, case `c1` in line 2",
        ),
        (
            rows("ann,film,c1,0\n"),
            ErrorKind::Format,
            "t.csv, line 2: expected 5 fields as in the header, got 4",
        ),
    ];
    for (text, kind, message) in cases {
        let got = refusal("t.csv", &text, &ReadConfig::default());
        assert_eq!(got, (kind, message.to_owned()));
    }
}

#[test]
fn wide_tables_are_refused_where_they_are_bad() {
    let head = "case_ID,side,truth,R1,R2,AI\n";
    let cases = [
        (
            "1,L,0,1,,0.5\n1,R,1,2,,0.1\n",
            wide("R*", "AI"),
            ErrorKind::Missing,
            "t.csv: expected ratings of reader `R2`, got none",
        ),
        (
            "1,L,0,1,2,0.5\n",
            wide("Q*", "AI"),
            ErrorKind::Column,
            "t.csv: expected columns like `Q*`, got `case_ID`, `side`, `truth`, `R1`, `R2`, `AI`",
        ),
        (
            "1,L,0,1,2,0.5\n1,R,1,inf,2,0.5\n",
            wide("R*", "AI"),
            ErrorKind::Value,
            "t.csv, line 3, column `R1`: expected a finite number, got `inf`",
        ),
        (
            "1,L,0,1,2,0.5\n1,R,1,1,2,0.5\n1,L,0,1,2,0.5\n",
            wide("R*", ""),
            ErrorKind::Duplicate,
            "t.csv, line 4: expected one rating per reader, modality and case, got another of \
             reader `R1`, modality `reading`, case `1:L` in line 2",
        ),
        (
            "1,L,0,1,2,0.5\n",
            wide("R1", "R*"),
            ErrorKind::Config,
            "t.csv: expected a reader or an algorithm, got both for column `R1`",
        ),
    ];
    for (rows, config, kind, message) in cases {
        let config = ReadConfig {
            case_columns: vec!["case_ID".into(), "side".into()],
            ..config
        };
        let got = refusal("t.csv", &format!("{head}{rows}"), &config);
        assert_eq!(got, (kind, message.to_owned()));
    }
}

#[test]
fn marks_are_refused_where_they_contradict_the_truth() {
    let head = "reader,modality,case,truth,lesion,rating\n";
    let truth = "truth,truth,c1,0,,\ntruth,truth,c2,1,a,\n";
    let cases = [
        (
            format!("{truth}ann,2D,c3,0,,1\n"),
            "t.csv, line 4: expected a truth row for case `c3`, got none",
        ),
        (
            format!("{truth}ann,2D,c2,1,b,1\n"),
            "t.csv, line 4: expected a lesion of case `c2`, got `b`, which no truth row names",
        ),
        (
            format!("{truth}truth,truth,c2,1,a,\nann,2D,c2,1,a,1\n"),
            "t.csv, line 4: expected each lesion once, got lesion `a` of case `c2` again",
        ),
        (
            format!("{truth}ann,2D,c1,1,,1\n"),
            "t.csv, line 4, column `truth`: expected one truth per case, got 1 for case `c1` and 0 \
             in line 2",
        ),
        (
            "truth,truth,c2,1,a,\nann,2D,c2,1,a,1\n".into(),
            "t.csv: expected cases with and without lesions, got 1 with of 1",
        ),
    ];
    for (rows, message) in cases {
        let got = refusal("t.csv", &format!("{head}{rows}"), &ReadConfig::default());
        assert_eq!(got.1, message);
    }
}

#[test]
fn other_words_for_the_truth_are_two() {
    let config = ReadConfig {
        truth_column: Some("outcome".into()),
        rating_column: Some("s100b".into()),
        positive: Some("Poor".into()),
        ..ReadConfig::default()
    };
    let text = "case,outcome,s100b\n1,Good,0.1\n2,Poor,0.3\n3,Por,0.2\n";
    assert_eq!(
        refusal("t.csv", text, &config).1,
        "t.csv, line 4, column `outcome`: expected a truth of `Poor` or `Good`, got `Por`"
    );
    let study = read("t.csv", &text.replace("Por,", "Poor,"), &config).unwrap();
    assert_eq!(study.scores().unwrap().n_positive(), 2);
}

#[test]
fn a_case_has_one_group_and_one_cluster() {
    let config = ReadConfig {
        group_columns: vec!["site".into()],
        ..ReadConfig::default()
    };
    let text = "case,truth,score,site,reader\n1,0,1,A,x\n2,1,2,B,x\n1,0,3,B,y\n";
    assert_eq!(
        refusal("t.csv", text, &config).1,
        "t.csv, line 4, column `site`: expected one group per case, got `B` and before it `A` for \
         case `1`"
    );
}

#[test]
fn a_case_without_the_disease_may_be_in_every_group() {
    use lobule_study::standalone::{Config, run};
    let config = ReadConfig {
        group_columns: vec!["kind".into()],
        ..ReadConfig::default()
    };
    let text = "case,truth,score,kind\n1,0,1,\n2,1,2,mass\n3,0,3,\n4,1,4,calcification\n\
                5,1,0,mass\n6,1,2.5,calcification\n";
    let study = read("t.csv", text, &config).unwrap();
    let table = study.scores().unwrap();
    let result = run(table, &Config::default()).unwrap();
    let counts = result.scores[0].subgroups.iter();
    let counts: Vec<_> = counts
        .map(|g| (&g.label[..], g.n_cases, g.n_positive))
        .collect();
    assert_eq!(counts, [("mass", 4, 2), ("calcification", 4, 2)]);
    let areas = result.scores[0]
        .subgroups
        .iter()
        .map(|g| g.auc.value().unwrap().estimate);
    assert_eq!(areas.collect::<Vec<_>>(), [0.25, 0.75]);
    assert_eq!(table.groups()[0].label_of(0), "");
    let refused = refusal("t.csv", &text.replace("4,calcification", "4,"), &config);
    let expected = "t.csv, line 5: expected a group in `kind` of case `4`, which has the disease, got an \
                    empty cell";
    assert_eq!(refused, (ErrorKind::Missing, expected.to_owned()));
    let contradiction = text.to_owned() + "1,0,2,mass\n";
    let (kind, text) = refusal("t.csv", &contradiction, &config);
    assert_eq!(kind, ErrorKind::Contradiction, "{text}");
}

#[test]
fn tabs_and_letter_case_and_blanks_do_not_matter() {
    let text = "Case\tTruth\tScore\n 1 \t0\t1e-3\n2\tTRUE\t 2 \n";
    let study = read("t.tsv", text, &ReadConfig::default()).unwrap();
    let series = study.scores().unwrap().series(0, 0).unwrap();
    assert_eq!(series.ratings, [0.001, 2.0]);
}

#[test]
fn marks_near_a_lesion_hit_it() {
    let text = "reader,modality,case,truth,lesion,rating,x,y\n\
        truth,truth,c1,0,,,,\ntruth,truth,c2,1,a,,10,10\ntruth,truth,c2,1,b,,20,10\n\
        ann,2D,c2,1,,3,12,10\nann,2D,c2,1,,4,18,13\nann,2D,c1,0,,1,5,5\n";
    let config = ReadConfig {
        acceptance_radius: Some(3.0),
        ..ReadConfig::default()
    };
    let Study::Marks(table) = read("t.csv", text, &config).unwrap() else {
        panic!("marks")
    };
    let study = table.location_study(&[0], |_| true).unwrap();
    let curve = lobule_stats::location::LocationCurve::Froc;
    let points = lobule_stats::location::location_curve(&study, 0, 0, curve).unwrap();
    // The mark at (12, 10) is within 3 of lesion a, that at (18, 13) is not within 3 of b.
    assert_eq!(points.last().unwrap().ordinate, 0.5);
}

#[test]
fn the_layouts_of_other_programs_are_read() {
    let Some(folder) = reference("mrmc") else {
        return;
    };
    let file = folder.join("imrmc_dfMRMC_example.csv");
    let study = Study::read(&file, &ReadConfig::default()).unwrap();
    assert_eq!(study.input().layout, "imrmc");
    let table = study.scores().unwrap();
    assert_eq!((table.readers().len(), table.modalities().len()), (5, 2));
    assert_eq!((table.cases().len(), table.n_positive()), (80, 40));
    let van_dyke = Study::read(&folder.join("vandyke.csv"), &ReadConfig::default()).unwrap();
    assert_eq!(van_dyke.scores().unwrap().n_ratings(), 1140);
    let marks = folder.join("../froc/dataset04_marks.csv");
    let Study::Marks(table) = Study::read(&marks, &ReadConfig::default()).unwrap() else {
        panic!("marks")
    };
    assert_eq!((table.n_cases(), table.n_marks()), (200, 3273));
}

#[test]
fn a_workbook_is_read() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures");
    let study = Study::read(&folder.join("workbook.xlsx"), &ReadConfig::default()).unwrap();
    let Study::Marks(table) = &study else {
        panic!("marks")
    };
    assert_eq!(
        (table.n_cases(), table.n_lesions(), table.n_marks()),
        (4, 3, 12)
    );
    assert_eq!((table.readers().len(), table.modalities().len()), (2, 2));
    assert_eq!(study.input().layout, "workbook");
}

#[test]
fn parquet_is_read_and_counts_rows() {
    let rows = [("c1", 0, Some(0.1)), ("c2", 1, Some(1.0 / 3.0))];
    let file = parquet_file(&rows);
    let study = Study::read(&file.path, &ReadConfig::default()).unwrap();
    let series = study.scores().unwrap().series(0, 0).unwrap();
    assert_eq!(series.ratings, [0.1, 1.0 / 3.0], "numbers are exact");
    let file = parquet_file(&[rows[0], ("c2", 1, None)]);
    let error = Study::read(&file.path, &ReadConfig::default()).unwrap_err();
    assert!(error.to_string().ends_with(
        "t.parquet, row 2, column `score`: expected a finite number, got an empty cell"
    ));
}

fn parquet_file(rows: &[(&str, i32, Option<f64>)]) -> super::Written {
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type};
    let file = written("t.parquet", "");
    let schema = "message t { required binary case (utf8); required int32 truth; \
                  optional double score; }";
    let schema = parquet::schema::parser::parse_message_type(schema).unwrap();
    let out = std::fs::File::create(&file.path).unwrap();
    let mut writer =
        parquet::file::writer::SerializedFileWriter::new(out, schema.into(), Default::default())
            .unwrap();
    let mut group = writer.next_row_group().unwrap();
    let cases: Vec<ByteArray> = rows.iter().map(|row| row.0.into()).collect();
    let truth: Vec<i32> = rows.iter().map(|row| row.1).collect();
    let scores: Vec<f64> = rows.iter().filter_map(|row| row.2).collect();
    let there: Vec<i16> = rows.iter().map(|row| i16::from(row.2.is_some())).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<ByteArrayType>()
        .write_batch(&cases, None, None)
        .unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<Int32Type>()
        .write_batch(&truth, None, None)
        .unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<DoubleType>()
        .write_batch(&scores, Some(&there), None)
        .unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn survival_tables_name_what_is_wrong() {
    let columns = SurvivalColumns {
        time: "time".into(),
        event: "status".into(),
        covariates: vec!["age".into(), "factor(grade)".into()],
        ..SurvivalColumns::default()
    };
    let head = "time,status,age,grade\n";
    let refused = [
        (
            "-1,1,50,1\n",
            "line 2, column `time`: expected a time of at least 0, got `-1`",
        ),
        (
            "1,0.5,50,1\n",
            "line 2, column `status`: expected an event of 0 (censored), 1, or the number of a \
             competing cause, got `0.5`",
        ),
        ("1,1,,1\n", "expected at least one complete row, got none"),
    ];
    for (rows, message) in refused {
        let file = written("t.csv", &format!("{head}{rows}"));
        let error = SurvivalTable::read(&file.path, &columns).unwrap_err();
        assert!(error.to_string().ends_with(message), "{error}");
    }
    let file = written("t.csv", &format!("{head}1,1,50,3\n2,0,60,1\n3,2,NA,2\n"));
    let table = SurvivalTable::read(&file.path, &columns).unwrap();
    assert_eq!((table.n_rows(), table.n_incomplete()), (3, 1));
    let CovariateKind::Categories { of_subject, labels } = &table.covariates()[1].kind else {
        panic!("categories")
    };
    assert_eq!(
        (&of_subject[..], &labels[..]),
        (&[1, 0][..], &["1".to_owned(), "3".to_owned()][..])
    );
}

#[test]
fn survival_of_some_rows_only_says_so() {
    let rows = "1,1,2,positive\n2,0,3,positive\n3,1,2,negative\n4,1,2,positive\n-1,x,1,positive\n";
    let file = written("t.csv", &format!("time,status,grade,er\n{rows}"));
    let read = |only: &[&str]| {
        let columns = SurvivalColumns {
            time: "time".into(),
            event: "status".into(),
            only: only.iter().map(|text| text.parse().unwrap()).collect(),
            ..SurvivalColumns::default()
        };
        SurvivalTable::read(&file.path, &columns)
    };
    let table = read(&["grade=2", "er=positive|unknown"]).unwrap();
    assert_eq!(table.times(), [1.0, 4.0]);
    assert_eq!((table.n_rows(), table.n_others()), (5, 3));
    let result = lobule_study::survival::run(&table, &Default::default()).unwrap();
    let document = lobule_study::survival::document(&result, &Default::default());
    let expected = "only those with grade = 2 and er = positive or unknown";
    assert!(
        document.summary[0].contains(expected),
        "{:?}",
        document.summary
    );
    // Rows that are asked for must be whole.
    assert!(read(&["er=positive"]).is_err());
    let error = read(&["size=2"]).unwrap_err();
    assert!(error.to_string().contains("size"), "{error}");
}

#[test]
fn the_levels_of_survival_tables_can_be_ordered() {
    let rows = "1,1,low,3\n2,0,high,1\n3,1,middle,2\n4,1,low,3\n";
    let file = written("t.csv", &format!("time,status,risk,grade\n{rows}"));
    let ordered = |reference: &[&str]| {
        let columns = SurvivalColumns {
            time: "time".into(),
            event: "status".into(),
            groups: vec!["risk".into()],
            covariates: vec!["risk".into(), "factor(grade)".into()],
            reference: reference.iter().map(|&name| name.to_owned()).collect(),
            ..SurvivalColumns::default()
        };
        let table = SurvivalTable::read(&file.path, &columns)?;
        let groups: Vec<String> = table.groups()[0]
            .labels()
            .iter()
            .map(str::to_owned)
            .collect();
        let levels = table
            .covariates()
            .iter()
            .map(|covariate| match &covariate.kind {
                CovariateKind::Categories { of_subject, labels } => {
                    (of_subject[0], labels.join(" "))
                }
                CovariateKind::Numeric(_) => panic!("categories"),
            });
        let (of_first, levels): (Vec<usize>, Vec<String>) = levels.unzip();
        Ok::<_, lobule_study::Error>((groups.join(" "), levels.join(", "), of_first))
    };
    let expected = [
        (&[][..], "high low middle", "high low middle, 1 2 3", [1, 2]),
        (
            &["low"],
            "low high middle",
            "low high middle, 1 2 3",
            [0, 2],
        ),
        (
            &["low", "middle", "2"],
            "low middle high",
            "low middle high, 2 1 3",
            [0, 2],
        ),
    ];
    for (reference, groups, levels, of_first) in expected {
        let found = ordered(reference).unwrap();
        assert_eq!(
            (&found.0[..], &found.1[..], &found.2[..]),
            (groups, levels, &of_first[..])
        );
    }
    let error = ordered(&["none"]).unwrap_err().to_string();
    assert!(
        error.ends_with("got \"none\", which no column has"),
        "{error}"
    );
}

/// Prints seconds and the peak of the process's memory; `cargo test -- --ignored`.
#[test]
#[ignore = "takes a minute and 300 MB of disk"]
fn ten_million_rows_fit() {
    use std::io::Write;
    let file = written("t.csv", "");
    let mut out = std::io::BufWriter::new(std::fs::File::create(&file.path).unwrap());
    writeln!(out, "reader,modality,case,truth,rating").unwrap();
    for case in 0..1_000_000_u64 {
        for reader in 0..10 {
            let rating = (case * 7919 + reader * 104_729) % 1000;
            writeln!(
                out,
                "r{reader},film,c{case},{},{rating}",
                u8::from(case % 10 == 0)
            )
            .unwrap();
        }
    }
    out.flush().unwrap();
    drop(out);
    let study = Study::read(&file.path, &ReadConfig::default()).unwrap();
    assert_eq!(study.scores().unwrap().n_ratings(), 10_000_000);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find(|line| line.starts_with("VmHWM")) {
        println!("{peak}");
        let kib: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(kib * 1024 < 10_000_000 * 64, "{kib} KiB");
    }
}
