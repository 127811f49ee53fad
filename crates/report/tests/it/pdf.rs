//! An exam as a PDF.

use lobule_exam::WarningKind;
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
        "3 images; heat maps of 2 of them",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(!text.contains("one.png"));
}

#[test]
fn what_does_not_fit_a_page_is_said() {
    let mut exam = record("exam-1", WarningKind::Synthetic).assessment;
    let image = &mut exam.breasts[0].images[0];
    image.findings = vec![image.findings[0].clone(); 50];
    exam.warnings = vec![exam.warnings[0].clone(); 50];
    let pdf = exam_pdf(&exam, &[], &info()).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    assert!(text.contains("/Count 1"));
    assert!(text.contains("and 22 more") && text.contains("More notes"));
}
