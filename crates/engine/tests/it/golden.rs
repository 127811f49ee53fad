//! Outputs against ONNX's reference evaluator (`models/make.py`), and engine against engine.

use lobule_engine::bench::{fixed_images, time};
use lobule_engine::{EngineKind, ErrorKind, Options, TensorView, largest_difference, open};
use serde_json::Value;

use crate::{available, models};

/// Sums of at most a few hundred products of f32 of magnitude 1.
const TOLERANCE: f64 = 1e-5;
/// The same in bfloat16, whose numbers are 2⁻⁸ apart; measured: see what the test prints.
const ROUNDED_TOLERANCE: f64 = 0.05;
const OPTIONS: Options = Options { threads: 2 };

fn tolerance(kind: EngineKind) -> f64 {
    match kind.rounds() {
        true => ROUNDED_TOLERANCE,
        false => TOLERANCE,
    }
}

fn golden() -> serde_json::Map<String, Value> {
    let text = std::fs::read_to_string(models().join("golden.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn extents(value: &Value) -> Vec<usize> {
    serde_json::from_value(value["shape"].clone()).unwrap()
}

/// What differs from the golden outputs, if anything.
fn difference(kind: EngineKind, name: &str, expected: &Value) -> Result<(), String> {
    let path = models().join(format!("{name}.onnx"));
    let mut session = open(Some(kind), &path, &OPTIONS).map_err(|e| e.to_string())?;
    let shape: [usize; 4] = extents(expected).try_into().unwrap();
    let images = fixed_images(shape.iter().product());
    let mut outputs = session
        .run_images(&images, shape)
        .map_err(|e| e.to_string())?;
    for (output, golden) in expected["outputs"].as_object().unwrap() {
        let extents: Vec<Option<usize>> = extents(golden).into_iter().map(Some).collect();
        let tensor = outputs.take(output, &extents).map_err(|e| e.to_string())?;
        let golden: Vec<f64> = serde_json::from_value(golden["data"].clone()).unwrap();
        for (i, (got, expected)) in tensor.data.iter().zip(&golden).enumerate() {
            if (f64::from(*got) - expected).abs() > tolerance(kind) {
                return Err(format!("{output}[{i}]: expected {expected}, got {got}"));
            }
        }
    }
    Ok(())
}

#[test]
fn every_graph_gives_the_reference_outputs_on_every_engine() {
    let golden = golden();
    assert!(golden.len() >= 10);
    let mut failures = Vec::new();
    for kind in available() {
        for (name, expected) in &golden {
            if let Err(what) = difference(kind, name, expected) {
                failures.push(format!("{kind} {name}: {what}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_batch_gives_what_its_images_give_one_by_one() {
    let path = models().join("attention_mil.onnx");
    let (shape, size) = ([3, 1, 32, 40], 32 * 40);
    let images = fixed_images(3 * size);
    for kind in available() {
        let mut session = open(Some(kind), &path, &OPTIONS).unwrap();
        let mut batch = session.run_images(&images, shape).unwrap();
        let batch = batch.take("image_scores", &[Some(3), Some(2)]).unwrap();
        for (image, expected) in images.chunks(size).zip(batch.data.chunks(2)) {
            let mut one = session.run_images(image, [1, 1, 32, 40]).unwrap();
            let one = one.take("image_scores", &[Some(1), Some(2)]).unwrap();
            for (a, b) in one.data.iter().zip(expected) {
                let most = if kind.rounds() {
                    ROUNDED_TOLERANCE
                } else {
                    1e-6
                };
                assert!(f64::from((a - b).abs()) < most, "{kind}: {a} {b}");
            }
        }
    }
}

#[test]
fn engines_agree_and_can_be_timed_side_by_side() {
    let path = models().join("attention_mil.onnx");
    let images = fixed_images(8 * 64 * 64);
    let shape = [8, 1, 64, 64];
    let open = |kind: &EngineKind| open(Some(*kind), &path, &OPTIONS).unwrap();
    let kinds = available();
    let mut sessions: Vec<_> = kinds.iter().map(open).collect();
    let input = sessions[0].inputs()[0].clone();
    let view = TensorView {
        shape: &shape,
        data: &images,
    };
    let timings = time(&mut sessions, &[(&input, view)], 8, 3).unwrap();
    println!("{timings:?}");
    let first = sessions[0].run_images(&images, shape).unwrap();
    for (kind, session) in kinds.iter().zip(&mut sessions).skip(1) {
        let other = session.run_images(&images, shape).unwrap();
        let difference = largest_difference(&first, &other).unwrap();
        println!(
            "largest difference between {} and {kind}: {difference:e}",
            kinds[0]
        );
        assert!(difference <= tolerance(*kind), "{kind}: {difference}");
    }
}

#[test]
fn inputs_that_the_graph_does_not_take_are_refused() {
    let path = models().join("attention_mil.onnx");
    for kind in available() {
        let mut session = open(Some(kind), &path, &OPTIONS).unwrap();
        assert_eq!(session.inputs(), ["images"]);
        assert_eq!(session.outputs().len(), 3);
        let values = [0.5; 64];
        let shape: &[usize] = &[1, 1, 8, 8];
        let data = &values[..];
        let view = TensorView { shape, data };
        let mut kind_of =
            |inputs: &[(&str, TensorView<'_>)]| session.run(inputs).unwrap_err().kind();
        assert_eq!(kind_of(&[]), ErrorKind::Input);
        assert_eq!(kind_of(&[("pictures", view)]), ErrorKind::Input);
        assert_eq!(
            kind_of(&[("images", view), ("images", view)]),
            ErrorKind::Input
        );
        let short = TensorView {
            shape,
            data: &data[1..],
        };
        assert_eq!(kind_of(&[("images", short)]), ErrorKind::Input);
        let flat = TensorView {
            shape: &[8, 8],
            data,
        };
        assert_eq!(kind_of(&[("images", flat)]), ErrorKind::Run);
        let colored = TensorView {
            shape: &[1, 4, 4, 4],
            data,
        };
        assert_eq!(kind_of(&[("images", colored)]), ErrorKind::Run);
        assert!(
            session.run(&[("images", view)]).is_ok(),
            "usable after failures"
        );
    }
}
