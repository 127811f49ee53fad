"""The Obuchowski-Rockette analysis of areas with DeLong covariances, in numpy: the peer of `bench/study.py`.

Written from Obuchowski & Rockette 1995 (doi 10.1080/03610919508813243), Hillis 2007 (doi 10.1002/sim.2532) and DeLong et al. 1988
(doi 10.2307/2531595), with midranks (Sun & Xu 2014, doi 10.1109/LSP.2014.2337313): one sort per reader and modality, matrix products for the rest.
"""

import numpy as np
from scipy import stats


def midranks(values):
    """Ranks from 1, ties at their mean."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    ranks = np.repeat((starts + ends + 1) / 2.0, ends - starts)
    result = np.empty(len(values))
    result[order] = ranks
    return result


def placements(ratings, truth):
    """Areas and placement values of each row of `ratings` [tests, cases]."""
    positive, negative = ratings[:, truth], ratings[:, ~truth]
    m, n = positive.shape[1], negative.shape[1]
    of_positive, of_negative = np.empty_like(positive), np.empty_like(negative)
    for test in range(len(ratings)):
        both = midranks(np.concatenate([positive[test], negative[test]]))
        of_positive[test] = (both[:m] - midranks(positive[test])) / n
        of_negative[test] = 1.0 - (both[m:] - midranks(negative[test])) / m
    return of_positive.mean(axis=1), of_positive, of_negative


def analyse(ratings, truth, modalities, readers):
    """Difference of two modalities, its standard error, F, df and p: random readers and cases."""
    areas, of_positive, of_negative = placements(ratings, truth)
    covariance = np.cov(of_positive) / of_positive.shape[1] + np.cov(of_negative) / of_negative.shape[1]
    theta = areas.reshape(modalities, readers)
    c = covariance.reshape(modalities, readers, modalities, readers)
    t, r = np.arange(modalities), np.arange(readers)
    same_t, same_r = np.equal.outer(t, t)[:, None, :, None], np.equal.outer(r, r)[None, :, None, :]
    mean = lambda mask: c[np.broadcast_to(mask, c.shape)].mean()
    cov2, cov3 = mean(same_t & ~same_r), mean(~same_t & ~same_r)
    rows, columns = theta.mean(axis=1), theta.mean(axis=0)
    ms_t = readers * ((rows - theta.mean()) ** 2).sum() / (modalities - 1)
    residual = theta - rows[:, None] - columns[None, :] + theta.mean()
    ms_tr = (residual ** 2).sum() / ((modalities - 1) * (readers - 1))
    denominator = ms_tr + max(readers * (cov2 - cov3), 0.0)
    f = ms_t / denominator
    df = denominator ** 2 / (ms_tr ** 2 / ((modalities - 1) * (readers - 1)))
    se = np.sqrt(2.0 * denominator / readers)
    return rows[0] - rows[1], se, f, df, stats.f.sf(f, modalities - 1, df)
