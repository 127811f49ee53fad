#!/usr/bin/env python3
"""The synthetic experiment: does a network trained on grade 1 against 3 recover, inside grade 2, a hazard ratio that was planted?

All slides and patients are SYNTHETIC. For each seed: a training cohort (grades 1 and 3), a test cohort (grade 2 only, half planted like
grade 1.5 and half like 2.5, hazard ratio 2 between them), the same with a stain and a scanner that training never saw, and the test cohort's
slides with follow-up in which nothing bears on the hazard. `lobule train slide` trains an ensemble and tells grade 2 into low and high;
`lobule study survival` fits Cox's model to that, and to what was planted (the oracle). Nothing else computes.

    docs/experiments/synthetic_grade.py --lobule target/release/lobule --encoder WEIGHTS --out runs/synthetic-grade [--seeds 20]

A seed that is done is not done again. The table of all seeds is OUT/seeds.csv, the summary OUT/summary.md.
"""
import argparse, csv, json, math, shutil, statistics, subprocess
from pathlib import Path

HAZARD_RATIO = 2.0
SETS = ["test", "unseen", "null"]
CONFIG = """seed = {seed}
task = "grade"

[[data]]
name = "synthetic training"
path = "{work}/training"
layout = "clinical"

[[data]]
name = "synthetic test"
path = "{work}/test"
layout = "clinical"

[[data]]
name = "synthetic unseen"
path = "{work}/unseen"
layout = "clinical"

[[leave_out]]
data = "synthetic test"

[[leave_out]]
data = "synthetic unseen"

[tiles]
look = "annotated"
most_per_slide = {tiles}
least_tumor = 0.3

[network]
encoder = "{encoder}"
hidden = 16
members = 5

[optimizer]
epochs = 20

[score]
least_tiles = 2
"""


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def cohort(lobule, out, seed, patients, shares, ratio, scale, form, looks=()):
    shutil.rmtree(out, ignore_errors=True)
    run(lobule, "phantom", "cohort", "--out", out, "--seed", seed, "--patients", patients, "--grade-shares", shares,
        "--hazard-ratio", ratio, "--scale-years", scale, "--form", form, "--artefacts", 0, *looks)


def cox(lobule, rows, folder):
    """Hazard ratio and 95 % interval of high against low, by the network and by what was planted."""
    table = folder / "table.csv"
    with open(table, "w", newline="") as file:
        writer = csv.DictWriter(file, ["years", "event", "risk", "planted_risk"])
        writer.writeheader()
        writer.writerows({key: row[key] for key in writer.fieldnames} for row in rows)
    out = folder / "study"
    shutil.rmtree(out, ignore_errors=True)
    run(lobule, "study", "survival", table, "--time", "years", "--event", "event", "--covariates", "risk,planted_risk",
        "--reference", "low,high", "--out", out)
    models = json.loads((out / "study.json").read_text())
    models = models["result"]["univariable"]
    found = {}
    for model in models:
        term = model["value"]["terms"][0]
        ratio = term["hazard_ratio"]
        found[term["covariate"]] = (ratio["estimate"], ratio["lower"], ratio["upper"])
    return found["risk"], found["planted_risk"]


def one_seed(args, seed):
    work = args.out / f"seed-{seed}"
    work.mkdir(parents=True, exist_ok=True)
    train, test = args.training, args.test
    cohort(args.lobule, work / "training", seed, train, "0.4,0,0.6", HAZARD_RATIO, 55, "plan")
    cohort(args.lobule, work / "test", 1000 + seed, test, "0,1,0", HAZARD_RATIO, 25, "plan")
    cohort(args.lobule, work / "unseen", 2000 + seed, test, "0,1,0", HAZARD_RATIO, 25, "plan",
           ["--stains", "violet", "--scanners", "cool"])
    cohort(args.lobule, work / "null", 1000 + seed, test, "0,1,0", 1, 13, "tables")
    config = work / "run.toml"
    config.write_text(CONFIG.format(seed=seed, work=work.resolve(), tiles=args.tiles, encoder=Path(args.encoder).resolve()))
    run(args.lobule, "train", "slide", "--config", config, "--out", work / "run")
    slides = rows_of(work / "run" / "slides.csv")
    result = []
    for name in SETS:
        source = "test" if name == "null" else name
        planted = {row["patient"]: row["planted_risk"] for row in rows_of(work / source / "truth.csv")}
        followed = {row["patient"]: row for row in rows_of(work / name / "clinical.csv")}
        rows = [
            {**followed[row["patient"]], "risk": row["risk"], "planted_risk": planted[row["patient"]]}
            for row in slides
            if row["set"] == f"synthetic {source}" and row["risk"] in ("low", "high")
        ]
        model, oracle = cox(args.lobule, rows, work)
        agreement = sum(row["risk"] == row["planted_risk"] for row in rows) / len(rows)
        result.append({
            "seed": seed, "synthetic set": name, "slides": len(rows), "events": sum(int(row["event"]) for row in rows),
            "agreement": f"{agreement:.3f}",
            **{f"model {key}": f"{value:.4f}" for key, value in zip(("ratio", "lower", "upper"), model)},
            **{f"oracle {key}": f"{value:.4f}" for key, value in zip(("ratio", "lower", "upper"), oracle)},
        })
    for name in ("training", "test", "unseen", "null"):
        shutil.rmtree(work / name)
    shutil.rmtree(work / "run" / "features")
    return result


def summary(rows):
    lines = [
        "| SYNTHETIC set | seeds | slides, events per seed | agreement with what was planted | planted hazard ratio | by | mean log ratio: hazard ratio | "
        "bias of the log ratio (standard error) | 95 % intervals that hold the planted ratio | that leave out 1 |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in SETS:
        own = [row for row in rows if row["synthetic set"] == name]
        if len(own) < 2:
            continue
        truth = 1.0 if name == "null" else HAZARD_RATIO
        mean = lambda key: statistics.mean(float(row[key]) for row in own)
        for by in ("oracle", "model"):
            logs = [math.log(float(row[f"{by} ratio"])) for row in own]
            bias = statistics.mean(logs) - math.log(truth)
            error = statistics.stdev(logs) / math.sqrt(len(logs))
            limits = [(float(row[f"{by} lower"]), float(row[f"{by} upper"])) for row in own]
            covered = sum(low <= truth <= high for low, high in limits)
            apart = sum(low > 1 or high < 1 for low, high in limits)
            lines.append(
                f"| {name} | {len(own)} | {mean('slides'):.0f}, {mean('events'):.0f} | {mean('agreement'):.3f} | {truth:g} | {by} | "
                f"{math.exp(statistics.mean(logs)):.2f} | {bias:+.3f} ({error:.3f}) | {covered} of {len(own)} | {apart} of {len(own)} |"
            )
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lobule", required=True, help="program, built with the feature train")
    parser.add_argument("--encoder", required=True, help="weights of EfficientNet-Lite0 (.pth), or a member of a slide model (.onnx)")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--training", type=int, default=100, help="patients of grade 1 or 3 to train on")
    parser.add_argument("--test", type=int, default=200, help="patients of grade 2 in each test cohort")
    parser.add_argument("--tiles", type=int, default=4, help="tumor tiles read of a slide")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    table = args.out / "seeds.csv"
    rows = rows_of(table) if table.exists() else []
    for seed in range(1, args.seeds + 1):
        if any(int(row["seed"]) == seed for row in rows):
            continue
        rows += one_seed(args, seed)
        with open(table, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        (args.out / "summary.md").write_text(summary(rows))
        print(f"seed {seed} done", flush=True)
    print(summary(rows))


if __name__ == "__main__":
    main()
