//! Follow-up: Cox's model on what was planted finds the planted hazard ratio.

use lobule_exam::PixelBox;
use lobule_phantom::slide::{Cohort, CohortPlan, SlideLooks, write_cohort};
use lobule_stats::Confidence;
use lobule_stats::survival::{Covariates, CoxConfig, CoxTerm, FollowUp, fit_cox};
use lobule_study::table::{SurvivalColumns, SurvivalTable};

const SEEDS: u64 = 20;
/// Of 20 intervals of 95 %, 16 or fewer hold the truth with a probability of 0.016.
const LEAST_COVERED: usize = 17;

fn cox(patients: &[&lobule_phantom::slide::Patient], columns: &[Vec<f64>]) -> CoxTerm {
    let times: Vec<f64> = patients.iter().map(|p| p.years).collect();
    let events: Vec<bool> = patients.iter().map(|p| p.has_recurred).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let follow_up = FollowUp::new(&times, &events).unwrap();
    let covariates = Covariates::from_columns(&columns).unwrap();
    let fit = fit_cox(&follow_up, &covariates, &CoxConfig::default()).unwrap();
    fit.term(0, Confidence::NINETY_FIVE)
}

/// Over the seeds: mean error of the log hazard ratio, its standard error, intervals that hold it.
fn recovered(
    name: &str,
    truth: f64,
    fitted: impl Fn(&Cohort) -> CoxTerm,
    plan: &CohortPlan,
) -> (f64, f64, usize) {
    let terms: Vec<CoxTerm> = (0..SEEDS)
        .map(|seed| fitted(&Cohort::new(plan, seed)))
        .collect();
    let errors: Vec<f64> = terms.iter().map(|t| t.coefficient - truth.ln()).collect();
    let n = errors.len() as f64;
    let bias = errors.iter().sum::<f64>() / n;
    let spread = errors.iter().map(|e| (e - bias).powi(2)).sum::<f64>() / (n - 1.0);
    let covered = terms.iter().filter(|t| {
        let (low, high) = (t.interval.lower, t.interval.upper);
        (low..=high).contains(&truth)
    });
    let (se, covered) = ((spread / n).sqrt(), covered.count());
    eprintln!(
        "{name}: bias of the log hazard ratio {bias:.3} ± {se:.3}, {covered} of {SEEDS} intervals"
    );
    (bias, se, covered)
}

#[test]
fn the_oracle_finds_the_planted_hazard_ratio_and_none_in_a_null_cohort() {
    for ratio in [2.0, 1.0] {
        let plan = CohortPlan {
            hazard_ratio: ratio,
            // About as many recur in both.
            scale_years: if ratio > 1.0 { 55.0 } else { 24.0 },
            ..CohortPlan::default()
        };
        let on_planted = |cohort: &Cohort| {
            let patients: Vec<_> = cohort.patients.iter().collect();
            cox(
                &patients,
                &[patients.iter().map(|p| p.planted_grade).collect()],
            )
        };
        let adjusted = |cohort: &Cohort| {
            let patients: Vec<_> = cohort.patients.iter().collect();
            let column = |value: fn(&lobule_phantom::slide::Patient) -> f64| {
                patients.iter().map(|p| value(p)).collect::<Vec<f64>>()
            };
            let columns = [
                column(|p| p.planted_grade),
                column(|p| f64::from(p.age)),
                column(|p| f64::from(p.size_mm)),
                column(|p| f64::from(p.nodes)),
                column(|p| f64::from(u8::from(p.er == "positive"))),
                column(|p| f64::from(u8::from(p.her2 == "positive"))),
            ];
            cox(&patients, &columns)
        };
        let within_two = |cohort: &Cohort| {
            let patients: Vec<_> = cohort.patients.iter().filter(|p| p.grade == 2).collect();
            let high = patients
                .iter()
                .map(|p| f64::from(u8::from(p.planted_risk() == "high")));
            cox(&patients, &[high.collect()])
        };
        let larger = CohortPlan {
            n_patients: 600,
            ..plan.clone()
        };
        for (bias, se, covered) in [
            recovered(
                &format!("per grade, planted {ratio}"),
                ratio,
                on_planted,
                &plan,
            ),
            recovered(
                &format!("adjusted, planted {ratio}"),
                ratio,
                adjusted,
                &plan,
            ),
            recovered(
                &format!("within grade 2, planted {ratio}"),
                ratio,
                within_two,
                &larger,
            ),
        ] {
            assert!(bias.abs() < 3.0 * se, "{bias} {se}");
            assert!(covered >= LEAST_COVERED, "{covered}");
        }
    }
}

#[test]
fn the_table_is_what_survival_studies_read() {
    let folder = tempfile::tempdir().unwrap();
    let cohort = Cohort::new(&CohortPlan::default(), 3);
    assert_eq!(cohort, Cohort::new(&CohortPlan::default(), 3));
    let recurred = cohort.patients.iter().filter(|p| p.has_recurred).count();
    eprintln!("{recurred} of 300 recur");
    assert!((50..120).contains(&recurred), "{recurred}");
    let file = folder.path().join("clinical.csv");
    std::fs::write(&file, cohort.clinical_csv()).unwrap();
    let columns = SurvivalColumns {
        time: "years".into(),
        event: "event".into(),
        groups: vec!["grade".into()],
        covariates: ["age", "size_mm", "nodes", "er", "her2", "factor(grade)"]
            .map(Into::into)
            .into(),
        ..SurvivalColumns::default()
    };
    let table = SurvivalTable::read(&file, &columns).unwrap();
    assert_eq!(table.times().len(), 300);
    for (time, patient) in table.times().iter().zip(&cohort.patients) {
        assert!((time - patient.years).abs() < 1e-9);
        assert!(patient.name.starts_with("synthetic"));
    }
    // The planted grade is not told.
    assert!(!cohort.clinical_csv().contains("planted"));
    assert!(cohort.truth_csv().contains(",2.5,high,"));
}

#[test]
fn a_small_cohort_has_its_slides_and_its_truth() {
    let folder = tempfile::tempdir().unwrap();
    let plan = CohortPlan {
        n_patients: 3,
        ..CohortPlan::default()
    };
    let looks = SlideLooks {
        rows: 700,
        cols: 600,
        artefacts: 1.0,
        ..SlideLooks::default()
    };
    let cohort = Cohort::new(&plan, 8);
    let written = write_cohort(folder.path(), &cohort, &looks).unwrap();
    assert_eq!(written.len(), 3);
    for (patient, files) in cohort.patients.iter().zip(&written) {
        assert!(
            files
                .slide
                .ends_with(format!("slides/{}.tif", patient.name))
        );
        assert!(files.slide.is_file());
        let slide = cohort.slide_of(patient, &looks);
        assert_eq!(slide.plan().grade, patient.planted_grade);
        assert_eq!((slide.plan().pens.len(), slide.plan().folds.len()), (1, 1));
        assert_eq!(slide.draw(PixelBox::whole(9, 9)).rows(), 9);
        let text = std::fs::read_to_string(&files.plan).unwrap();
        let said: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(said["synthetic"], true);
        assert_eq!(said["plan"]["grade"].as_f64(), Some(patient.planted_grade));
    }
    assert!(folder.path().join("clinical.csv").is_file());
}
