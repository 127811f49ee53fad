//! `lobule engine`: which engines there are, fetching the faster one, timing them.

use std::path::PathBuf;

use clap::Subcommand;
use lobule_engine::bench::{Timing, fixed_images, time};
use lobule_engine::install::install;
use lobule_engine::{EngineKind, EngineState, EngineStatus, Options, engines, open, preferred};

use crate::default_package;
use crate::failure::{Failure, Outcome};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the engines and why one cannot be used; `*` marks the one used by default.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Fetch ONNX Runtime's library with pip, check its hash and unpack it for this user.
    Install,
    /// Time the first member of a model on every engine.
    Bench(Bench),
}

#[derive(Debug, clap::Args)]
struct Bench {
    /// Folder of a package, or an ONNX file [default: the built-in model].
    model: Option<PathBuf>,
    /// Threads of each engine.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Images in a batch.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: u16,
    /// Batches that are timed.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    rounds: u16,
    /// Rows and columns of an image, for an ONNX file [default: the package's].
    #[arg(long, value_name = "PIXELS", default_value_t = 224, value_parser = clap::value_parser!(u16).range(1..=8192))]
    side: u16,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    match &args.command {
        Command::List { json } => list(*json),
        Command::Install => {
            let library = install()?;
            println!(
                "onnxruntime {} at {}",
                library.version,
                library.path.display()
            );
            Ok(Outcome::Complete)
        }
        Command::Bench(bench) => run_bench(bench),
    }
}

fn list(json: bool) -> Result<Outcome, Failure> {
    let default = preferred().ok();
    let all = engines();
    if json {
        let rows: Vec<_> = all.iter().map(|e| status_json(e, default)).collect();
        println!("{:#}", serde_json::json!({ "engines": rows }));
    } else {
        all.iter()
            .for_each(|e| println!("{}", status_line(e, default)));
    }
    Ok(Outcome::Complete)
}

fn status_line(engine: &EngineStatus, default: Option<EngineKind>) -> String {
    let mark = if default == Some(engine.kind) {
        '*'
    } else {
        ' '
    };
    let kind = engine.kind.name();
    match &engine.state {
        EngineState::Available { version, library } => {
            let place = library.as_ref().map(|l| l.display().to_string());
            let place = place.unwrap_or_else(|| "built in".into());
            format!("{mark} {kind:<12} {version:<8} {place}")
        }
        EngineState::Unavailable { reason } => format!("{mark} {kind:<12} unavailable: {reason}"),
    }
}

fn status_json(engine: &EngineStatus, default: Option<EngineKind>) -> serde_json::Value {
    let (version, library, reason) = match &engine.state {
        EngineState::Available { version, library } => (Some(version), library.as_ref(), None),
        EngineState::Unavailable { reason } => (None, None, Some(reason)),
    };
    serde_json::json!({
        "engine": engine.kind.name(),
        "available": reason.is_none(),
        "default": default == Some(engine.kind),
        "version": version,
        "library": library,
        "reason": reason,
    })
}

fn run_bench(bench: &Bench) -> Result<Outcome, Failure> {
    let (model, [rows, cols], _found) = graph(bench)?;
    let shape = [usize::from(bench.batch), 1, rows, cols];
    let usable = |e: &EngineStatus| matches!(e.state, EngineState::Available { .. });
    let all = engines();
    let kinds: Vec<EngineKind> = all.iter().filter(|e| usable(e)).map(|e| e.kind).collect();
    let options = Options {
        threads: usize::from(bench.threads),
    };
    let mut sessions = Vec::new();
    for kind in &kinds {
        sessions.push(open(Some(*kind), &model, &options)?);
    }
    let images = fixed_images(shape.iter().product());
    let timings = time(&mut sessions, &images, shape, usize::from(bench.rounds))?;
    let rows: Vec<(EngineKind, Timing)> = kinds.iter().copied().zip(timings).collect();
    if bench.json {
        println!("{:#}", bench_json(bench, shape, &rows));
    } else {
        print_table(bench, shape, &rows);
    }
    let missing = all.iter().filter(|e| !usable(e));
    missing.for_each(|e| eprintln!("{}", status_line(e, None)));
    Ok(Outcome::Complete)
}

/// The graph to time, its input, and the package that must outlive it.
fn graph(
    bench: &Bench,
) -> Result<(PathBuf, [usize; 2], Option<default_package::FoundPackage>), Failure> {
    let onnx = |path: &&PathBuf| path.extension().is_some_and(|e| e == "onnx");
    if let Some(file) = bench.model.as_ref().filter(onnx) {
        return Ok((file.clone(), [usize::from(bench.side); 2], None));
    }
    let found = default_package::find(bench.model.as_deref())?;
    let prepare = &found.package.manifest().prepare;
    let side = [prepare.rows, prepare.cols];
    let paths = found.package.member_paths();
    let first = paths.into_iter().next();
    let first = first.ok_or_else(|| Failure::package("expected a member, got none"))?;
    Ok((first, side, Some(found)))
}

fn print_table(bench: &Bench, shape: [usize; 4], rows: &[(EngineKind, Timing)]) {
    let [batch, _, height, width] = shape;
    println!(
        "{batch} images of {height} × {width}, {} threads, median of {} runs",
        bench.threads, bench.rounds
    );
    println!(
        "{:<12} {:>12} {:>12} {:>12}",
        "engine", "ms/batch", "shortest ms", "images/s"
    );
    for (kind, t) in rows {
        let (median, shortest, rate) = (t.median_ms, t.shortest_ms, t.images_per_second);
        println!(
            "{:<12} {median:>12.2} {shortest:>12.2} {rate:>12.1}",
            kind.name()
        );
    }
}

fn bench_json(
    bench: &Bench,
    shape: [usize; 4],
    rows: &[(EngineKind, Timing)],
) -> serde_json::Value {
    let row = |(kind, t): &(EngineKind, Timing)| {
        serde_json::json!({
            "engine": kind.name(),
            "median_ms": t.median_ms,
            "shortest_ms": t.shortest_ms,
            "images_per_second": t.images_per_second,
        })
    };
    serde_json::json!({
        "shape": shape,
        "threads": bench.threads,
        "rounds": bench.rounds,
        "engines": rows.iter().map(row).collect::<Vec<_>>(),
    })
}
