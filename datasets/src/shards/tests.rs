//! Laws of table folders: what is written is read, killed work is continued to the same bytes.

use std::path::Path;

use super::*;
use arrow::array::{Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn batch(ids: &[i32]) -> RecordBatch {
    let schema = Schema::new_with_metadata(
        vec![Field::new("id", DataType::Int32, false), Field::new("split", DataType::Utf8, false)],
        schemas::tables::metadata("people", None),
    );
    let splits = ids.iter().map(|id| if id % 3 == 0 { "test" } else { "train" });
    let columns: Vec<arrow::array::ArrayRef> =
        vec![Arc::new(Int32Array::from(ids.to_vec())), Arc::new(StringArray::from_iter_values(splits))];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn provenance(hash: &str) -> Provenance {
    Provenance { motionmill: "0.1.0".into(), plan_hash: hash.into(), ..Provenance::default() }
}

/// Writes `batches` from where it left off, stopping before number `stop`; `None` finishes the table.
fn write(folder: &Path, batches: &[RecordBatch], shard_bytes: u64, stop: Option<u64>) {
    let options = WriterOptions { shard_bytes, row_group_bytes: 64, force: false };
    let started = TableWriter::start(folder, batches[0].schema_ref(), provenance("a"), options).unwrap();
    let Started::From { mut writer, next_batch } = started else { return };
    for (number, batch) in batches.iter().enumerate() {
        let number = number as u64;
        if stop == Some(number) {
            return;
        }
        if number >= next_batch && writer.write(number, batch).unwrap() {
            writer.cut().unwrap();
        }
    }
    writer.finish(BTreeMap::from([("image missing".to_owned(), 2)])).unwrap();
}

fn ids(folder: &Path) -> Vec<i32> {
    let reader = TableReader::open(folder, None).unwrap();
    let batches = reader.read_all().unwrap();
    let ids = batches.iter().flat_map(|b| schemas::columns::integers(b, "id").unwrap().values().to_vec());
    ids.collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn killed_work_ends_in_the_same_bytes(
        sizes in prop::collection::vec(1usize..9, 1..7), shard_bytes in 1u64..200, stop in 0u64..7,
    ) {
        let mut next = 0;
        let batches: Vec<RecordBatch> = sizes.iter().map(|size| {
            let rows: Vec<i32> = (next..next + *size as i32).collect();
            next += *size as i32;
            batch(&rows)
        }).collect();
        let folder = tempfile::tempdir().unwrap();
        let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
        write(&whole, &batches, shard_bytes, None);
        write(&killed, &batches, shard_bytes, Some(stop));
        if (stop as usize) < batches.len() {
            prop_assert!(!killed.exists(), "a table that is not complete must not bear its name");
        }
        write(&killed, &batches, shard_bytes, None);
        prop_assert_eq!(files(&whole), files(&killed));
        let mut read = ids(&whole);
        read.sort_unstable();
        prop_assert_eq!(read, (0..next).collect::<Vec<_>>());
    }
}

#[test]
fn shards_are_named_for_their_split_and_narrowed_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[batch(&[0, 1, 2]), batch(&[3, 4])], 1, None);
    let names: Vec<String> = files(&people).into_keys().collect();
    assert_eq!(
        names,
        [
            "manifest.json",
            "test-00000-of-00002.parquet",
            "test-00001-of-00002.parquet",
            "train-00000-of-00002.parquet",
            "train-00001-of-00002.parquet",
        ]
    );
    assert_eq!(ids(&people), [0, 3, 1, 2, 4]);
    assert_eq!(TableReader::open(&people, Some("test")).unwrap().rows(), 2);
    let message = TableReader::open(&people, Some("validation")).unwrap_err().to_string();
    assert!(message.contains("the splits are `test`, `train`"), "{message}");
    let manifest = Manifest::read(&people).unwrap();
    assert_eq!((manifest.rows, manifest.splits["train"], manifest.rejects["image missing"]), (5, 3, 2));
}

#[test]
fn work_of_another_plan_is_refused_and_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[batch(&[1])], 1, None);
    let schema = batch(&[1]).schema();
    let start = |force| {
        let options = WriterOptions { force, ..WriterOptions::default() };
        TableWriter::start(&people, &schema, provenance("b"), options)
    };
    assert!(matches!(start(false), Err(ShardError::Exists { .. })));
    let Started::From { mut writer, .. } = start(true).unwrap() else { panic!("must start over") };
    writer.write(0, &batch(&[7])).unwrap();
    writer.finish(BTreeMap::new()).unwrap();
    assert_eq!(ids(&people), [7]);
}

#[test]
fn a_writer_that_fails_before_its_first_shard_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[batch(&[1]), batch(&[2])], 1 << 20, Some(1));
    assert_eq!(files(folder.path()).len(), 0);
}

#[test]
fn a_truncated_shard_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[batch(&[1, 2])], 1 << 20, None);
    let shard = people.join("train-00000-of-00001.parquet");
    let bytes = std::fs::read(&shard).unwrap();
    std::fs::write(&shard, &bytes[..bytes.len() / 2]).unwrap();
    assert!(matches!(TableReader::open(&people, None), Err(ShardError::Stale { .. })));
}

#[test]
fn an_empty_table_keeps_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[batch(&[]).slice(0, 0)], 1, None);
    let reader = TableReader::open(&people, None).unwrap();
    assert_eq!((reader.rows(), reader.schema().as_ref()), (0, batch(&[1]).schema().as_ref()));
}
