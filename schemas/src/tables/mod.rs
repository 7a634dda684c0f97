//! The tables that flow between stages and are stored on disk, one module per table.
//!
//! | table | one row is |
//! |---|---|
//! | [`people`] | one person in one image |
//! | [`samples`] | one crop of one person |
//! | [`heatmaps`] | one prediction of one sample |
//! | [`simcc`] | one prediction of one sample, as bins along each axis |
//! | [`coordinates`] | one prediction of one sample, as places |
//! | [`detections`] | all people that a network sees in one sample |
//! | [`keypoints`] | one predicted person |
//! | [`readings`] | one reading of one sensor |
//! | [`signals`] | one gapless stretch of one session, at one rate |
//! | [`windows`] | one sequence of one session |
//! | [`embeddings`] | one frame of one sequence |
//! | [`models`] | one fitted model: normaliser, projection, mixture |
//! | [`spatial_models`] | where one joint lies, seen from another one or from the torso |
//! | [`trials`] | one verification score |
//! | [`quality`] | one sensor of one session |
//! | [`metrics`] | one number |
//! | [`findings`] | one thing that a check found |
//! | [`rejects`] | one row that could not be used |
//!
//! A stage may pass columns of its input through, so a table may hold more columns than its module names, never
//! fewer. Name, version and skeleton are in the schema metadata.

pub mod coordinates;
pub mod crowd;
pub mod detections;
pub mod embeddings;
pub mod findings;
mod flat;
pub mod heatmaps;
pub mod keypoints;
pub mod metrics;
pub mod models;
pub mod people;
pub mod quality;
pub mod readings;
pub mod regions;
pub mod rejects;
mod repeated;
pub mod samples;
pub mod signals;
pub mod simcc;
pub mod spatial_models;
pub mod trials;
pub mod windows;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListArray, Float64Builder, NullBufferBuilder, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::columns::{SKELETON_JSON_KEY, SKELETON_KEY, SchemaError, TABLE_KEY, VERSION_KEY};
use crate::skeleton::Skeleton;
use crate::visibility::Visibility;

/// Metadata key of the network or feature that made the numbers.
pub const MODEL_KEY: &str = "motionmill.model";

/// Version of the table `name`; it increases when a column changes its name, type or meaning.
///
/// 2 of `heatmaps`, `keypoints` and `metrics`: the column `stage` is called `head`, and is an `Int32` everywhere.
pub fn version(name: &str) -> &'static str {
    match name {
        heatmaps::NAME | keypoints::NAME | metrics::NAME => "2",
        _ => "1",
    }
}

/// Checks that a motionmill table has the current version.
///
/// # Errors
/// When it has another one.
pub fn check_version(schema: &Schema) -> Result<(), SchemaError> {
    let found = schema.metadata().get(VERSION_KEY);
    match (table_name(schema), found) {
        (Some(name), Some(found)) if found != version(name) => {
            let (table, expected) = (name.to_owned(), version(name));
            Err(SchemaError::OtherVersion { table, found: found.clone(), expected })
        }
        _ => Ok(()),
    }
}

/// Schema metadata of the table `name`, with its skeleton where it has keypoints.
pub fn metadata(name: &str, skeleton: Option<&Skeleton>) -> HashMap<String, String> {
    let mut metadata = HashMap::from([
        (TABLE_KEY.to_owned(), name.to_owned()),
        (VERSION_KEY.to_owned(), version(name).to_owned()),
    ]);
    if let Some(skeleton) = skeleton {
        metadata.insert(SKELETON_KEY.to_owned(), skeleton.name.to_owned());
        metadata.insert(SKELETON_JSON_KEY.to_owned(), skeleton.to_json());
    }
    metadata
}

/// The table's name in the schema metadata, if it has one.
pub fn table_name(schema: &Schema) -> Option<&str> {
    schema.metadata().get(TABLE_KEY).map(String::as_str)
}

/// The schema of the table `name`, where it follows from the name, and for joints from `skeleton`.
pub fn schema_of(name: &str, skeleton: Option<&Skeleton>) -> Option<SchemaRef> {
    match name {
        people::NAME => skeleton.map(people::schema),
        keypoints::NAME => skeleton.map(keypoints::schema),
        readings::NAME => Some(readings::schema()),
        trials::NAME => Some(trials::schema()),
        quality::NAME => Some(quality::schema()),
        metrics::NAME => Some(metrics::schema()),
        findings::NAME => Some(findings::schema()),
        rejects::NAME => Some(rejects::schema()),
        _ => None,
    }
}

/// The table whose columns `schema` has, whatever their types: of several, the one that has most. The columns that may be
/// null need not be there.
pub fn recognised(schema: &Schema) -> Option<&'static str> {
    // Columns of people and keypoints are the same for all skeletons.
    let any = crate::skeleton::all()[0];
    let tables = [
        people::NAME,
        keypoints::NAME,
        readings::NAME,
        trials::NAME,
        quality::NAME,
        metrics::NAME,
        findings::NAME,
        rejects::NAME,
    ];
    let held = tables.into_iter().filter_map(|name| {
        let known = schema_of(name, Some(any))?;
        let has = |field: &&Arc<Field>| schema.field_with_name(field.name()).is_ok();
        let whole = known.fields().iter().filter(|field| !field.is_nullable()).all(|field| has(&field));
        whole.then(|| (known.fields().iter().filter(has).count(), name))
    });
    held.max_by_key(|(columns, _)| *columns).map(|(_, name)| name)
}

/// `schema` renamed to table `name`, its other metadata kept.
pub fn renamed(schema: &Schema, name: &str) -> Schema {
    let mut metadata = schema.metadata().clone();
    metadata.insert(TABLE_KEY.to_owned(), name.to_owned());
    Schema::new_with_metadata(schema.fields().clone(), metadata)
}

/// A field with the metadata `space` (`image` or `crop`) and unit px, for coordinates.
pub fn in_space(field: Field, space: &str) -> Field {
    field.with_metadata(HashMap::from([
        ("motionmill.space".to_owned(), space.to_owned()),
        ("motionmill.unit".to_owned(), "px".to_owned()),
    ]))
}

/// A field with the metadata `unit`.
pub fn in_unit(field: Field, unit: &str) -> Field {
    field.with_metadata(HashMap::from([("motionmill.unit".to_owned(), unit.to_owned())]))
}

/// `[N, length]` numbers as a column; a `None` row is null.
pub fn vector_array<'a>(rows: impl IntoIterator<Item = Option<&'a [f64]>>, length: usize) -> ArrayRef {
    let (mut values, mut nulls) = (Float64Builder::new(), NullBufferBuilder::new(0));
    for row in rows {
        debug_assert!(row.is_none_or(|row| row.len() == length));
        match row {
            Some(row) => values.append_slice(row),
            None => values.append_slice(&vec![f64::NAN; length]),
        }
        nulls.append(row.is_some());
    }
    let item = Arc::new(Field::new("item", DataType::Float64, true));
    Arc::new(FixedSizeListArray::new(item, length as i32, Arc::new(values.finish()), nulls.finish()))
}

/// `[N, K, 2]` points as an `f64` column.
pub fn points_array<'a>(rows: impl IntoIterator<Item = &'a [[f64; 2]]>, joints: usize) -> ArrayRef {
    let mut values = Float64Builder::new();
    for row in rows {
        assert_eq!(row.len(), joints, "every row holds K points");
        values.append_slice(row.as_flattened());
    }
    let number = Arc::new(Field::new("item", DataType::Float64, true));
    let pair = FixedSizeListArray::new(number, 2, Arc::new(values.finish()), None);
    let point = Arc::new(Field::new("item", pair.data_type().clone(), true));
    Arc::new(FixedSizeListArray::new(point, joints as i32, Arc::new(pair), None))
}

/// `[N, K]` visibilities as a column.
pub fn visibility_array<'a>(rows: impl IntoIterator<Item = &'a [Visibility]>, joints: usize) -> ArrayRef {
    let mut codes = Vec::new();
    for row in rows {
        assert_eq!(row.len(), joints, "every row holds K visibilities");
        codes.extend(row.iter().map(|visibility| visibility.code()));
    }
    let item = Arc::new(Field::new("item", DataType::UInt8, true));
    Arc::new(FixedSizeListArray::new(item, joints as i32, Arc::new(UInt8Array::from(codes)), None))
}
