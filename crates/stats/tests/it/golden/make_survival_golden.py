"""Writes survival_accuracy_golden.json: weighted accuracy at a time by scikit-survival.

    python make_survival_golden.py > survival_accuracy_golden.json

Needs numpy and scikit-survival. The subjects are those of survival_golden.json, with times made
distinct, because scikit-survival treats a censoring at the time of an event otherwise.
"""

import json
import pathlib

import numpy as np
from sksurv.metrics import (
    brier_score,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
    integrated_brier_score,
)

TIMES = [5.5, 10.5, 20.5, 40.5]


def main():
    made = json.loads((pathlib.Path(__file__).parent / "survival_golden.json").read_text())
    times = np.array(made["time"]) + np.arange(80) / 1024
    events = np.array(made["cause"]) > 0
    risks = np.array(made["x1"]) + np.array(made["x2"]) / 8
    subjects = np.array(list(zip(events, times)), dtype=[("event", bool), ("time", float)])
    survival = np.exp(-np.outer(np.exp(0.6 * (risks - 1)), np.array(TIMES) * 0.03))
    results = {
        "times": TIMES,
        "uno": concordance_index_ipcw(subjects, subjects, risks, tau=40.5)[0],
        "auc": list(cumulative_dynamic_auc(subjects, subjects, risks, TIMES)[0]),
        "brier": list(brier_score(subjects, subjects, survival, TIMES)[1]),
        "integrated_brier": integrated_brier_score(subjects, subjects, survival, TIMES),
    }
    print(json.dumps(results, indent=1))


main()
