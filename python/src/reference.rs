//! What the Rust side says of itself: keys of stages and sources, skeletons.

use pipeline::plan::SourceConfig;
use pyo3::prelude::*;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemas::skeleton;
use serde_json::{Value, json};
use stages::registry::StageConfig;

use crate::error::to_python;

/// The JSON schemas of all stages and of all sources of a plan, in JSON.
#[pyfunction]
pub fn plan_schemas() -> String {
    json!({ "stages": schema_of::<StageConfig>(), "sources": schema_of::<SourceConfig>() }).to_string()
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Name, joints, limbs and flip pairs.
type Told = (&'static str, Vec<&'static str>, Vec<(usize, usize)>, Vec<(usize, usize)>);

/// Every skeleton, or the one called `name`.
#[pyfunction]
pub fn skeletons(name: Option<&str>) -> PyResult<Vec<Told>> {
    let told = |skeleton: &skeleton::Skeleton| {
        (skeleton.name, skeleton.joints.to_vec(), skeleton.limbs.to_vec(), skeleton.flip_pairs())
    };
    match name {
        Some(name) => Ok(vec![told(skeleton::Skeleton::named(name).map_err(to_python)?)]),
        None => Ok(skeleton::ALL.iter().map(|skeleton| told(skeleton)).collect()),
    }
}
