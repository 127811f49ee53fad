//! Two graphs per member, which are formulas here.

use lobule_assess::{ErrorKind, MammogramEnsemble, TwoGraphs};
use lobule_engine::{Outputs, Session, TensorView};
use lobule_package::Manifest;
use lobule_raster::Image;

use crate::mammography::{TWO_GRAPHS, tensor};

fn manifest() -> Manifest {
    let wiring = TWO_GRAPHS.replace("roi_side = 16", "roi_side = 8");
    crate::mammography::manifest(&wiring, 0.5)
}

/// Malignant saliency is the mean of each 8 × 8 block; the feature is the view's size.
struct Blocks {
    names: Vec<String>,
    gain: f32,
}

/// Attention is a window's share of the brightness; the score the brightest mean.
struct Windows {
    names: Vec<String>,
    gain: f32,
}

impl Session for Blocks {
    fn inputs(&self) -> &[String] {
        &self.names
    }

    fn outputs(&self) -> &[String] {
        &self.names
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, lobule_engine::Error> {
        let [("images", view)] = inputs else {
            panic!("one input")
        };
        let [1, 1, rows, cols] = *view.shape else {
            panic!("one view")
        };
        let (gr, gc) = (rows / 8, cols / 8);
        let mean = |cell: usize| {
            let corner = cell / gc * 8 * cols + cell % gc * 8;
            let pixels = (0..64).map(|i| view.data[corner + i / 8 * cols + i % 8]);
            pixels.sum::<f32>() / 64.0
        };
        let map: Vec<f32> = (0..gr * gc).map(mean).collect();
        let both = [vec![0.25; gr * gc], map].concat();
        Ok(Outputs::new(vec![
            tensor("saliency", &[1, 2, gr, gc], both),
            tensor("image_scores", &[1, 2], vec![0.25, self.gain]),
            tensor("features", &[1, 1], vec![(rows * cols) as f32]),
        ]))
    }
}

impl Session for Windows {
    fn inputs(&self) -> &[String] {
        &self.names
    }

    fn outputs(&self) -> &[String] {
        &self.names
    }

    fn run(&mut self, inputs: &[(&str, TensorView<'_>)]) -> Result<Outputs, lobule_engine::Error> {
        let [("windows", view), ("features", features)] = inputs else {
            panic!("two inputs")
        };
        assert_eq!(view.shape, [1, 2, 8, 8]);
        assert_eq!((features.shape, features.data), (&[1, 1][..], &[768.0][..]));
        let means = view.data.chunks(64).map(|w| w.iter().sum::<f32>() / 64.0);
        let means: Vec<f32> = means.collect();
        let total: f32 = means.iter().sum();
        let attention = means.iter().map(|m| m / total).collect();
        let most = means.iter().copied().fold(0.0, f32::max) * self.gain;
        Ok(Outputs::new(vec![
            tensor("scores", &[1, 2], vec![0.0, most]),
            tensor("local_scores", &[1, 2], vec![0.0, most / 2.0]),
            tensor("attention", &[1, 2], attention),
        ]))
    }
}

fn member(gain: f32) -> TwoGraphs {
    let names = Vec::new;
    TwoGraphs {
        global: Box::new(Blocks {
            names: names(),
            gain,
        }),
        local: Box::new(Windows {
            names: names(),
            gain,
        }),
    }
}

/// Two bright blocks; the second is brighter in its left half only.
fn view(turned: usize) -> Image<f32> {
    Image::from_fn(32, 24, |row, col| {
        let block = ((row / 8 + turned) % 4, col / 8);
        match block {
            (1, 2) => 0.8,
            (3, 0) if col % 8 < 4 => 0.4,
            _ => 0.0,
        }
    })
}

#[test]
fn windows_are_cut_where_the_saliency_is() {
    let members = vec![member(1.0), member(0.5)];
    let mut ensemble = MammogramEnsemble::from_sessions(&manifest(), members).unwrap();
    assert_eq!(ensemble.n_members(), 2);
    let judged = ensemble.run(&[view(0), view(1)]).unwrap();
    assert_eq!(judged.len(), 2);
    for (judged, rows) in judged.iter().zip([[8, 24], [0, 16]]) {
        let close = |got: f64, expected: f64| assert!((got - expected).abs() < 1e-6, "{got}");
        close(judged.scores.malignant, 0.6);
        close(judged.members[0].scores.malignant, 0.8);
        close(judged.members[1].window_scores.malignant, 0.2);
        close(judged.members[1].global_scores.malignant, 0.5);
        close(judged.members[0].global_scores.benign, 0.25);
        let windows = &judged.members[0].windows;
        let corners: Vec<_> = windows.iter().map(|w| (w.place.row, w.place.col)).collect();
        assert_eq!(corners, [(rows[0], 16), (rows[1], 0)]);
        close(windows[0].attention, 0.8);
        close(windows[1].attention, 0.2);
        let map = &judged.malignant;
        assert_eq!((map.rows(), map.cols()), (4, 3));
        close(f64::from(map.at(rows[0] / 8, 2)), 0.8);
        close(f64::from(judged.benign.at(0, 0)), 0.25);
    }
}

#[test]
fn what_is_wired_otherwise_or_no_number_is_refused() {
    let refused = |manifest: &Manifest, members| {
        let opened = MammogramEnsemble::from_sessions(manifest, members);
        opened.err().map(|e| e.kind())
    };
    let package = Some(ErrorKind::Package);
    assert_eq!(refused(&crate::manifest(), vec![member(1.0)]), package);
    assert_eq!(refused(&manifest(), vec![]), package);
    let other = lobule_assess::Ensemble::from_sessions(&manifest(), vec![member(1.0).global]);
    assert_eq!(other.err().map(|e| e.kind()), package);
    let mut ensemble =
        MammogramEnsemble::from_sessions(&manifest(), vec![member(f32::NAN)]).unwrap();
    let error = ensemble.run(&[view(0)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Outputs);
}
