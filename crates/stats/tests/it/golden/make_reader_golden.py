"""Golden values of the reader-study statistics: statsmodels and scipy, no code of ours.

python make_reader_golden.py > reader_golden.json   (numpy, scipy, statsmodels 0.15)
"""

import json

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats


def decisions():
    """Two modalities by three readers by 40 cases, correlated within cases."""
    rng = np.random.default_rng(20240711)
    case = rng.normal(size=40)
    rows = []
    for modality in range(2):
        for reader in range(3):
            latent = 0.3 + 0.5 * modality + 0.2 * reader + case + rng.normal(size=40)
            rows.append((latent > 0).astype(int))
    return np.array(rows).reshape(2, 3, 40)


def gee(y, link, ragged):
    modality, reader, case = np.indices(y.shape)
    keep = np.ones(y.size, bool)
    if ragged:
        keep = (np.arange(y.size) % 7) != 3
    frame = [v.ravel()[keep] for v in (y, modality, reader, case)]
    outcome, modality, reader, case = frame
    order = np.argsort(case, kind="stable")
    outcome, modality, reader, case = (v[order] for v in frame)
    design = np.column_stack([np.ones(outcome.size), modality, reader])
    family = sm.families.Binomial(link=link)
    model = sm.GEE(outcome, design, groups=case, family=family,
                   cov_struct=sm.cov_struct.Exchangeable())
    fit = model.fit(maxiter=500, ctol=1e-13, params_niter=1)
    return {
        "coefficients": fit.params.tolist(),
        "covariance": np.asarray(fit.cov_robust).ravel().tolist(),
        "correlation": float(model.cov_struct.dep_params),
    }


def main():
    y = decisions()
    links = {"logit": sm.families.links.Logit(), "identity": sm.families.links.Identity()}
    power = []
    for df, noncentrality in [(3.0, 0.5), (12.7, 8.2), (60.0, 11.0), (400.0, 40.0), (8.0, 300.0)]:
        critical = stats.f.isf(0.05, 1, df)
        power.append([df, noncentrality, float(stats.ncf.sf(critical, 1, df, noncentrality))])
    json.dump({
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__,
                     "statsmodels": statsmodels.__version__},
        "decisions": y.ravel().tolist(),
        "gee": {f"{name} {kind}": gee(y, link, kind == "ragged")
                for name, link in links.items() for kind in ("whole", "ragged")},
        "noncentral_f_power": power,
    }, __import__("sys").stdout, indent=1)


main()
