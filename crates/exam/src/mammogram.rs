//! The words of mammography: projections, their modifications, what a picture is made for, and
//! how a breast lies in it.

use std::fmt;
use std::str::FromStr;

/// A mammographic projection. The abbreviations are those of DICOM's context group 4014 (PS3.16)
/// and of the View Position attribute; the first letter names where the beam comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// Cranio-caudal.
    Cc,
    /// Medio-lateral oblique.
    Mlo,
    /// Medio-lateral.
    Ml,
    /// Latero-medial.
    Lm,
    /// Latero-medial oblique.
    Lmo,
    /// Cranio-caudal, exaggerated laterally.
    Xccl,
    /// Cranio-caudal, exaggerated medially.
    Xccm,
    /// Caudo-cranial, from below.
    Fb,
    /// Superolateral to inferomedial oblique.
    Sio,
    /// Inferomedial to superolateral oblique.
    Iso,
    /// A specimen outside the body.
    Specimen,
}

/// The views of a screening exam of one breast.
pub const SCREENING_VIEWS: [View; 2] = [View::Cc, View::Mlo];

const VIEW_NAMES: [(View, &str); 11] = [
    (View::Cc, "CC"),
    (View::Mlo, "MLO"),
    (View::Ml, "ML"),
    (View::Lm, "LM"),
    (View::Lmo, "LMO"),
    (View::Xccl, "XCCL"),
    (View::Xccm, "XCCM"),
    (View::Fb, "FB"),
    (View::Sio, "SIO"),
    (View::Iso, "ISO"),
    (View::Specimen, "SPECIMEN"),
];

impl View {
    /// Whether the beam runs from head to foot, or nearly, so that the picture shows the breast
    /// from above; the pectoral muscle then shows at the chest wall at most.
    pub fn is_cranio_caudal(self) -> bool {
        matches!(self, View::Cc | View::Xccl | View::Xccm | View::Fb)
    }

    /// Whether the beam is oblique, so that the pectoral muscle is expected in a corner.
    pub fn is_oblique(self) -> bool {
        matches!(self, View::Mlo | View::Lmo)
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = VIEW_NAMES.iter().find(|(view, _)| view == self);
        f.write_str(named.map_or("", |&(_, name)| name))
    }
}

impl FromStr for View {
    type Err = String;

    /// Reads the abbreviation, in any case.
    ///
    /// ```
    /// use lobule_exam::View;
    /// assert_eq!("mlo".parse(), Ok(View::Mlo));
    /// assert_eq!(View::Xccl.to_string(), "XCCL");
    /// assert!("frontal".parse::<View>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<View, String> {
        let text = text.trim();
        let named = VIEW_NAMES
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text));
        named
            .map(|&(view, _)| view)
            .ok_or_else(|| format!("expected a mammographic view such as CC or MLO, got `{text}`"))
    }
}

/// How a projection departs from its standard form (context group 4015 of PS3.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewModifier {
    /// Both breasts' inner parts between the paddles.
    Cleavage,
    /// The tail towards the armpit.
    AxillaryTail,
    /// Tissue of the armpit.
    AxillaryTissue,
    /// The upper breast rolled outwards.
    RolledLateral,
    /// The upper breast rolled inwards.
    RolledMedial,
    /// Rolled downwards.
    RolledInferior,
    /// Rolled upwards.
    RolledSuperior,
    /// The implant pushed back out of the picture (Eklund).
    ImplantDisplaced,
    /// Enlarged by distance.
    Magnification,
    /// Pressed with a small paddle.
    SpotCompression,
    /// The beam along the skin.
    Tangential,
    /// The front part pressed alone.
    AnteriorCompression,
    /// The fold below the breast.
    InframammaryFold,
    /// The nipple shown from its side.
    NippleInProfile,
}

/// What an image's pixel values are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PresentationIntent {
    /// For people to read.
    Presentation,
    /// The detector's values, for a program that makes the readable image of them.
    Processing,
    /// A scan of a film, or a capture: nothing is stated, and the values are as a person saw them.
    NotStated,
}

/// Whether the breast holds an implant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Implant {
    /// Stated, or the picture is an implant-displaced one.
    Present,
    /// Stated.
    Absent,
    /// Nothing is stated.
    NotStated,
}

/// An edge of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageSide {
    /// Column 0.
    Left,
    /// The last column.
    Right,
    /// Row 0.
    Top,
    /// The last row.
    Bottom,
}

impl ImageSide {
    /// The other end of the same direction.
    ///
    /// ```
    /// use lobule_exam::ImageSide;
    /// assert_eq!(ImageSide::Left.opposite(), ImageSide::Right);
    /// ```
    pub fn opposite(self) -> ImageSide {
        match self {
            ImageSide::Left => ImageSide::Right,
            ImageSide::Right => ImageSide::Left,
            ImageSide::Top => ImageSide::Bottom,
            ImageSide::Bottom => ImageSide::Top,
        }
    }

    /// Whether the edge is the left or right one.
    pub fn is_across(self) -> bool {
        matches!(self, ImageSide::Left | ImageSide::Right)
    }
}

/// How a breast lies in its picture.
///
/// The two edges are perpendicular; [`BreastOrientation::new`] is the only way to make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BreastOrientation {
    chest: ImageSide,
    upper: Option<ImageSide>,
}

impl BreastOrientation {
    /// The chest wall's edge, and the edge where the head is (in views from above: the outer
    /// side of the breast), where it is known. `None` when the two edges are not perpendicular.
    ///
    /// ```
    /// use lobule_exam::{BreastOrientation, ImageSide};
    /// let (left, right, top) = (ImageSide::Left, ImageSide::Right, ImageSide::Top);
    /// assert!(BreastOrientation::new(left, Some(top)).is_some());
    /// assert!(BreastOrientation::new(left, Some(right)).is_none());
    /// ```
    pub fn new(chest: ImageSide, upper: Option<ImageSide>) -> Option<BreastOrientation> {
        let perpendicular = upper.is_none_or(|upper| upper.is_across() != chest.is_across());
        perpendicular.then_some(BreastOrientation { chest, upper })
    }

    /// The edge at the chest wall.
    pub fn chest(self) -> ImageSide {
        self.chest
    }

    /// The edge at the head, or at the breast's outer side in views from above.
    pub fn upper(self) -> Option<ImageSide> {
        self.upper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_read_back_what_they_print() {
        for (view, _) in VIEW_NAMES {
            assert_eq!(view.to_string().parse(), Ok(view));
        }
        assert!("".parse::<View>().is_err());
    }

    #[test]
    fn a_view_is_from_above_or_oblique_or_neither() {
        for (view, _) in VIEW_NAMES {
            assert!(!(view.is_cranio_caudal() && view.is_oblique()));
        }
        assert!(View::Xccl.is_cranio_caudal() && View::Mlo.is_oblique());
    }

    #[test]
    fn opposite_twice_is_the_same_edge() {
        use ImageSide::*;
        for side in [Left, Right, Top, Bottom] {
            assert_eq!(side.opposite().opposite(), side);
            assert_eq!(side.opposite().is_across(), side.is_across());
            assert!(BreastOrientation::new(side, Some(side)).is_none());
        }
    }
}
