//! Reports: trees of statements (PS3.3 C.17.3), and the head that all reports have.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use lobule_exam::{Point, Polygon};

use super::codes::{self, Code};
use super::envelope::{
    Place, account, ascii, decimal, envelope, image_reference, put_code, put_content_moment,
    put_items, uid,
};
use super::{ResultKind, ResultObject, ResultRequest, ResultSource};
use crate::Error;
use crate::write::{put_sequence, put_str};

/// How an item relates to the one above it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Contains,
    HasProperties,
    InferredFrom,
    SelectedFrom,
    Modifies,
    HasObserver,
    HasAcquisition,
}

impl Relation {
    fn term(self) -> &'static str {
        match self {
            Relation::Contains => "CONTAINS",
            Relation::HasProperties => "HAS PROPERTIES",
            Relation::InferredFrom => "INFERRED FROM",
            Relation::SelectedFrom => "SELECTED FROM",
            Relation::Modifies => "HAS CONCEPT MOD",
            Relation::HasObserver => "HAS OBS CONTEXT",
            Relation::HasAcquisition => "HAS ACQ CONTEXT",
        }
    }
}

/// A statement and those below it.
pub(super) struct Item {
    relation: Relation,
    object: InMemDicomObject,
    below: Vec<Item>,
}

impl Item {
    fn new(relation: Relation, kind: &str, name: Option<Code>) -> Item {
        let mut object = InMemDicomObject::new_empty();
        put_str(&mut object, tags::VALUE_TYPE, VR::CS, kind);
        if let Some(name) = name {
            put_code(&mut object, tags::CONCEPT_NAME_CODE_SEQUENCE, name);
        }
        Item {
            relation,
            object,
            below: Vec::new(),
        }
    }

    /// An item that only holds others.
    pub(super) fn container(relation: Relation, name: Code) -> Item {
        let mut item = Item::new(relation, "CONTAINER", Some(name));
        put_str(
            &mut item.object,
            tags::CONTINUITY_OF_CONTENT,
            VR::CS,
            "SEPARATE",
        );
        item
    }

    pub(super) fn code(relation: Relation, name: Code, value: Code) -> Item {
        let mut item = Item::new(relation, "CODE", Some(name));
        put_code(&mut item.object, tags::CONCEPT_CODE_SEQUENCE, value);
        item
    }

    pub(super) fn text(relation: Relation, name: Code, value: &str) -> Item {
        let mut item = Item::new(relation, "TEXT", Some(name));
        put_str(
            &mut item.object,
            tags::TEXT_VALUE,
            VR::UT,
            &ascii(value, 2000),
        );
        item
    }

    pub(super) fn uid(relation: Relation, name: Code, value: &str) -> Item {
        let mut item = Item::new(relation, "UIDREF", Some(name));
        put_str(&mut item.object, tags::UID, VR::UI, value);
        item
    }

    pub(super) fn date(relation: Relation, name: Code, value: &str) -> Item {
        let mut item = Item::new(relation, "DATE", Some(name));
        put_str(&mut item.object, tags::DATE, VR::DA, value);
        item
    }

    pub(super) fn time(relation: Relation, name: Code, value: &str) -> Item {
        let mut item = Item::new(relation, "TIME", Some(name));
        put_str(&mut item.object, tags::TIME, VR::TM, value);
        item
    }

    pub(super) fn number(relation: Relation, name: Code, value: f64, unit: Code) -> Item {
        let mut item = Item::new(relation, "NUM", Some(name));
        let mut measured = InMemDicomObject::new_empty();
        put_code(&mut measured, tags::MEASUREMENT_UNITS_CODE_SEQUENCE, unit);
        put_str(&mut measured, tags::NUMERIC_VALUE, VR::DS, &decimal(value));
        put_sequence(&mut item.object, tags::MEASURED_VALUE_SEQUENCE, measured);
        item
    }

    pub(super) fn image(relation: Relation, source: &ResultSource, frame: Option<usize>) -> Item {
        let mut item = Item::new(relation, "IMAGE", None);
        let reference = image_reference(source, frame);
        put_sequence(&mut item.object, tags::REFERENCED_SOP_SEQUENCE, reference);
        item
    }

    /// A place in an image; `points` as [`graphic_point`] and [`graphic_outline`] give them.
    pub(super) fn place(relation: Relation, name: Code, shape: &str, points: Vec<f32>) -> Item {
        let mut item = Item::new(relation, "SCOORD", Some(name));
        put_str(&mut item.object, tags::GRAPHIC_TYPE, VR::CS, shape);
        let points = PrimitiveValue::F32(points.into());
        item.object
            .put(DataElement::new(tags::GRAPHIC_DATA, VR::FL, points));
        item
    }

    /// An item that stands elsewhere in the tree: numbers from 1 on the way from the root.
    pub(super) fn elsewhere(relation: Relation, path: &[u32]) -> Item {
        let mut object = InMemDicomObject::new_empty();
        let path = PrimitiveValue::U32(path.into());
        let tag = tags::REFERENCED_CONTENT_ITEM_IDENTIFIER;
        object.put(DataElement::new(tag, VR::UL, path));
        Item {
            relation,
            object,
            below: Vec::new(),
        }
    }

    /// The item with others below it.
    pub(super) fn with(mut self, below: impl IntoIterator<Item = Item>) -> Item {
        self.below.extend(below);
        self
    }

    /// Names the template that the items below follow (PS3.16).
    pub(super) fn following(mut self, template: &str) -> Item {
        let mut item = InMemDicomObject::new_empty();
        put_str(&mut item, tags::MAPPING_RESOURCE, VR::CS, "DCMR");
        put_str(&mut item, tags::TEMPLATE_IDENTIFIER, VR::CS, template);
        put_sequence(&mut self.object, tags::CONTENT_TEMPLATE_SEQUENCE, item);
        self
    }

    /// Makes the item the root of a document.
    pub(super) fn put_into(self, object: &mut InMemDicomObject) {
        for element in self.into_object() {
            object.put(element);
        }
    }

    fn into_object(self) -> InMemDicomObject {
        let mut object = self.object;
        if !self.below.is_empty() {
            let below = self.below.into_iter().map(|item| {
                let relation = item.relation.term();
                let mut object = item.into_object();
                put_str(&mut object, tags::RELATIONSHIP_TYPE, VR::CS, relation);
                object
            });
            put_items(&mut object, tags::CONTENT_SEQUENCE, below.collect());
        }
        object
    }
}

/// A report of one exam whose content is a tree.
pub(super) fn report(
    request: &ResultRequest<'_>,
    place: &Place<'_>,
    root: Item,
) -> Result<ResultObject, Error> {
    let mut object = envelope(request, place)?;
    put_content_moment(&mut object, request);
    put_str(&mut object, tags::COMPLETION_FLAG, VR::CS, "COMPLETE");
    put_str(&mut object, tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED");
    put_items(
        &mut object,
        tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE,
        Vec::new(),
    );
    put_items(
        &mut object,
        tags::PERFORMED_PROCEDURE_CODE_SEQUENCE,
        Vec::new(),
    );
    let sources: Vec<&ResultSource> = request.sources.iter().collect();
    put_evidence(&mut object, request, &sources)?;
    root.put_into(&mut object);
    ResultObject::new(place.kind, object)
}

/// The images that a document speaks of, series by series: a viewer looks here for what to open.
pub(super) fn put_evidence(
    object: &mut InMemDicomObject,
    request: &ResultRequest<'_>,
    sources: &[&ResultSource],
) -> Result<(), Error> {
    let mut study = InMemDicomObject::new_empty();
    let uid = &request.study()?.study;
    put_str(&mut study, tags::STUDY_INSTANCE_UID, VR::UI, uid);
    let series = by_series(sources, tags::REFERENCED_SOP_SEQUENCE);
    put_items(&mut study, tags::REFERENCED_SERIES_SEQUENCE, series);
    put_sequence(
        object,
        tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
        study,
    );
    Ok(())
}

/// One item per series, in the order of the sources, with its images in the sequence `inner`.
pub(super) fn by_series(sources: &[&ResultSource], inner: Tag) -> Vec<InMemDicomObject> {
    let item = |images: Vec<&ResultSource>| {
        let uid = &images[0].series;
        let images = images.iter().map(|source| image_reference(source, None));
        let mut item = InMemDicomObject::new_empty();
        put_str(&mut item, tags::SERIES_INSTANCE_UID, VR::UI, uid);
        put_items(&mut item, inner, images.collect());
        item
    };
    grouped(sources).into_iter().map(item).collect()
}

/// The images of each series, in the order of the sources; no group is empty.
pub(super) fn grouped<'a>(sources: &[&'a ResultSource]) -> Vec<Vec<&'a ResultSource>> {
    let mut groups: Vec<Vec<&ResultSource>> = Vec::new();
    for &source in sources {
        match groups.iter_mut().find(|g| g[0].series == source.series) {
            Some(group) => group.push(source),
            None => groups.push(vec![source]),
        }
    }
    groups
}

/// Who says so: a program (TID 1002 and 1004).
pub(super) fn observer(request: &ResultRequest<'_>, kind: ResultKind) -> Vec<Item> {
    let (relation, run) = (Relation::HasObserver, request.run);
    let name = format!("lobule {}", run.program_version);
    let model = format!("{} {}", run.model_name, run.model_version);
    vec![
        Item::code(relation, codes::OBSERVER_TYPE, codes::DEVICE),
        Item::uid(
            relation,
            codes::DEVICE_UID,
            &uid(request, kind.name(), "device"),
        ),
        Item::text(relation, codes::DEVICE_NAME, &name),
        Item::text(relation, codes::DEVICE_MANUFACTURER, "Lobule"),
        Item::text(relation, codes::DEVICE_MODEL, &model),
    ]
}

/// The language of a report (TID 1204).
pub(super) fn language() -> Item {
    Item::code(Relation::Modifies, codes::LANGUAGE, codes::ENGLISH)
}

/// Which algorithm (TID 4019), with its operating point and the notice as its parameters.
pub(super) fn algorithm(relation: Relation, request: &ResultRequest<'_>) -> [Item; 3] {
    let run = request.run;
    let version = format!(
        "{} ({}), lobule {}",
        run.model_version,
        ascii(&run.model_digest, 16),
        run.program_version
    );
    [
        Item::text(relation, codes::ALGORITHM_NAME, &run.model_name),
        Item::text(relation, codes::ALGORITHM_VERSION, &version),
        Item::text(relation, codes::ALGORITHM_PARAMETERS, &account(request)),
    ]
}

/// A point as columns and rows from the outer corner of the first pixel (PS3.3 C.18.6.1.2),
/// inside the image.
pub(super) fn graphic_point(p: Point, source: &ResultSource) -> [f32; 2] {
    let inside = |v: f64, most: usize| (v + 0.5).clamp(0.0, most as f64) as f32;
    [inside(p.col, source.cols), inside(p.row, source.rows)]
}

/// Points of an outline that fit into an element of explicit VR, whose length has 16 bits.
const MOST_POINTS: usize = 8000;

/// A closed outline in the same way: the first point is said again at the end. Of a very long one
/// every second, third, … point.
pub(super) fn graphic_outline(outline: &Polygon, source: &ResultSource) -> Vec<f32> {
    let points = &outline.points;
    let step = points.len().div_ceil(MOST_POINTS).max(1);
    let points = points.iter().step_by(step).chain(points.first());
    points.flat_map(|&p| graphic_point(p, source)).collect()
}
