//! Sets of slides as their authors publish them, on tiny made folders, and on those that are at hand.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_train::slide::{
    Content, MaskCodes, Regions, SlideCase, SlideLayout, SlideSetConfig, read_slide_set,
};

fn set(layout: &str, folder: &Path) -> SlideSetConfig {
    let text = format!("name = \"set\"\npath = {folder:?}\nlayout = \"{layout}\"\n");
    toml::from_str(&text).unwrap()
}

/// Writes empty files (or tables) and reads the set.
fn read(layout: &str, files: &[(&str, &str)]) -> Result<Vec<SlideCase>, lobule_train::Error> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    read_slide_set(&set(layout, folder.path()), Path::new(""))
}

fn names(cases: &[SlideCase]) -> Vec<&str> {
    cases.iter().map(|case| case.name.as_str()).collect()
}

#[test]
fn our_own_table_tells_masks_nuclei_and_outlines_apart() {
    let table = "file,patient,mask,grade,fold,mpp,site\n\
                 a.png,p1,a-mask.png,,1,0.25,x\n\
                 b.png,p2,b.csv,G2,2,,y\n\
                 c.svs,,c.geojson,III,2,,\n\
                 d.png,p4,,1,2,,z\n";
    let cases = read("table", &[("labels.csv", table)]).unwrap();
    assert_eq!(cases.len(), 4);
    assert!(
        matches!(&cases[0].regions, Regions::Mask(file, MaskCodes::NotZero) if file.ends_with("a-mask.png"))
    );
    assert!(matches!(&cases[1].regions, Regions::Nuclei(_)));
    assert!(matches!(&cases[2].regions, Regions::Polygons(_)));
    assert_eq!(cases[3].regions, Regions::Unknown);
    let grades: Vec<Option<u8>> = cases.iter().map(|case| case.grade).collect();
    assert_eq!(grades, [None, Some(2), Some(3), Some(1)]);
    assert_eq!((cases[0].mpp, cases[0].fold), (Some(0.25), Some(1)));
    assert_eq!(
        (cases[2].group.as_str(), cases[1].extra["site"].as_str()),
        ("c.svs", "y")
    );
}

#[test]
fn a_clinical_table_names_files_or_folders_of_one_slide() {
    let table = "patient,slide,grade,years,event\n\
                 p1,slides/a.svs,1,4.5,0\n\
                 p2,slides/b,3,2.0,1\n\
                 p3,slides/s.plan.json,2,1.0,0\n";
    let files = [
        ("clinical.csv", table),
        ("slides/a.svs", ""),
        ("slides/a.geojson", "{}"),
        ("slides/b/1.dcm", ""),
        ("slides/b/2.dcm", ""),
        ("slides/s.plan.json", ""),
        ("slides/s.truth.geojson", "{}"),
    ];
    let cases = read("clinical", &files).unwrap();
    assert_eq!(
        names(&cases),
        ["slides/a.svs", "slides/b/1.dcm", "slides/s.plan.json"]
    );
    assert!(matches!(&cases[0].regions, Regions::Polygons(f) if f.ends_with("a.geojson")));
    assert_eq!(cases[1].regions, Regions::Unknown);
    assert!(matches!(&cases[2].regions, Regions::Polygons(f) if f.ends_with("s.truth.geojson")));
    assert_eq!(
        (cases[1].extra["years"].as_str(), cases[1].grade),
        ("2.0", Some(3))
    );
    let two = [
        ("clinical.csv", "patient,slide\np,s\n"),
        ("s/a.svs", ""),
        ("s/b.svs", ""),
    ];
    let error = read("clinical", &two).unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("got 2 files"),
        "{error}"
    );
}

#[test]
fn tcga_joins_diagnostic_slides_with_the_first_row_of_a_patient() {
    let dx = "0a1b/TCGA-A1-A0SB-01Z-00-DX1.B34C.svs";
    let files = [
        (
            "clinical.tsv",
            "case_submitter_id\tgrade\tdays_to_death\nTCGA-A1-A0SB\tG3\t'--\nTCGA-A1-A0SB\tG1\t5\nTCGA-ZZ-0000\t\t9\n",
        ),
        (dx, ""),
        ("0a1b/logs/x.parcel", ""),
        ("2c/TCGA-A1-A0SB-01A-01-TSA.9.svs", ""),
        ("TCGA-XX-XXXX-01Z-00-DX1.1.svs", ""),
    ];
    let cases = read("tcga", &files).unwrap();
    assert_eq!(names(&cases), [dx]);
    assert_eq!(
        (cases[0].group.as_str(), cases[0].grade),
        ("TCGA-A1-A0SB", Some(3))
    );
    assert!(!cases[0].extra.contains_key("days_to_death"));
    let older = [
        (
            "clinical.csv",
            "bcr_patient_barcode,histologic_grade\nTCGA-A1-A0SB,2\n",
        ),
        (dx, ""),
    ];
    assert_eq!(read("tcga", &older).unwrap()[0].grade, Some(2));
}

#[test]
fn bcss_names_bear_patient_and_scale() {
    let name = "TCGA-A1-A0SK-DX1_xmin45749_ymin25055_MPP-0.2500.png";
    let (image, mask) = (
        format!("rgbs_colorNormalized/{name}"),
        format!("masks/{name}"),
    );
    let cases = read("bcss", &[(&image, ""), (&mask, "")]).unwrap();
    assert_eq!(
        (cases[0].group.as_str(), cases[0].mpp),
        ("TCGA-A1-A0SK", Some(0.25))
    );
    assert!(
        matches!(&cases[0].regions, Regions::Mask(file, MaskCodes::Bcss) if file.ends_with(&mask))
    );
    let error = read("bcss", &[("images/odd.png", "")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("odd.png") && error.contains("TCGA-"),
        "{error}"
    );
}

#[test]
fn classes_of_fields_come_from_folders_and_names() {
    let tumor = Regions::Whole(Content::Tumor);
    let other = Regions::Whole(Content::Other);
    let bracs = [
        ("val/5_DCIS/BRACS_1494_DCIS_1.png", ""),
        ("test/6_IC/BRACS_1283_IC_4.png", ""),
    ];
    let cases = read("bracs", &bracs).unwrap();
    assert_eq!((&cases[0].regions, &cases[1].regions), (&tumor, &other));
    assert_eq!(
        (
            cases[0].group.as_str(),
            cases[0].extra["published_split"].as_str()
        ),
        ("BRACS_1283", "test")
    );

    let bach = [
        ("Photos/InSitu/is001.tif", ""),
        ("Photos/Invasive/iv001.tif", ""),
        ("Photos/x.csv", ""),
    ];
    let cases = read("bach", &bach).unwrap();
    assert_eq!((&cases[0].regions, &cases[1].regions), (&other, &tumor));
    assert_eq!(cases[1].mpp, Some(0.42));

    let breakhis = [
        (
            "benign/SOB/adenosis/SOB_B_A_14-22549AB/100X/SOB_B_A-14-22549AB-100-001.png",
            "",
        ),
        (
            "malignant/SOB/x/SOB_M_DC_14-2523/400X/SOB_M_DC-14-2523-400-010.png",
            "",
        ),
    ];
    let cases = read("breakhis", &breakhis).unwrap();
    assert_eq!((&cases[0].regions, &cases[1].regions), (&other, &tumor));
    assert_eq!((cases[0].mpp, cases[1].mpp), (Some(0.20), Some(0.05)));
    assert_eq!(cases[1].group, "14-2523");
    assert!(read("breakhis", &[("SOB_M_DC-14-2523-50-010.png", "")]).is_err());

    let graded = [
        ("Grade 1/40x/a.jpg", ""),
        ("grade_3/b.jpg", ""),
        ("other/c.jpg", ""),
    ];
    let cases = read("graded", &graded).unwrap();
    let grades: Vec<Option<u8>> = cases.iter().map(|case| case.grade).collect();
    assert_eq!(grades, [Some(1), Some(3)]);

    let qupath = [("a.svs", ""), ("a.geojson", "{}"), ("b.svs", "")];
    assert_eq!(names(&read("qupath", &qupath).unwrap()), ["a.svs"]);
}

#[test]
fn empty_folders_and_missing_tables_are_errors_that_name_them() {
    for layout in ["bracs", "bach", "breakhis", "graded", "qupath"] {
        let error = read(layout, &[]).unwrap_err().to_string();
        assert!(error.contains("got none"), "{layout}: {error}");
    }
    for (layout, name) in [
        ("table", "labels.csv"),
        ("clinical", "clinical.csv"),
        ("tcga", "clinical.tsv"),
    ] {
        let error = read(layout, &[]).unwrap_err().to_string();
        assert!(error.contains(name), "{layout}: {error}");
    }
}

#[test]
fn the_sets_at_hand_are_read() {
    let Some(root) = std::env::var_os("LOBULE_DATA").map(PathBuf::from) else {
        println!("skipped: LOBULE_DATA is not set");
        return;
    };
    for (name, n, groups) in [
        ("bcss3", 3, 3),
        ("brecahad30", 30, 4),
        ("databiox15", 15, 15),
    ] {
        if !root.join(name).is_dir() {
            println!("skipped: {name} is not there");
            continue;
        }
        let mut config = set("table", Path::new(name));
        config.layout = SlideLayout::Table;
        let cases = read_slide_set(&config, &root).unwrap();
        let found: std::collections::BTreeSet<&str> =
            cases.iter().map(|c| c.group.as_str()).collect();
        assert_eq!((cases.len(), found.len()), (n, groups), "{name}");
    }
}
