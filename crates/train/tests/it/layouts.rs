//! Published folder layouts, made up of empty files: the readers open tables, not pictures.

use std::fs;
use std::path::Path;

use lobule_train::{Case, DataConfig, Label, LabelUse, Layout, read_data_set};

pub(crate) fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

pub(crate) fn read(layout: Layout, folder: &Path) -> Result<Vec<Case>, lobule_train::Error> {
    let config = DataConfig {
        name: "set".into(),
        path: folder.into(),
        layout,
        folds: 4,
        bag_by_group: false,
        mix_normals: 0.0,
        labels: LabelUse::Images,
        repeat_malignant: 1,
    };
    read_data_set(&config, Path::new(""))
}

/// Name, group, label, fold and whether there is a mask.
type Row = (String, String, Label, Option<usize>, bool);

fn rows(cases: &[Case]) -> Vec<Row> {
    let row = |c: &Case| {
        let (name, group) = (c.name.clone(), c.group.clone());
        (name, group, c.label, c.fold, c.mask.is_some())
    };
    cases.iter().map(row).collect()
}

fn expected(name: &str, group: &str, label: Label, fold: Option<usize>, mask: bool) -> Row {
    (name.into(), group.into(), label, fold, mask)
}

#[test]
fn busi_is_read_by_its_folders() {
    let folder = folder(&[
        ("benign/benign (1).png", ""),
        ("benign/benign (1)_mask.png", ""),
        ("benign/benign (1)_mask_1.png", ""),
        ("malignant/malignant (2).png", ""),
        ("normal/normal (3).png", ""),
        ("normal/normal (3)_mask.png", ""),
    ]);
    let cases = read(Layout::Busi, folder.path()).unwrap();
    let [benign, malignant, normal] = ["benign (1)", "malignant (2)", "normal (3)"].map(|stem| {
        let class = stem.split(' ').next().unwrap();
        format!("{class}/{stem}.png")
    });
    assert_eq!(
        rows(&cases),
        [
            expected(&benign, &benign, Label::Benign, None, true),
            expected(&malignant, &malignant, Label::Malignant, None, false),
            expected(&normal, &normal, Label::Normal, None, false),
        ]
    );
}

#[test]
fn bus_bra_joins_its_tables() {
    let folder = folder(&[
        (
            "bus_data.csv",
            "ID,Case,Histology,Pathology,BIRADS,Device,Width,Height,Side,BBOX\n\
             bus_0001-l,1,IDC,malignant,4,GE,274,353,left,\"[1,2,3,4]\"\n\
             bus_0001-r,1,IDC,malignant,4,GE,274,353,right,\"[1,2,3,4]\"\n\
             bus_0002-s,2,cyst,benign,2,GE,274,353,single,\"[1,2,3,4]\"\n",
        ),
        (
            "5-fold-cv.csv",
            "ID,Case,Pathology,kFold\nbus_0001-l,1,malignant,3\nbus_0001-r,1,malignant,3\n\
             bus_0002-s,2,benign,5\n",
        ),
        ("Images/bus_0001-l.png", ""),
        ("Images/bus_0001-r.png", ""),
        ("Images/bus_0002-s.png", ""),
        ("Masks/mask_0001-l.png", ""),
    ]);
    let cases = read(Layout::BusBra, folder.path()).unwrap();
    assert_eq!(
        rows(&cases),
        [
            expected(
                "Images/bus_0001-l.png",
                "1",
                Label::Malignant,
                Some(3),
                true
            ),
            expected(
                "Images/bus_0001-r.png",
                "1",
                Label::Malignant,
                Some(3),
                false
            ),
            expected("Images/bus_0002-s.png", "2", Label::Benign, Some(5), false),
        ]
    );
    assert_eq!(cases[0].extra["birads"], "4");
    assert_eq!(cases[1].extra["half"], "right");
}

#[test]
fn bus_uclm_groups_by_the_letters() {
    let folder = folder(&[
        (
            "INFO.csv",
            "Image;Doppler;Label\nANFO_000.png;No;Normal\nANFO_001.png;Yes;Benign\n",
        ),
        ("images/ANFO_000.png", ""),
        ("images/ANFO_001.png", ""),
        ("masks/ANFO_001.png", ""),
    ]);
    let cases = read(Layout::BusUclm, folder.path()).unwrap();
    assert_eq!(
        rows(&cases),
        [
            expected("images/ANFO_000.png", "ANFO", Label::Normal, None, false),
            expected("images/ANFO_001.png", "ANFO", Label::Benign, None, true),
        ]
    );
    assert_eq!(cases[1].extra["Doppler"], "Yes");
}

#[test]
fn breast_is_read_from_its_workbook() {
    let pictures = "BrEaST-Lesions_USG-images_and_masks";
    let name = |file: &str| format!("{pictures}/{file}");
    let files = [
        "case001.png",
        "case001_tumor.png",
        "case002.png",
        "case003.png",
    ]
    .map(name);
    let folder = folder(&files.each_ref().map(|f| (f.as_str(), "")));
    let workbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/breast.xlsx");
    fs::copy(
        workbook,
        folder.path().join("BrEaST-Lesions-USG-clinical-data.xlsx"),
    )
    .unwrap();
    let cases = read(Layout::Breast, folder.path()).unwrap();
    assert_eq!(
        rows(&cases),
        [
            expected(&name("case001.png"), "1", Label::Benign, None, true),
            expected(&name("case002.png"), "2", Label::Malignant, None, false),
            expected(&name("case003.png"), "3", Label::Normal, None, false),
        ]
    );
    assert_eq!(cases[1].extra["birads"], "4b");
}

#[test]
fn what_is_missing_is_named() {
    let lists = "Image;Label\nANFO_000.png;Normal\n";
    let odd = "Image;Label\nANFO_000.png;odd\n";
    for (layout, files, part) in [
        (Layout::Busi, vec![("x.png", "")], "benign"),
        (Layout::BusUclm, vec![("INFO.csv", lists)], "ANFO_000.png"),
        (Layout::BusUclm, vec![("INFO.csv", odd)], "line 2"),
        (
            Layout::BusUclm,
            vec![("INFO.csv", "Image;Label\n")],
            "got none",
        ),
        (
            Layout::BusBra,
            vec![("bus_data.csv", "ID,Case\nbus_1,1\n")],
            "`Pathology`",
        ),
        (Layout::Breast, vec![("x.png", "")], "workbook"),
        (Layout::Breast, vec![("a.xlsx", "no zip")], "a.xlsx"),
    ] {
        let folder = folder(&files);
        let error = read(layout, folder.path()).unwrap_err().to_string();
        assert!(error.contains(part), "{layout:?}: {error}");
    }
}
