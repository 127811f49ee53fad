"""`stats` beside pROC, scikit-learn, numpy, R survival and lifelines: the same tables, parsing apart, ratios in one run.

    apt-get install r-base-core r-cran-proc r-cran-survival; pip install numpy scipy scikit-learn lifelines pandas
    LOBULE_REFERENCE=FOLDER python bench/study.py

FOLDER/bench holds roc_44755.csv.gz and roc_170k.csv.gz (y,s1,s2), mrmc_14x2x320.csv and mrmc_14x2x10000.csv.gz
(case,reader,treatment,truth,rating) and cox_100k.csv.gz (ti,st,X1..X10). A peer that is not there is said and left out. The bootstrap of
scikit-learn takes many minutes: 50 of its 10,000 replicates are timed.
"""

import gzip
import importlib
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

TABLES = Path(os.environ["LOBULE_REFERENCE"]) / "bench"

R_DELONG = """
library(pROC); d <- read.csv(gzfile("{folder}/roc_170k.csv.gz"))
best <- Inf; for (i in 1:3) best <- min(best, system.time({{
  a <- roc(d$y, d$s1, quiet=TRUE, direction="<"); b <- roc(d$y, d$s2, quiet=TRUE, direction="<")
  roc.test(a, b, method="delong", paired=TRUE)}})["elapsed"])
cat(best)
"""
R_COX = """
library(survival); d <- read.csv(gzfile("{folder}/cox_100k.csv.gz"))
best <- Inf; for (i in 1:3) best <- min(best, system.time(coxph(Surv(ti, st) ~ ., data=d))["elapsed"])
cat(best)
"""


def ours():
    """Seconds by the name that the benches print."""
    command = ["cargo", "bench", "-q", "-p", "lobule-stats"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(text)
    return {name: float(seconds) for name, seconds in re.findall(r"^(\S.*): ([0-9.]+) s$", text, re.M)}


def with_r(script):
    if shutil.which("Rscript") is None:
        return None
    run = subprocess.run(["Rscript", "-e", script.format(folder=TABLES)], capture_output=True, text=True)
    if run.returncode != 0:
        print(f"skipped: {run.stderr.strip().splitlines()[-1]}")
        return None
    return float(run.stdout.split()[-1])


def best(work):
    """Of at least three runs, and a second."""
    times = []
    while len(times) < 3 or sum(times) < 1:
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def table(name):
    import numpy as np
    opened = gzip.open(TABLES / name, "rt") if name.endswith(".gz") else open(TABLES / name)
    with opened as file:
        return np.loadtxt(file, delimiter=",", skiprows=1)


def scikit_learn():
    import numpy as np
    from sklearn.metrics import roc_auc_score
    rows = table("roc_44755.csv.gz")
    truth, score = rows[:, 0], rows[:, 1]
    random, replicates = np.random.default_rng(1), 50

    def some():
        for _ in range(replicates):
            chosen = random.integers(0, len(truth), len(truth))
            roc_auc_score(truth[chosen], score[chosen])
    return best(some) * 10_000 / replicates


def numpy_obuchowski_rockette():
    import numpy as np
    from obuchowski_rockette import analyse
    rows = table("mrmc_14x2x320.csv")
    case, reader, modality = (rows[:, at].astype(int) - 1 for at in range(3))
    ratings, truth = np.empty((28, 320)), np.empty(320, dtype=bool)
    ratings[modality * 14 + reader, case] = rows[:, 4]
    truth[case] = rows[:, 3] == 1
    difference, se, f, df, p = analyse(ratings, truth, 2, 14)
    print(f"numpy: difference {difference:.12f}, SE {se:.12f}, F {f:.9f}, df {df:.6f}, p {p:.9f}")
    return best(lambda: analyse(ratings, truth, 2, 14))


def lifelines():
    import pandas
    from lifelines import CoxPHFitter
    data = pandas.read_csv(TABLES / "cox_100k.csv.gz")
    start = time.perf_counter()
    CoxPHFitter().fit(data, "ti", "st")
    return time.perf_counter() - start


def python(module, work):
    try:
        importlib.import_module(module)
    except ImportError as error:
        print(f"skipped: {error}")
        return None
    return work()


def main():
    mine = ours()
    rows = [
        ("paired DeLong test on 170,000 cases", "pROC", 5, with_r(R_DELONG)),
        ("bootstrap of 10,000 areas on 44,755 cases", "scikit-learn", 50, python("sklearn", scikit_learn)),
        ("14 × 2 × 320, DeLong", "numpy", 20, python("scipy", numpy_obuchowski_rockette)),
        ("Cox's model", "R survival", 2, with_r(R_COX)),
        ("Cox's model", "lifelines", None, python("lifelines", lifelines)),
    ]
    print(f"{'what':<44} {'ours s':>9} {'peer':<13} {'peer s':>9} {'ratio':>7}  bar")
    for what, peer, bar, seconds in rows:
        if seconds is not None:
            ratio = seconds / mine[what]
            print(f"{what:<44} {mine[what]:9.5f} {peer:<13} {seconds:9.5f} {ratio:7.1f}  {bar or '-'}")


if __name__ == "__main__":
    main()
