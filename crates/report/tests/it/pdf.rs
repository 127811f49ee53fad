//! An exam as a PDF.

use lobule_exam::{Lesion, Warning, WarningKind};
use lobule_report::exam_pdf;

use crate::{info, record};

#[test]
fn a_pdf_has_a_page_of_words_and_one_of_heat_maps_and_no_file_names() {
    let exam = record("exam-1", WarningKind::Synthetic);
    let made = || exam_pdf(&exam.assessment, &exam.pictures, &info()).unwrap();
    let pdf = made();
    assert!(pdf == made());
    if let Some(folder) = std::env::var_os("LOBULE_KEEP_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join("exam.pdf"), &pdf).unwrap();
    }
    let text = String::from_utf8_lossy(&pdf);
    for words in [
        "/Count 2",
        "AI RESULT. Research use only",
        "Exam exam-1",
        "SYNTHETIC images",
        "Image 1, left",
        "FLAGGED",
        "3 images; heat maps of 2 of them are on the last page.",
        "Operating point balanced: 31 of 100",
        "peak 0.90",
        "Note: about ",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(!text.contains("one.png"));
}

#[test]
fn what_does_not_fit_a_page_stands_on_the_next() {
    let mut exam = record("exam-1", WarningKind::Synthetic).assessment;
    let image = &mut exam.breasts[0].images[0];
    image.findings = vec![image.findings[0].clone(); 50];
    let warning = |n: usize| Warning {
        kind: WarningKind::Repaired,
        message: format!("warning number {n}"),
    };
    exam.warnings = (0..50).map(warning).collect();
    let pdf = exam_pdf(&exam, &[], &info()).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.contains("/Count 2"));
    assert!(text.contains("and 22 more") && text.contains("Note: warning number 49"));
}

/// Numbers and scores are those of the page; thresholds are rounded; what is one is not many.
#[test]
fn lesions_have_the_numbers_and_scores_of_the_page() {
    let mut exam = record("exam-1", WarningKind::Synthetic).assessment;
    exam.breasts.truncate(1);
    let breast = &mut exam.breasts[0];
    breast.images.truncate(1);
    let image = &mut breast.images[0];
    image.findings[0].lesion = Some(Lesion {
        score: 29.3,
        number: 2,
    });
    image.warnings = vec![Warning {
        kind: WarningKind::UntrainedView,
        message: "the model learnt from no CC view".to_owned(),
    }];
    let mut info = info();
    info.operating_point.as_mut().unwrap().threshold = 0.221_258_784_891_560_78;
    let pdf = exam_pdf(&exam, &[], &info).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    for words in [
        "Operating point balanced: 22.1 of 100",
        "left      57            0.570        0.700            FLAGGED",
        "left      2       29         malignant  1            7.6 mm",
        "Note: left, image 1: the model learnt from no CC view",
        "1 image; no heat map.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("0.900") && !text.contains("1 images"));
}
