//! Generated references are committed; here they are made again and compared.

use std::fmt::Write;

use schemas::skeleton;
use schemas::tables::{heatmaps, keypoints, metrics, people, rejects, samples};

use crate::support::assert_committed;

#[test]
fn tables_and_skeletons() {
    let mut text = String::from(
        "# Tables\n\nWritten by `make reference`. Coordinates are 0-based px with pixel centres at integers; visibility is 0 not \
         annotated, 1 occluded, 2 visible. A table may carry further columns along.\n",
    );
    let mut table = |name: &str, about: &str, fields: Vec<&arrow::datatypes::Field>| {
        let _ = write!(text, "\n## `{name}`\n\n{about}\n\n| column | type | may be null |\n|---|---|---|\n");
        for field in fields {
            let null = if field.is_nullable() { "yes" } else { "" };
            let _ = writeln!(
                text,
                "| `{}` | `{}` | {null} |",
                field.name(),
                pipeline::graph::type_name(field.data_type())
            );
        }
    };
    let people_schema = people::schema(&skeleton::MPII16);
    table(
        "people",
        "One person in one image (here with `mpii16`, K = 16).",
        people_schema.fields().iter().map(AsRef::as_ref).collect(),
    );
    let geometry = samples::geometry_fields();
    table(
        "samples",
        "One crop of one person: the columns of `people` and these; `keypoints` move into the crop.",
        geometry.iter().collect(),
    );
    let maps = heatmaps::fields(16, 64, 64);
    table("heatmaps", "One prediction of one sample by one output head.", maps.iter().collect());
    let predicted = keypoints::fields(&skeleton::MPII16);
    table("keypoints", "One predicted person.", predicted.iter().collect());
    let metrics = metrics::schema();
    table("metrics", "One number.", metrics.fields().iter().map(AsRef::as_ref).collect());
    let rejects = rejects::schema();
    table("rejects", "One row that could not be used.", rejects.fields().iter().map(AsRef::as_ref).collect());
    text.push_str("\n# Skeletons\n\n| name | joints, in order |\n|---|---|\n");
    for skeleton in skeleton::ALL {
        let _ = writeln!(text, "| `{}` | {} |", skeleton.name, skeleton.joints.join(", "));
    }
    assert_committed("docs/reference/tables.md", &text);
}

#[test]
fn every_recipe_is_a_valid_plan() {
    for recipe in pipeline::recipes::ALL {
        pipeline::plan::Plan::parse(recipe.text, recipe.name, &[]).unwrap_or_else(|error| panic!("{error}"));
    }
}
