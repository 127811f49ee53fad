//! Published layouts of mammograms, made up of a few small files.

use std::fs;
use std::path::{Path, PathBuf};

use lobule_exam::Point;
use lobule_train::{Case, Label, Layout, Shape};

use crate::layouts::{folder, read};

/// A left CC view of 12 × 16 pixels.
fn dicom_file() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dicomio/tests/golden_mammogram");
    folder.join("linear.dcm")
}

/// Name, group, breast, label and the labels of the lesions.
type Row<'a> = (&'a str, &'a str, Option<&'a str>, Label, Vec<Label>);

fn rows(cases: &[Case]) -> Vec<Row<'_>> {
    cases
        .iter()
        .map(|c| {
            let marks = c.marks.iter().map(|mark| mark.label).collect();
            let (name, group) = (c.name.as_str(), c.group.as_str());
            (name, group, c.breast.as_deref(), c.label, marks)
        })
        .collect()
}

#[test]
fn mini_mias_is_read_from_its_list() {
    let list = "MIAS MiniMammographic Database\n\
                1st column: MIAS database reference number.\n\
                mdb001 G CIRC B 535 425 197\nmdb002 G NORM\n\
                mdb005 F CIRC B 477 133 30\nmdb005 F CIRC B 500 168 26\n\
                mdb216 D CALC M *NOTE 3*\nmdb144 F MISC B 233 994 29\nmdb144 F MISC M 313 540 27\n";
    let folder = folder(&[
        ("Info.txt", list),
        ("mdb001.pgm", ""),
        ("mdb002.png", ""),
        ("mdb005.pgm", ""),
        ("mdb144.pgm", ""),
        ("mdb216.pgm", ""),
    ]);
    let cases = read(Layout::MiniMias, folder.path()).unwrap();
    use Label::{Benign, Malignant, Normal};
    assert_eq!(
        rows(&cases),
        [
            ("mdb001.pgm", "pair 1", None, Benign, vec![Benign]),
            ("mdb002.png", "pair 1", None, Normal, vec![]),
            ("mdb005.pgm", "pair 3", None, Benign, vec![Benign; 2]),
            (
                "mdb144.pgm",
                "pair 72",
                None,
                Malignant,
                vec![Benign, Malignant]
            ),
            ("mdb216.pgm", "pair 108", None, Malignant, vec![]),
        ]
    );
    let center = Point {
        row: 598.0,
        col: 535.0,
    };
    let radius = 197.0;
    assert_eq!(cases[0].marks[0].shape, Shape::Circle { center, radius });
    assert_eq!(
        (&*cases[4].extra["density"], &*cases[4].extra["lesion"]),
        ("D", "CALC")
    );
}

#[test]
fn our_own_table_may_hold_circles() {
    let table = "file,label,patient,density_fgd,lesions_class_severity_x_ybottomorigin_radius\n\
                 a.png,malignant,p1,G,MISC B 233 994 29;MISC M 313 540 27\nb.png,malignant,p2,F,CALC M - - -\n";
    let folder = folder(&[("labels.csv", table)]);
    let cases = read(Layout::Table, folder.path()).unwrap();
    let marks = vec![Label::Benign, Label::Malignant];
    assert_eq!(
        rows(&cases),
        [
            ("a.png", "p1", None, Label::Malignant, marks),
            ("b.png", "p2", None, Label::Malignant, vec![]),
        ]
    );
    assert_eq!(
        (&*cases[0].extra["density"], &*cases[0].extra["lesion"]),
        ("G", "MISC")
    );
}

#[test]
fn cbis_ddsm_joins_the_lesions_of_a_film() {
    let head = "patient_id,breast_density,left or right breast,image view,abnormality id,\
                abnormality type,mass shape,mass margins,assessment,pathology,subtlety,\
                image file path,cropped image file path,ROI mask file path\n";
    let film = "Mass-Training_P_00001_LEFT_CC";
    let row = |id: usize, pathology: &str| {
        format!(
            "P_00001,3,LEFT,CC,{id},mass,OVAL,SPICULATED,4,{pathology},4,\
             {film}/1.3.6/1.3.7/000000.dcm,{film}_{id}/1/2/000001.dcm,{film}_{id}/1/2/000000.dcm\n"
        )
    };
    let table = format!(
        "{head}{}{}",
        row(1, "BENIGN_WITHOUT_CALLBACK"),
        row(2, "MALIGNANT")
    );
    // Downloaded with other names below the first folder; the crop is the smaller file.
    let image = format!("CBIS-DDSM/{film}/07-20-2016-DDSM/1.0-full/1-1.dcm");
    let mask = |id: usize| format!("CBIS-DDSM/{film}_{id}/07-20-2016-DDSM/1.0-ROI/1-2.dcm");
    let crop = |id: usize| format!("CBIS-DDSM/{film}_{id}/07-20-2016-DDSM/1.0-ROI/1-1.dcm");
    let folder = folder(&[
        ("mass_case_description_train_set.csv", &table),
        (&image, ""),
        (&mask(1), "larger"),
        (&crop(1), "small"),
        (&mask(2), "larger"),
        (&crop(2), "small"),
    ]);
    let cases = read(Layout::CbisDdsm, folder.path()).unwrap();
    let marks = vec![Label::Benign, Label::Malignant];
    let breast = Some("P_00001 LEFT");
    assert_eq!(
        rows(&cases),
        [(image.as_str(), "P_00001", breast, Label::Malignant, marks)]
    );
    assert_eq!(
        cases[0].marks[1].shape,
        Shape::Mask(folder.path().join(mask(2)))
    );
    assert_eq!(&*cases[0].extra["density"], "3");
    fs::remove_dir_all(folder.path().join("CBIS-DDSM").join(film)).unwrap();
    let error = read(Layout::CbisDdsm, folder.path()).unwrap_err();
    assert!(error.to_string().contains(film), "{error}");
}

#[test]
fn cbis_ddsm_as_pictures_takes_the_one_of_more_pixels_as_mask() {
    let head = "patient_id,breast_density,left or right breast,image view,abnormality id,\
                abnormality type,mass shape,mass margins,assessment,pathology,subtlety,\
                image file path,cropped image file path,ROI mask file path\n";
    let row =
        "P_00001,3,LEFT,CC,1,mass,OVAL,SPICULATED,4,MALIGNANT,4,film/1.dcm,roi/2.dcm,roi/1.dcm\n";
    let folder = folder(&[
        (
            "mass_case_description_train_set.csv",
            &format!("{head}{row}"),
        ),
        ("film/1.png", ""),
        ("roi/0.txt", ""),
    ]);
    let at = |name: &str| folder.path().join("roi").join(name);
    // A mask of one value packs into less than a small cut-out full of noise.
    let noise = |x: u32, y: u32| image::Luma([(x * 7919 + y * 104_729 + x * y * 31) as u8]);
    let cut = image::GrayImage::from_fn(60, 60, noise);
    cut.save(at("1.png")).unwrap();
    image::GrayImage::new(300, 400).save(at("2.png")).unwrap();
    let bytes = |name: &str| fs::metadata(at(name)).unwrap().len();
    assert!(bytes("1.png") > bytes("2.png"));
    let cases = read(Layout::CbisDdsm, folder.path()).unwrap();
    assert_eq!(cases[0].marks[0].shape, Shape::Mask(at("2.png")));
}

#[test]
fn inbreast_reads_outlines_and_suspicion() {
    let table = "Patient ID;Patient age;Laterality;View;Acquisition date;File Name ;ACR;Bi-Rads\n\
                 removed;removed;R;CC;201001;22678622;4;4c\nremoved;removed;L;CC;201001;22678646;4;1\n";
    let outline = "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"-//Apple Computer//DTD PLIST 1.0//EN\" \
                   \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\"><plist version=\"1.0\"><dict>\
                   <key>Images</key><array><dict><key>ROIs</key><array>\
                   <dict><key>Name</key><string>Mass</string><key>Point_px</key><array>\
                   <string>(10.5, 20.0)</string><string>(30.0, 20.0)</string><string>(30.0, 50.0)</string>\
                   </array></dict>\
                   <dict><key>Name</key><string>Calcification</string><key>Point_px</key><array>\
                   <string>(1.0, 2.0)</string></array></dict>\
                   </array></dict></array></dict></plist>";
    let folder = folder(&[
        ("INbreast.csv", table),
        ("AllXML/22678622.xml", outline),
        ("AllDICOMs/22678622_61b13c59bcba149e_MG_R_CC_ANON.dcm", ""),
        ("AllDICOMs/22678646_61b13c59bcba149e_MG_L_CC_ANON.dcm", ""),
    ]);
    let cases = read(Layout::Inbreast, folder.path()).unwrap();
    let patient = "61b13c59bcba149e";
    let names = ["22678622", "22678646"];
    let names = [
        format!("AllDICOMs/{}_{patient}_MG_R_CC_ANON.dcm", names[0]),
        format!("AllDICOMs/{}_{patient}_MG_L_CC_ANON.dcm", names[1]),
    ];
    let breasts = ["R", "L"].map(|side| format!("{patient} {side}"));
    assert_eq!(
        rows(&cases),
        [
            (
                &*names[0],
                patient,
                Some(&*breasts[0]),
                Label::Malignant,
                vec![Label::Malignant]
            ),
            (
                &*names[1],
                patient,
                Some(&*breasts[1]),
                Label::Normal,
                vec![]
            ),
        ]
    );
    let Shape::Polygon(polygon) = &cases[0].marks[0].shape else {
        panic!("expected an outline");
    };
    assert_eq!((polygon.points[0].row, polygon.points[0].col), (20.0, 10.5));
    fs::write(folder.path().join("AllXML/22678622.xml"), "<plist><dict>").unwrap();
    let error = read(Layout::Inbreast, folder.path()).unwrap_err();
    assert!(error.to_string().contains("22678622.xml"), "{error}");
}

#[test]
fn vindr_joins_breasts_and_boxes() {
    let breasts = "study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,\
                   breast_density,split\n\
                   s1,e1,i1,L,CC,3518,2800,BI-RADS 2,DENSITY C,training\n\
                   s1,e1,i2,R,CC,3518,2800,BI-RADS 5,DENSITY C,training\n";
    let findings = "image_id,study_id,finding_categories,finding_birads,xmin,ymin,xmax,ymax\n\
                    i1,s1,\"['No Finding']\",,,,,\n\
                    i2,s1,\"['Mass']\",BI-RADS 5,10.5,20.0,30.0,60.5\n";
    let folder = folder(&[
        ("breast-level_annotations.csv", breasts),
        ("finding_annotations.csv", findings),
        ("images/s1/i1.dicom", ""),
        ("images/s1/i2.png", ""),
    ]);
    let cases = read(Layout::VindrMammo, folder.path()).unwrap();
    assert_eq!(
        rows(&cases),
        [
            (
                "images/s1/i1.dicom",
                "s1",
                Some("s1 L"),
                Label::Benign,
                vec![]
            ),
            (
                "images/s1/i2.png",
                "s1",
                Some("s1 R"),
                Label::Malignant,
                vec![Label::Malignant]
            ),
        ]
    );
    let Shape::Box(found) = cases[1].marks[0].shape else {
        panic!("expected a box");
    };
    assert_eq!(
        (found.row, found.col, found.rows, found.cols),
        (20, 10, 41, 20)
    );
    assert_eq!(&*cases[0].extra["density"], "DENSITY C");
}

#[test]
fn cmmd_takes_the_side_from_the_files() {
    let folder = folder(&[]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/cmmd.xlsx");
    fs::copy(
        golden,
        folder.path().join("CMMD_clinicaldata_revision.xlsx"),
    )
    .unwrap();
    for patient in ["D1-0001", "D1-0002"] {
        let place = folder
            .path()
            .join("CMMD")
            .join(patient)
            .join("07-18-2010")
            .join("1.0");
        fs::create_dir_all(&place).unwrap();
        fs::copy(dicom_file(), place.join("1-1.dcm")).unwrap();
    }
    // The first patient's row is for the right side, and the picture shows the left one.
    let cases = read(Layout::Cmmd, folder.path()).unwrap();
    let name = "CMMD/D1-0002/07-18-2010/1.0/1-1.dcm";
    assert_eq!(
        rows(&cases),
        [(name, "D1-0002", Some("D1-0002 L"), Label::Malignant, vec![])]
    );
    fs::write(folder.path().join(name), "no DICOM").unwrap();
    let error = read(Layout::Cmmd, folder.path()).unwrap_err();
    assert!(error.to_string().contains("1-1.dcm"), "{error}");
}

#[test]
fn rsna_tells_biopsied_from_normal() {
    let table = "site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,invasive,BIRADS,implant,\
                 density,machine_id,difficult_negative_case\n\
                 2,10006,462822612,L,CC,61.0,0,0,0,,0,,29,False\n\
                 2,10006,1459541791,L,MLO,61.0,0,1,0,2.0,0,B,29,False\n\
                 2,10007,1,R,CC,61.0,1,1,1,0.0,0,B,29,False\n";
    let folder = folder(&[
        ("train.csv", table),
        ("train_images/10006/462822612.dcm", ""),
        ("train_images/10006/1459541791.png", ""),
        ("train_images/10007/1.dcm", ""),
    ]);
    let cases = read(Layout::Rsna, folder.path()).unwrap();
    let left = Some("10006 L");
    assert_eq!(
        rows(&cases),
        [
            (
                "train_images/10006/462822612.dcm",
                "10006",
                left,
                Label::Normal,
                vec![]
            ),
            (
                "train_images/10006/1459541791.png",
                "10006",
                left,
                Label::Benign,
                vec![]
            ),
            (
                "train_images/10007/1.dcm",
                "10007",
                Some("10007 R"),
                Label::Malignant,
                vec![]
            ),
        ]
    );
}

#[test]
fn a_manifest_names_exams_and_breasts() {
    let table = "exam,breast,view,file,label,mask\ne1,left,CC,a.png,benign,m.png\ne1,left,MLO,b.png,benign,\n\
                 e2,,CC,c.png,normal,\n";
    let folder = folder(&[
        ("manifest.csv", table),
        ("a.png", ""),
        ("b.png", ""),
        ("c.png", ""),
        ("m.png", ""),
    ]);
    let cases = read(Layout::Manifest, folder.path()).unwrap();
    assert_eq!(
        rows(&cases),
        [
            ("a.png", "e1", Some("e1 left"), Label::Benign, vec![]),
            ("b.png", "e1", Some("e1 left"), Label::Benign, vec![]),
            ("c.png", "e2", None, Label::Normal, vec![]),
        ]
    );
    assert!(cases[0].mask.is_some() && cases[1].mask.is_none());
}

#[test]
fn what_a_published_folder_lacks_is_named() {
    let vindr = "study_id,image_id,laterality,breast_birads\ns1,i1,L,BI-RADS 9\n";
    let rsna = "patient_id,image_id,laterality,cancer,biopsy\n1,2,L,maybe,0\n";
    for (layout, files, part) in [
        (Layout::MiniMias, vec![("x", "")], "Info.txt"),
        (
            Layout::MiniMias,
            vec![("Info.txt", "mdb001 G CIRC Q 1 2 3\n")],
            "line 1",
        ),
        (
            Layout::MiniMias,
            vec![("Info.txt", "mdb001 G NORM\n")],
            "mdb001.pgm",
        ),
        (Layout::CbisDdsm, vec![("x", "")], "got none"),
        (Layout::Inbreast, vec![("x", "")], "AllDICOMs"),
        (
            Layout::VindrMammo,
            vec![("breast-level_annotations.csv", vindr)],
            "BI-RADS 9",
        ),
        (Layout::Cmmd, vec![("x", "")], "workbook"),
        (Layout::Rsna, vec![("train.csv", rsna)], "maybe"),
        (
            Layout::Manifest,
            vec![("manifest.csv", "exam,file,label\ne,a.png,odd\n")],
            "odd",
        ),
    ] {
        let folder = folder(&files);
        let error = read(layout, folder.path()).unwrap_err().to_string();
        assert!(error.contains(part), "{layout:?}: {error}");
    }
}
