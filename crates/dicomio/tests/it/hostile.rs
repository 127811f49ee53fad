//! Mammograms that lie or show nothing: a typed reason for each, and the others are read.

use std::path::{Path, PathBuf};

use dicom_core::value::{DataSetSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject, open_file};
use lobule_dicomio::{
    ErrorKind, GrayMammogram, Mammogram, MammogramEncoding, SyntheticMammogram, VoiStep,
    read_mammogram, read_mammogram_header, write_mammogram,
};
use lobule_exam::{Laterality, Side, Spacing, View, WarningKind};
use lobule_raster::{Image, Limits, MammogramHints, find_breast};
use tempfile::TempDir;

/// A half disc at the left edge.
fn breast() -> Image<u16> {
    Image::from_fn(96, 80, |row, col| {
        let (r, c) = (row as f64 - 48.0, col as f64);
        match r.hypot(c) < 40.0 {
            true => 30_000 + (row * 7 + col * 13) as u16 % 50 * 200,
            false => 0,
        }
    })
}

struct Case {
    folder: TempDir,
    file: PathBuf,
}

fn written(image: Image<u16>, change: &dyn Fn(&mut DefaultDicomObject)) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.dcm");
    let mammogram = SyntheticMammogram {
        image,
        side: Laterality::Left,
        view: View::Cc,
        spacing: Spacing::new(1.0, 1.0).unwrap(),
        study_seed: "hostile".to_owned(),
        instance_number: 1,
        encoding: MammogramEncoding::default(),
    };
    write_mammogram(&file, &mammogram).unwrap();
    let mut object = open_file(&file).unwrap();
    change(&mut object);
    object.write_to_file(&file).unwrap();
    Case { folder, file }
}

fn header(file: &Path) -> Mammogram {
    read_mammogram_header(file, &Limits::default()).unwrap()
}

fn gray(case: &Case) -> GrayMammogram {
    read_mammogram(&header(&case.file), &Limits::default()).unwrap()
}

fn text(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

fn window(function: &'static str, width: &'static str) -> impl Fn(&mut DefaultDicomObject) {
    move |o| {
        text(o, tags::VOILUT_FUNCTION, VR::CS, function);
        text(o, tags::WINDOW_WIDTH, VR::DS, width);
    }
}

#[test]
fn impossible_windows_are_named_and_left_out() {
    for (function, width) in [
        ("LINEAR", "0.5"),
        ("LINEAR", "0"),
        ("LINEAR", "-1"),
        ("LINEAR_EXACT", "0"),
        ("SIGMOID", "0"),
        ("SIGMOID", "-0.5"),
        ("SIGMOID", "wide"),
    ] {
        let gray = gray(&written(breast(), &window(function, width)));
        let name = format!("{function} {width}");
        assert!(
            matches!(gray.applied.voi, VoiStep::FoundRange { .. }),
            "{name}"
        );
        let [warning] = &gray.warnings[..] else {
            panic!("{name}: {:?}", gray.warnings)
        };
        assert_eq!(warning.kind, WarningKind::Repaired);
        let expected = match width {
            "wide" => "not two numbers".to_owned(),
            number => format!("for {function}, got {number}"),
        };
        assert!(warning.message.contains(&expected), "{}", warning.message);
    }
    // Steep, but legal: the golden file `sigmoid_narrow` has its pixels.
    let steep = gray(&written(breast(), &window("SIGMOID", "0.5")));
    assert!(matches!(steep.applied.voi, VoiStep::Window { width, .. } if width == 0.5));
    assert!(steep.warnings.is_empty());
}

fn put_table(object: &mut InMemDicomObject, items: Vec<InMemDicomObject>) {
    let items = Value::from(DataSetSequence::from(items));
    object.put(DataElement::new(tags::VOILUT_SEQUENCE, VR::SQ, items));
}

#[test]
fn tables_without_entries_are_named_and_the_window_is_taken() {
    let words =
        |tag, vr, values: &[u16]| DataElement::new(tag, vr, PrimitiveValue::U16(values.into()));
    let mut without_entries = InMemDicomObject::new_empty();
    without_entries.put(words(tags::LUT_DESCRIPTOR, VR::US, &[0, 0, 12]));
    without_entries.put(words(tags::LUT_DATA, VR::OW, &[]));
    let cases = [
        ("no entries", vec![without_entries]),
        ("nothing inside", vec![InMemDicomObject::new_empty()]),
        ("no table", vec![]),
    ];
    for (name, items) in cases {
        let case = written(breast(), &|o| put_table(o, items.clone()));
        let gray = gray(&case);
        assert!(matches!(gray.applied.voi, VoiStep::Window { .. }), "{name}");
        let [warning] = &gray.warnings[..] else {
            panic!("{name}: {:?}", gray.warnings)
        };
        assert_eq!(warning.kind, WarningKind::Repaired);
        assert!(warning.message.contains("VOI LUT"), "{}", warning.message);
        assert_eq!(gray.image, breast_as_read(), "{name}");
    }
}

fn breast_as_read() -> Image<u16> {
    gray(&written(breast(), &|_| {})).image
}

#[test]
fn pictures_of_nothing_have_no_breast() {
    for (name, value) in [("blank", 0), ("white", u16::MAX), ("grey", 30_000)] {
        let gray = gray(&written(Image::filled(96, 80, value), &|_| {}));
        let error = find_breast(&gray.image, &MammogramHints::default()).unwrap_err();
        assert_eq!(error.kind(), lobule_raster::ErrorKind::NoBreast, "{name}");
        assert!(error.to_string().contains("one brightness"), "{error}");
        // Nothing stated either: no range is found.
        let case = written(Image::filled(96, 80, value), &window("LINEAR", "-1"));
        let gray = self::gray(&case);
        find_breast(&gray.image, &MammogramHints::default()).unwrap_err();
    }
}

#[test]
fn a_header_larger_than_its_pixels_takes_no_memory() {
    let case = written(breast(), &|o| {
        let side = PrimitiveValue::from(60_000_u16);
        o.put(DataElement::new(tags::ROWS, VR::US, side.clone()));
        o.put(DataElement::new(tags::COLUMNS, VR::US, side));
        let ten = PrimitiveValue::U16([1, 2, 3, 4, 5].as_slice().into());
        o.put(DataElement::new(tags::PIXEL_DATA, VR::OW, ten));
    });
    let error = read_mammogram_header(&case.file, &Limits::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
    assert!(error.to_string().contains("hostile.dcm"), "{error}");
    // Where as many pixels are allowed, the missing ones are named before memory is taken.
    let limits = Limits {
        max_pixels: u64::MAX,
    };
    let read = read_mammogram_header(&case.file, &limits).and_then(|m| read_mammogram(&m, &limits));
    let error = read.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed, "{error}");
}

#[test]
fn wrong_views_and_sides_are_not_guessed() {
    let case = written(breast(), &|o| {
        text(o, tags::VIEW_POSITION, VR::CS, "UPSIDE");
        text(o, tags::IMAGE_LATERALITY, VR::CS, "X");
        o.remove_element(tags::VIEW_CODE_SEQUENCE);
        o.remove_element(tags::PATIENT_ORIENTATION);
    });
    let read = header(&case.file);
    assert_eq!(
        (read.view, read.side, read.orientation),
        (None, Side::Unknown, None)
    );
    let said = |words: &str| read.warnings.iter().any(|w| w.message.contains(words));
    assert!(said("the view position is `UPSIDE`"), "{:?}", read.warnings);
    assert!(said("the laterality is `X`"), "{:?}", read.warnings);
    let gray = gray(&case);
    find_breast(&gray.image, &MammogramHints::default()).unwrap();
    // A view of another meaning: the code decides, and the contradiction is said.
    let case = written(breast(), &|o| text(o, tags::VIEW_POSITION, VR::CS, "MLO"));
    let read = header(&case.file);
    assert_eq!(read.view, Some(View::Cc));
    assert!(
        read.warnings
            .iter()
            .any(|w| w.message.contains("view position"))
    );
}

#[test]
fn a_bad_file_does_not_stop_the_others() {
    let case = written(breast(), &|_| {});
    let bad = case.folder.path().join("bad.dcm");
    let mut bytes = std::fs::read(&case.file).unwrap();
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&bad, bytes).unwrap();
    let read = [&bad, &case.file].map(|file| {
        let mammogram = read_mammogram_header(file, &Limits::default())?;
        read_mammogram(&mammogram, &Limits::default()).map(|_| mammogram)
    });
    let errors = read.iter().filter_map(|one| one.as_ref().err());
    let kinds: Vec<ErrorKind> = errors.map(|e| e.kind()).collect();
    assert_eq!(kinds, [ErrorKind::Malformed]);
    let good: Vec<Mammogram> = read.into_iter().flatten().collect();
    assert_eq!(good.len(), 1);
}
