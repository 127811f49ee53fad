//! How many lesions are found at how many false marks: the free-response curve (Bunch et al. 1977,
//! doi:10.1117/12.955926) at a few places.

use std::collections::BTreeSet;
use std::path::Path;

use lobule_stats::Confidence;
use lobule_stats::location::{LesionTruth, LocationCurve, LocationStudy, Mark, location_curve};
use lobule_stats::proportion::Proportion;
use serde::Deserialize;

use super::Figure;
use crate::{Error, ErrorKind};

/// False marks per image at which the curve is read.
const FALSE_MARKS: [&str; 4] = ["0.25", "0.5", "1", "2"];
/// Who states the lesions.
const TRUTH: &str = "truth";

/// One mark, or one lesion of the truth.
#[derive(Deserialize)]
struct Row {
    reader: String,
    modality: String,
    case: String,
    truth: u8,
    lesion: Option<String>,
    rating: Option<f64>,
}

/// The figures of a table of marks of the columns `reader`, `modality`, `case` (`SET/IMAGE`),
/// `truth`, `lesion`, `rating`, by data set. Rows of the reader `truth` state each lesion, or that
/// an image has none.
///
/// # Errors
/// `Record` when it is not such a table.
pub(crate) fn mark_figures(bytes: &[u8], path: &Path) -> Result<Vec<Figure>, Error> {
    let failed = |e| Error::caused(ErrorKind::Record, path, "a table of marks", e);
    let rows: Vec<Row> = csv::Reader::from_reader(bytes)
        .deserialize()
        .collect::<Result<_, csv::Error>>()
        .map_err(failed)?;
    let sets: BTreeSet<&str> = rows.iter().map(|row| set_of(&row.case)).collect();
    let mut all = Vec::new();
    for set in sets {
        let of_set: Vec<&Row> = rows.iter().filter(|r| set_of(&r.case) == set).collect();
        let figures = figures_of(set, &of_set)
            .map_err(|e| Error::caused(ErrorKind::Record, path, "a study of marks", e))?;
        all.extend(figures);
    }
    Ok(all)
}

fn set_of(case: &str) -> &str {
    case.split_once('/').map_or(case, |(set, _)| set)
}

fn figures_of(set: &str, rows: &[&Row]) -> Result<Vec<Figure>, lobule_stats::Error> {
    let is_truth = |row: &&&Row| row.reader == TRUTH;
    let truth = rows.iter().filter(is_truth).map(|row| LesionTruth {
        case: &row.case,
        lesion: row.lesion.as_deref().filter(|_| row.truth > 0),
        weight: None,
    });
    let marks = rows.iter().filter(|row| !is_truth(row)).filter_map(|row| {
        Some(Mark {
            reader: &row.reader,
            modality: &row.modality,
            case: &row.case,
            lesion: row.lesion.as_deref(),
            rating: row.rating?,
        })
    });
    let study = LocationStudy::new(truth, marks)?;
    let points = location_curve(&study, 0, 0, LocationCurve::Froc)?;
    let n_lesions = study.n_lesions();
    let n_images = study.cases().len();
    let figure = |&most: &&str| {
        let most_marks: f64 = most.parse().unwrap_or(0.0);
        let reached = points.iter().take_while(|p| p.abscissa <= most_marks);
        let share = reached.last().map_or(0.0, |p| p.ordinate);
        let hits = (share * n_lesions as f64).round() as usize;
        let interval = Proportion::new(hits, n_lesions)?.wilson(Confidence::NINETY_FIVE);
        Ok(Figure {
            among: set.into(),
            what: format!("malignant lesions found at {most} false marks per image"),
            value: share,
            interval: Some([interval.lower, interval.upper]),
            n: n_lesions,
            n_positive: hits,
            method: format!(
                "free-response curve over {n_images} images; Wilson over lesions; threshold from the same images"
            ),
        })
    };
    FALSE_MARKS.iter().map(figure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lesions_are_found_at_false_marks() {
        let table = "reader,modality,case,truth,lesion,rating\n\
                     truth,truth,a/1,1,1,\ntruth,truth,a/1,1,2,\ntruth,truth,a/2,0,,\n\
                     lobule,mammography,a/1,1,1,0.9\nlobule,mammography,a/2,0,,0.8\n\
                     lobule,mammography,a/1,1,2,0.7\nlobule,mammography,a/1,1,,0.6\n";
        let all = mark_figures(table.as_bytes(), Path::new("marks.csv")).unwrap();
        let found: Vec<(f64, usize, usize)> =
            all.iter().map(|f| (f.value, f.n, f.n_positive)).collect();
        // One false mark on two images is 0.5 of them per image.
        assert_eq!(found, [(0.5, 2, 1), (1.0, 2, 2), (1.0, 2, 2), (1.0, 2, 2)]);
        for wrong in [
            "reader,case\na,b\n",
            "reader,modality,case,truth,lesion,rating\na,m,c,x,,1\n",
        ] {
            assert!(mark_figures(wrong.as_bytes(), Path::new("marks.csv")).is_err());
        }
        let no_lesion = "reader,modality,case,truth,lesion,rating\ntruth,truth,a/2,0,,\n";
        assert!(mark_figures(no_lesion.as_bytes(), Path::new("marks.csv")).is_err());
    }
}
