//! What readers say of findings. Nothing is overwritten: the newest of a finding holds.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{Database, Entry, Millis};
use crate::Error;

/// What a reader thinks of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    Accepted,
    Rejected,
}

impl Decision {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Decision::Accepted => "accepted",
            Decision::Rejected => "rejected",
        }
    }
}

/// A review as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Review {
    pub(crate) finding: String,
    /// None where an earlier one was taken back.
    pub(crate) decision: Option<String>,
    pub(crate) comment: String,
    pub(crate) reviewer: String,
    /// Milliseconds since 1970.
    pub(crate) at: Millis,
    /// Whether the result that was judged is the one that is there.
    pub(crate) current: bool,
}

/// What is to be entered of a finding.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged<'a> {
    pub(crate) finding: &'a str,
    /// None takes the last one back.
    pub(crate) decision: Option<Decision>,
    pub(crate) comment: &'a str,
    pub(crate) reviewer: &'a str,
}

const REVIEW: &str = "SELECT review.finding, review.decision, review.comment, review.reviewer, review.at, \
    review.result IS study.result FROM review JOIN study ON study.id = review.study WHERE study.id = ?1";

fn review(row: &Row<'_>) -> rusqlite::Result<Review> {
    Ok(Review {
        finding: row.get(0)?,
        decision: row.get(1)?,
        comment: row.get(2)?,
        reviewer: row.get(3)?,
        at: row.get(4)?,
        current: row.get(5)?,
    })
}

impl Database {
    /// The reviews of a study that hold.
    pub(crate) fn reviews(&self, study: i64) -> Result<Vec<Review>, Error> {
        let sql = format!(
            "{REVIEW} AND review.decision IS NOT NULL AND review.id = \
             (SELECT max(id) FROM review AS other WHERE other.study = ?1 AND other.finding = review.finding) \
             ORDER BY review.finding"
        );
        self.read_reviews(&sql, study)
    }

    /// All that was ever said of a study's findings, in order.
    pub(crate) fn all_reviews(&self, study: i64) -> Result<Vec<Review>, Error> {
        self.read_reviews(&format!("{REVIEW} ORDER BY review.id"), study)
    }

    fn read_reviews(&self, sql: &str, study: i64) -> Result<Vec<Review>, Error> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        let rows = statement.query_map([study], review)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Enters a review of a study's result; false where there is nothing to take back.
    pub(crate) fn judge(
        &self,
        study: i64,
        result: &str,
        judged: &Judged<'_>,
        entry: &Entry<'_>,
        now: Millis,
    ) -> Result<bool, Error> {
        self.change(|t| {
            if judged.decision.is_none() {
                let last = "SELECT decision IS NOT NULL FROM review WHERE study = ?1 AND finding = ?2 \
                            ORDER BY id DESC LIMIT 1";
                let holds = t.query_row(last, params![study, judged.finding], |row| row.get(0));
                if !holds.optional()?.unwrap_or(false) {
                    return Ok(false);
                }
            }
            t.execute(
                "INSERT INTO review (study, finding, decision, comment, reviewer, at, result) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    study,
                    judged.finding,
                    judged.decision.map(Decision::name),
                    judged.comment,
                    judged.reviewer,
                    now,
                    result
                ],
            )?;
            entry.append(t, now)?;
            Ok(true)
        })
    }
}
