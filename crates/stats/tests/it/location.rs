//! Marks with a place: known answers of RJafroc on its data sets, the standalone comparison, and
//! properties.

use std::path::PathBuf;

use lobule_stats::location::*;
use lobule_stats::mrmc::*;
use lobule_stats::roc::Roc;
use lobule_stats::{Confidence, ErrorKind};
use serde_json::Value;

use crate::mrmc::{all_near, near, reference};

const LEVEL: Confidence = Confidence::NINETY_FIVE;

fn folder() -> Option<PathBuf> {
    reference("froc")
}

fn rows(path: PathBuf) -> Vec<csv::StringRecord> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.records().map(Result::unwrap).collect()
}

/// A data set; where marks of diseased cases in the wrong place are kept apart (LROC), they are
/// false marks.
struct DataSet {
    truth: Vec<csv::StringRecord>,
    marks: Vec<csv::StringRecord>,
}

impl DataSet {
    fn read(folder: &std::path::Path, name: &str) -> DataSet {
        let mut marks = rows(folder.join(format!("{name}_marks.csv")));
        marks.sort_by_key(|row| {
            [0, 1].map(|c| row[c].parse::<u32>().map_err(|_| row[c].to_owned()))
        });
        DataSet {
            truth: rows(folder.join(format!("{name}_truth.csv"))),
            marks,
        }
    }

    fn truth(&self) -> impl Iterator<Item = LesionTruth<'_>> {
        self.truth.iter().map(|row| match &row[1] {
            "1" => LesionTruth {
                case: &row[0],
                lesion: Some(&row[2]),
                weight: Some(row[3].parse().unwrap()),
            },
            _ => LesionTruth::none(&row[0]),
        })
    }

    fn marks(&self) -> impl Iterator<Item = Mark<'_>> {
        self.marks.iter().map(|row| Mark {
            modality: &row[0],
            reader: &row[1],
            case: &row[2],
            lesion: (&row[4] == "LL").then_some(&row[5]),
            rating: row[6].parse().unwrap(),
        })
    }

    fn study(&self) -> LocationStudy {
        LocationStudy::new(self.truth(), self.marks()).unwrap()
    }
}

fn check_contrast(what: &str, expected: &Value, got: &Contrast) {
    let (statistic, p) = match got.degrees_of_freedom {
        Some(_) => ("t", "PrGTt"),
        None => ("z", "PrGTz"),
    };
    let values = [
        ("Estimate", got.estimate),
        ("StdErr", got.standard_error),
        (statistic, got.statistic),
        (p, got.p_value),
        ("CILower", got.interval.lower),
        ("CIUpper", got.interval.upper),
    ];
    all_near(what, expected, &values);
    if let Some(df) = got.degrees_of_freedom {
        all_near(what, expected, &[("DF", df)]);
    }
}

fn check_anova(what: &str, expected: &Value, analysis: &OrAnalysis) {
    let squares = &analysis.mean_squares;
    let of_table = [squares.modality, squares.reader, squares.interaction];
    for (row, got) in expected["TRanova"].as_array().unwrap().iter().zip(of_table) {
        all_near(what, row, &[("MS", got.unwrap())]);
    }
    let c = &analysis.components;
    let values = [
        c.reader.unwrap(),
        c.interaction.unwrap(),
        c.cov1,
        c.cov2,
        c.cov3,
        c.error,
    ];
    for (row, got) in expected["VarCom"].as_array().unwrap().iter().zip(values) {
        all_near(what, row, &[("Estimates", got)]);
    }
    for (row, got) in expected["IndividualTrt"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&analysis.modalities)
    {
        let values = [
            ("msREachTrt", got.reader_square.unwrap()),
            ("varEachTrt", got.error),
            ("cov2EachTrt", got.cov2),
        ];
        all_near(what, row, &values);
    }
}

fn check_analysis(what: &str, expected: &Value, kind: &str, analysis: &OrAnalysis) {
    check_anova(what, &expected["ANOVA"], analysis);
    let expected = &expected[kind];
    let test = analysis.test.unwrap();
    let (row, error) = (&expected["FTests"][0], &expected["FTests"][1]);
    let statistic = match kind {
        "RRRC" => "FStat",
        "FRRC" => "Chisq",
        _ => "F",
    };
    let values = [
        ("DF", test.numerator_df),
        (statistic, test.statistic),
        ("p", test.p_value),
    ];
    all_near(what, row, &values);
    all_near(what, error, &[("MS", test.denominator)]);
    if let Some(df) = test.denominator_df {
        all_near(what, error, &[("DF", df)]);
    }
    for (row, got) in expected["ciDiffTrt"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&analysis.differences)
    {
        check_contrast(what, row, &got.contrast);
    }
    for (row, got) in expected["ciAvgRdrEachTrt"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&analysis.modalities)
    {
        let values = [
            ("Estimate", got.estimate),
            ("StdErr", got.standard_error),
            ("CILower", got.interval.lower),
            ("CIUpper", got.interval.upper),
        ];
        all_near(what, row, &values);
    }
    if kind == "FRRC" {
        let differences = expected["ciDiffTrtEachRdr"].as_array().unwrap();
        assert_eq!(differences.len(), analysis.reader_differences.len());
        for (row, got) in differences.iter().zip(&analysis.reader_differences) {
            check_contrast(what, row, &got.contrast);
        }
    }
}

#[test]
fn free_response_data_by_obuchowski_and_rockette() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    for name in ["dataset01", "dataset04"] {
        let study = DataSet::read(&folder, name).study();
        for (label, figure) in [
            ("wAFROC", LocationFigure::WeightedAfroc),
            ("AFROC1", LocationFigure::Afroc1),
            ("HrAuc", LocationFigure::HighestRatingAuc),
        ] {
            let table = location_table(&study, figure).unwrap();
            let expected = &expected[format!("{name}|{label}")];
            for (modality, row) in expected["FOM"].as_array().unwrap().iter().enumerate() {
                for (reader, value) in row.as_array().unwrap().iter().enumerate() {
                    let got = table.estimate(modality, reader).unwrap();
                    near(&format!("{name} {label}"), got, value.as_f64().unwrap());
                }
            }
            for (kind, random) in [
                ("RRRC", RandomFactors::ReadersAndCases),
                ("FRRC", RandomFactors::Cases),
                ("RRFC", RandomFactors::Readers),
            ] {
                let analysis = obuchowski_rockette(&table, random, LEVEL).unwrap();
                let what = format!("{name} {label} {kind}");
                check_analysis(&what, &expected["OR"][kind], kind, &analysis);
            }
        }
    }
}

#[test]
fn quoted_numbers_of_free_response_data() {
    let Some(folder) = folder() else { return };
    let study = DataSet::read(&folder, "dataset04").study();
    let table = location_table(&study, LocationFigure::WeightedAfroc).unwrap();
    let random = RandomFactors::ReadersAndCases;
    let test = obuchowski_rockette(&table, random, LEVEL)
        .unwrap()
        .test
        .unwrap();
    near("F", test.statistic, 7.8002996671);
    near("df", test.denominator_df.unwrap(), 36.7933427335);
}

/// Reader 1 of this data set is the algorithm.
#[test]
fn readers_against_an_algorithm_by_localization() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("cad_vs_readers_expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let data = DataSet::read(&folder, "datasetCadLroc");
    let figure = LocationFigure::CorrectLocalization {
        false_positive_fraction: 0.2,
    };
    let table = location_table(&data.study(), figure).unwrap();
    let compare = |random| readers_against_standalone(&table, "1", "1", random, LEVEL).unwrap();
    let both = compare(RandomFactors::ReadersAndCases);
    let expected_both = &expected["datasetCadLroc|PCL|1T-RRRC"];
    check_standalone("RRRC", expected_both, &both);
    all_near(
        "RRRC",
        expected_both,
        &[("varError", both.error), ("cov2", both.cov2)],
    );
    check_standalone(
        "RRFC",
        &expected["datasetCadLroc|PCL|1T-RRFC"],
        &compare(RandomFactors::Readers),
    );
    near("quoted difference", both.contrast.estimate, 0.118506117725);
    near("quoted p", both.contrast.p_value, 0.0417262624);
    check_two_treatments(&data, figure, &expected["datasetCadLroc|PCL|2T-RRRC"]);
}

fn check_standalone(what: &str, expected: &Value, got: &StandaloneComparison) {
    let values = [
        ("fomCAD", got.algorithm),
        ("avgRadFom", got.reader_mean),
        ("avgDiffFom", got.contrast.estimate),
        ("varR", got.reader_square),
        ("Tstat", got.contrast.statistic),
        ("df", got.contrast.degrees_of_freedom.unwrap()),
        ("pval", got.contrast.p_value),
    ];
    all_near(what, expected, &values);
    for (reader, value) in got
        .readers
        .iter()
        .zip(expected["fomRAD"].as_array().unwrap())
    {
        near(what, *reader, value.as_f64().unwrap());
    }
    let limits = &expected["CIAvgDiffFom"];
    near(
        what,
        got.contrast.interval.lower,
        limits[0].as_f64().unwrap(),
    );
    near(
        what,
        got.contrast.interval.upper,
        limits[1].as_f64().unwrap(),
    );
}

/// The same comparison as a study of two modalities, the first being the algorithm for all readers.
fn check_two_treatments(data: &DataSet, figure: LocationFigure, expected: &Value) {
    let names: Vec<String> = (2..=10).map(|reader| reader.to_string()).collect();
    let mut marks = Vec::new();
    for mark in data.marks() {
        if mark.reader == "1" {
            let copies = names.iter().map(|reader| Mark {
                reader,
                modality: "algorithm",
                ..mark
            });
            marks.extend(copies);
        }
    }
    let alone = marks.len();
    marks.extend(data.marks().filter(|mark| mark.reader != "1"));
    assert!(alone > 0);
    let study = LocationStudy::new(data.truth(), marks).unwrap();
    let table = location_table(&study, figure).unwrap();
    let random = RandomFactors::ReadersAndCases;
    let analysis = obuchowski_rockette(&table, random, LEVEL).unwrap();
    let (test, c) = (analysis.test.unwrap(), analysis.components);
    let values = [
        ("varTR", c.interaction.unwrap()),
        ("cov1", c.cov1),
        ("cov2", c.cov2),
        ("cov3", c.cov3),
        ("varError", c.error),
        ("FStat", test.statistic),
        ("df", test.denominator_df.unwrap()),
        ("pval", test.p_value),
    ];
    all_near("2T", expected, &values);
    near("varR", c.reader.unwrap(), 0.0);
    let difference = &analysis.differences[0].contrast;
    near(
        "2T",
        -difference.estimate,
        expected["ciDiffFom"][0]["Estimate"].as_f64().unwrap(),
    );
    near(
        "2T",
        difference.standard_error,
        expected["ciDiffFom"][0]["StdErr"].as_f64().unwrap(),
    );
    for (row, got) in expected["ciAvgRdrEachTrt"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&analysis.modalities)
    {
        let values = [
            ("Estimate", got.estimate),
            ("StdErr", got.standard_error),
            ("CILower", got.interval.lower),
            ("CIUpper", got.interval.upper),
            ("Cov2", got.cov2),
        ];
        all_near("2T", row, &values);
    }
}

/// ROC data are free-response data with one mark per case, whose highest-rating area is the area.
#[test]
fn one_mark_per_case_is_an_ordinary_reader_study() {
    let Some(folder) = folder() else { return };
    let data = DataSet::read(&folder, "dataset02");
    let table = location_table(&data.study(), LocationFigure::HighestRatingAuc).unwrap();
    let of_first = data
        .marks()
        .filter(|mark| (mark.modality, mark.reader) == ("0", "0"));
    let (ratings, truth): (Vec<f64>, Vec<bool>) = of_first
        .map(|mark| (mark.rating, mark.lesion.is_some()))
        .unzip();
    let roc = Roc::new(&ratings, &truth).unwrap();
    near("area", table.estimate(0, 0).unwrap(), roc.auc());
    for name in ["dataset03", "dataset05", "dataset06"] {
        let study = DataSet::read(&folder, name).study();
        for figure in [
            LocationFigure::Afroc,
            LocationFigure::WeightedAfroc1,
            LocationFigure::LocalizationAuc,
        ] {
            let table = location_table(&study, figure).unwrap();
            let random = RandomFactors::ReadersAndCases;
            let test = obuchowski_rockette(&table, random, LEVEL)
                .unwrap()
                .test
                .unwrap();
            assert!(
                test.p_value > 0.0 && test.p_value <= 1.0,
                "{name} {figure:?}"
            );
        }
    }
}

fn lesion<'a>(case: &'a str, name: &'a str, weight: Option<f64>) -> LesionTruth<'a> {
    LesionTruth {
        case,
        lesion: Some(name),
        weight,
    }
}

fn mark<'a>(case: &'a str, lesion: Option<&'a str>, rating: f64) -> Mark<'a> {
    Mark {
        reader: "ann",
        modality: "2D",
        case,
        lesion,
        rating,
    }
}

/// Two healthy cases; one diseased with lesions a and b, one with lesion a.
fn small_study() -> LocationStudy {
    let truth = [
        LesionTruth::none("h1"),
        LesionTruth::none("h2"),
        lesion("d1", "a", Some(0.25)),
        lesion("d1", "b", Some(0.75)),
        lesion("d2", "a", None),
    ];
    let marks = [
        mark("h1", None, 2.0),
        mark("h1", None, 3.0),
        mark("d1", Some("a"), 3.0),
        mark("d1", Some("a"), 1.0),
        mark("d1", None, 4.0),
        mark("d2", Some("a"), 5.0),
    ];
    LocationStudy::new(truth, marks).unwrap()
}

#[test]
fn figures_and_curves_computed_by_hand() {
    let study = small_study();
    let figure = |figure| {
        location_table(&study, figure)
            .unwrap()
            .estimate(0, 0)
            .unwrap()
    };
    // False marks of healthy cases: 3, none. Wins of a: ½ + 1, of b: 0 + ½, of d2's a: 2.
    near(
        "AFROC",
        figure(LocationFigure::Afroc),
        (1.5 + 0.5 + 2.0) / 6.0,
    );
    let weighted = (0.25 * 1.5 + 0.75 * 0.5 + 2.0) / 4.0;
    near("wAFROC", figure(LocationFigure::WeightedAfroc), weighted);
    // Also against 4 of d1 and none of d2: a gains 0 + 1, b 0 + ½, d2's a 1 + 1.
    near(
        "AFROC1",
        figure(LocationFigure::Afroc1),
        (2.5 + 1.0 + 4.0) / 12.0,
    );
    // Highest marks 4 and 5 beat both.
    near("HrAUC", figure(LocationFigure::HighestRatingAuc), 1.0);
    // d1's highest mark is off its lesions.
    near("LROC", figure(LocationFigure::LocalizationAuc), 0.5);
    let half = LocationFigure::CorrectLocalization {
        false_positive_fraction: 0.25,
    };
    near("PCL", figure(half), 0.5);
    let points = |curve| location_curve(&study, 0, 0, curve).unwrap();
    let froc: Vec<(f64, f64)> = points(LocationCurve::Froc)
        .iter()
        .map(|point| (point.abscissa, point.ordinate))
        .collect();
    let expected = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (2.0, 2.0), (3.0, 2.0)];
    for (got, (false_marks, lesions)) in froc.iter().zip(expected) {
        near("false marks per case", got.0, false_marks / 4.0);
        near("share of lesions", got.1, lesions / 3.0);
    }
    assert_eq!(froc.len(), expected.len());
    assert_eq!(points(LocationCurve::Lroc).last().unwrap().abscissa, 0.5);
    assert!(location_curve(&study, 1, 0, LocationCurve::Froc).is_err());
}

#[test]
fn monotone_scales_change_nothing() {
    let Some(folder) = folder() else { return };
    let data = DataSet::read(&folder, "dataset05");
    let bent = data.marks().map(|mark| Mark {
        rating: (0.3 * mark.rating).exp(),
        ..mark
    });
    let bent = LocationStudy::new(data.truth(), bent).unwrap();
    for figure in [LocationFigure::WeightedAfroc, LocationFigure::Afroc1] {
        let (a, b) = (
            location_table(&data.study(), figure),
            location_table(&bent, figure),
        );
        assert_eq!(a.unwrap(), b.unwrap());
    }
}

#[test]
fn bad_marks_end_in_a_clear_message() {
    let truth = || [LesionTruth::none("h1"), lesion("d1", "a", None)];
    let make = |marks: &[Mark<'static>]| LocationStudy::new(truth(), marks.iter().copied());
    let cases = [
        (vec![mark("x", None, 1.0)], ErrorKind::Mismatch),
        (vec![mark("d1", Some("b"), 1.0)], ErrorKind::Mismatch),
        (vec![mark("d1", None, f64::INFINITY)], ErrorKind::NotFinite),
        (vec![], ErrorKind::Empty),
    ];
    for (marks, kind) in cases {
        assert_eq!(make(&marks).unwrap_err().kind(), kind);
    }
    let rows = [
        (vec![lesion("d1", "a", None)], ErrorKind::SingleClass),
        (
            vec![LesionTruth::none("h"), LesionTruth::none("h")],
            ErrorKind::Duplicate,
        ),
        (
            vec![
                LesionTruth::none("h"),
                lesion("d", "a", None),
                lesion("d", "a", None),
            ],
            ErrorKind::Duplicate,
        ),
        (
            vec![LesionTruth::none("h"), lesion("d", "a", Some(0.4))],
            ErrorKind::OutOfRange,
        ),
        (
            vec![LesionTruth::none("h"), lesion("h", "a", None)],
            ErrorKind::Mismatch,
        ),
    ];
    for (rows, kind) in rows {
        let error = LocationStudy::new(rows, [mark("h", None, 1.0)]).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let few = make(&[mark("h1", None, 1.0)]).unwrap();
    let error = location_table(&few, LocationFigure::Afroc).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooFew);
}
