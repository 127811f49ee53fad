//! The components of the Nottingham grade on synthetic slides.

use std::fs;
use std::path::Path;

use lobule_assess::slide::{
    AssessedSlide, Journal, SlideModels, SlideOptions, assess_slide, open_input,
};
use lobule_exam::{ComponentsOutcome, SlideComponents};
use lobule_package::Package;
use lobule_phantom::slide::SlidePlan;

use crate::slide::{assessed, drawn, input, model, options, plan, save};

/// The tumor model with one text of its manifest replaced by another.
fn tumor_model_with(folder: &Path, text: &str, other: &str) -> Package {
    let tumor = model("tumor");
    let member = "member-1.onnx";
    fs::copy(tumor.folder().join(member), folder.join(member)).unwrap();
    let manifest = fs::read_to_string(tumor.folder().join("manifest.toml")).unwrap();
    assert!(manifest.contains(text));
    fs::write(folder.join("manifest.toml"), manifest.replace(text, other)).unwrap();
    Package::open(folder).unwrap()
}

fn found_by(tumor: &Package, file: &Path) -> AssessedSlide {
    let mut models = SlideModels::open(tumor, None, &options()).unwrap();
    let input = input(file);
    let source = open_input(&input).unwrap();
    let mut journal = Journal::none();
    assess_slide(&source, &input, &mut models, &mut journal, &|_, _| ()).unwrap()
}

/// The components on a synthetic slide of a planted grade, over all tissue: the formula that stands for a tumor
/// model finds hardly any tumor of grade 1.
fn components(grade: f64) -> SlideComponents {
    let folder = tempfile::tempdir().unwrap();
    let all = tumor_model_with(folder.path(), "threshold = 0.5", "threshold = 0.0");
    let (file, _) = drawn(folder.path(), SlidePlan { grade, ..plan() });
    let result = found_by(&all, &file);
    assert!(result.gallery.iter().all(|t| t.marks.is_some()));
    *result.assessment.components.measures().expect("tumor")
}

#[test]
fn components_follow_what_is_planted() {
    let [low, middle, high] = [1.0, 2.0, 3.0].map(components);
    println!("{low:?}\n{middle:?}\n{high:?}");
    type Measure = (&'static str, fn(&SlideComponents) -> f64);
    let measures: [Measure; 5] = [
        ("median area", |c| c.variation.unwrap().median_um2),
        ("size variation", |c| c.variation.unwrap().size_variation),
        ("elongation spread", |c| {
            c.variation.unwrap().elongation_spread
        }),
        ("mitosis-like per mm²", |c| c.per_mm2(c.mitosis_like)),
        ("tissue beside tubules", |c| 1.0 - c.tubule_share.unwrap()),
    ];
    for (name, of) in measures {
        let values = [&low, &middle, &high].map(of);
        assert!(
            values[0] < values[1] && values[1] < values[2],
            "{name}: {values:?}"
        );
    }
}

#[test]
fn components_are_left_out_where_tiles_are_too_coarse_and_without_tumor() {
    let folder = tempfile::tempdir().unwrap();
    let (file, _) = drawn(folder.path(), plan());
    let coarse = tumor_model_with(folder.path(), "mpp = 0.5", "mpp = 1.0");
    let slide = found_by(&coarse, &file);
    assert!(slide.assessment.counts.tumor > 0);
    let ComponentsOutcome::LeftOut(reason) = &slide.assessment.components else {
        panic!("{:?}", slide.assessment.components);
    };
    assert!(
        reason.contains("expected 0.1 to 0.6 microns per pixel"),
        "{reason}"
    );
    assert!(slide.gallery.iter().all(|t| t.marks.is_none()));
    let glass = folder.path().join("glass.png");
    save(&glass, [244, 243, 245]);
    let options = SlideOptions {
        mpp: Some(0.5),
        ..options()
    };
    let glass = assessed(&glass, &options, &mut Journal::none()).assessment;
    assert_eq!(
        glass.components,
        ComponentsOutcome::LeftOut("expected tiles of tumor, got none".into())
    );
}
