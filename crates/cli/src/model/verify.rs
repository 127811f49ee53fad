//! `lobule model verify`: hashes, figures, engines.

use lobule_engine::bench::fixed_images;
use lobule_engine::{EngineKind, EngineState, Options, Outputs, engines, largest_difference, open};
use lobule_package::{Figure, METRICS_FILE, PREDICTIONS_FILE, Package, Status, stated_figures};

use crate::failure::Failure;

/// A figure is computed from the same numbers by the same rule; only the order of sums may differ.
const FIGURE_TOLERANCE: f64 = 1e-9;
/// Engines sum in different orders; scores and saliency are in 0..=1.
const ENGINE_TOLERANCE: f64 = 1e-4;
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
    if demonstration && !there(PREDICTIONS_FILE) && !there(METRICS_FILE) {
        println!("figures  none: a demonstration model states none");
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
            EngineState::Unavailable { reason } => println!("engines  skipped: {reason}"),
        }
    }
    for path in package.member_paths() {
        let mut runs = Vec::new();
        for kind in &kinds {
            runs.push(run_member(package, &path, *kind)?);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        for (kind, run) in kinds.iter().zip(&runs).skip(1) {
            let difference = largest_difference(&runs[0], run)?;
            println!(
                "engines  {name}: {} and {kind} differ by {difference:.1e}",
                kinds[0]
            );
            if difference > ENGINE_TOLERANCE {
                let message = format!(
                    "{name}: expected engines that agree within {ENGINE_TOLERANCE:e}, got {difference:e}"
                );
                return Err(Failure::package(message));
            }
        }
    }
    Ok(())
}

fn run_member(
    package: &Package,
    member: &std::path::Path,
    kind: EngineKind,
) -> Result<Outputs, Failure> {
    let prepare = &package.manifest().prepare;
    let shape = [IMAGES, 1, prepare.rows, prepare.cols];
    let images = fixed_images(shape.iter().product());
    let mut session = open(Some(kind), member, &Options::default())?;
    Ok(session.run_images(&images, shape)?)
}
