//! Opening and verifying.

use std::fs;
use std::path::Path;

use lobule_package::{
    ErrorKind, GlobalLocal, GraphFile, LOCAL_GRAPH, Manifest, Modality, Package, Prepare, Wiring,
    export, sha256_of_file,
};

use lobule_exam::{Medium, View};
use lobule_raster::{MammogramConfig, Scale};

use crate::{manifest, write_package};

#[test]
fn a_package_opens_verifies_and_has_a_stable_digest() {
    let folder = tempfile::tempdir().unwrap();
    write_package(folder.path());
    let package = Package::open(folder.path()).unwrap();
    package.verify_files().unwrap();
    assert_eq!(package.short_digest().len(), 16);
    assert!(package.digest().starts_with(package.short_digest()));
    assert_eq!(package, Package::open(folder.path()).unwrap());
    assert_eq!(package.metrics().unwrap()["figures"], serde_json::json!([]));
    assert_eq!(
        package.predictions().unwrap_err().kind(),
        ErrorKind::Missing
    );
    assert_eq!(
        package.manifest().operating_point(None).unwrap().threshold,
        0.4
    );
    assert_eq!(package.manifest().operating_point(Some("x")), None);
}

#[test]
fn every_way_a_package_can_be_broken_has_its_kind() {
    type Break = fn(&Path);
    let edit = |folder: &Path, from: &str, to: &str| {
        let path = folder.join("manifest.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    };
    let cases: [(Break, ErrorKind); 4] = [
        (
            |f| fs::remove_file(f.join("manifest.toml")).unwrap(),
            ErrorKind::Missing,
        ),
        (
            |f| fs::write(f.join("manifest.toml"), [0xff]).unwrap(),
            ErrorKind::Manifest,
        ),
        (
            |f| fs::remove_file(f.join("members/one.onnx")).unwrap(),
            ErrorKind::Member,
        ),
        (
            |f| fs::write(f.join("members/one.onnx"), b"other").unwrap(),
            ErrorKind::Digest,
        ),
    ];
    let kind_of = |folder: &Path| {
        let opened = Package::open(folder).and_then(|p| p.verify_files());
        opened.unwrap_err().kind()
    };
    for (i, (damage, expected)) in cases.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        write_package(folder.path());
        damage(folder.path());
        assert_eq!(kind_of(folder.path()), expected, "case {i}");
    }
    let edits = [
        ("format = 1", "format = 2", ErrorKind::UnsupportedFormat),
        ("format = 1", "format = \"1\"", ErrorKind::Manifest),
        (
            "format = 1",
            "format = 1\nsurprise = 1",
            ErrorKind::Manifest,
        ),
        (
            "kind = \"attention-mil\"",
            "kind = \"other\"",
            ErrorKind::Manifest,
        ),
        (
            "kind = \"attention-mil\"",
            "kind = \"attention-mil\"\nx = 1",
            ErrorKind::Manifest,
        ),
        ("slope = 1.5", "slope = 0.0", ErrorKind::Manifest),
        ("prevalence = 0.3", "prevalence = 1.0", ErrorKind::Manifest),
        ("threshold = 0.4", "threshold = nan", ErrorKind::Manifest),
        ("\"balanced\"", "\"other\"", ErrorKind::Manifest),
        ("rows = 224", "rows = 0", ErrorKind::Manifest),
        ("rows = 224", "rows = -1", ErrorKind::Manifest),
        ("rows = 224", "rows = 1000000", ErrorKind::Manifest),
        ("std = 128.0", "std = 0.0", ErrorKind::Manifest),
        ("std = 128.0", "std = 1e300", ErrorKind::Manifest),
        ("members/one.onnx", "../one.onnx", ErrorKind::Manifest),
        ("members/one.onnx", "/etc/passwd", ErrorKind::Manifest),
        ("members/one.onnx", "members", ErrorKind::Member),
        ("\"malignant\"]", "\"cancer\"]", ErrorKind::Manifest),
        (
            "[calibration.malignant",
            "[calibration.cancer",
            ErrorKind::Manifest,
        ),
        ("name = \"tiny\"", "name = \"a/b\"", ErrorKind::Manifest),
    ];
    for (from, to, expected) in edits {
        let folder = tempfile::tempdir().unwrap();
        write_package(folder.path());
        edit(folder.path(), from, to);
        assert_eq!(kind_of(folder.path()), expected, "{from} -> {to}");
    }
}

#[test]
#[cfg(unix)]
fn a_member_may_not_link_out_of_the_package() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("package");
    write_package(&package);
    let member = package.join("members/one.onnx");
    let outside = folder.path().join("outside.onnx");
    fs::rename(&member, &outside).unwrap();
    std::os::unix::fs::symlink(&outside, &member).unwrap();
    assert_eq!(
        Package::open(&package).unwrap_err().kind(),
        ErrorKind::Member
    );
}

#[test]
fn a_manifest_reads_back_what_it_wrote() {
    let path = Path::new("manifest.toml");
    let written = manifest(&"0".repeat(64));
    let text = written.to_toml(path).unwrap();
    assert_eq!(Manifest::from_toml(&text, path).unwrap(), written);
    let mut wrong = written.clone();
    wrong.members.clear();
    assert_eq!(wrong.to_toml(path).unwrap_err().kind(), ErrorKind::Manifest);
}

/// A package whose member has two graphs.
fn write_two_graphs(folder: &Path) -> Manifest {
    write_package(folder);
    let local = folder.join("members/one-local.onnx");
    fs::write(&local, b"stands for the other graph").unwrap();
    let sha256 = |file: &Path| sha256_of_file(file).unwrap();
    let mut manifest = manifest(&sha256(&folder.join("members/one.onnx")));
    manifest.wiring = Wiring::GlobalLocal(GlobalLocal {
        roi_side: 64,
        ..GlobalLocal::default()
    });
    let file = GraphFile {
        file: "members/one-local.onnx".into(),
        sha256: sha256(&local),
    };
    manifest.members[0].graphs.insert(LOCAL_GRAPH.into(), file);
    let path = folder.join("manifest.toml");
    fs::write(&path, manifest.to_toml(&path).unwrap()).unwrap();
    manifest
}

#[test]
fn a_member_may_have_two_graphs() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    let written = write_two_graphs(&source);
    let package = Package::open(&source).unwrap();
    assert_eq!(package.manifest(), &written);
    package.verify_files().unwrap();
    let local = vec![source.join("members/one-local.onnx")];
    assert_eq!(package.graph_paths(LOCAL_GRAPH), local);
    assert!(package.graph_paths("other").is_empty());
    let zip = folder.path().join("package.zip");
    export(&package, &zip).unwrap();
    let imported = lobule_package::import(&zip, &folder.path().join("models")).unwrap();
    assert_eq!(imported.digest(), package.digest());
    fs::write(&local[0], b"other").unwrap();
    assert_eq!(
        package.verify_files().unwrap_err().kind(),
        ErrorKind::Digest
    );
    fs::remove_file(&local[0]).unwrap();
    assert_eq!(
        Package::open(&source).unwrap_err().kind(),
        ErrorKind::Member
    );
}

#[test]
fn graphs_and_names_must_fit_the_wiring() {
    type Damage = fn(&mut Manifest, &mut GlobalLocal);
    let cases: [(Damage, &str); 8] = [
        (|m, _| m.members[0].graphs.clear(), "further graphs"),
        (
            |m, _| {
                let graph = m.members[0].graphs.pop_first().unwrap().1;
                m.members[0].graphs.insert("other".into(), graph);
            },
            "further graphs",
        ),
        (
            |m, _| {
                let graph = m.members[0].graphs.get_mut(LOCAL_GRAPH).unwrap();
                graph.file = "members/one.onnx".into();
            },
            "different member files",
        ),
        (
            |m, _| {
                m.members[0]
                    .graphs
                    .get_mut(LOCAL_GRAPH)
                    .unwrap()
                    .sha256
                    .clear()
            },
            "64 lower-case",
        ),
        (|_, w| w.n_rois = 0, "windows"),
        (|_, w| w.roi_side = 225, "windows"),
        (|_, w| w.local.features = w.local.windows.clone(), "inputs"),
        (
            |_, w| w.global.scores = w.global.saliency.clone(),
            "outputs",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let whole = write_two_graphs(folder.path());
    for (i, (damage, expected)) in cases.into_iter().enumerate() {
        let mut wrong = whole.clone();
        let Wiring::GlobalLocal(mut wiring) = wrong.wiring.clone() else {
            unreachable!("written above")
        };
        damage(&mut wrong, &mut wiring);
        wrong.wiring = Wiring::GlobalLocal(wiring);
        let error = wrong.to_toml(Path::new("manifest.toml")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Manifest, "case {i}");
        assert!(error.to_string().contains(expected), "case {i}: {error}");
    }
    let mut wrong = whole;
    wrong.wiring = manifest(&"0".repeat(64)).wiring;
    assert!(
        wrong.to_toml(Path::new("manifest.toml")).is_err(),
        "too many graphs"
    );
}

#[test]
fn the_preparation_of_mammograms_travels_in_the_manifest() {
    let path = Path::new("manifest.toml");
    let mut manifest = manifest(&"0".repeat(64));
    manifest.modality = Modality::Mammography;
    for scale in [Scale::Fit, Scale::Native, Scale::PixelMm(0.2)] {
        let config = MammogramConfig {
            scale,
            ..MammogramConfig::default()
        };
        manifest.prepare = Prepare::Mammogram(config.clone());
        let text = manifest.to_toml(path).unwrap();
        let read = Manifest::from_toml(&text, path).unwrap();
        assert_eq!(read.prepare, Prepare::Mammogram(config));
        assert_eq!(read.prepare.size(), (2944, 1920));
        assert!(read.prepare.is_large());
    }
    let unfit = |manifest: &Manifest, expected: &str| {
        let error = manifest.to_toml(path).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    manifest.prepare = Prepare::Mammogram(MammogramConfig {
        scale: Scale::PixelMm(f64::NAN),
        ..MammogramConfig::default()
    });
    unfit(&manifest, "pixel_mm");
    manifest.prepare = Prepare::Mammogram(MammogramConfig::default());
    manifest.modality = Modality::Ultrasound;
    unfit(&manifest, "for ultrasound, got one for mammography");
}

#[test]
fn views_and_media_trained_are_known_and_different_and_of_mammography() {
    let path = Path::new("manifest.toml");
    let mut good = manifest(&"0".repeat(64));
    good.modality = Modality::Mammography;
    good.prepare = Prepare::Mammogram(MammogramConfig::default());
    good.views_trained = vec![View::Mlo, View::Cc];
    good.media_trained = vec![Medium::Film];
    let text = good.to_toml(path).unwrap();
    assert_eq!(Manifest::from_toml(&text, path).unwrap(), good);
    let stated = "views_trained = [\"MLO\", \"CC\"]";
    assert!(text.contains(stated), "{text}");
    for (wrong, expected) in [("[\"CC\", \"cc\"]", "one twice"), ("[\"UP\"]", "`UP`")] {
        let text = text.replace(stated, &format!("views_trained = {wrong}"));
        let error = Manifest::from_toml(&text, path).unwrap_err();
        let causes = format!("{error:?} {error}");
        assert!(causes.contains(expected), "{causes}");
    }
    let other = text.replace("media_trained = [\"film\"]", "media_trained = [\"paper\"]");
    let error = Manifest::from_toml(&other, path).unwrap_err();
    let causes = format!("{error:?} {error}");
    assert!(causes.contains("film or digital"), "{causes}");
    let mut wrong = manifest(&"0".repeat(64));
    wrong.media_trained = vec![Medium::Film];
    let error = wrong.to_toml(path).unwrap_err();
    assert!(error.to_string().contains("mammography only"), "{error}");
}
