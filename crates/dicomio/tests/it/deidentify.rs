//! Copies without what identifies the patient.

use std::path::{Path, PathBuf};

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_object::{InMemDicomObject, open_file};
use lobule_dicomio::{
    Dates, Deidentifier, Frames, MammogramEncoding, NativeSyntax, ObjectKind, StoredDisplay,
    StoredSign, SyntheticMammogram, SyntheticUltrasound, deidentify, read_mammogram,
    read_mammogram_header, write_mammogram, write_ultrasound,
};
use lobule_exam::{Laterality, PixelBox, Side, Spacing, View};
use lobule_raster::{Image, Limits};

/// Stands wherever a person could write something.
const SECRET: &str = "SECRET";
const TABLE: &str = include_str!("../../src/deidentify/table.tsv");

fn by(key: u8, dates: Dates) -> Deidentifier {
    Deidentifier {
        key: [key; 32],
        dates,
    }
}

/// A speckled sonogram on a dark screen with a bright line of text above it.
fn ultrasound(folder: &Path, number: u32) -> PathBuf {
    let path = folder.join(format!("{number}.dcm"));
    let screen = Image::from_fn(240, 320, |row, col| match (row, col) {
        (40..=220, 40..=280) => 60 + ((col * 7919) ^ (row * 104_729)) as u8 % 80,
        (8..=16, 20..=200) if (col / 3) % 2 == 0 => 255,
        _ => 0,
    });
    let image = SyntheticUltrasound {
        frames: Frames::Gray(vec![screen]),
        side: Side::Unknown,
        spacing: Spacing::new(0.1, 0.1).unwrap(),
        region: PixelBox {
            row: 40,
            col: 40,
            rows: 181,
            cols: 241,
        },
        study_seed: "study".to_owned(),
        instance_number: number,
    };
    write_ultrasound(&path, &image).unwrap();
    path
}

/// Changes a file's elements.
fn with(path: &Path, change: impl FnOnce(&mut InMemDicomObject)) {
    let file = open_file(path).unwrap();
    let meta = file.meta().clone();
    let mut object = file.into_inner();
    change(&mut object);
    object.with_exact_meta(meta).write_to_file(path).unwrap();
}

fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let element = object.get(tag)?;
    Some(
        element
            .to_str()
            .unwrap()
            .trim_end_matches(['\0', ' '])
            .to_owned(),
    )
}

fn copy(path: &Path, by: &Deidentifier) -> InMemDicomObject {
    let copy = deidentify(path, by).unwrap();
    let out = path.with_extension("copy.dcm");
    std::fs::write(&out, copy.bytes).unwrap();
    open_file(&out).unwrap().into_inner()
}

/// Every attribute of the table that can hold a text, at the top and inside items.
fn planted() -> Vec<DataElement<InMemDicomObject>> {
    let tags = TABLE.lines().filter_map(|line| {
        let (group, element) = line.split('\t').next()?.split_once(',')?;
        let number = |text| u16::from_str_radix(text, 16).unwrap();
        Some(Tag(number(group), number(element)))
    });
    let texts = tags.filter(|tag| tag.group() > 0x0007).filter_map(|tag| {
        let VirtualVr::Exact(vr) = StandardDataDictionary.by_tag(tag)?.vr() else {
            return None;
        };
        let value = match vr {
            VR::AE
            | VR::CS
            | VR::LO
            | VR::LT
            | VR::PN
            | VR::SH
            | VR::ST
            | VR::UC
            | VR::UR
            | VR::UT => PrimitiveValue::from(SECRET),
            VR::UI => PrimitiveValue::from("1.2.3.777777"),
            VR::DA => PrimitiveValue::from("17770704"),
            VR::DT => PrimitiveValue::from("17770704120000"),
            VR::OB => PrimitiveValue::from(SECRET.as_bytes().to_vec()),
            _ => return None,
        };
        Some(DataElement::new(tag, vr, value))
    });
    texts.collect()
}

fn plant(object: &mut InMemDicomObject) {
    let mut inner = InMemDicomObject::new_empty();
    for element in planted() {
        inner.put(element.clone());
        object.put(element);
    }
    let mut outer = InMemDicomObject::new_empty();
    let nested = DataSetSequence::from(vec![inner.clone()]);
    outer.put(DataElement::new(
        tags::ANATOMIC_REGION_MODIFIER_SEQUENCE,
        VR::SQ,
        nested,
    ));
    for tag in [
        tags::ANATOMIC_REGION_SEQUENCE,
        tags::SOURCE_IMAGE_SEQUENCE,
        tags::REQUEST_ATTRIBUTES_SEQUENCE,
    ] {
        let items = DataSetSequence::from(vec![outer.clone(), inner.clone()]);
        object.put(DataElement::new(tag, VR::SQ, items));
    }
    for (tag, vr) in [
        (Tag(0x0009, 0x0010), VR::LO),
        (Tag(0x0009, 0x1001), VR::UN),
        (Tag(0x0008, 0x9FFF), VR::LO),
        (Tag(0x6000, 0x4000), VR::LT),
        (Tag(0x5000, 0x0022), VR::LO),
        (tags::INSTANCE_NUMBER, VR::UT),
    ] {
        object.put(DataElement::new(
            tag,
            vr,
            PrimitiveValue::from(SECRET.as_bytes().to_vec()),
        ));
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

#[test]
fn nothing_that_the_table_names_is_left_at_any_depth() {
    let dir = tempfile::tempdir().unwrap();
    let path = ultrasound(dir.path(), 1);
    with(&path, plant);
    let whole = std::fs::read(&path).unwrap();
    for word in [SECRET, "1.2.3.777777", "17770704"] {
        assert!(holds(&whole, word), "{word} is in the source");
    }
    assert!(planted().len() > 400, "{}", planted().len());
    for dates in [Dates::Remove, Dates::Shift] {
        let copy = deidentify(&path, &by(1, dates)).unwrap();
        for word in [SECRET, "1.2.3.777777", "17770704"] {
            assert!(!holds(&copy.bytes, word), "{word} {dates:?}");
        }
    }
}

#[test]
fn identifiers_are_the_same_for_the_same_and_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (ultrasound(dir.path(), 1), ultrasound(dir.path(), 2));
    for path in [&one, &other] {
        with(path, |object| {
            object.put(DataElement::new(
                tags::PATIENT_ID,
                VR::LO,
                PrimitiveValue::from("12345"),
            ));
        });
    }
    let key = by(1, Dates::Remove);
    let (first, second) = (copy(&one, &key), copy(&other, &key));
    for tag in [
        tags::STUDY_INSTANCE_UID,
        tags::SERIES_INSTANCE_UID,
        tags::PATIENT_ID,
    ] {
        assert_eq!(text(&first, tag), text(&second, tag));
    }
    let source = open_file(&one).unwrap();
    let study = text(&source, tags::STUDY_INSTANCE_UID);
    assert_ne!(text(&first, tags::STUDY_INSTANCE_UID), study);
    assert_ne!(
        text(&first, tags::SOP_INSTANCE_UID),
        text(&second, tags::SOP_INSTANCE_UID)
    );
    assert_eq!(
        text(&first, tags::SOP_CLASS_UID),
        text(&source, tags::SOP_CLASS_UID)
    );
    assert!(
        text(&first, tags::PATIENT_ID)
            .unwrap()
            .starts_with("LOBULE-")
    );
    let elsewhere = copy(&one, &by(2, Dates::Remove));
    assert_ne!(
        text(&first, tags::STUDY_INSTANCE_UID),
        text(&elsewhere, tags::STUDY_INSTANCE_UID)
    );
    assert_eq!(
        text(&first, tags::PATIENT_IDENTITY_REMOVED).as_deref(),
        Some("YES")
    );
    assert_eq!(
        text(&first, tags::BURNED_IN_ANNOTATION).as_deref(),
        Some("NO")
    );
    let codes = first
        .get(tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE)
        .unwrap();
    let codes: Vec<_> = codes
        .items()
        .unwrap()
        .iter()
        .map(|item| text(item, tags::CODE_VALUE).unwrap())
        .collect();
    assert_eq!(codes, ["113100", "113101"]);
}

#[test]
fn a_picture_that_was_painted_over_is_derived() {
    let dir = tempfile::tempdir().unwrap();
    let path = ultrasound(dir.path(), 1);
    let kind = text(&open_file(&path).unwrap(), tags::IMAGE_TYPE).unwrap();
    let rest = kind.split_once('\\').map_or("", |(_, rest)| rest);
    let copied = text(&copy(&path, &by(1, Dates::Remove)), tags::IMAGE_TYPE);
    assert_eq!(copied.unwrap(), format!("DERIVED\\{rest}"));
}

#[test]
fn dates_go_or_move_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = ultrasound(dir.path(), 1);
    with(&path, |object| {
        for (tag, vr, value) in [
            (tags::STUDY_DATE, VR::DA, "20240301"),
            (tags::SERIES_DATE, VR::DA, "20240303"),
            (tags::STUDY_TIME, VR::TM, "101500"),
            (tags::PATIENT_BIRTH_DATE, VR::DA, "19700101"),
        ] {
            object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
        }
    });
    let removed = copy(&path, &by(1, Dates::Remove));
    for tag in [
        tags::STUDY_DATE,
        tags::SERIES_DATE,
        tags::STUDY_TIME,
        tags::PATIENT_BIRTH_DATE,
    ] {
        assert_eq!(text(&removed, tag).unwrap_or_default(), "", "{tag}");
    }
    let moved = copy(&path, &by(1, Dates::Shift));
    let day = |tag| text(&moved, tag).unwrap().parse::<u32>().unwrap();
    assert!(day(tags::STUDY_DATE) < 20_240_301);
    assert_ne!(day(tags::STUDY_DATE), day(tags::SERIES_DATE));
    assert_eq!(text(&moved, tags::STUDY_TIME).as_deref(), Some("101500"));
    assert_eq!(text(&moved, tags::PATIENT_BIRTH_DATE).as_deref(), Some(""));
}

#[test]
fn text_around_a_sonogram_is_black_and_the_sonogram_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = ultrasound(dir.path(), 1);
    let pixels = |object: &InMemDicomObject| {
        object
            .get(tags::PIXEL_DATA)
            .unwrap()
            .to_bytes()
            .unwrap()
            .into_owned()
    };
    let before = pixels(&open_file(&path).unwrap());
    let after = pixels(&copy(&path, &by(1, Dates::Remove)));
    assert_eq!(after.len(), 240 * 320);
    let at = |row: usize, col: usize| row * 320 + col;
    assert_eq!(before[at(10, 24)], 255);
    assert!(
        after[..40 * 320].iter().all(|&v| v == 0),
        "the line of text is gone"
    );
    let inside = (60..200).flat_map(|row| (60..260).map(move |col| at(row, col)));
    let same = inside.clone().filter(|&i| before[i] == after[i]).count();
    assert!(
        same * 100 >= inside.count() * 99,
        "{same} pixels of the sonogram are as they were"
    );
}

#[test]
fn what_may_show_a_name_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = ultrasound(dir.path(), 1);
    type Change = dyn Fn(&mut InMemDicomObject);
    let cases: [(&str, &Change); 2] = [
        ("no sonogram", &|object| {
            let black = PrimitiveValue::from(vec![0_u8; 240 * 320]);
            object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, black));
            object.remove_element(tags::SEQUENCE_OF_ULTRASOUND_REGIONS);
        }),
        ("no pixels", &|object| {
            object.remove_element(tags::PIXEL_DATA);
        }),
    ];
    for (name, change) in cases {
        let other = dir.path().join(format!("{name}.dcm"));
        std::fs::copy(&path, &other).unwrap();
        with(&other, change);
        assert!(deidentify(&other, &by(1, Dates::Remove)).is_err(), "{name}");
    }
    let nothing = dir.path().join("nothing.dcm");
    std::fs::write(&nothing, "nothing").unwrap();
    assert!(deidentify(&nothing, &by(1, Dates::Remove)).is_err());
}

fn mammogram(folder: &Path, encoding: MammogramEncoding) -> PathBuf {
    let path = folder.join("mammogram.dcm");
    let mammogram = SyntheticMammogram {
        image: Image::from_fn(80, 60, |row, col| (row * 700 + col * 90) as u16),
        side: Laterality::Left,
        view: View::Cc,
        spacing: Spacing::new(0.1, 0.1).unwrap(),
        study_seed: "study".to_owned(),
        instance_number: 1,
        encoding,
    };
    write_mammogram(&path, &mammogram).unwrap();
    path
}

#[test]
fn a_detector_s_mammogram_keeps_its_values_and_how_they_are_shown() {
    for (syntax, sign) in [
        (NativeSyntax::ExplicitLittle, StoredSign::Unsigned),
        (NativeSyntax::ImplicitLittle, StoredSign::Signed),
        (NativeSyntax::ExplicitBig, StoredSign::Signed),
        (NativeSyntax::Deflated, StoredSign::Unsigned),
    ] {
        for display in [
            StoredDisplay::Linear,
            StoredDisplay::Table,
            StoredDisplay::Rescaled,
        ] {
            let dir = tempfile::tempdir().unwrap();
            let encoding = MammogramEncoding {
                syntax,
                sign,
                display,
                ..MammogramEncoding::default()
            };
            let path = mammogram(dir.path(), encoding);
            let copy = deidentify(&path, &by(1, Dates::Remove)).unwrap();
            assert_eq!(copy.painted, 0);
            let out = dir.path().join("copy.dcm");
            std::fs::write(&out, copy.bytes).unwrap();
            let shown = |path: &Path| {
                let limits = Limits::default();
                let header = read_mammogram_header(path, &limits).unwrap();
                read_mammogram(&header, &limits).unwrap().image
            };
            assert!(
                shown(&path) == shown(&out),
                "{syntax:?} {sign:?} {display:?}"
            );
        }
    }
}

#[test]
fn scans_and_pictures_that_say_they_bear_text_are_refused() {
    for (object, stated, expected) in [
        (ObjectKind::ForPresentation, None, true),
        (ObjectKind::ForPresentation, Some("NO"), true),
        (ObjectKind::ForPresentation, Some("YES"), false),
        (ObjectKind::SecondaryCapture, None, false),
        (ObjectKind::SecondaryCapture, Some("NO"), true),
        (ObjectKind::SecondaryCapture, Some("YES"), false),
        (ObjectKind::ComputedRadiography, None, false),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let encoding = MammogramEncoding {
            object,
            ..MammogramEncoding::default()
        };
        let path = mammogram(dir.path(), encoding);
        with(&path, |data| {
            data.remove_element(tags::BURNED_IN_ANNOTATION);
            // Not of this project: those show no patient.
            let maker = PrimitiveValue::from("A maker");
            data.put(DataElement::new(tags::MANUFACTURER, VR::LO, maker));
            if let Some(stated) = stated {
                let value = PrimitiveValue::from(stated);
                data.put(DataElement::new(tags::BURNED_IN_ANNOTATION, VR::CS, value));
            }
        });
        let copy = deidentify(&path, &by(1, Dates::Remove));
        assert_eq!(
            copy.is_ok(),
            expected,
            "{object:?} {stated:?}: {:?}",
            copy.err()
        );
    }
}

/// dicom3tools' `dciodvfy` finds in the copy no error that it does not find in the source.
#[test]
fn a_copy_is_as_whole_as_its_source() {
    let Some(validators) = std::env::var_os("LOBULE_VALIDATORS") else {
        println!("skipped: dciodvfy (LOBULE_VALIDATORS is not set)");
        return;
    };
    let program = Path::new(&validators).join("bin/dciodvfy");
    let errors = |path: &Path| {
        let done = std::process::Command::new(&program)
            .arg("-new")
            .arg(path)
            .output()
            .unwrap();
        let text = [done.stdout, done.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines()
            .filter(|line| line.starts_with("Error"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let dir = tempfile::tempdir().unwrap();
    for path in [
        ultrasound(dir.path(), 1),
        mammogram(dir.path(), MammogramEncoding::default()),
    ] {
        for dates in [Dates::Remove, Dates::Shift] {
            let copy = deidentify(&path, &by(1, dates)).unwrap();
            let out = dir.path().join("copy.dcm");
            std::fs::write(&out, copy.bytes).unwrap();
            let (before, after) = (errors(&path), errors(&out));
            let new: Vec<_> = after.iter().filter(|one| !before.contains(one)).collect();
            assert!(new.is_empty(), "{}: {new:#?}", path.display());
        }
    }
}
