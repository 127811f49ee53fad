//! What the page has to know of a study's images: which object each file of an assessment is, and
//! how it is to be shown.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use lobule_dicomio::web::{DisplayFacts, is_uid, read_display_facts};
use serde::Serialize;

use super::{Refused, blocking, kept};
use crate::database::{Kept, Place, Target};
use crate::server::Shared;

#[derive(Serialize)]
struct Instance {
    /// As `assessment.json` names it.
    file: String,
    series: String,
    instance: String,
    sop_class: String,
    frames: usize,
    rows: usize,
    columns: usize,
    modality: String,
    laterality: Option<&'static str>,
    view: Option<String>,
    window_center: Option<f64>,
    window_width: Option<f64>,
    window_function: Option<&'static str>,
    /// Whether the window above is all the image states: with a table it is not.
    voi: bool,
    slope: Option<f64>,
    intercept: Option<f64>,
    samples: usize,
    bits: u32,
    signed: bool,
    photometric: &'static str,
    instance_number: Option<i64>,
}

/// Images of a study, in the order they came; objects without pixels, and results, are left out.
pub(in crate::http) async fn instances(
    State(shared): State<Arc<Shared>>,
    Path(uid): Path<String>,
) -> Result<Response, Refused> {
    if !is_uid(&uid) {
        return Err(Refused::unknown());
    }
    let target = Target {
        study: uid,
        series: None,
        instance: None,
    };
    let all = kept(&shared, target).await?;
    let images = blocking(move || {
        let arrived = all
            .iter()
            .filter(|one| matches!(one.place, Place::Store(_)));
        Ok(arrived
            .filter_map(|one| image(&shared, one))
            .collect::<Vec<_>>())
    });
    Ok(Json(images.await?).into_response())
}

fn image(shared: &Shared, one: &Kept) -> Option<Instance> {
    let path = one.place.path(&shared.store);
    let facts = read_display_facts(&path, &Default::default()).ok()?;
    let DisplayFacts {
        frames,
        rows,
        cols,
        modality,
        laterality,
        view,
        samples,
        bits,
        signed,
        photometric,
        rescale,
        window,
        has_voi_table,
    } = facts;
    Some(Instance {
        file: one.uid.clone(),
        series: one.series_uid.clone(),
        instance: one.uid.clone(),
        sop_class: one.class_uid.clone(),
        frames,
        rows,
        columns: cols,
        modality,
        laterality,
        view,
        window_center: window.map(|w| w.center),
        window_width: window.map(|w| w.width),
        window_function: window.map(|w| w.function),
        voi: !has_voi_table,
        slope: rescale.map(|(slope, _)| slope),
        intercept: rescale.map(|(_, intercept)| intercept),
        samples,
        bits,
        signed,
        photometric,
        instance_number: one.number,
    })
}
