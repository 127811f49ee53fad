//! `lobule model verify`: hashes, figures, engines.

use lobule_engine::{EngineKind, EngineState, Options, Outputs, engines, largest_difference, open};
use lobule_package::{Figure, METRICS_FILE, PREDICTIONS_FILE, Package, Status, stated_figures};

use crate::failure::Failure;
use crate::graphs::{GraphCase, cases, images_at_once};

/// A figure is computed from the same numbers by the same rule; only the order of sums may differ.
const FIGURE_TOLERANCE: f64 = 1e-9;
/// Engines sum in different orders; scores and saliency are in 0..=1.
const ENGINE_TOLERANCE: f64 = 1e-4;
/// Of an engine that rounds to bfloat16; attention logits are not in 0..=1. It is a bound on nonsense, not
/// a promise: what it gave is printed.
const ROUNDED_TOLERANCE: f64 = 0.25;
const IMAGES: usize = 2;

/// Checks everything that needs no data but the package's own. The package's hashes were checked
/// when it was found. An engine that is not there is said and not compared.
pub(super) fn verify(package: &Package) -> Result<(), Failure> {
    let members = package.manifest().members.len();
    println!("hashes   {members} members, digest {}", package.digest());
    verify_figures(package)?;
    verify_engines(package)
}

fn verify_figures(package: &Package) -> Result<(), Failure> {
    let there = |name: &str| package.folder().join(name).is_file();
    let demonstration = package.manifest().status == Status::Demonstration;
    let imported = package.manifest().training_data.is_empty();
    if (demonstration || imported) && !there(PREDICTIONS_FILE) && !there(METRICS_FILE) {
        println!("figures  none: the package states none");
        return Ok(());
    }
    let computed = package.figures()?;
    let stated = stated_figures(&package.metrics()?, &package.folder().join(METRICS_FILE))?;
    if stated.len() != computed.len() {
        let (n, m) = (computed.len(), stated.len());
        return Err(differs(format!("expected {n} figures, got {m}")));
    }
    for (expected, got) in computed.iter().zip(&stated) {
        if !same(expected, got) {
            let (expected, got) = (describe(expected), describe(got));
            return Err(differs(format!(
                "expected {expected} from the predictions, got {got}"
            )));
        }
        println!("figures  {}", describe(expected));
    }
    Ok(())
}

fn same(a: &Figure, b: &Figure) -> bool {
    let close = |a: f64, b: f64| (a - b).abs() <= FIGURE_TOLERANCE;
    let intervals = match (a.interval, b.interval) {
        (Some(a), Some(b)) => close(a[0], b[0]) && close(a[1], b[1]),
        (None, None) => true,
        _ => false,
    };
    (&a.among, &a.what, a.n, a.n_positive) == (&b.among, &b.what, b.n, b.n_positive)
        && close(a.value, b.value)
        && intervals
}

fn describe(figure: &Figure) -> String {
    let Figure {
        among,
        what,
        value,
        interval,
        n,
        n_positive,
        ..
    } = figure;
    let interval = interval.map_or(String::new(), |[low, high]| {
        format!(" ({low:.3} to {high:.3})")
    });
    format!("{value:.3}{interval} {what}, {among}, n {n}, {n_positive} positive")
}

fn differs(message: String) -> Failure {
    Failure::package(format!("{METRICS_FILE}: {message}"))
}

fn verify_engines(package: &Package) -> Result<(), Failure> {
    let mut kinds = Vec::new();
    for engine in engines() {
        match engine.state {
            EngineState::Available { version, .. } => {
                println!("engines  {} {version}", engine.kind);
                kinds.push(engine.kind);
            }
            EngineState::Unavailable { reason } => {
                println!("engines  skipped: {}: {reason}", engine.kind);
            }
        }
    }
    let images = images_at_once(package, IMAGES);
    for member in 0..package.manifest().members.len() {
        for case in cases(package, member, images)? {
            compare(&case, &kinds)?;
        }
    }
    Ok(())
}

/// Runs a graph on every engine and compares with the first.
fn compare(case: &GraphCase, kinds: &[EngineKind]) -> Result<(), Failure> {
    let mut runs = Vec::new();
    for kind in kinds {
        runs.push(run_graph(case, *kind)?);
    }
    let name = case.name();
    for (kind, run) in kinds.iter().zip(&runs).skip(1) {
        let difference = largest_difference(&runs[0], run)?;
        println!(
            "engines  {name}: {} and {kind} differ by {difference:.1e}",
            kinds[0]
        );
        let most = match kind.rounds() {
            true => ROUNDED_TOLERANCE,
            false => ENGINE_TOLERANCE,
        };
        if difference > most {
            let message =
                format!("{name}: expected engines that agree within {most:e}, got {difference:e}");
            return Err(Failure::package(message));
        }
    }
    Ok(())
}

fn run_graph(case: &GraphCase, kind: EngineKind) -> Result<Outputs, Failure> {
    let mut session = open(Some(kind), &case.path, &Options::default())?;
    Ok(session.run(&case.views())?)
}
