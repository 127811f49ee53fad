//! From a heap of mammograms to exams, breasts and views.
//!
//! Owns: the order, what is missing, what is repeated. Does not own: which images count
//! (`dicomio` or a manifest says so).

use std::collections::BTreeMap;

use crate::{SCREENING_VIEWS, Side, View};

/// What has to be known of an image to find its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewedImage<'a> {
    /// The exam's opaque key.
    pub exam: &'a str,
    /// The breast.
    pub side: Side,
    /// The projection, where it is stated.
    pub view: Option<View>,
}

/// The images of one exam. Images are named by their place in the list that was arranged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewedExam {
    /// The exam's opaque key.
    pub exam: String,
    /// Ordered left, right, unknown; only breasts with images.
    pub breasts: Vec<ViewedBreast>,
}

/// The images of one breast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewedBreast {
    /// The breast.
    pub side: Side,
    /// Ordered CC, MLO, then the others; images whose view is not stated come last.
    pub views: Vec<ImagesOfView>,
}

/// The images of one projection; several when it was repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagesOfView {
    /// The projection, where it is stated.
    pub view: Option<View>,
    /// At least one, in the order in which they were given.
    pub images: Vec<usize>,
}

impl ViewedBreast {
    /// The screening views (CC, MLO) that are not there. Empty when an image's view is not
    /// stated: it may be the one that seems to be missing.
    pub fn missing_views(&self) -> Vec<View> {
        if self.views.iter().any(|v| v.view.is_none()) {
            return Vec::new();
        }
        let is_there = |view: &View| self.views.iter().any(|v| v.view == Some(*view));
        let missing = SCREENING_VIEWS.into_iter().filter(|view| !is_there(view));
        missing.collect()
    }

    /// The views that were taken more than once.
    pub fn repeated_views(&self) -> Vec<View> {
        let repeated = self.views.iter().filter(|v| v.images.len() > 1);
        repeated.filter_map(|v| v.view).collect()
    }
}

/// Puts images into exams (ordered by key), breasts and views. Every image is kept.
///
/// ```
/// use lobule_exam::{Laterality, Side, View, ViewedImage, arrange_views};
/// let image = |view| ViewedImage { exam: "a", side: Side::Known(Laterality::Left), view };
/// let exams = arrange_views(&[image(Some(View::Cc)), image(Some(View::Cc))]);
/// let breast = &exams[0].breasts[0];
/// assert_eq!(breast.repeated_views(), [View::Cc]);
/// assert_eq!(breast.missing_views(), [View::Mlo]);
/// ```
pub fn arrange_views(images: &[ViewedImage]) -> Vec<ViewedExam> {
    type ByView = BTreeMap<(bool, Option<View>), Vec<usize>>;
    let mut exams: BTreeMap<&str, BTreeMap<Side, ByView>> = BTreeMap::new();
    for (idx, image) in images.iter().enumerate() {
        let breasts = exams.entry(image.exam).or_default();
        let views = breasts.entry(image.side).or_default();
        // `None` sorts first by itself.
        let key = (image.view.is_none(), image.view);
        views.entry(key).or_default().push(idx);
    }
    let breast = |(side, views): (Side, ByView)| ViewedBreast {
        side,
        views: views
            .into_iter()
            .map(|((_, view), images)| ImagesOfView { view, images })
            .collect(),
    };
    exams
        .into_iter()
        .map(|(exam, breasts)| ViewedExam {
            exam: exam.to_owned(),
            breasts: breasts.into_iter().map(breast).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Laterality;

    const LEFT: Side = Side::Known(Laterality::Left);
    const RIGHT: Side = Side::Known(Laterality::Right);

    fn image(exam: &str, side: Side, view: Option<View>) -> ViewedImage<'_> {
        ViewedImage { exam, side, view }
    }

    #[test]
    fn every_image_is_kept_once_and_in_order() {
        let images = [
            image("b", RIGHT, Some(View::Mlo)),
            image("a", Side::Unknown, None),
            image("a", LEFT, None),
            image("a", LEFT, Some(View::Ml)),
            image("a", LEFT, Some(View::Cc)),
            image("a", LEFT, Some(View::Ml)),
        ];
        let exams = arrange_views(&images);
        let keys: Vec<&str> = exams.iter().map(|e| &e.exam[..]).collect();
        assert_eq!(keys, ["a", "b"]);
        let left = &exams[0].breasts[0];
        let of_left: Vec<_> = left.views.iter().map(|v| (v.view, &v.images[..])).collect();
        let expected: [(Option<View>, &[usize]); 3] = [
            (Some(View::Cc), &[4]),
            (Some(View::Ml), &[3, 5]),
            (None, &[2]),
        ];
        assert_eq!(of_left, expected);
        assert_eq!(left.repeated_views(), [View::Ml]);
        assert_eq!(left.missing_views(), []);
        assert_eq!(exams[0].breasts[1].side, Side::Unknown);
        assert_eq!(exams[1].breasts[0].missing_views(), [View::Cc]);
        let mut all: Vec<usize> = exams
            .iter()
            .flat_map(|e| &e.breasts)
            .flat_map(|b| &b.views)
            .flat_map(|v| v.images.clone())
            .collect();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn nothing_gives_no_exam() {
        assert_eq!(arrange_views(&[]), []);
    }
}
