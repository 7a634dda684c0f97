//! What the Rust side says about itself: keys of stages and sources, skeletons.

use datasets::registry::{SinkConfig, SourceConfig};
use datasets::skeleton_called;
use pyo3::prelude::*;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemas::skeleton;
use serde_json::{Map, Value, json};
use stages::registry::StageConfig;

use crate::error::to_python;

/// The JSON schemas of all stages and of all sources of a plan, in JSON.
#[pyfunction]
pub(crate) fn plan_schemas() -> String {
    json!({
        "stages": schema_of::<StageConfig>(),
        "sources": lifted(schema_of::<SourceConfig>()),
        "sinks": lifted(schema_of::<SinkConfig>()),
        "source_inputs": inputs_of(SourceConfig::KINDS),
        "sink_inputs": inputs_of(SinkConfig::KINDS),
    })
    .to_string()
}

fn inputs_of(kinds: &[(&str, &[&str])]) -> Value {
    kinds.iter().map(|(kind, inputs)| ((*kind).to_owned(), json!(inputs))).collect::<Map<_, _>>().into()
}

/// `schema`, a choice between formats, in which each choice says what its configuration says of it.
fn lifted(mut schema: Value) -> Value {
    for form in schema["oneOf"].as_array_mut().into_iter().flatten() {
        let inner = form["properties"].as_object_mut().and_then(|keys| keys.values_mut().next());
        let about = inner.and_then(|config| config.as_object_mut()?.remove("description"));
        form["description"] = about.unwrap_or_default();
    }
    schema
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Name, joints, limbs, flip pairs, sigmas and groups.
type Told = (
    &'static str,
    Vec<&'static str>,
    Vec<(usize, usize)>,
    Vec<(usize, usize)>,
    Option<Vec<f64>>,
    Vec<(&'static str, Vec<usize>)>,
);

/// Every built-in skeleton, or the one called `name`, or that of the file `name`, or the one that `definition`, JSON, makes of
/// this name.
#[pyfunction]
#[pyo3(signature = (name, definition=None))]
pub(crate) fn skeletons(name: Option<&str>, definition: Option<&str>) -> PyResult<Vec<Told>> {
    let told = |skeleton: &skeleton::Skeleton| {
        let groups = skeleton.groups.iter().map(|group| (group.name, group.joints.to_vec()));
        let (limbs, sigmas) = (skeleton.limbs.to_vec(), skeleton.sigmas.map(<[f64]>::to_vec));
        (skeleton.name, skeleton.joints.to_vec(), limbs, skeleton.flip_pairs(), sigmas, groups.collect())
    };
    match (name, definition) {
        (Some(name), None) => Ok(vec![told(skeleton_called(name).map_err(to_python)?)]),
        (Some(name), Some(_)) => {
            Ok(vec![told(skeleton::Skeleton::of_table(name, definition).map_err(to_python)?)])
        }
        (None, _) => Ok(skeleton::all().iter().map(|skeleton| told(skeleton)).collect()),
    }
}
