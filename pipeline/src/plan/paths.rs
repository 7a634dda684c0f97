//! Relative paths of a plan file start from its own folder, whatever key they stand in and wherever the command runs.

use std::path::Path;

use datasets::registry::{SinkConfig, SourceConfig};
use datasets::skeleton_file;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;
use stages::registry::StageConfig;
use toml::Value as Toml;

/// Lets every relative path of `plan` start from `folder`. Which keys are paths, the schemas of the configurations say.
pub(super) fn start_from(plan: &mut toml::Table, folder: &Path) {
    if let Some(rejects) = plan.get_mut("rejects") {
        join(rejects, folder);
    }
    let parts = [
        ("sources", "read", schema_of::<SourceConfig> as fn() -> Json),
        ("stages", "run", schema_of::<StageConfig>),
        ("sinks", "write", schema_of::<SinkConfig>),
    ];
    for (part, key, schema) in parts {
        let Some(nodes) = plan.get_mut(part).and_then(Toml::as_table_mut) else { continue };
        let schema = schema();
        for (_, node) in nodes.iter_mut() {
            if let Some(config) = node.get_mut(key) {
                visit(config, &schema, folder);
            }
        }
    }
}

fn schema_of<T: JsonSchema>() -> Json {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Joins the paths of `value`, which follows `schema`; whether there was one.
fn visit(value: &mut Toml, schema: &Json, folder: &Path) -> bool {
    if schema["format"] == "path" && value.is_str() || schema["format"] == "skeleton" && names_file(value) {
        join(value, folder);
        return true;
    }
    let mut found = false;
    match value {
        Toml::Table(table) => {
            for (key, inner) in table.iter_mut() {
                let schema = schema["properties"].get(key).or_else(|| schema.get("additionalProperties"));
                found |= schema.is_some_and(|schema| visit(inner, schema, folder));
            }
        }
        Toml::Array(all) => {
            if let Some(items) = schema.get("items") {
                for inner in all.iter_mut() {
                    found |= visit(inner, items, folder);
                }
            }
        }
        _ => {}
    }
    // Of several forms, the first that has a path there: it is joined once.
    let forms = ["oneOf", "anyOf", "allOf"].iter().filter_map(|form| schema[form].as_array()).flatten();
    found || forms.into_iter().any(|form| visit(value, form, folder))
}

/// Whether `value`, which names a skeleton, is the path of its file.
fn names_file(value: &Toml) -> bool {
    value.as_str().is_some_and(|named| skeleton_file(named).is_some())
}

fn join(value: &mut Toml, folder: &Path) {
    if let Toml::String(path) = value {
        // The folder was given as text, or it could not have been written into a command of text.
        *path = folder.join(&*path).to_string_lossy().into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_a_path_is_joined_once_and_no_other() {
        let text = r#"
            rejects = "rejected"
            [sources.people]
            read.coco = { annotations = "train.json", images = "images", dataset = "walk", skeleton = "walker.toml" }
            [sources.more]
            read.table = { path = "/data/people", split = "test", like = "people" }
            [stages.held]
            inputs = ["people"]
            run.split.list = { split = "held", file = "list.txt", by = "image" }
            [stages.warp]
            inputs = ["held"]
            run.warp = { images = "images" }
            [stages.mapped]
            inputs = ["held"]
            run.map_skeleton = { to = "own/robot.toml" }
            [stages.known]
            inputs = ["held"]
            run.map_skeleton = { to = "coco17" }
            [stages.net]
            inputs = ["warp"]
            run.infer = { model = "nets/a.onnx", card = "nets/a.toml" }
            [sinks.out]
            inputs = ["held"]
            write.parquet = { path = "out" }
            [sinks.labels]
            inputs = ["held"]
            write.yolo = { path = "yolo", images = "images" }
        "#;
        let mut plan: toml::Table = toml::from_str(text).unwrap();
        start_from(&mut plan, Path::new("plans/a"));
        let found = |keys: &str| {
            let value = keys.split('.').fold(&Toml::Table(plan.clone()), |value, key| &value[key]).clone();
            value.as_str().unwrap().to_owned()
        };
        for (key, path) in [
            ("rejects", "rejected"),
            ("sources.people.read.coco.annotations", "train.json"),
            ("sources.people.read.coco.images", "images"),
            ("sources.people.read.coco.skeleton", "walker.toml"),
            ("stages.mapped.run.map_skeleton.to", "own/robot.toml"),
            ("sources.more.read.table.like", "people"),
            ("stages.held.run.split.list.file", "list.txt"),
            ("stages.warp.run.warp.images", "images"),
            ("stages.net.run.infer.model", "nets/a.onnx"),
            ("stages.net.run.infer.card", "nets/a.toml"),
            ("sinks.out.write.parquet.path", "out"),
            ("sinks.labels.write.yolo.path", "yolo"),
            ("sinks.labels.write.yolo.images", "images"),
        ] {
            assert_eq!(found(key), format!("plans/a/{path}"), "{key}");
        }
        assert_eq!(found("sources.more.read.table.path"), "/data/people");
        assert_eq!(found("sources.people.read.coco.dataset"), "walk");
        assert_eq!(found("stages.known.run.map_skeleton.to"), "coco17");
        assert_eq!(found("stages.held.run.split.list.by"), "image");
    }

    /// Every configuration says of each of its paths that it is one.
    #[test]
    fn keys_that_are_called_paths_are_paths() {
        fn walk(schema: &Json, key: &str, unmarked: &mut Vec<String>) {
            match schema {
                Json::Object(object) => {
                    let named =
                        ["path", "file", "folder", "images", "model", "card", "annotations", "layout"];
                    let is_text =
                        object.get("type").is_some_and(|kind| kind == "string" || kind[0] == "string");
                    if named.contains(&key)
                        && is_text
                        && object.get("format").is_none_or(|form| form != "path")
                    {
                        unmarked.push(key.to_owned());
                    }
                    for (name, inner) in object {
                        walk(inner, name, unmarked);
                    }
                }
                Json::Array(all) => all.iter().for_each(|inner| walk(inner, key, unmarked)),
                _ => {}
            }
        }
        let mut unmarked = Vec::new();
        for schema in [schema_of::<SourceConfig>(), schema_of::<StageConfig>(), schema_of::<SinkConfig>()] {
            walk(&schema, "", &mut unmarked);
        }
        // A skeleton can be one everywhere.
        let skeletons = |schema: &Json| schema.to_string().matches("\"format\":\"skeleton\"").count();
        assert_eq!(skeletons(&schema_of::<SourceConfig>()), 3);
        assert_eq!(skeletons(&schema_of::<StageConfig>()), 1);
        // The name of the network in predictions.
        unmarked.retain(|key| key != "model");
        assert!(unmarked.is_empty(), "{unmarked:?}");
    }
}
