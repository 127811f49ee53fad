//! The synthetic experiment with one seed, small: trained on grades 1 and 3 of one cohort, grade 2 of
//! another is told into low and high, and the planted hazard ratio is found behind it.

use std::collections::BTreeMap;
use std::path::Path;

use lobule_phantom::slide::{Cohort, CohortPlan, SlideLooks, write_cohort_plans};
use lobule_stats::Confidence;
use lobule_stats::survival::{Covariates, CoxConfig, CoxTerm, FollowUp, fit_cox};
use lobule_train::slide::{SlideRunConfig, train_slides};
use lobule_train::{Host, Silent};

use super::runs::{open_any, shipped_encoder};

const SEED: u64 = 1;
const HAZARD_RATIO: f64 = 3.0;

fn plan(n_patients: usize, grade_shares: [f64; 3]) -> CohortPlan {
    CohortPlan {
        n_patients,
        grade_shares,
        hazard_ratio: HAZARD_RATIO,
        scale_years: 25.0,
        ..CohortPlan::default()
    }
}

fn cox(times: &[f64], events: &[bool], high: &[f64]) -> CoxTerm {
    let follow_up = FollowUp::new(times, events).unwrap();
    let covariates = Covariates::from_columns(&[high]).unwrap();
    let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default()).unwrap();
    fit.term(0, Confidence::NINETY_FIVE)
}

fn config(folder: &Path) -> SlideRunConfig {
    let set = |name: &str| {
        let path = folder.join(name);
        format!("[[data]]\nname = \"synthetic {name}\"\npath = {path:?}\nlayout = \"clinical\"\n")
    };
    let text = format!(
        "seed = {SEED}\ntask = \"grade\"\n{}{}[[leave_out]]\ndata = \"synthetic test\"\n\
         [tiles]\nlook = \"annotated\"\nmost_per_slide = 3\nleast_tumor = 0.3\n\
         [network]\nencoder = {:?}\nhidden = 16\nmembers = 3\n[optimizer]\nepochs = 15\n\
         [score]\nleast_tiles = 1\n",
        set("training"),
        set("test"),
        shipped_encoder(),
    );
    let file = folder.join("run.toml");
    std::fs::write(&file, text).unwrap();
    SlideRunConfig::read(&file).unwrap()
}

#[test]
fn a_planted_hazard_ratio_is_found_inside_grade_2() {
    let folder = tempfile::tempdir().unwrap();
    let looks = SlideLooks {
        rows: 2048,
        cols: 2048,
        artefacts: 0.0,
        ..SlideLooks::default()
    };
    let training = Cohort::new(&plan(40, [0.5, 0.0, 0.5]), SEED);
    let test = Cohort::new(&plan(90, [0.0, 1.0, 0.0]), SEED + 1000);
    write_cohort_plans(&folder.path().join("training"), &training, &looks).unwrap();
    write_cohort_plans(&folder.path().join("test"), &test, &looks).unwrap();
    let run = folder.path().join("run");
    let config = config(folder.path());
    let outcome = train_slides(&config, &run, &Host::default(), &open_any, &mut Silent).unwrap();
    let cutoff = outcome.cutoff.unwrap().score;
    let score: BTreeMap<&str, f64> = outcome
        .slides
        .iter()
        .filter_map(|s| Some((s.patient.as_str(), s.score?)))
        .collect();
    let seen: Vec<_> = test
        .patients
        .iter()
        .filter(|p| score.contains_key(p.name.as_str()))
        .collect();
    assert!(seen.len() >= 85, "{}", seen.len());
    let times: Vec<f64> = seen.iter().map(|p| p.years).collect();
    let events: Vec<bool> = seen.iter().map(|p| p.has_recurred).collect();
    let high = |of: &dyn Fn(&lobule_phantom::slide::Patient) -> bool| -> Vec<f64> {
        seen.iter().map(|p| f64::from(u8::from(of(p)))).collect()
    };
    let planted = high(&|p| p.planted_risk() == "high");
    let found = high(&|p| score[p.name.as_str()] >= cutoff);
    let agree =
        planted.iter().zip(&found).filter(|(a, b)| a == b).count() as f64 / seen.len() as f64;
    let (oracle, model) = (cox(&times, &events, &planted), cox(&times, &events, &found));
    println!(
        "SYNTHETIC, planted hazard ratio {HAZARD_RATIO}: oracle {:.2}, model {:.2} ({:.2} to {:.2}), agreement {agree:.2}",
        oracle.coefficient.exp(),
        model.coefficient.exp(),
        model.interval.lower,
        model.interval.upper,
    );
    assert!(agree > 0.8, "{agree}");
    let holds = (model.interval.lower..=model.interval.upper).contains(&HAZARD_RATIO);
    assert!(holds, "{:?}", model.interval);
    assert!(model.interval.lower > 1.0, "{:?}", model.interval);
}
