//! What an exam was made with.

use std::fmt;
use std::str::FromStr;

/// What made the images of an exam, and so which kind of model reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Modality {
    /// Breast ultrasound.
    Ultrasound,
    /// Mammography.
    Mammography,
    /// Whole slides of stained tissue.
    Histology,
}

impl Modality {
    /// Every modality.
    pub const ALL: [Modality; 3] = [
        Modality::Ultrasound,
        Modality::Mammography,
        Modality::Histology,
    ];

    /// Those whose images are of breasts: an exam of images is one of these, a slide is not.
    pub const RADIOLOGY: [Modality; 2] = [Modality::Ultrasound, Modality::Mammography];

    /// The stable name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Modality::Ultrasound => "ultrasound",
            Modality::Mammography => "mammography",
            Modality::Histology => "histology",
        }
    }
}

impl fmt::Display for Modality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Modality {
    type Err = String;

    /// Reads the name in files, in any case.
    ///
    /// ```
    /// use lobule_exam::Modality;
    /// assert_eq!("Mammography".parse(), Ok(Modality::Mammography));
    /// assert!("mri".parse::<Modality>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Modality, String> {
        let text = text.trim();
        let named = |m: &Modality| m.name().eq_ignore_ascii_case(text);
        let found = Modality::ALL.into_iter().find(named);
        found.ok_or_else(|| format!("expected ultrasound, mammography or histology, got `{text}`"))
    }
}
