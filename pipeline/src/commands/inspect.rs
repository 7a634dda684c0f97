//! `motionmill inspect`: what a table holds and what made it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use datasets::shards::{Manifest, TableReader};
use schemas::columns::{SKELETON_KEY, skeleton_of, visibilities};
use schemas::tables::{rejects, table_name};
use schemas::units::grouped;
use schemas::{Skeleton, Visibility, printable};

use super::terminal::print;
use crate::graph::type_name;
use crate::runner;

/// Rows read at a time while joints are counted.
const BATCH_ROWS: usize = 256;

/// Prints the table at `path`.
pub(super) fn run(path: &Path) -> anyhow::Result<()> {
    let table = TableReader::open(path, None)?;
    Ok(print(&describe(&table)?)?)
}

fn describe(table: &TableReader) -> anyhow::Result<String> {
    let schema = table.schema();
    let mut text = String::new();
    let skeleton = schema.metadata().get(SKELETON_KEY).map(|name| format!(", skeleton {}", printable(name)));
    let name = printable(table_name(schema).unwrap_or("of unknown name"));
    writeln!(text, "table {name}{}: {} rows", skeleton.unwrap_or_default(), grouped(table.rows()))?;
    if let Some(manifest) = table.manifest() {
        describe_manifest(&mut text, manifest)?;
    } else if table_name(schema) == Some(rejects::NAME) {
        describe_rejects(&mut text, table)?;
    }
    writeln!(text, "\ncolumns")?;
    for field in schema.fields() {
        let nullable = if field.is_nullable() { ", may be null" } else { "" };
        let kind = type_name(field.data_type());
        writeln!(text, "  {}: {}{nullable}", printable(field.name()), printable(&kind))?;
    }
    if let (Ok(skeleton), true) = (skeleton_of(schema), schema.field_with_name("visibility").is_ok()) {
        describe_joints(&mut text, table, skeleton)?;
    }
    Ok(text)
}

fn describe_manifest(text: &mut String, manifest: &Manifest) -> anyhow::Result<()> {
    for (split, rows) in &manifest.splits {
        writeln!(text, "  split {}: {} rows", printable(split), grouped(*rows))?;
    }
    let bytes: u64 = manifest.shards.iter().map(|shard| shard.bytes).sum();
    writeln!(text, "  {} shards, {} bytes", manifest.shards.len(), grouped(bytes))?;
    for line in runner::reject_lines(&manifest.rejects, &manifest.examples) {
        writeln!(text, "  rejected on the way: {}", printable(&line))?;
    }
    if let Some(lost) = manifest.verdict.as_ref().and_then(|verdict| verdict.lost.as_ref()) {
        writeln!(text, "  nothing was kept: {}", printable(lost))?;
    }
    let made = &manifest.provenance;
    let (made_by, version) = (printable(&made.made_by), printable(&made.motionmill));
    writeln!(text, "\nmade by `{made_by}` of motionmill {version}")?;
    writeln!(text, "  plan {}", short(&made.plan_hash))?;
    if let Some(seed) = made.seed {
        writeln!(text, "  seed {seed}")?;
    }
    for input in &made.inputs {
        writeln!(text, "  from {} ({})", printable(&input.path), short(&input.blake3))?;
    }
    for (name, engine) in &made.engines {
        writeln!(text, "  {}: {}", printable(name), printable(engine))?;
    }
    Ok(())
}

/// Rejects of a file that has no manifest, by reason.
fn describe_rejects(text: &mut String, table: &TableReader) -> anyhow::Result<()> {
    let (mut rows, mut examples) = (BTreeMap::new(), BTreeMap::new());
    for batch in table.batches(BATCH_ROWS) {
        for reject in rejects::from_batch(&batch?)? {
            *rows.entry(reject.reason.clone()).or_default() += reject.rows;
            examples.entry(reject.reason.clone()).or_insert_with(|| reject.words());
        }
    }
    for line in runner::reject_lines(&rows, &examples) {
        writeln!(text, "  rejected: {}", printable(&line))?;
    }
    Ok(())
}

fn describe_joints(text: &mut String, table: &TableReader, skeleton: &Skeleton) -> anyhow::Result<()> {
    let mut counts = vec![[0u64; 3]; skeleton.len()];
    for batch in table.batches(BATCH_ROWS) {
        for row in visibilities(&batch?, "visibility", skeleton.len())? {
            for (joint, visibility) in row.into_iter().enumerate() {
                counts[joint][usize::from(visibility.code())] += 1;
            }
        }
    }
    writeln!(text, "\n{:16} {:>10} {:>10} {:>10}", "joints", "visible", "occluded", "missing")?;
    let cells = |count: &[u64; 3]| {
        let of = |visibility: Visibility| grouped(count[usize::from(visibility.code())]);
        [of(Visibility::Visible), of(Visibility::Occluded), of(Visibility::NotAnnotated)]
    };
    for (joint, count) in skeleton.joints.iter().zip(&counts) {
        let [visible, occluded, missing] = cells(count);
        writeln!(text, "  {joint:14} {visible:>10} {occluded:>10} {missing:>10}")?;
    }
    let sum =
        counts.iter().fold([0; 3], |sum, count| [sum[0] + count[0], sum[1] + count[1], sum[2] + count[2]]);
    let [visible, occluded, missing] = cells(&sum);
    writeln!(text, "  {:14} {visible:>10} {occluded:>10} {missing:>10}", "all")?;
    let annotated = grouped(sum[1] + sum[2]);
    writeln!(text, "  annotated: {annotated}")?;
    Ok(())
}

fn short(hash: &str) -> Cow<'_, str> {
    printable(hash.get(..16).unwrap_or(hash))
}
