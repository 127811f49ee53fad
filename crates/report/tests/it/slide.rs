//! Documents, tables, outlines and pages of slides.

use std::fs;
use std::path::Path;

use lobule_exam::{
    ComponentsOutcome, GradeOutcome, MemberGrade, Modality, MppSource, NuclearVariation,
    RiskLevels, Skipped, SlideAssessment, SlideComponents, SlideGrade, StainUse, TileAssessment,
    TileBounds, TileCounts, TileGrade, Warning, WarningKind,
};
use lobule_raster::{Image, TileMark};
use lobule_report::slide::{
    GradingInfo, NO_GRADE, RESULT_COLUMNS, SLIDES_SCHEMA, ShownTile, SlideFolder, SlidePages,
    SlideRecord, SlideRunInfo,
};
use lobule_report::{ModelInfo, ModelStatus};
use serde_json::Value;

fn model(name: &str, status: ModelStatus) -> ModelInfo {
    ModelInfo {
        name: name.into(),
        version: "1".into(),
        modality: Modality::Histology,
        digest: "d".repeat(64),
        engine: "rten".into(),
        members: 2,
        status,
        research_use: lobule_report::NOTICE.into(),
    }
}

fn info(status: ModelStatus) -> SlideRunInfo {
    SlideRunInfo {
        program_version: "0.1.0".into(),
        tumor: model("slide-tumor", ModelStatus::Research),
        tumor_threshold: 0.5,
        tumor_chosen_by: "the test".into(),
        grading: Some(GradingInfo {
            model: model("slide-grade", status),
            quantile: 0.75,
            least_tiles: 2,
            risk: RiskLevels {
                scale: "two-level".into(),
                levels: vec!["low".into(), "high".into()],
                cutoffs: vec![0.5],
                chosen_by: "the test".into(),
            },
        }),
        tile_side: 100,
        tile_mpp: 0.5,
    }
}

fn tile(row: usize, col: usize, verdict: &'static str, tumor: Option<f64>) -> TileAssessment {
    let at = |i: usize| 200.0 * i as f64;
    let is_tumor = tumor.is_some_and(|p| p >= 0.5);
    TileAssessment {
        row,
        col,
        bounds: TileBounds {
            top: at(row),
            left: at(col),
            bottom: at(row + 1),
            right: at(col + 1),
        },
        verdict,
        reason: match verdict {
            "unreadable" => "level 0: the tile is damaged".into(),
            _ => String::new(),
        },
        tumor,
        is_tumor,
        grade: is_tumor.then(|| TileGrade {
            score: 0.8,
            members: vec![0.7, 0.9],
        }),
    }
}

fn assessment(slide: &str) -> SlideAssessment {
    let member = |score: f64| MemberGrade {
        score,
        level: usize::from(score >= 0.5),
    };
    SlideAssessment {
        slide: slide.into(),
        file: format!("{slide}.svs"),
        format: "Aperio SVS".into(),
        rows: 500,
        cols: 700,
        mpp: 0.25,
        mpp_source: MppSource::File,
        stains: StainUse::Normalized,
        counts: TileCounts {
            taken: 3,
            tumor: 2,
            glass: 7,
            pen: 1,
            unreadable: 1,
            ..TileCounts::default()
        },
        tiles: vec![
            tile(0, 0, "taken", Some(0.9)),
            tile(0, 1, "taken", Some(0.1)),
            tile(1, 1, "pen", None),
            tile(1, 2, "unreadable", None),
            tile(2, 3, "taken", Some(0.7)),
        ],
        grade: GradeOutcome::Assessed(SlideGrade {
            score: 0.8,
            interval: [0.6, 0.85],
            n_tiles: 2,
            level: 1,
            members: vec![member(0.4), member(0.9)],
        }),
        components: ComponentsOutcome::Measured(SlideComponents {
            tiles: 2,
            area_mm2: 0.02,
            nuclei: 40,
            mitosis_like: 1,
            tubule_share: Some(0.125),
            variation: Some(NuclearVariation {
                nuclei: 31,
                median_um2: 52.75,
                size_variation: 0.31,
                large_share: 0.0625,
                median_elongation: 1.3,
                elongation_spread: 0.2,
            }),
        }),
        is_synthetic: false,
        warnings: vec![Warning {
            kind: WarningKind::UnreadableTiles,
            message: "1 of 4 tiles cannot be decoded: tiles.csv says why".into(),
        }],
    }
}

fn record(assessment: SlideAssessment) -> SlideRecord {
    let pink = |rows, cols| Image::filled(rows, cols, [220_u8, 150, 190]);
    SlideRecord {
        assessment,
        view: pink(250, 350),
        view_step: 2.0,
        tints: Image::from_fn(25, 35, |row, _| (row < 2).then_some([210, 0, 0])),
        gallery: vec![ShownTile {
            row: 0,
            col: 0,
            score: 0.8,
            picture: pink(100, 100),
            marks: Some(Image::from_fn(100, 100, |row, _| match row {
                40 => TileMark::Measured,
                60 => TileMark::Nucleus,
                _ => TileMark::None,
            })),
        }],
        extra: vec!["p1".into(), "2".into(), "-3.5".into()],
    }
}

fn written(status: ModelStatus, records: &[SlideRecord], dir: &Path) -> Value {
    let pages = match records.len() {
        1 => SlidePages::OneSlide,
        _ => SlidePages::List,
    };
    let columns = ["patient", "grade", "shift"].map(String::from);
    let mut folder = SlideFolder::create(dir, info(status), pages, &columns).unwrap();
    for record in records {
        let place = folder.place(&record.assessment.slide);
        folder.add(record, &place).unwrap();
    }
    let skipped = Skipped::new("c.svs", "expected microns per pixel, got none");
    let extra = ["p3", "1", "0"].map(String::from);
    folder.skip("c", skipped, &extra).unwrap();
    let report = folder.finish(&[]).unwrap();
    assert_eq!(report, dir.join("report.html"));
    serde_json::from_str(&fs::read_to_string(dir.join("assessment.json")).unwrap()).unwrap()
}

#[test]
fn the_document_is_what_its_schema_says_and_names_files_that_are_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = assessment("b");
    other.grade = GradeOutcome::NotAssessable("expected at least 20 tiles of tumor, got 2".into());
    other.stains = StainUse::Unfit("expected two dyes".into());
    other.tiles.retain(|t| t.grade.is_none());
    let records = [record(assessment("a")), record(other)];
    let document = written(ModelStatus::Research, &records, dir.path());
    let schema: Value = serde_json::from_str(SLIDES_SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&document)
        .map(|e| e.to_string())
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(document["demonstration"], Value::Null);
    let slides = document["slides"].as_array().unwrap();
    assert_eq!(slides[0]["grade"]["risk"], "high");
    assert_eq!(slides[0]["grade"]["member_agreement"], 0.5);
    assert_eq!(slides[1]["status"], "not_assessable");
    assert_eq!(slides[1]["files"]["score_map"], Value::Null);
    for slide in slides {
        let files = slide["files"].as_object().unwrap().values();
        for file in files.filter_map(Value::as_str) {
            assert!(dir.path().join(file).is_file(), "{file}");
        }
    }
    assert_eq!(document["skipped"][0]["file"], "c.svs");
    let list = fs::read_to_string(dir.path().join("report.html")).unwrap();
    for expected in [
        "slides/a/report.html",
        "0.80",
        "not assessable",
        "c.svs",
        "Research use only",
    ] {
        assert!(list.contains(expected), "{expected}");
    }
}

#[test]
fn the_cohort_table_carries_what_was_given_and_splits_grade_2() {
    let dir = tempfile::tempdir().unwrap();
    written(
        ModelStatus::Research,
        &[record(assessment("a"))],
        dir.path(),
    );
    let text = fs::read_to_string(dir.path().join("cohort.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    assert_eq!(header[..5], ["slide", "file", "patient", "grade", "shift"]);
    assert_eq!(header[5..], RESULT_COLUMNS);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cell = |row: usize, name: &str| {
        let at = header.iter().position(|h| h == name).unwrap();
        rows[row].get(at).unwrap().to_owned()
    };
    assert_eq!(
        (cell(0, "shift"), cell(0, "score")),
        ("-3.5".into(), "0.8".into())
    );
    assert_eq!(
        (cell(0, "risk"), cell(0, "grade_or_risk")),
        ("high".into(), "grade 2, high".into())
    );
    assert_eq!(
        (cell(1, "status"), cell(1, "risk")),
        ("skipped".into(), String::new())
    );
    assert!(cell(1, "reason").contains("microns"));
}

#[test]
fn outlines_lie_where_the_squares_are_and_inside_the_slide() {
    let dir = tempfile::tempdir().unwrap();
    written(
        ModelStatus::Research,
        &[record(assessment("a"))],
        dir.path(),
    );
    let text = fs::read_to_string(dir.path().join("slides/a/tiles.geojson")).unwrap();
    let outlines: Value = serde_json::from_str(&text).unwrap();
    let features = outlines["features"].as_array().unwrap();
    assert_eq!(features.len(), 5);
    // (column, row), the first corner again at the end; cut at 500 rows and 700 columns.
    let ring = &features[4]["geometry"]["coordinates"][0];
    let expected = [
        [600.0, 400.0],
        [700.0, 400.0],
        [700.0, 500.0],
        [600.0, 500.0],
        [600.0, 400.0],
    ];
    assert_eq!(*ring, serde_json::json!(expected));
    let properties = &features[0]["properties"];
    assert_eq!(properties["classification"]["name"], "Tumor");
    assert_eq!(
        properties["measurements"]["score of grade 3 against 1"],
        0.8
    );
    assert_eq!(features[2]["properties"]["classification"]["name"], "Pen");
    let tiles = fs::read_to_string(dir.path().join("slides/a/tiles.csv")).unwrap();
    assert_eq!(tiles.lines().count(), 6);
    assert!(tiles.contains("the tile is damaged"));
}

#[test]
fn the_maps_are_laid_over_the_view() {
    let dir = tempfile::tempdir().unwrap();
    written(
        ModelStatus::Research,
        &[record(assessment("a"))],
        dir.path(),
    );
    let map = image::open(dir.path().join("slides/a/tumor-map.png"))
        .unwrap()
        .to_rgb8();
    // The view of 350 columns is drawn 1400 wide: 2 pixels per pixel of level 0.
    let at = |row: u32, col: u32| map.get_pixel(2 * col, 2 * row).0;
    let plain = [220, 150, 190];
    assert_eq!(at(300, 100), plain, "no square");
    assert_eq!(at(300, 300), plain, "pen");
    assert_ne!(at(100, 100), plain, "tumor");
    assert_ne!(at(100, 100), at(100, 300), "tumor and other tissue");
    assert_ne!(at(450, 650), plain, "tumor at the edge");
    let qc = image::open(dir.path().join("slides/a/qc.png"))
        .unwrap()
        .to_rgb8();
    let at = |row: u32, col: u32| qc.get_pixel(2 * col, 2 * row).0;
    assert_ne!(at(20, 500), plain, "pen");
    assert_eq!(at(300, 500), plain, "neither pen nor the edge of a square");
    assert_eq!(at(200, 300), [210, 0, 0], "the edge of a square with pen");
}

#[test]
fn a_demonstration_cannot_be_taken_for_a_result() {
    let dir = tempfile::tempdir().unwrap();
    let mut slide = assessment("a");
    slide.is_synthetic = true;
    let document = written(ModelStatus::Demonstration, &[record(slide)], dir.path());
    assert_eq!(document["demonstration"], NO_GRADE);
    assert_eq!(document["slides"][0]["model_status"], "demonstration");
    assert_eq!(document["slides"][0]["grade"]["risk"], "demonstration high");
    let page = fs::read_to_string(dir.path().join("report.html")).unwrap();
    assert!(page.contains(NO_GRADE) && page.contains("demonstration high"));
    assert!(page.contains("SYNTHETIC"));
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let cohort = read("cohort.csv");
    assert!(
        cohort.contains("demonstration high (synthetic)"),
        "{cohort}"
    );
    assert!(cohort.contains("\"grade 2, demonstration high (synthetic)\""));
    assert!(read("summary.csv").contains("demonstration high (synthetic)"));
    assert!(
        read("slides/a/tiles.csv")
            .lines()
            .skip(1)
            .all(|l| l.contains("demonstration"))
    );
    let outlines = read("slides/a/tiles.geojson");
    assert!(outlines.contains(NO_GRADE) && outlines.contains("Demonstration: Tumor"));
    let size =
        |name: &str, dir: &Path| image::image_dimensions(dir.join("slides/a").join(name)).unwrap();
    // Each picture has two more lines than a result's: synthetic, demonstration.
    let plain = tempfile::tempdir().unwrap();
    written(
        ModelStatus::Research,
        &[record(assessment("a"))],
        plain.path(),
    );
    for name in ["tumor-map.png", "score-map.png", "qc.png", "gallery.png"] {
        let (marked, bare) = (size(name, dir.path()), size(name, plain.path()));
        assert!(marked.1 > bare.1, "{name}: {marked:?} {bare:?}");
    }
}

#[test]
fn components_stand_beside_the_score_as_an_explanation_with_what_was_measured() {
    let dir = tempfile::tempdir().unwrap();
    let mut coarse = assessment("b");
    coarse.components = ComponentsOutcome::LeftOut("expected at most 0.6 microns per pixel".into());
    let mut coarse = record(coarse);
    coarse.gallery[0].marks = None;
    let records = [record(assessment("a")), coarse];
    let document = written(ModelStatus::Research, &records, dir.path());
    let measures = &document["slides"][0]["components"]["measures"];
    assert_eq!(measures["nuclei_per_mm2"], 2000.0);
    assert_eq!(measures["mitosis_like_per_mm2"], 50.0);
    assert_eq!(measures["nuclear_variation"]["size_variation"], 0.31);
    assert_eq!(document["slides"][1]["components"]["status"], "left_out");
    assert_eq!(document["slides"][1]["files"]["components"], Value::Null);
    let figures = &document["components_measured"];
    assert!(
        figures["meaning"]
            .as_str()
            .unwrap()
            .contains("not the grade")
    );
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let page = read("slides/a/report.html");
    let mitoses = figures["mitoses"].as_str().unwrap();
    for expected in [
        "an explanation, not the grade",
        "53 µm²",
        "0.31 (standard deviation by mean)",
        "6.2 % from twice the median area",
        "12.5 % of the tissue",
        "50.0 per mm² (1)",
        mitoses,
        "research use",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert!(read("slides/b/report.html").contains("Left out: expected at most 0.6 microns"));
    let summary = read("summary.csv");
    let rows: Vec<&str> = summary.lines().collect();
    assert!(rows[0].ends_with("mitosis_like_per_mm2,tubule_share"));
    assert!(
        rows[1].ends_with(",2000,52.75,0.31,0.0625,50,0.125"),
        "{}",
        rows[1]
    );
    assert!(rows[2].ends_with(",,,,,,"), "{}", rows[2]);
    let picture = image::open(dir.path().join("slides/a/components.png")).unwrap();
    // Row 40 of 100 lies at rows 179 to 183 of 448.
    assert_eq!(picture.to_rgb8().get_pixel(200, 181).0, [255, 225, 0]);
    assert_eq!(picture.to_rgb8().get_pixel(200, 100).0, [220, 150, 190]);
}
