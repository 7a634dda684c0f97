//! Generated references are committed; here they are made again and compared.

use std::fmt::Write;

use schemas::skeleton;
use schemas::tables::{
    embeddings, findings, heatmaps, keypoints, metrics, models, people, quality, readings, rejects, samples,
    signals, spatial_models, trials, windows,
};

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
    let spatial = spatial_models::schema(&skeleton::CPM14, [64, 64], 4.0, "keypoints");
    table(
        "spatial_models",
        "Where one joint lies, seen from another one or from the torso (here for maps of 64 x 64 px).",
        spatial.fields().iter().map(AsRef::as_ref).collect(),
    );
    let predicted = keypoints::fields(&skeleton::MPII16);
    table("keypoints", "One predicted person.", predicted.iter().collect());
    let readings = readings::schema();
    table("readings", "One reading of one sensor.", readings.fields().iter().map(AsRef::as_ref).collect());
    let channels = signals::RAW_CHANNELS.map(str::to_owned);
    let signals = signals::schema(&channels, 50.0);
    table(
        "signals",
        "One gapless stretch of one session, all sensors at one rate (here six channels).",
        signals.fields().iter().map(AsRef::as_ref).collect(),
    );
    let windows = windows::schema(&signals, 20, 50, 25).expect("signals have channels");
    table("windows", "One sequence of one session.", windows.fields().iter().map(AsRef::as_ref).collect());
    let embeddings = embeddings::schema(&windows, 100, "any");
    table(
        "embeddings",
        "One frame of one sequence (here D = 100).",
        embeddings.fields().iter().map(AsRef::as_ref).collect(),
    );
    let quality = quality::schema();
    table("quality", "One sensor of one session.", quality.fields().iter().map(AsRef::as_ref).collect());
    let fitted = [
        ("normalisers", "Means and spreads of channels.", models::normaliser_schema(&signals, 6)),
        ("projections", "A principal component analysis.", models::projection_schema(300, 100)),
        ("mixtures", "A mixture of Gaussians: background or client.", models::mixture_schema(256, 100)),
    ];
    for (name, about, schema) in &fitted {
        table(name, about, schema.fields().iter().map(AsRef::as_ref).collect());
    }
    let trials = trials::schema();
    table("trials", "One verification score.", trials.fields().iter().map(AsRef::as_ref).collect());
    let metrics = metrics::schema();
    table("metrics", "One number.", metrics.fields().iter().map(AsRef::as_ref).collect());
    let findings = findings::schema();
    table(
        "findings",
        "One thing that a check found about one person, joint or data set.",
        findings.fields().iter().map(AsRef::as_ref).collect(),
    );
    let rejects = rejects::schema();
    table("rejects", "One row that could not be used.", rejects.fields().iter().map(AsRef::as_ref).collect());
    text.push_str("\n# Skeletons\n\n| name | joints, in order |\n|---|---|\n");
    for skeleton in skeleton::all() {
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
