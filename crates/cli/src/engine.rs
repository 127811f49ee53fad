//! `lobule engine`: which engines there are, fetching the faster one, timing them.

use std::path::PathBuf;

use clap::Subcommand;
use lobule_engine::bench::{Timing, time};
use lobule_engine::install::install;
use lobule_engine::{EngineKind, EngineState, EngineStatus, Options, engines, open, preferred};

use crate::default_package;
use crate::failure::{Failure, Outcome};
use crate::graphs::{GraphCase, cases, images_at_once};

/// Images in a batch unless they are large.
const BATCH: u16 = 8;

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
    /// Time the graphs of a model's first member on every engine.
    Bench(Bench),
}

#[derive(Debug, clap::Args)]
struct Bench {
    /// Folder of a package, or an ONNX file [default: the built-in model].
    model: Option<PathBuf>,
    /// Threads of each engine.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: u16,
    /// Images in a batch [default: 8, and 1 where an image has more than a million pixels].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    batch: Option<u16>,
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
    let (cases, _found) = graphs_of(bench)?;
    let usable = |e: &EngineStatus| matches!(e.state, EngineState::Available { .. });
    let all = engines();
    let kinds: Vec<EngineKind> = all.iter().filter(|e| usable(e)).map(|e| e.kind).collect();
    let mut timed = Vec::new();
    for case in &cases {
        timed.push(time_graph(case, bench, &kinds)?);
    }
    if bench.json {
        println!("{:#}", bench_json(bench, &timed));
    } else {
        timed.iter().for_each(|graph| print_table(bench, graph));
    }
    let missing = all.iter().filter(|e| !usable(e));
    missing.for_each(|e| eprintln!("{}", status_line(e, None)));
    Ok(Outcome::Complete)
}

/// A graph's timings by engine.
struct Timed {
    graph: String,
    shape: Vec<usize>,
    rows: Vec<(EngineKind, Timing)>,
}

fn time_graph(case: &GraphCase, bench: &Bench, kinds: &[EngineKind]) -> Result<Timed, Failure> {
    let mut sessions = Vec::new();
    for kind in kinds {
        sessions.push(open(Some(*kind), &case.path, &options(bench))?);
    }
    let shape = case.inputs[0].1.shape.clone();
    let timings = time(&mut sessions, &case.views(), shape[0], bench.rounds.into())?;
    Ok(Timed {
        graph: case.name(),
        shape,
        rows: kinds.iter().copied().zip(timings).collect(),
    })
}

fn options(bench: &Bench) -> Options {
    Options {
        threads: usize::from(bench.threads),
    }
}

/// The graphs to time, and the package that must outlive them.
fn graphs_of(
    bench: &Bench,
) -> Result<(Vec<GraphCase>, Option<default_package::FoundPackage>), Failure> {
    let onnx = |path: &&PathBuf| path.extension().is_some_and(|e| e == "onnx");
    if let Some(file) = bench.model.as_ref().filter(onnx) {
        let (n, side) = (bench.batch.unwrap_or(BATCH), usize::from(bench.side));
        let session = open(Some(EngineKind::Rten), file, &options(bench))?;
        let input = session.inputs().first().cloned().unwrap_or_default();
        let shape = [usize::from(n), 1, side, side];
        return Ok((vec![GraphCase::of_images(file.clone(), input, shape)], None));
    }
    let found = default_package::find(bench.model.as_deref())?;
    let most = images_at_once(&found.package, usize::from(BATCH));
    let n = bench.batch.map_or(most, usize::from);
    Ok((cases(&found.package, 0, n)?, Some(found)))
}

fn print_table(bench: &Bench, timed: &Timed) {
    let Timed { graph, shape, rows } = timed;
    println!(
        "{graph}: input {shape:?}, {} threads, median of {} runs",
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

/// The member's own graph at the top; further graphs of the package behind it.
fn bench_json(bench: &Bench, timed: &[Timed]) -> serde_json::Value {
    let row = |(kind, t): &(EngineKind, Timing)| {
        serde_json::json!({
            "engine": kind.name(),
            "median_ms": t.median_ms,
            "shortest_ms": t.shortest_ms,
            "images_per_second": t.images_per_second,
        })
    };
    let graph = |timed: &Timed| {
        serde_json::json!({
            "graph": timed.graph,
            "shape": timed.shape,
            "threads": bench.threads,
            "rounds": bench.rounds,
            "engines": timed.rows.iter().map(row).collect::<Vec<_>>(),
        })
    };
    let mut all = timed.iter().map(graph);
    let mut first = all.next().unwrap_or_default();
    first["further_graphs"] = all.collect();
    first
}
