//! Density classes: what readers of images of the same medium would call a breast, and how images
//! go together into breasts and breasts into an exam.
//!
//! Owns: the words and these rules. Does not own: where a class comes from (`raster`), which images
//! get one (`assess`).

use std::fmt;
use std::str::FromStr;

use crate::{Assessment, BreastAssessment, Side};

/// How a mammogram was taken. Classes of density that were learnt on one do not hold on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Medium {
    /// A detector, processed for reading.
    Digital,
    /// A scan of a film.
    Film,
}

impl Medium {
    /// The stable name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Medium::Digital => "digital",
            Medium::Film => "film",
        }
    }
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Medium {
    type Err = String;

    /// Reads the name in files, in any case.
    ///
    /// ```
    /// use lobule_exam::Medium;
    /// assert_eq!("Film".parse(), Ok(Medium::Film));
    /// assert!("paper".parse::<Medium>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Medium, String> {
        let named = |m: &Medium| m.name().eq_ignore_ascii_case(text.trim());
        let found = [Medium::Digital, Medium::Film].into_iter().find(named);
        found.ok_or_else(|| format!("expected film or digital, got `{text}`"))
    }
}

/// A class of breast density and its probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DensityClass {
    /// As the readers of the images called it that the class was learnt from.
    pub name: &'static str,
    /// In 0..=1; those of all classes sum to one.
    pub probability: f64,
}

/// The classes of an image or a breast, each list from the least dense class to the densest.
#[derive(Debug, Clone, PartialEq)]
pub struct DensityClasses {
    /// What the classes hold for.
    pub medium: Medium,
    /// `fatty`, `glandular`, `dense` of film; `A-B`, `C-D` of digital images. Never empty.
    pub classes: Vec<DensityClass>,
    /// `A` to `D` of digital images, experimental; empty of film.
    pub letters: Vec<DensityClass>,
}

impl DensityClasses {
    /// The most probable class.
    pub fn class(&self) -> Option<DensityClass> {
        most_probable(&self.classes)
    }

    /// The most probable letter, experimental; none of film.
    pub fn letter(&self) -> Option<DensityClass> {
        most_probable(&self.letters)
    }

    /// Each class with the mean of its probabilities, every member counting alike. None without
    /// members, or where their media or classes differ.
    pub fn mean<'a>(members: impl IntoIterator<Item = &'a DensityClasses>) -> Option<Self> {
        let members: Vec<&DensityClasses> = members.into_iter().collect();
        let first = members.first()?;
        let list = |of: fn(&DensityClasses) -> &Vec<DensityClass>| {
            let lists: Vec<&[DensityClass]> = members.iter().map(|m| of(m).as_slice()).collect();
            mean_of(&lists)
        };
        let alike = members.iter().all(|m| m.medium == first.medium);
        alike.then_some(())?;
        Some(DensityClasses {
            medium: first.medium,
            classes: list(|m| &m.classes)?,
            letters: list(|m| &m.letters)?,
        })
    }

    /// Orders breasts of one medium by density: the place of the most probable class, then the
    /// mean place by probability.
    fn rank(&self) -> (usize, f64) {
        let places = || self.classes.iter().enumerate();
        let top = places()
            .rev()
            .max_by(|a, b| a.1.probability.total_cmp(&b.1.probability));
        let mean = places().map(|(at, class)| at as f64 * class.probability);
        (top.map_or(0, |(at, _)| at), mean.sum())
    }
}

/// The first of equally probable ones.
fn most_probable(classes: &[DensityClass]) -> Option<DensityClass> {
    let by = |a: &&DensityClass, b: &&DensityClass| a.probability.total_cmp(&b.probability);
    classes.iter().rev().max_by(by).copied()
}

fn mean_of(lists: &[&[DensityClass]]) -> Option<Vec<DensityClass>> {
    let (first, n) = (lists.first()?, lists.len() as f64);
    let names = |list: &[DensityClass]| list.iter().map(|c| c.name).collect::<Vec<_>>();
    let alike = lists.iter().all(|list| names(list) == names(first));
    let mean = |at: usize| lists.iter().map(|list| list[at].probability).sum::<f64>() / n;
    alike.then(|| {
        let classes = first.iter().enumerate();
        let classes = classes.map(|(at, class)| DensityClass {
            name: class.name,
            probability: mean(at),
        });
        classes.collect()
    })
}

impl BreastAssessment {
    /// The breast's density classes: the mean over its images that have some, or one line that says
    /// why it has none. `None` where no image is a mammogram.
    pub fn density_classes(&self) -> Option<Result<DensityClasses, String>> {
        let facts = self.images.iter().filter_map(|i| i.mammogram.as_ref());
        let images: Vec<_> = facts.map(|facts| &facts.density_classes).collect();
        if images.is_empty() {
            return None;
        }
        let classified: Vec<&DensityClasses> =
            images.iter().filter_map(|i| i.as_ref().ok()).collect();
        if classified.is_empty() {
            let mut reasons: Vec<&str> = Vec::new();
            for reason in images.iter().filter_map(|i| i.as_ref().err()) {
                if !reasons.contains(&reason.as_str()) {
                    reasons.push(reason);
                }
            }
            return Some(Err(reasons.join("; ")));
        }
        let mixed = || "its images are of film and of a detector".to_owned();
        Some(DensityClasses::mean(classified).ok_or_else(mixed))
    }
}

impl Assessment {
    /// The densest breast and its classes: the exam's density, as readers give it (BI-RADS, 5th ed.
    /// 2013: of breasts that differ, the denser one counts). None where no breast has classes, or
    /// where one breast is of film and the other of a detector.
    pub fn densest_breast(&self) -> Option<(Side, DensityClasses)> {
        let classes = |breast: &BreastAssessment| breast.density_classes()?.ok();
        let rated = self
            .breasts
            .iter()
            .filter_map(|b| Some((b.side, classes(b)?)));
        let rated: Vec<(Side, DensityClasses)> = rated.collect();
        let medium = rated.first()?.1.medium;
        if rated.iter().any(|(_, of)| of.medium != medium) {
            return None;
        }
        // Of equally dense ones the first.
        rated.into_iter().rev().max_by(|(_, a), (_, b)| {
            let (a, b) = (a.rank(), b.rank());
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two(dense: f64) -> DensityClasses {
        let class = |name, probability| DensityClass { name, probability };
        DensityClasses {
            medium: Medium::Digital,
            classes: vec![class("A-B", 1.0 - dense), class("C-D", dense)],
            letters: Vec::new(),
        }
    }

    #[test]
    fn views_are_averaged_class_by_class() {
        let mean = DensityClasses::mean(&[two(0.2), two(0.9)]).unwrap();
        let class = mean.class().unwrap();
        assert_eq!(class.name, "C-D");
        assert!((class.probability - 0.55).abs() < 1e-12);
        assert_eq!(mean.letter(), None);
        assert_eq!(two(0.5).class().unwrap().name, "A-B");
    }

    #[test]
    fn what_differs_is_not_averaged() {
        let film = DensityClasses {
            medium: Medium::Film,
            ..two(0.5)
        };
        assert_eq!(DensityClasses::mean(&[two(0.5), film]), None);
        let mut other = two(0.5);
        other.classes[0].name = "A";
        assert_eq!(DensityClasses::mean(&[two(0.5), other]), None);
        assert_eq!(DensityClasses::mean(&[]), None);
    }

    #[test]
    fn the_denser_class_counts_before_its_probability() {
        assert!(two(0.51).rank() > two(0.49).rank());
        assert!(two(0.9).rank() > two(0.6).rank());
        let three = |p: [f64; 3]| {
            let names = ["fatty", "glandular", "dense"];
            let classes = names.into_iter().zip(p);
            DensityClasses {
                medium: Medium::Film,
                classes: classes
                    .map(|(name, probability)| DensityClass { name, probability })
                    .collect(),
                letters: Vec::new(),
            }
        };
        assert!(three([0.3, 0.4, 0.3]).rank() > three([0.5, 0.1, 0.4]).rank());
    }
}
