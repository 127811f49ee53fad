//! Which model reads a study and where its result goes: the first rule of the configuration that fits.

use std::path::PathBuf;

use crate::config::{Config, Route};

/// What rules are about, of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) modality: String,
    /// Title of whoever sent it.
    pub(crate) source: String,
    pub(crate) sha256: String,
}

/// What becomes of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// Folder of the model package; the active one where there is none.
    pub(crate) model: Option<PathBuf>,
    pub(crate) destinations: Vec<String>,
}

/// The way of a study; `view_of` is asked only where a rule needs it.
pub(crate) fn way(
    config: &Config,
    origins: &[Origin],
    view_of: impl Fn(&Origin) -> Option<String>,
) -> Way {
    let fits = |route: &&Route| origins.iter().any(|one| fits(route, one, &view_of));
    let route = config.routes.iter().find(fits);
    let all = || config.destinations.iter().map(|d| d.name.clone()).collect();
    Way {
        model: route.and_then(|route| route.model.clone()),
        destinations: route
            .and_then(|route| route.destinations.clone())
            .unwrap_or_else(all),
    }
}

fn fits(route: &Route, one: &Origin, view_of: &impl Fn(&Origin) -> Option<String>) -> bool {
    let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|w| w == value);
    let view = || route.view.is_none() || route.view == view_of(one);
    is(&route.modality, &one.modality) && is(&route.source, &one.source) && view()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(modality: &str, source: &str) -> Origin {
        Origin {
            modality: modality.to_owned(),
            source: source.to_owned(),
            sha256: String::new(),
        }
    }

    #[test]
    fn the_first_rule_that_fits_one_instance_holds() {
        let destinations = ["archive", "research"].map(|name| {
            format!("[[destination]]\nname = \"{name}\"\naddress = \"a:1\"\nae_title = \"A\"\n")
        });
        let rules = "[[route]]\nmodality = \"US\"\nsource = \"US1\"\nmodel = \"/m/us1\"\n\
            [[route]]\nview = \"CC\"\ndestinations = []\n\
            [[route]]\nsource = \"LAB\"\nmodel = \"/m/lab\"\ndestinations = [\"research\"]\n";
        let config = Config::parse(&(destinations.concat() + rules)).unwrap();
        let both = vec!["archive".to_owned(), "research".to_owned()];
        let view = |one: &Origin| (one.modality == "MG").then(|| "CC".to_owned());
        let of = |origins: &[Origin]| {
            let way = way(&config, origins, view);
            (way.model.map(|m| m.display().to_string()), way.destinations)
        };
        assert_eq!(
            of(&[origin("US", "US1")]),
            (Some("/m/us1".to_owned()), both.clone())
        );
        assert_eq!(of(&[origin("US", "US2")]), (None, both.clone()));
        // Not of one instance.
        assert_eq!(
            of(&[origin("US", "US2"), origin("SR", "US1")]),
            (None, both)
        );
        assert_eq!(of(&[origin("MG", "LAB")]), (None, Vec::new()));
        assert_eq!(
            of(&[origin("US", "LAB")]),
            (Some("/m/lab".to_owned()), vec!["research".to_owned()])
        );
    }
}
