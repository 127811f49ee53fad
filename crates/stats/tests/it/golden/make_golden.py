"""Writes golden.json: the same statistics by SciPy, scikit-learn and statsmodels.

    python make_golden.py > golden.json

Needs numpy, scipy, scikit-learn and statsmodels. The cases are made here from a fixed formula,
so that the file needs no other data.
"""

import json
import math

import numpy as np
import statsmodels.api as sm
from scipy import optimize, stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

MARGIN = 1e-6
N = 120


def cases():
    """Scores with ties, in two decimals, and truths that follow them loosely."""
    i = np.arange(N)
    noise = (np.sin(i * 12.9898) * 43758.5453) % 1.0
    scores = np.round(0.03 + 0.9 * ((i * 37) % N) / N, 2)
    truth = (0.15 + 0.6 * scores > noise).astype(int)
    return scores, truth


def logit(p):
    p = np.clip(p, MARGIN, 1 - MARGIN)
    return np.log(p) - np.log1p(-p)


def logistic(x, targets, offset=None):
    model = sm.GLM(targets, x, family=sm.families.Binomial(), offset=offset)
    return model.fit(tol=1e-14, maxiter=200)


def temperature(scores, truth):
    x = logit(scores)
    sign = 2 * truth - 1
    gradient = lambda slope: np.sum(sign * x / (1 + np.exp(sign * slope * x)))
    return optimize.brentq(gradient, 1e-6, 50, xtol=1e-15, rtol=1e-14)


def platt(scores, truth):
    m, n = truth.sum(), (1 - truth).sum()
    targets = np.where(truth == 1, (m + 1) / (m + 2), 1 / (n + 2))
    fit = logistic(sm.add_constant(logit(scores)), targets)
    return {"slope": fit.params[1], "intercept": fit.params[0]}


def line(scores, truth):
    fit = logistic(sm.add_constant(logit(scores)), truth)
    limits = fit.conf_int()
    large = logistic(np.ones(N), truth, offset=logit(scores))
    return {
        "slope": fit.params[1],
        "intercept": fit.params[0],
        "slope_interval": list(limits[1]),
        "intercept_interval": list(limits[0]),
        "in_the_large": large.params[0],
    }


def isotonic(scores, truth, at):
    fit = IsotonicRegression(out_of_bounds="clip").fit(scores, truth)
    return list(fit.predict(at))


def ece_equal_width(p, truth, bins):
    index = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        (index == b).sum() * abs(p[index == b].mean() - truth[index == b].mean())
        for b in range(bins)
        if (index == b).any()
    ]
    return sum(gaps) / len(p)


def bca_of_mean(values):
    result = stats.bootstrap(
        (values,), np.mean, n_resamples=400_000, batch=20_000, method="BCa", random_state=1
    )
    limits = result.confidence_interval
    return {"lower": limits.low, "upper": limits.high, "standard_error": result.standard_error}


def main():
    scores, truth = cases()
    at = [0.0, 0.031, 0.2, 0.333, 0.5, 0.507, 0.77, 0.9, 1.0]
    skewed = np.array([math.exp(i / 10) for i in range(30)])
    golden = {
        "scores": list(scores),
        "truth": [int(t) for t in truth],
        "auc": roc_auc_score(truth, scores),
        "average_precision": average_precision_score(truth, scores),
        "brier": brier_score_loss(truth, scores),
        "log_loss": log_loss(truth, scores),
        "ece_equal_width_7": ece_equal_width(scores, truth, 7),
        "temperature_slope": temperature(scores, truth),
        "platt": platt(scores, truth),
        "line": line(scores, truth),
        "isotonic_at": at,
        "isotonic": isotonic(scores, truth, at),
        "skewed_values": list(skewed),
        "bca_of_mean_stochastic": bca_of_mean(skewed),
    }
    print(json.dumps(golden, indent=1))


if __name__ == "__main__":
    main()
