//! Which images of a TIFF file are levels of the slide, and which are something else.

use super::page::Page;
use super::{aperio, ome};
use crate::error::unsupported;
use crate::source::step_between;
use crate::{Error, LeftOut, Mpp, SlideFormat};

/// The slide's levels from the finest on, and what the descriptions say.
#[derive(Debug)]
pub(super) struct Roles {
    pub(super) format: SlideFormat,
    pub(super) levels: Vec<Page>,
    pub(super) left_out: Vec<LeftOut>,
    /// Microns per pixel where the maker's description rules; else the resolution tags do.
    pub(super) mpp: Option<Result<Mpp, String>>,
    pub(super) magnification: Option<f64>,
}

/// NewSubfileType: a reduced copy of another image of the file.
const REDUCED: u64 = 1;

impl Roles {
    /// Sorts the images, each with those of its tag SubIFDs, by the first one's description.
    pub(super) fn of(pages: Vec<(Page, Vec<Page>)>) -> Result<Roles, Error> {
        let description = pages[0].0.description.clone();
        if description.starts_with("Aperio") {
            return Ok(Roles::aperio(pages, &description));
        }
        if description.contains("<OME") {
            return Roles::ome(pages, &description);
        }
        let mut roles = Roles::empty(SlideFormat::Tiff);
        let judge = |i: usize, page: &Page| match i == 0 || page.subfile_type == REDUCED {
            true => None,
            false => Some((
                format!("image {i}"),
                "it is no reduced copy of the first image",
            )),
        };
        roles.sort(pages, judge);
        Ok(roles)
    }

    fn empty(format: SlideFormat) -> Roles {
        Roles {
            format,
            levels: Vec::new(),
            left_out: Vec::new(),
            mpp: None,
            magnification: None,
        }
    }

    fn aperio(pages: Vec<(Page, Vec<Page>)>, description: &str) -> Roles {
        let mut roles = Roles::empty(SlideFormat::Aperio);
        (roles.mpp, roles.magnification) = aperio::scale(description);
        roles.sort(pages, |i, page| match i == 0 || page.is_tiled {
            true => None,
            false => Some((aperio::name(i, page), "it is no level of the slide")),
        });
        roles
    }

    fn ome(pages: Vec<(Page, Vec<Page>)>, description: &str) -> Result<Roles, Error> {
        let mut roles = Roles::empty(SlideFormat::OmeTiff);
        let said = ome::read(description)?;
        if said.channels > 1 && said.channels != pages[0].0.samples {
            return Err(unsupported(format!(
                "expected colours in one image, got {} channels in images of {} samples",
                said.channels, pages[0].0.samples
            )));
        }
        (roles.mpp, roles.magnification) = (said.mpp, said.magnification);
        roles.sort(pages, |i, _| match i {
            0 => None,
            _ => Some((
                format!("image {i}"),
                "it is another image, plane or time than the first",
            )),
        });
        Ok(roles)
    }

    /// Takes what `judge` gives no reason against, if it is a smaller copy of the first image;
    /// images below the first are such copies by themselves.
    fn sort(
        &mut self,
        pages: Vec<(Page, Vec<Page>)>,
        judge: impl Fn(usize, &Page) -> Option<(String, &'static str)>,
    ) {
        for (i, (page, below)) in pages.into_iter().enumerate() {
            match judge(i, &page) {
                Some((name, reason)) => self.leave_out(name, &page, reason),
                None => self.take(format!("image {i}"), page),
            }
            for page in below {
                match i {
                    0 => self.take("reduced image".into(), page),
                    _ => self.leave_out("reduced image".into(), &page, "of an image left out"),
                }
            }
        }
        let first = self.levels.remove(0);
        self.levels.sort_by_key(|page| std::cmp::Reverse(page.rows));
        self.levels.insert(0, first);
    }

    fn take(&mut self, name: String, page: Page) {
        let size = (page.rows, page.cols);
        let fits = self.levels.first().map(|first| (first.rows, first.cols));
        match fits.is_none_or(|first| step_between(first, size).is_some()) {
            true => self.levels.push(page),
            false => self.leave_out(name, &page, "it is no smaller copy of the first image"),
        }
    }

    fn leave_out(&mut self, name: String, page: &Page, reason: &str) {
        self.left_out.push(LeftOut {
            name,
            size: Some((page.rows, page.cols)),
            reason: reason.into(),
        });
    }
}
