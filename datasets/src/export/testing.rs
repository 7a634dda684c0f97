//! People and pictures for the tests of the writers.

use std::path::Path;

use arrow::array::RecordBatch;
use proptest::prelude::*;
use schemas::tables::people::{Person, Pose, to_batch};
use schemas::{Skeleton, Visibility};

use super::ExportError;
use crate::pixels;
use crate::shards::{Claiming, Provenance};
use crate::sink::{Exported, Sink, Target, WholeTarget};

/// Writes `tables`, one an input, to the target of `sink`, replacing what is there.
pub(crate) fn export(sink: &impl Sink, tables: &[&[RecordBatch]]) -> Result<Exported, ExportError> {
    let schemas: Vec<_> = tables.iter().map(|table| table[0].schema()).collect();
    sink.check(&schemas)?;
    let claiming = Claiming { force: true, ..Claiming::default() };
    let Target::Whole(mut target) = sink.claim(&schemas, Provenance::default(), claiming)? else {
        panic!("an export is written at once");
    };
    let exported = fill(target.as_mut(), tables);
    target.release()?;
    exported
}

fn fill(target: &mut dyn WholeTarget, tables: &[&[RecordBatch]]) -> Result<Exported, ExportError> {
    target.begin()?;
    for (input, table) in tables.iter().enumerate() {
        for batch in *table {
            target.write(input, batch)?;
        }
    }
    let exported = target.close()?;
    let written = target.complete(&[].into())?;
    assert_eq!(written.rows, exported.written);
    Ok(exported)
}

/// A person without anything.
pub(crate) fn person(image: &str, index: i32, joints: usize) -> Person {
    let stem = schemas::sample_id::file_stem(image).to_owned();
    Person {
        sample_id: format!("test-{stem}-{index}"),
        dataset: "test".into(),
        split: "train".into(),
        image_path: image.into(),
        person_index: Some(index),
        pose: Pose::unknown(joints),
        source_file: "test.mat".into(),
        source_record: format!("record {index}"),
        ..Person::default()
    }
}

/// A picture of 64 x 48 px at `folder/name`; its path.
pub(crate) fn picture(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, pixels::encode_png(&[90; 64 * 48 * 3], 64, 48).unwrap()).unwrap();
    path.to_string_lossy().into_owned()
}

/// `people` in batches of two.
pub(crate) fn pieces(skeleton: &'static Skeleton, people: &[Person]) -> Vec<RecordBatch> {
    people.chunks(2).map(|some| to_batch(skeleton, some)).collect()
}

/// Places of 1/64 px, from outside the picture too.
pub(crate) fn place() -> impl Strategy<Value = f64> {
    (-320..6400).prop_map(|number| f64::from(number) / 64.0)
}

/// A pose of `joints` joints.
pub(crate) fn pose(joints: usize) -> impl Strategy<Value = Pose> {
    proptest::collection::vec((place(), place(), 0..3_u8), joints).prop_map(move |places| {
        let mut pose = Pose::unknown(joints);
        for (joint, (x, y, code)) in places.into_iter().enumerate() {
            pose.set(joint, [x, y], Visibility::from_code(code));
        }
        pose
    })
}

/// `value` as text: `NaN` is unlike itself.
pub(crate) fn text(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}
