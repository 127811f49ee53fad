//! Manifests of slide models.

use std::path::Path;

use lobule_package::{ErrorKind, GradeRule, Manifest, Modality, Prepare, SlideRule, Wiring};

const TUMOR: &str = include_str!("slide-tumor.toml");
const GRADE: &str = include_str!("slide-grade.toml");

fn read(text: &str) -> Result<Manifest, lobule_package::Error> {
    Manifest::from_toml(text, Path::new("manifest.toml"))
}

#[test]
fn slide_models_say_what_they_are_for_and_decide_by() {
    let tumor = read(TUMOR).unwrap();
    assert_eq!(tumor.modality, Modality::Histology);
    assert_eq!(
        (tumor.prepare.size(), tumor.prepare.channels()),
        ((224, 224), 3)
    );
    assert!(matches!(&tumor.wiring, Wiring::TileClassifier(names) if names.input == "tiles"));
    assert!(matches!(&tumor.slide, Some(SlideRule::Tumor(rule)) if rule.threshold == 0.6));
    let grade = read(GRADE).unwrap();
    assert_eq!(grade.prepare, tumor.prepare);
    let Some(SlideRule::Grade(rule)) = &grade.slide else {
        panic!("expected a grade rule, got {:?}", grade.slide);
    };
    let two = rule.risk(None).unwrap();
    assert_eq!(
        [0.44, 0.45].map(|s| two.levels[two.level(s)].as_str()),
        ["low", "high"]
    );
    assert_eq!(rule.risk(Some("five-level")).unwrap().levels.len(), 5);
    assert!(rule.risk(Some("seven-level")).is_none());
}

#[test]
fn slide_models_are_read_back_as_written() {
    for text in [TUMOR, GRADE] {
        let manifest = read(text).unwrap();
        let written = manifest.to_toml(Path::new("manifest.toml")).unwrap();
        assert_eq!(read(&written).unwrap(), manifest);
    }
}

#[test]
fn wrong_slide_models_are_refused_with_the_reason() {
    let cases = [
        (
            TUMOR,
            "threshold = 0.6",
            "threshold = 1.6",
            "threshold in 0..=1, got 1.6",
        ),
        (
            TUMOR,
            "[\"other\", \"tumor\"]",
            "[\"tumor\", \"other\"]",
            "expected the classes",
        ),
        (TUMOR, "mpp = 0.5", "mpp = 0.0", "microns per pixel"),
        (TUMOR, "side = 224", "side = 100000", "pixels"),
        (
            TUMOR,
            "std = [64.0, 64.0, 64.0]",
            "std = [64.0, 0.0, 64.0]",
            "std above 0",
        ),
        (
            TUMOR,
            "stain = \"macenko\"",
            "stain = \"purple\"",
            "manifest",
        ),
        (
            TUMOR,
            "kind = \"tile-classifier\"",
            "kind = \"attention-mil\"",
            "manifest",
        ),
        (
            TUMOR,
            "modality = \"histology\"",
            "modality = \"ultrasound\"",
            "preparation for ultrasound",
        ),
        (TUMOR, "[slide]\n", "[elsewhere]\n", "manifest"),
        (
            TUMOR,
            "[prepare]",
            "default_operating_point = \"half\"\n\n[prepare]",
            "no operating point",
        ),
        (
            GRADE,
            "quantile = 0.75",
            "quantile = 75.0",
            "quantile in 0..=1",
        ),
        (GRADE, "least_tiles = 20", "least_tiles = 0", "least_tiles"),
        (
            GRADE,
            "cutoffs = [0.45]",
            "cutoffs = [0.45, 0.6]",
            "one cutoff fewer",
        ),
        (
            GRADE,
            "cutoffs = [0.2, 0.4, 0.6, 0.8]",
            "cutoffs = [0.2, 0.4, 0.4, 0.8]",
            "ascending",
        ),
        (
            GRADE,
            "[\"low\", \"high\"]",
            "[\"low\", \"low\"]",
            "different names of levels",
        ),
        (
            GRADE,
            "default_risk = \"two-level\"",
            "default_risk = \"three-level\"",
            "default risk",
        ),
    ];
    for (text, from, to, expected) in cases {
        assert!(text.contains(from), "{from}");
        let error = read(&text.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Manifest);
        assert!(error.to_string().contains(expected), "{to}: {error}");
    }
}

#[test]
fn models_of_exams_hold_nothing_of_slides_and_the_reverse() {
    let path = Path::new("manifest.toml");
    let exam = crate::manifest(&"0".repeat(64));
    let tumor = read(TUMOR).unwrap();
    let with_rule = Manifest {
        slide: tumor.slide.clone(),
        ..exam.clone()
    };
    let without_saliency = Manifest {
        saliency: None,
        ..exam.clone()
    };
    let other_wiring = Manifest {
        wiring: tumor.wiring.clone(),
        ..exam.clone()
    };
    let calibrated = Manifest {
        calibration: exam.calibration,
        ..tumor.clone()
    };
    let without_rule = Manifest {
        slide: None,
        ..tumor
    };
    let cases = [
        (with_rule, "`slide` of a slide model"),
        (without_saliency, "expected `saliency`"),
        (other_wiring, "tile-classifier"),
        (calibrated, "no calibration"),
        (without_rule, "got none"),
    ];
    for (manifest, expected) in cases {
        let error = manifest.to_toml(path).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(matches!(read(GRADE).unwrap().prepare, Prepare::Tile(_)));
}

#[test]
fn quantiles_are_those_of_numpy() {
    let cases: [(&[f64], f64, f64); 5] = [
        (&[0.3], 0.75, 0.3),
        (&[0.4, 0.1, 0.3, 0.2], 0.75, 0.325),
        (&[0.4, 0.1, 0.3, 0.2], 0.0, 0.1),
        (&[0.4, 0.1, 0.3, 0.2], 1.0, 0.4),
        (&[5.0, 1.0, 2.0, 4.0, 3.0], 0.5, 3.0),
    ];
    for (values, quantile, expected) in cases {
        let rule = GradeRule {
            quantile,
            least_tiles: 1,
            default_risk: "none".into(),
            risks: Vec::new(),
        };
        let got = rule.quantile_of(&mut values.to_vec()).unwrap();
        assert!(
            (got - expected).abs() < 1e-12,
            "{values:?} {quantile}: {got}"
        );
        assert_eq!(rule.score(values), Some(got));
    }
}
