//! One cell of a table: worded for people, exact for programs.

/// A value in a [`Table`](super::Table). Pages show it rounded, CSV files hold it exactly.
///
/// Values that are not finite show as “–” and leave their place in the CSV empty.
///
/// ```
/// use lobule_report::document::Cell;
///
/// let effect = Cell::Interval { estimate: 0.0213, lower: -0.0041, upper: 0.0467, digits: 3 };
/// assert_eq!(effect.words(), "0.021 (−0.004 to 0.047)");
/// assert_eq!(Cell::PValue(0.00002).words(), "< 0.001");
/// assert_eq!(Cell::Percent(0.8742).words(), "87.4 %");
/// assert_eq!(Cell::Count(1234).words(), "1234");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A number, shown with so many digits after the point.
    Number {
        /// The number.
        value: f64,
        /// Digits after the point.
        digits: usize,
    },
    /// A share in 0..=1, shown in percent with one digit.
    Percent(f64),
    /// A p-value, shown with three digits and never as 0.
    PValue(f64),
    /// An estimate with its interval.
    Interval {
        /// The estimate.
        estimate: f64,
        /// Lower limit.
        lower: f64,
        /// Upper limit.
        upper: f64,
        /// Digits after the point.
        digits: usize,
    },
    /// A share in 0..=1 with its interval, shown in percent with one digit.
    PercentInterval {
        /// The share.
        estimate: f64,
        /// Lower limit.
        lower: f64,
        /// Upper limit.
        upper: f64,
    },
    /// No value, and why; the reason stands under the table.
    Missing(String),
}

/// Stands where there is no value.
const NOTHING: &str = "–";

impl Cell {
    /// The cell as people read it.
    pub fn words(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(n) => grouped(*n),
            Cell::Number { value, digits } => number(*value, *digits),
            Cell::Percent(share) => percent(*share),
            Cell::PValue(p) => p_value(*p),
            Cell::Interval {
                estimate,
                lower,
                upper,
                digits,
            } => interval(*estimate, (*lower, *upper), *digits, ""),
            Cell::PercentInterval {
                estimate,
                lower,
                upper,
            } => interval(estimate * 100.0, (lower * 100.0, upper * 100.0), 1, " %"),
            Cell::Missing(_) => NOTHING.to_owned(),
        }
    }

    pub(crate) fn is_interval(&self) -> bool {
        matches!(self, Cell::Interval { .. } | Cell::PercentInterval { .. })
    }

    pub(crate) fn is_numeric(&self) -> bool {
        !matches!(self, Cell::Text(_) | Cell::Missing(_))
    }

    /// The value and the limits of its interval, exactly.
    pub(crate) fn exact(&self) -> [String; 3] {
        let alone = |value: String| [value, String::new(), String::new()];
        match self {
            Cell::Text(text) => alone(crate::summary::plain(text)),
            Cell::Count(n) => alone(n.to_string()),
            Cell::Number { value, .. } | Cell::Percent(value) | Cell::PValue(value) => {
                alone(exact(*value))
            }
            Cell::Interval {
                estimate,
                lower,
                upper,
                ..
            }
            | Cell::PercentInterval {
                estimate,
                lower,
                upper,
            } => [*estimate, *lower, *upper].map(exact),
            Cell::Missing(_) => alone(String::new()),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(n: u64) -> Cell {
        Cell::Count(n)
    }
}

impl From<usize> for Cell {
    fn from(n: usize) -> Cell {
        Cell::Count(n as u64)
    }
}

/// The shortest decimal that reads back as the same number.
fn exact(value: f64) -> String {
    match value.abs() {
        v if !v.is_finite() => String::new(),
        v if v == 0.0 => "0".to_owned(),
        v if (1e-5..1e15).contains(&v) => format!("{value}"),
        _ => format!("{value:e}"),
    }
}

/// Rounded, with a true minus sign and no “−0.00”.
pub(crate) fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let text = format!("{:.digits$}", value.abs());
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    match value < 0.0 && !is_zero {
        true => format!("−{text}"),
        false => text,
    }
}

fn percent(share: f64) -> String {
    match share.is_finite() {
        true => format!("{} %", number(share * 100.0, 1)),
        false => NOTHING.to_owned(),
    }
}

fn p_value(p: f64) -> String {
    match p {
        p if !p.is_finite() => NOTHING.to_owned(),
        p if p < 0.001 => "< 0.001".to_owned(),
        p if p > 0.999 => "> 0.999".to_owned(),
        p => number(p, 3),
    }
}

fn interval(estimate: f64, (lower, upper): (f64, f64), digits: usize, unit: &str) -> String {
    if !estimate.is_finite() {
        return NOTHING.to_owned();
    }
    let estimate = format!("{}{unit}", number(estimate, digits));
    if !lower.is_finite() && !upper.is_finite() {
        return estimate;
    }
    let between = match lower < 0.0 || upper < 0.0 {
        true => " to ",
        false => "–",
    };
    let limit = |value: f64, open: &str| match value.is_finite() {
        true => number(value, digits),
        false => open.to_owned(),
    };
    let (lower, upper) = (limit(lower, "−∞"), limit(upper, "∞"));
    format!("{estimate} ({lower}{between}{upper}{unit})")
}

/// Thousands apart by thin spaces that do not break, from five digits on.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_worded_for_people() {
        let interval = |estimate, lower, upper| Cell::Interval {
            estimate,
            lower,
            upper,
            digits: 2,
        };
        for (cell, words) in [
            (Cell::Count(9999), "9999"),
            (Cell::Count(1_234_567), "1\u{202f}234\u{202f}567"),
            (
                Cell::Number {
                    value: -0.001,
                    digits: 2,
                },
                "0.00",
            ),
            (
                Cell::Number {
                    value: -1.5,
                    digits: 1,
                },
                "−1.5",
            ),
            (
                Cell::Number {
                    value: f64::NAN,
                    digits: 1,
                },
                "–",
            ),
            (Cell::Percent(1.0), "100.0 %"),
            (Cell::PValue(0.0321), "0.032"),
            (Cell::PValue(0.0), "< 0.001"),
            (Cell::PValue(1.0), "> 0.999"),
            (Cell::PValue(f64::NAN), "–"),
            (interval(0.5, 0.4, 0.6), "0.50 (0.40–0.60)"),
            (interval(0.5, -0.4, 0.6), "0.50 (−0.40 to 0.60)"),
            (interval(0.5, 0.4, f64::INFINITY), "0.50 (0.40–∞)"),
            (interval(0.5, f64::NAN, f64::NAN), "0.50"),
            (interval(f64::NAN, 0.4, 0.6), "–"),
            (
                Cell::PercentInterval {
                    estimate: 0.874,
                    lower: 0.812,
                    upper: 0.921,
                },
                "87.4 % (81.2–92.1 %)",
            ),
            (Cell::Missing("too few".into()), "–"),
        ] {
            assert_eq!(cell.words(), words, "{cell:?}");
        }
    }

    #[test]
    fn files_hold_what_was_computed() {
        for value in [
            1.0 / 3.0,
            1e-300,
            -7.25,
            0.0,
            123_456_789.123,
            1e22,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(exact(value).parse::<f64>(), Ok(value));
        }
        assert_eq!(exact(f64::NAN), "");
        assert_eq!(Cell::Text("=1+1".into()).exact()[0], "'=1+1");
    }
}
