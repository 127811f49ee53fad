"""Writes decision_golden.json: areas of clustered cases from all pairs, and a logistic hybrid.

    python make_decision_golden.py > decision_golden.json

Needs numpy and statsmodels. The variances follow Obuchowski 1997 (doi:10.2307/2533958) by her sums
over the matrix of wins, not over ranks; the regression is a GLM of statsmodels. The cases are made
here from a fixed formula, so that the file needs no other data.
"""

import json

import numpy as np
import statsmodels.api as sm

N = 90


def cases():
    """Two scores with ties, truths and patients with one to four cases of either class."""
    i = np.arange(N)
    noise = lambda k: (np.sin(i * 12.9898 + k) * 43758.5453) % 1.0
    patients = (i * i + 3 * i) % 37
    own = np.cos(patients * 1.7)
    truth = (noise(0.3) + 0.3 * own > 0.6).astype(int)
    first = np.round(4 * (noise(1.7) + 0.5 * truth + 0.2 * own), 0)
    second = np.round(noise(2.9) + 0.4 * truth + 0.3 * own, 1)
    return first, second, truth, patients


def components(scores, truth):
    x, y = scores[truth == 1], scores[truth == 0]
    wins = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    return wins.mean(), wins.mean(axis=1), wins.mean(axis=0)


def clustered_covariance(first, second, truth, patients):
    (a, x_a, y_a), (b, x_b, y_b) = components(first, truth), components(second, truth)
    of_x, of_y = patients[truth == 1], patients[truth == 0]
    m, n = len(of_x), len(of_y)
    s10 = s01 = s11_ab = s11_ba = 0.0
    for patient in np.unique(patients):
        in_x, in_y = of_x == patient, of_y == patient
        xa, xb = x_a[in_x].sum() - in_x.sum() * a, x_b[in_x].sum() - in_x.sum() * b
        ya, yb = y_a[in_y].sum() - in_y.sum() * a, y_b[in_y].sum() - in_y.sum() * b
        s10 += xa * xb
        s01 += ya * yb
        s11_ab += xa * yb
        s11_ba += xb * ya
    i10, i01, i = (len(np.unique(p)) for p in (of_x, of_y, patients))
    s10 *= i10 / ((i10 - 1) * m)
    s01 *= i01 / ((i01 - 1) * n)
    cross = i / (i - 1) * (s11_ab + s11_ba)
    return s10 / m + s01 / n + cross / (m * n)


def main():
    first, second, truth, patients = cases()
    covariance = lambda a, b: clustered_covariance(a, b, truth, patients)
    design = sm.add_constant(np.column_stack([first, second]))
    fit = sm.GLM(truth, design, family=sm.families.Binomial()).fit(tol=1e-14, maxiter=200)
    kept = patients != patients[0]
    held_out = sm.GLM(truth[kept], design[kept], family=sm.families.Binomial())
    held_out = held_out.fit(tol=1e-14, maxiter=200).predict(design[:1])
    golden = {
        "first": list(first),
        "second": list(second),
        "truth": [int(t) for t in truth],
        "patients": [int(p) for p in patients],
        "areas": [components(first, truth)[0], components(second, truth)[0]],
        "variances": [covariance(first, first), covariance(second, second)],
        "covariance": covariance(first, second),
        "logistic": list(fit.params),
        "held_out_first_case": held_out[0],
    }
    print(json.dumps(golden, indent=1))


if __name__ == "__main__":
    main()
