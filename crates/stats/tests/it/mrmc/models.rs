//! Golden values of statsmodels and scipy; `golden/make_reader_golden.py` made them.

use lobule_stats::gee::{Link, gee};
use lobule_stats::mrmc::*;
use serde_json::Value;

use super::{FITTED, LEVEL, near, near_within};

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/reader_golden.json")).unwrap()
}

#[test]
fn estimating_equations_of_statsmodels() {
    let golden = golden();
    let decisions: Vec<bool> = golden["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v == 1)
        .collect();
    for (name, link, ragged) in [
        ("logit whole", Link::Logit, false),
        ("logit ragged", Link::Logit, true),
        ("identity whole", Link::Identity, false),
        ("identity ragged", Link::Identity, true),
    ] {
        let kept: Vec<usize> = (0..240).filter(|i| !ragged || i % 7 != 3).collect();
        let outcomes: Vec<bool> = kept.iter().map(|&i| decisions[i]).collect();
        let clusters: Vec<usize> = kept.iter().map(|i| i % 40).collect();
        let row = |&i: &usize| [1.0, (i / 120) as f64, (i / 40 % 3) as f64];
        let design: Vec<f64> = kept.iter().flat_map(row).collect();
        let fit = gee(&outcomes, &design, &clusters, link).unwrap();
        let expected = &golden["gee"][name];
        let value = |key: &str, i: usize| expected[key][i].as_f64().unwrap();
        for (i, coefficient) in fit.coefficients.iter().enumerate() {
            near_within(name, *coefficient, value("coefficients", i), FITTED);
        }
        for (i, covariance) in fit.covariance.iter().enumerate() {
            near_within(name, *covariance, value("covariance", i), FITTED);
        }
        near_within(
            name,
            fit.correlation,
            expected["correlation"].as_f64().unwrap(),
            FITTED,
        );
    }
}

#[test]
fn power_is_that_of_the_noncentral_distribution() {
    for row in golden()["noncentral_f_power"].as_array().unwrap() {
        let value = |i: usize| row[i].as_f64().unwrap();
        let (df, noncentrality) = (value(0), value(1));
        // Fixed cases give r − 1 degrees of freedom; other df through σ²(TR) and Cov₂ − Cov₃.
        let r = 3.0;
        let shared = ((df / (r - 1.0)).sqrt() - 1.0) / r;
        let plan = StudyPlan {
            components: Components {
                reader: None,
                interaction: Some(1.0),
                error: shared,
                cov1: 0.0,
                cov2: shared,
                cov3: 0.0,
            },
            pilot_cases: 50,
            difference: (2.0 * noncentrality * (1.0 + r * shared) / r).sqrt(),
            n_readers: 3,
            n_cases: 50,
            random: RandomFactors::ReadersAndCases,
            confidence: LEVEL,
        };
        let power = plan.power().unwrap();
        near("df", power.denominator_df.unwrap(), df);
        near("noncentrality", power.noncentrality, noncentrality);
        near("power", power.power, value(2));
    }
}
