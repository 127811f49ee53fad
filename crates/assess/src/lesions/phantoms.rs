//! Whether one lesion gets one number over the views of a breast, on drawn exams whose truth is known.
//!
//! The exams are written as DICOM, read and prepared as any exam is; only the network is left out:
//! the findings are the true outlines.

use std::path::Path;

use lobule_exam::{
    Affine, ClassScores, Crop, CropMethod, Finding, FindingClass, ImageAssessment, Laterality,
    SaliencyMap, Side,
};
use lobule_package::Prepare;
use lobule_phantom::mammogram::{
    Density, ExamPlan, LesionKind, LesionPlan, MammogramExam, MammogramView, Medium,
    ProjectedLesion, render_exam, write_dicom_exam,
};
use lobule_raster::MammogramConfig;
use lobule_stats::Confidence;
use lobule_stats::proportion::Proportion;

use super::name_lesions;
use crate::load::{LoadedImage, load};
use crate::nipple::NippleDistance;
use crate::pipeline::Keep;
use crate::{BreastInputs, collect};

/// Pairs of findings, one in CC and one in MLO of a breast.
#[derive(Debug, Default)]
struct Pairs {
    n: usize,
    right: usize,
}

impl Pairs {
    fn count(&mut self, right: bool) {
        self.n += 1;
        self.right += usize::from(right);
    }

    fn share(&self) -> f64 {
        self.right as f64 / self.n as f64
    }

    fn words(&self) -> String {
        let share = Proportion::new(self.right, self.n).unwrap();
        let interval = share.wilson(Confidence::NINETY_FIVE);
        format!(
            "{} of {} ({:.3}, {:.3} to {:.3})",
            self.right,
            self.n,
            self.share(),
            interval.lower,
            interval.upper
        )
    }
}

/// What the numbering did.
#[derive(Debug, Default)]
struct Outcome {
    exams: u64,
    /// Pairs of one lesion that have one number.
    joined: Pairs,
    /// Pairs of two lesions that have two numbers.
    parted: Pairs,
    /// Pairs of two lesions, each seen in one view alone, that have two numbers: no better partner
    /// keeps them apart.
    parted_alone: Pairs,
    /// By how much the nipple distances of one lesion differ between the views, in mm.
    apart_mm: Vec<f64>,
}

impl Outcome {
    fn print(&mut self, name: &str) {
        self.apart_mm.sort_by(f64::total_cmp);
        let at = |q: f64| self.apart_mm[((self.apart_mm.len() - 1) as f64 * q) as usize];
        let distances = match self.apart_mm.is_empty() {
            true => String::new(),
            false => format!(
                "; distances differ by {:.1} mm in half, by up to {:.1} mm in 95 %",
                at(0.5),
                at(0.95)
            ),
        };
        println!(
            "{name}, {} exams: one lesion, one number {}; two lesions, two numbers {}; each in one \
             view alone {}{distances}",
            self.exams,
            self.joined.words(),
            self.parted.words(),
            self.parted_alone.words()
        );
    }
}

/// The `seed`th of numbers spread evenly over a range.
fn spread(seed: u64, step: f64, [low, high]: [f64; 2]) -> f64 {
    low + (high - low) * (seed as f64 * step).fract()
}

/// Two lesions per breast, each at a depth of its own range, a share of the breast's depth.
fn plan(seed: u64, depths: [[f64; 2]; 2]) -> ExamPlan {
    let sides = [Laterality::Left, Laterality::Right];
    let lesions = sides.into_iter().enumerate().flat_map(|(at, side)| {
        depths.into_iter().enumerate().map(move |(which, range)| {
            let turn = 4 * seed + 2 * at as u64 + which as u64;
            LesionPlan {
                side,
                kind: LesionKind::ALL[turn as usize % 3],
                diameter_mm: spread(turn, 0.754_878, [7.0, 14.0]),
                depth: spread(turn, 0.618_034, range),
                outward: spread(turn, 0.569_840, [-0.9, 0.9]),
                upward: spread(turn, 0.414_214, [-0.9, 0.9]),
            }
        })
    });
    ExamPlan {
        spacing_mm: 0.4,
        density: Density::ALL[seed as usize % 4],
        medium: [Medium::Digital, Medium::Film][(seed / 4) as usize % 2],
        lesions: lesions.collect(),
    }
}

/// The images of a breast as they are prepared for a network.
fn prepared(breast: &BreastInputs) -> Vec<LoadedImage> {
    let config = MammogramConfig {
        rows: 128,
        cols: 96,
        ..MammogramConfig::default()
    };
    let files = breast.files.iter();
    let images = files.flat_map(|file| {
        let prepare = Prepare::Mammogram(config.clone());
        load(file, &prepare, Keep::Nothing).unwrap()
    });
    images.collect()
}

/// A true lesion as a finding of that peak.
fn finding(lesion: &ProjectedLesion, peak: f64) -> Finding {
    Finding {
        class: FindingClass::Malignant,
        score: peak,
        bounds: lesion.bounds(),
        outline: lesion.outline.clone(),
        longest_axis_mm: Some(lesion.longest_mm),
        lesion: None,
    }
}

/// The assessment of an image whose findings are the true lesions. Which of them stands out more
/// changes from view to view.
fn assessed(loaded: &LoadedImage, view: &MammogramView, seed: u64) -> ImageAssessment {
    let scores = ClassScores {
        benign: 0.1,
        malignant: 0.9,
    };
    let peak = |at: usize| spread(seed + view.image.rows() as u64 + at as u64, 0.7, [0.5, 0.9]);
    let lesions = view.lesions.iter().enumerate();
    ImageAssessment {
        file: String::new(),
        frame: 0,
        rows: loaded.rows,
        cols: loaded.cols,
        spacing: loaded.spacing,
        crop: Crop {
            window: loaded.input.crop.window,
            method: CropMethod::Breast,
            painted_pixels: 0,
        },
        image_from_input: loaded.input.image_from_input,
        attention: 0.5,
        rank: 1,
        scores,
        probabilities: None,
        saliency: SaliencyMap {
            rows: 0,
            cols: 0,
            benign: Vec::new(),
            malignant: Vec::new(),
            image_from_grid: Affine::IDENTITY,
        },
        findings: lesions.map(|(at, l)| finding(l, peak(at))).collect(),
        mammogram: loaded.mammogram.clone(),
        warnings: Vec::new(),
    }
}

/// The breast's images and, for each finding, the true lesion's number.
fn breast(
    exam: &MammogramExam,
    inputs: &BreastInputs,
    seed: u64,
) -> Vec<(ImageAssessment, Vec<usize>)> {
    let images = prepared(inputs).into_iter().map(|loaded| {
        let facts = loaded.mammogram.as_ref().unwrap();
        let same = |view: &&MammogramView| {
            Side::Known(view.side) == inputs.side && Some(view.view) == facts.view
        };
        let view = exam.views.iter().find(same).unwrap();
        let truth = view.lesions.iter().map(|lesion| lesion.number).collect();
        (assessed(&loaded, view, seed), truth)
    });
    images.collect()
}

/// Names the lesions of a breast and counts; then once more with each lesion in one view alone.
fn judge(images: &[(ImageAssessment, Vec<usize>)], outcome: &mut Outcome) {
    let [(cc, truth_of_cc), (mlo, truth_of_mlo)] = images else {
        panic!("expected two views, got {}", images.len())
    };
    let named = named(cc, mlo);
    for (a, of_a) in named[0].findings.iter().zip(truth_of_cc) {
        for (b, of_b) in named[1].findings.iter().zip(truth_of_mlo) {
            let one = number(a) == number(b);
            match of_a == of_b {
                false => outcome.parted.count(!one),
                true => {
                    outcome.joined.count(one);
                    outcome.apart_mm.extend(apart_mm((cc, a), (mlo, b)));
                }
            }
        }
    }
    for kept in 0..cc.findings.len() {
        let (mut cc, mut mlo) = (cc.clone(), mlo.clone());
        cc.findings = vec![cc.findings[kept].clone()];
        mlo.findings.remove(kept);
        let named = self::named(&cc, &mlo);
        let [a, b] = [&named[0].findings[0], &named[1].findings[0]];
        outcome.parted_alone.count(number(a) != number(b));
    }
}

fn named(cc: &ImageAssessment, mlo: &ImageAssessment) -> [ImageAssessment; 2] {
    let mut images = [cc.clone(), mlo.clone()];
    name_lesions(&mut images, 50.0);
    images
}

fn number(finding: &Finding) -> usize {
    finding.lesion.unwrap().number
}

fn apart_mm(a: (&ImageAssessment, &Finding), b: (&ImageAssessment, &Finding)) -> Option<f64> {
    let distance = |(image, finding): (&ImageAssessment, &Finding)| {
        let (facts, at) = (image.mammogram.as_ref()?, finding.outline.middle()?);
        Some(NippleDistance::of(facts, Some(image.spacing?), at)?.distance)
    };
    Some((distance(a)? - distance(b)?).abs())
}

/// Draws, writes, reads and prepares the exams; counts with sizes of pixels, and without.
fn run(exams: u64, depths: [[f64; 2]; 2]) -> [Outcome; 2] {
    let none = || Outcome {
        exams,
        ..Outcome::default()
    };
    let mut outcomes = [none(), none()];
    for seed in 0..exams {
        let folder = tempfile::tempdir().unwrap();
        let exam = written(&plan(seed, depths), seed, folder.path());
        let inputs = collect(&[folder.path().to_owned()]).unwrap();
        assert!(inputs.skipped.is_empty(), "{:?}", inputs.skipped);
        for inputs in &inputs.exams[0].breasts {
            let images = breast(&exam, inputs, seed);
            let mut without = images.clone();
            without
                .iter_mut()
                .for_each(|(image, _)| image.spacing = None);
            judge(&images, &mut outcomes[0]);
            judge(&without, &mut outcomes[1]);
        }
    }
    outcomes
}

fn written(plan: &ExamPlan, seed: u64, folder: &Path) -> MammogramExam {
    let exam = render_exam(plan, seed);
    write_dicom_exam(folder, "drawn", &exam, Default::default()).unwrap();
    exam
}

#[test]
fn lesions_of_different_depth_keep_their_numbers_over_the_views() {
    // At least 30 % of the breast's depth apart: 20 mm in the smallest.
    let [mut mm, mut shares] = run(24, [[0.22, 0.35], [0.65, 0.8]]);
    mm.print("well apart, in mm");
    shares.print("well apart, in shares of the depth");
    for outcome in [&mm, &shares] {
        let all = [&outcome.joined, &outcome.parted, &outcome.parted_alone];
        assert!(all.iter().all(|pairs| pairs.n == 96 && pairs.share() > 0.9));
    }
}

#[test]
fn lesions_of_like_depth_are_told_apart_where_both_views_show_both() {
    let [mut mm, _] = run(12, [[0.35, 0.42], [0.52, 0.6]]);
    mm.print("near each other, in mm");
    assert!(mm.joined.share() > 0.9 && mm.parted.share() > 0.9);
    // Depth is all that is compared: two lesions of like depth, each in one view, are taken for one.
    assert!(mm.parted_alone.share() < 0.9);
}
