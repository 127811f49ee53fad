//! What a search asks for (QIDO-RS, PS3.18 chapters 8.3.4 and 10.6; matching by PS3.4 C.2.2.2).
//!
//! Owns: the query string with its bounds, which attributes can be matched and how. Does not own:
//! how matches are found.

use super::attribute::{Field, Kind, Level, Named, named, shown};
use crate::dimse::is_uid;
use crate::{Error, ErrorKind};

/// Longest query string.
const MAX_BYTES: usize = 16_384;
/// Most parameters of a query.
const MAX_PARAMETERS: usize = 64;
/// Longest value that is matched: longer ones match no attribute that is kept.
const MAX_VALUE: usize = 1024;
/// Most identifiers of a list.
const MAX_LIST: usize = 500;

/// A search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// All of them hold for every match.
    pub conditions: Vec<Condition>,
    /// Most matches of the answer, where it is stated.
    pub limit: Option<u32>,
    /// Matches to leave out first.
    pub offset: u32,
    /// What was asked for and is not done, for the header Warning.
    pub remarks: Vec<String>,
}

/// What has to hold for an attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The attribute.
    pub field: Field,
    /// How its value is compared.
    pub test: Test,
}

/// How a value is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// It is one of these.
    OneOf(Vec<String>),
    /// It fits a pattern: `*` stands for any text, `?` for one sign. Names are in lower case.
    Pattern(String),
    /// It lies in a range, both ends included, in the order of its text.
    Range {
        /// The lowest; any where there is none.
        from: Option<String>,
        /// The highest; any where there is none.
        to: Option<String>,
    },
    /// It is this number.
    Number(i64),
}

/// What a name is matched by: letters of either case are the same (PS3.4 C.2.2.2.1).
pub fn folded_name(name: &str) -> String {
    name.trim_end_matches(['^', '=', ' ']).to_lowercase()
}

/// What a time is compared by: hours, minutes, seconds and six digits of their fraction.
pub fn comparable_time(time: &str) -> String {
    filled_time(time, '0')
}

fn filled_time(time: &str, with: char) -> String {
    let digits: String = time.chars().filter(char::is_ascii_digit).take(12).collect();
    let missing = 12 - digits.len();
    digits
        .chars()
        .chain(std::iter::repeat_n(with, missing))
        .collect()
}

impl Query {
    /// Reads the query string of a search, percent-encoded as it comes.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`] where a parameter is none, is given twice, names an attribute that
    /// does not exist, or has a value that it cannot have; [`ErrorKind::TooLarge`] beyond the
    /// bounds. The text names parameters of the standard alone.
    pub fn parse(level: Level, query: &str) -> Result<Query, Error> {
        if query.len() > MAX_BYTES {
            return Err(too_large(format!(
                "expected a query of at most {MAX_BYTES} bytes"
            )));
        }
        let mut parsed = Query::default();
        for (number, (name, value)) in form_urlencoded::parse(query.as_bytes()).enumerate() {
            if number >= MAX_PARAMETERS {
                let message = format!("expected at most {MAX_PARAMETERS} parameters");
                return Err(too_large(message));
            }
            parsed.take(level, &name, &value)?;
        }
        Ok(parsed)
    }

    /// Keeps to one study, series or instance, as a path names it.
    pub fn within(mut self, field: Field, uid: &str) -> Query {
        let test = Test::OneOf(vec![uid.to_owned()]);
        self.conditions.push(Condition { field, test });
        self
    }

    fn take(&mut self, level: Level, name: &str, value: &str) -> Result<(), Error> {
        if value.len() > MAX_BYTES || value.contains('\0') {
            return Err(malformed("expected values without control characters"));
        }
        match name {
            "limit" => self.limit = Some(number(value, "limit")?),
            "offset" => self.offset = number(value, "offset")?,
            "includefield" => self.include(value)?,
            "fuzzymatching" => self.refuse(
                value,
                "fuzzymatching",
                "The fuzzymatching parameter is not supported. Only literal matching has been performed.",
            )?,
            "emptyvaluematching" => self.refuse(
                value,
                "emptyvaluematching",
                "The emptyvaluematching parameter is not supported. Empty Value Matching has not been performed.",
            )?,
            "multiplevaluematching" => self.refuse(
                value,
                "multiplevaluematching",
                "The multiplevaluematching parameter is not supported. Multiple Value Matching has not been performed.",
            )?,
            // Says in another way what the header Accept says; read by whoever answers.
            "accept" | "charset" => {}
            _ => self.condition(level, name, value)?,
        }
        Ok(())
    }

    fn refuse(&mut self, value: &str, name: &str, remark: &str) -> Result<(), Error> {
        match value {
            "true" => self.remarks.push(remark.to_owned()),
            "false" => {}
            _ => return Err(malformed(format!("expected true or false as {name}"))),
        }
        Ok(())
    }

    /// Everything that is kept of a level is always answered; others cannot be had.
    fn include(&mut self, value: &str) -> Result<(), Error> {
        for name in value
            .split(',')
            .filter(|name| !name.is_empty() && *name != "all")
        {
            if named(name).is_none() {
                return Err(malformed(
                    "expected attributes as includefield, got another name",
                ));
            }
        }
        Ok(())
    }

    fn condition(&mut self, level: Level, name: &str, value: &str) -> Result<(), Error> {
        let unknown = || malformed("expected parameters that name attributes, got another one");
        let (field, name) = match named(name).ok_or_else(unknown)? {
            Named::Plain(tag) => (Field::of(tag), shown(tag)),
            Named::Nested => (None, "an attribute inside a sequence".to_owned()),
        };
        // Studies are asked for by the modality of their series as well.
        let field = match field {
            Some(Field::Modality) if level == Level::Study => Some(Field::ModalitiesInStudy),
            field => field,
        };
        // Optional keys that are not supported are ignored for matching (PS3.4 C.2.2.1.3).
        let Some(field) = field.filter(|field| field.level() <= level) else {
            let remark = format!("{name} is not supported for matching and was ignored.");
            self.remarks.push(remark);
            return Ok(());
        };
        if self.conditions.iter().any(|known| known.field == field) {
            return Err(malformed(format!("expected {name} once, got it twice")));
        }
        if let Some(test) = test(field, value, &name)? {
            self.conditions.push(Condition { field, test });
        }
        Ok(())
    }
}

/// None where every value matches.
fn test(field: Field, value: &str, name: &str) -> Result<Option<Test>, Error> {
    let value = value.trim();
    if value.is_empty() || value.bytes().all(|b| b == b'*') {
        return Ok(None);
    }
    if value.len() > MAX_VALUE && field.kind() != Kind::Uid {
        return Err(too_large(format!(
            "expected at most {MAX_VALUE} bytes as {name}"
        )));
    }
    Ok(Some(match field.kind() {
        Kind::Uid => Test::OneOf(list(value, name, is_uid)?),
        Kind::Code if value.contains(['*', '?']) => Test::Pattern(value.to_owned()),
        Kind::Code => Test::OneOf(list(value, name, |code| code.len() <= 16)?),
        Kind::Name => text_test(folded_name(value)),
        Kind::Text => text_test(value.to_owned()),
        Kind::Date => date_range(value, name)?,
        Kind::Time => time_range(value, name)?,
        Kind::Number => Test::Number(number(value, name)?),
    }))
}

fn text_test(value: String) -> Test {
    match value.contains(['*', '?']) {
        true => Test::Pattern(value),
        false => Test::OneOf(vec![value]),
    }
}

/// Values with commas or backslashes between them.
fn list(value: &str, name: &str, is_one: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
    let parts: Vec<&str> = value.split([',', '\\']).map(str::trim).collect();
    if parts.len() > MAX_LIST {
        return Err(too_large(format!(
            "expected at most {MAX_LIST} values of {name}"
        )));
    }
    match parts.iter().all(|part| !part.is_empty() && is_one(part)) {
        true => Ok(parts.into_iter().map(str::to_owned).collect()),
        false => Err(malformed(format!("expected values that {name} can have"))),
    }
}

fn ends<'a>(value: &'a str) -> (Option<&'a str>, Option<&'a str>) {
    let some = |text: &'a str| Some(text.trim()).filter(|t| !t.is_empty());
    match value.split_once('-') {
        Some((from, to)) => (some(from), some(to)),
        None => (Some(value), Some(value)),
    }
}

fn date_range(value: &str, name: &str) -> Result<Test, Error> {
    let date = |text: &str| {
        let digits = match text.as_bytes() {
            // The form of before 1993.
            [_, _, _, _, b'.', _, _, b'.', _, _] => text.replace('.', ""),
            _ => text.to_owned(),
        };
        match digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()) {
            true => Ok(digits),
            false => Err(malformed(format!(
                "expected {name} as YYYYMMDD, or two with - between"
            ))),
        }
    };
    range(value, date, date)
}

fn time_range(value: &str, name: &str) -> Result<Test, Error> {
    let check = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.replace(':', "");
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let fits = matches!(whole.len(), 2 | 4 | 6) && digits(&whole);
        let fraction_fits = fraction.len() <= 6 && digits(fraction);
        match fits && fraction_fits && (fraction.is_empty() || whole.len() == 6) {
            true => Ok(format!("{whole}{fraction}")),
            false => Err(malformed(format!(
                "expected {name} as HHMMSS, or two with - between"
            ))),
        }
    };
    // A time of hours and minutes is all of that minute.
    let from = |text: &str| Ok(filled_time(&check(text)?, '0'));
    let to = |text: &str| Ok(filled_time(&check(text)?, '9'));
    range(value, from, to)
}

fn range(
    value: &str,
    first: impl Fn(&str) -> Result<String, Error>,
    last: impl Fn(&str) -> Result<String, Error>,
) -> Result<Test, Error> {
    let (from, to) = ends(value);
    if from.is_none() && to.is_none() {
        return Err(malformed("expected an end of a range, got none"));
    }
    Ok(Test::Range {
        from: from.map(first).transpose()?,
        to: to.map(last).transpose()?,
    })
}

fn number<T: std::str::FromStr>(value: &str, name: &str) -> Result<T, Error> {
    let parsed = value.trim().parse();
    parsed.map_err(|_| malformed(format!("expected a number as {name}")))
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

fn too_large(message: String) -> Error {
    Error::new(ErrorKind::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(query: &str) -> Option<Test> {
        let parsed = Query::parse(Level::Instance, query).unwrap();
        parsed.conditions.into_iter().next().map(|c| c.test)
    }

    fn range(from: Option<&str>, to: Option<&str>) -> Option<Test> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Some(Test::Range {
            from: owned(from),
            to: owned(to),
        })
    }

    fn any_of(values: &[&str]) -> Option<Test> {
        Some(Test::OneOf(values.iter().map(|&v| v.to_owned()).collect()))
    }

    #[test]
    fn every_kind_of_matching_is_read() {
        let cases = [
            ("PatientID=A%2A1", Some(Test::Pattern("A*1".to_owned()))),
            ("PatientID=a+b", any_of(&["a b"])),
            (
                "PatientName=DOE%5EJ*",
                Some(Test::Pattern("doe^j*".to_owned())),
            ),
            ("PatientName=Doe%5E%5E", any_of(&["doe"])),
            ("PatientName=*", None),
            ("PatientName=", None),
            ("StudyInstanceUID=1.2,1.3", any_of(&["1.2", "1.3"])),
            ("0020000D=1.2%5C1.3", any_of(&["1.2", "1.3"])),
            ("ModalitiesInStudy=MG", any_of(&["MG"])),
            ("StudyDate=20260101-", range(Some("20260101"), None)),
            ("StudyDate=-2026.01.31", range(None, Some("20260131"))),
            (
                "StudyDate=20260101",
                range(Some("20260101"), Some("20260101")),
            ),
            (
                "StudyTime=08-0930",
                range(Some("080000000000"), Some("093099999999")),
            ),
            ("InstanceNumber=7", Some(Test::Number(7))),
        ];
        for (query, expected) in cases {
            assert_eq!(one(query), expected, "{query}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let long = format!("PatientID={}", "a".repeat(2000));
        let many = "PatientID=a&".repeat(100);
        for query in [
            "PatientNam=x",
            "StudyDate=yesterday",
            "StudyDate=-",
            "StudyTime=1",
            "StudyInstanceUID=../../etc/passwd",
            "StudyInstanceUID=1.2'%20OR%20'1'='1",
            "limit=-1",
            "limit=many",
            "offset=99999999999",
            "PatientID=a&00100020=b",
            "includefield=NoSuchThing",
            "fuzzymatching=maybe",
            "InstanceNumber=one",
            "PatientID=a%00b",
            &long,
            &many,
        ] {
            assert!(Query::parse(Level::Instance, query).is_err(), "{query}");
        }
    }

    #[test]
    fn what_is_not_done_is_said() {
        let query = "fuzzymatching=true&PatientSex=F&Modality=US&00400275.00401001=1&limit=5&offset=2\
                     &includefield=all&includefield=00081030,PatientSex&00091001=x&SOPClassUID=1.2";
        let parsed = Query::parse(Level::Study, query).unwrap();
        assert_eq!(parsed.remarks.len(), 5, "{:?}", parsed.remarks);
        assert!(parsed.remarks[1].starts_with("PatientSex "));
        assert_eq!((parsed.limit, parsed.offset), (Some(5), 2));
        let [only] = &parsed.conditions[..] else {
            panic!()
        };
        assert_eq!(only.field, Field::ModalitiesInStudy);
    }
}
