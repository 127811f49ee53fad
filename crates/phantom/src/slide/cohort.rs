//! Patients with follow-up whose recurrences follow a hazard that is known.
//!
//! Owns: the patients, their table, which slide belongs to each. Does not own: drawing, statistics.

use std::fmt::Write as _;

use super::hash::{Draws, Purpose};
use super::{BlurPatch, Fold, PenStroke, Scanner, SlidePlan, Stain, SyntheticSlide};

/// A cohort to make.
///
/// Each patient has a grade as a pathologist gives it, and a planted grade that the slide looks like:
/// 1 and 3 as they are, while one half of grade 2 (a share of `high_in_two`) is planted at 2.5
/// and the rest at 1.5. The hazard of recurrence is `h(t) = h₀(t) · r^(planted − 1)` with `r` the
/// hazard ratio per grade and a Weibull baseline `h₀(t) = (k/λ)(t/λ)^(k−1)`. Within grade 2, high
/// against low has therefore the hazard ratio `r`, and grade 3 against 1 has `r²`. Nothing else bears on the
/// hazard; the other columns follow the planted grade as they do in patients, roughly.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortPlan {
    /// Number of patients.
    pub n_patients: usize,
    /// Shares of the grades 1, 2 and 3; only their proportions count.
    pub grade_shares: [f64; 3],
    /// Share of the patients with grade 2 that are planted high.
    pub high_in_two: f64,
    /// The hazard ratio per planted grade; 1 makes a null cohort (with a scale of 24 years about as many
    /// recur as by default).
    pub hazard_ratio: f64,
    /// Shape k of the baseline; 1 is exponential.
    pub shape: f64,
    /// Scale λ of the baseline, in years.
    pub scale_years: f64,
    /// Follow-up ends after between these many years, evenly: entry over a period, one closing day.
    pub follow_up_years: [f64; 2],
    /// Patients lost per year.
    pub loss_per_year: f64,
}

impl Default for CohortPlan {
    /// 300 patients, hazard ratio 2 per grade, 5 to 10 years: about a quarter of them recur.
    fn default() -> CohortPlan {
        CohortPlan {
            n_patients: 300,
            grade_shares: [0.2, 0.5, 0.3],
            high_in_two: 0.5,
            hazard_ratio: 2.0,
            shape: 1.1,
            scale_years: 55.0,
            follow_up_years: [5.0, 10.0],
            loss_per_year: 0.02,
        }
    }
}

/// A patient who never was.
#[derive(Debug, Clone, PartialEq)]
pub struct Patient {
    /// Begins with `synthetic`.
    pub name: String,
    /// The grade as a pathologist gives it: 1, 2 or 3.
    pub grade: u8,
    /// The grade that the slide looks like and the hazard follows: 1, 1.5, 2.5 or 3.
    pub planted_grade: f64,
    /// Age, in years.
    pub age: u8,
    /// Size of the tumour, in mm.
    pub size_mm: u16,
    /// Positive lymph nodes.
    pub nodes: u8,
    /// Oestrogen receptor: `positive` or `negative`.
    pub er: &'static str,
    /// HER2: `positive` or `negative`.
    pub her2: &'static str,
    /// Years to recurrence or to the end of follow-up.
    pub years: f64,
    /// Whether follow-up ended with a recurrence.
    pub has_recurred: bool,
    /// Of the slide.
    pub slide_seed: u64,
}

impl Patient {
    /// `low` or `high`: on which side of grade 2 the planted grade lies.
    pub fn planted_risk(&self) -> &'static str {
        if self.planted_grade < 2.0 {
            "low"
        } else {
            "high"
        }
    }
}

/// Patients in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// The patients.
    pub patients: Vec<Patient>,
}

/// What the slides of a cohort have in common; each draws one stain, one scanner and its artefacts.
#[derive(Debug, Clone, PartialEq)]
pub struct SlideLooks {
    /// Rows of level 0.
    pub rows: usize,
    /// Columns of level 0.
    pub cols: usize,
    /// Microns per pixel of level 0.
    pub mpp: f64,
    /// Stains to draw from; strengths vary around them by a tenth. Empty: [`Stain::COMMON`].
    pub stains: Vec<Stain>,
    /// Scanners to draw from. Empty: [`Scanner::NEUTRAL`].
    pub scanners: Vec<Scanner>,
    /// Share of the slides with pen, with a fold, with a place out of focus, each by itself.
    pub artefacts: f64,
}

impl Default for SlideLooks {
    /// 4096 × 4096 pixels at 20×, two stains, two scanners, artefacts on one slide of seven each.
    fn default() -> SlideLooks {
        SlideLooks {
            rows: 4096,
            cols: 4096,
            mpp: 0.5,
            stains: vec![Stain::COMMON, Stain::PINK],
            scanners: vec![Scanner::NEUTRAL, Scanner::WARM],
            artefacts: 0.15,
        }
    }
}

impl Cohort {
    /// The cohort of a plan and a seed.
    ///
    /// ```
    /// use lobule_phantom::slide::{Cohort, CohortPlan};
    /// let cohort = Cohort::new(&CohortPlan::default(), 7);
    /// assert_eq!(cohort.patients.len(), 300);
    /// assert!(cohort.clinical_csv().starts_with("patient,slide,years,event,"));
    /// ```
    pub fn new(plan: &CohortPlan, seed: u64) -> Cohort {
        Cohort {
            patients: (0..plan.n_patients)
                .map(|i| patient(plan, seed, i as i32))
                .collect(),
        }
    }

    /// The table for `lobule study survival --time years --event event`.
    pub fn clinical_csv(&self) -> String {
        self.clinical_csv_of("tif")
    }

    /// The same for slides whose files end in `ending`.
    pub(super) fn clinical_csv_of(&self, ending: &str) -> String {
        let mut table = String::from("patient,slide,years,event,grade,age,size_mm,nodes,er,her2\n");
        for p in &self.patients {
            let event = u8::from(p.has_recurred);
            let _ = writeln!(
                table,
                "{0},slides/{0}.{ending},{1:.4},{event},{2},{3},{4},{5},{6},{7}",
                p.name, p.years, p.grade, p.age, p.size_mm, p.nodes, p.er, p.her2
            );
        }
        table
    }

    /// What was planted.
    pub fn truth_csv(&self) -> String {
        let mut table = String::from("patient,planted_grade,planted_risk,slide_seed\n");
        for p in &self.patients {
            let risk = p.planted_risk();
            let _ = writeln!(
                table,
                "{},{},{risk},{}",
                p.name, p.planted_grade, p.slide_seed
            );
        }
        table
    }

    /// The slide of a patient.
    pub fn slide_of(&self, patient: &Patient, looks: &SlideLooks) -> SyntheticSlide {
        let mut draws = Draws::at(patient.slide_seed, Purpose::Look, 0, 0);
        let mut stain = *picked(&looks.stains, &mut draws).unwrap_or(&Stain::COMMON);
        stain.strength = stain.strength.map(|s| s * draws.between(0.9, 1.1));
        let scanner = *picked(&looks.scanners, &mut draws).unwrap_or(&Scanner::NEUTRAL);
        let plan = SlidePlan {
            rows: looks.rows,
            cols: looks.cols,
            mpp: looks.mpp,
            grade: patient.planted_grade,
            stain,
            scanner,
            ..SlidePlan::default()
        };
        let shorter = (looks.rows.min(looks.cols) as f64 * looks.mpp) as f32;
        SyntheticSlide::new(
            with_artefacts(plan, looks.artefacts, shorter, &mut draws),
            patient.slide_seed,
        )
    }
}

fn picked<'a, T>(choices: &'a [T], draws: &mut Draws) -> Option<&'a T> {
    let place = (draws.unit() * choices.len() as f32) as usize;
    choices.get(place)
}

fn with_artefacts(plan: SlidePlan, share: f64, shorter_um: f32, draws: &mut Draws) -> SlidePlan {
    let mut plan = plan;
    let has = |draws: &mut Draws| f64::from(draws.unit()) < share;
    let place = |draws: &mut Draws| [0, 1].map(|_| f64::from(draws.between(0.25, 0.75)));
    if has(draws) {
        let points = vec![place(draws), place(draws), place(draws)];
        let inks = [[25, 60, 190], [20, 110, 60], [30, 30, 34]];
        plan.pens.push(PenStroke {
            points,
            width_um: 0.03 * shorter_um,
            color: *picked(&inks, draws).unwrap_or(&inks[0]),
        });
    }
    if has(draws) {
        plan.folds.push(Fold {
            from: place(draws),
            to: place(draws),
            width_um: 0.05 * shorter_um,
        });
    }
    if has(draws) {
        plan.blurs.push(BlurPatch {
            center: place(draws),
            radius_um: draws.between(0.1, 0.2) * shorter_um,
        });
    }
    plan
}

fn patient(plan: &CohortPlan, seed: u64, number: i32) -> Patient {
    let draws = &mut Draws::at(seed, Purpose::Patient, number, 0);
    let shares = plan.grade_shares;
    let place = f64::from(draws.unit()) * shares.iter().sum::<f64>();
    let grade: u8 = match place {
        p if p < shares[0] => 1,
        p if p < shares[0] + shares[1] => 2,
        _ => 3,
    };
    let is_high = f64::from(draws.unit()) < plan.high_in_two;
    let planted_grade = match grade {
        2 if is_high => 2.5,
        2 => 1.5,
        other => f64::from(other),
    };
    let (years, has_recurred) = follow_up(plan, planted_grade, seed, number);
    let above = (planted_grade - 1.0) as f32;
    let positive = |is: bool| if is { "positive" } else { "negative" };
    let nodes = (-(1.0 - draws.unit()).ln() * (0.7 + 0.8 * above)) as u8;
    Patient {
        name: format!("synthetic-{:04}", number + 1),
        grade,
        planted_grade,
        age: (59.0 - 2.0 * above + 12.0 * draws.normal()).clamp(27.0, 92.0) as u8,
        size_mm: (15.0 * (0.22 * above + 0.45 * draws.normal()).exp()).clamp(3.0, 120.0) as u16,
        nodes: nodes.min(25),
        er: positive(draws.unit() > 0.04 + 0.15 * above),
        her2: positive(draws.unit() < 0.04 + 0.07 * above),
        years,
        has_recurred,
        slide_seed: draws.bits() >> 16,
    }
}

/// Years and whether they end with a recurrence, to four decimals as in the table.
fn follow_up(plan: &CohortPlan, planted_grade: f64, seed: u64, number: i32) -> (f64, bool) {
    let draws = &mut Draws::at(seed, Purpose::Censoring, number, 0);
    let ratio = plan.hazard_ratio.powf(planted_grade - 1.0);
    let recurrence = plan.scale_years * (-draws.open_unit().ln() / ratio).powf(1.0 / plan.shape);
    let [least, most] = plan.follow_up_years;
    let closing = least + (most - least) * draws.open_unit();
    let lost = -draws.open_unit().ln() / plan.loss_per_year.max(1e-12);
    let end = closing.min(lost);
    let years = (recurrence.min(end) * 1e4).round().max(1.0) / 1e4;
    (years, recurrence <= end)
}
