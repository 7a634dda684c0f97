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

fn options(shard_bytes: u64, force: bool) -> TableOptions {
    TableOptions { shard_bytes, row_group_bytes: 64, claim: Claiming { force, ..Claiming::default() } }
}

fn claim(folder: &Path, hash: &str, shard_bytes: u64, force: bool) -> Result<TableFolder, ShardError> {
    TableFolder::claim(folder, batch(&[0]).schema_ref(), provenance(hash), &options(shard_bytes, force))
}

/// Writes a table, each of whose units has some `batches`.
fn write(folder: &Path, units: &[&[RecordBatch]], shard_bytes: u64) {
    let table = claim(folder, "a", shard_bytes, false).unwrap();
    complete(table, units);
}

fn complete(table: TableFolder, units: &[&[RecordBatch]]) {
    let mut shards = Vec::new();
    for (number, batches) in units.iter().enumerate() {
        shards.extend(unit(&table, number as u64, batches));
    }
    table.complete(shards, two_missing()).unwrap();
    table.release().unwrap();
}

fn two_missing() -> Rejected {
    let reason = "image missing".to_owned();
    Rejected {
        rows: BTreeMap::from([(reason.clone(), 2)]),
        examples: BTreeMap::from([(reason, "a.json, image 7: no such image".to_owned())]),
        verdict: None,
    }
}

fn unit(table: &TableFolder, number: u64, batches: &[RecordBatch]) -> Vec<ShardEntry> {
    let mut writer = table.unit(number);
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap()
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
    fn units_in_any_order_with_kills_give_the_same_bytes(
        sizes in prop::collection::vec(0usize..9, 1..7), shard_bytes in 1u64..200,
        order in Just([0, 1, 2, 3, 4, 5]).prop_shuffle(), killed in 0usize..7,
    ) {
        let mut next = 0;
        let batches: Vec<RecordBatch> = sizes.iter().map(|size| {
            let rows: Vec<i32> = (next..next + *size as i32).collect();
            next += *size as i32;
            batch(&rows)
        }).collect();
        let folder = tempfile::tempdir().unwrap();
        let (whole, other) = (folder.path().join("whole"), folder.path().join("other"));
        let units: Vec<&[RecordBatch]> = batches.chunks(1).collect();
        write(&whole, &units, shard_bytes);
        // The first writer is killed: what it held is forgotten, and what it wrote stays.
        let table = claim(&other, "a", shard_bytes, false).unwrap();
        for &number in order.iter().filter(|number| **number < units.len()).take(killed) {
            unit(&table, number as u64, units[number]);
        }
        let mut half = table.unit(6);
        half.write(&batches[0]).unwrap();
        drop(table);
        std::mem::forget(half);
        prop_assert!(TableReader::open(&other, None).is_err(), "a table that is not complete is none");
        let table = claim(&other, "a", shard_bytes, false).unwrap();
        prop_assert!(table.continued());
        let mut shards = BTreeMap::new();
        for &number in order.iter().rev().filter(|number| **number < units.len()) {
            shards.insert(number, unit(&table, number as u64, units[number]));
        }
        table.complete(shards.into_values().flatten().collect(), two_missing()).unwrap();
        table.release().unwrap();
        prop_assert_eq!(files(&whole), files(&other));
        let mut read = ids(&whole);
        read.sort_unstable();
        prop_assert_eq!(read, (0..next).collect::<Vec<_>>());
    }

    #[test]
    fn a_flipped_bit_is_never_another_row(place in 0.0..1.0f64, bit in 0u8..8) {
        let folder = tempfile::tempdir().unwrap();
        let people = folder.path().join("people");
        write(&people, &[&[batch(&[1, 2, 3]), batch(&[4])]], 1 << 20);
        for (name, bytes) in files(&people) {
            let path = people.join(name);
            let mut flipped = bytes.clone();
            flipped[(place * bytes.len() as f64) as usize] ^= 1 << bit;
            std::fs::write(&path, flipped).unwrap();
            let read = TableReader::open(&people, None).and_then(|table| table.read_all());
            if let Ok(rows) = read {
                let ids: Vec<i32> = rows.iter()
                    .flat_map(|rows| schemas::columns::integers(rows, "id").unwrap().values().to_vec()).collect();
                prop_assert_eq!(ids, [3, 1, 2, 4], "read without an error");
            }
            std::fs::write(&path, bytes).unwrap();
        }
        prop_assert_eq!(ids(&people), [3, 1, 2, 4]);
    }
}

#[test]
fn shards_are_named_for_their_split_and_narrowed_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[&[batch(&[0, 1, 2])], &[batch(&[3, 4]), batch(&[5])]], 1);
    let names: Vec<String> = files(&people).into_keys().collect();
    let stems: Vec<&str> =
        names.iter().map(|name| name.rsplit_once('-').map_or(name.as_str(), |(stem, _)| stem)).collect();
    let expected = [
        "manifest.json",
        "test-00000-000",
        "test-00001-000",
        "train-00000-000",
        "train-00001-000",
        "train-00001-001",
    ];
    assert_eq!(stems, expected);
    assert_eq!(ids(&people), [0, 3, 1, 2, 4, 5]);
    assert_eq!(TableReader::open(&people, Some("test")).unwrap().rows(), 2);
    let message = TableReader::open(&people, Some("validation")).unwrap_err().to_string();
    assert!(message.contains("the splits are `test`, `train`"), "{message}");
    let manifest = Manifest::read(&people).unwrap();
    assert_eq!((manifest.rows, manifest.splits["train"], manifest.rejects["image missing"]), (6, 4, 2));
}

#[test]
fn rows_by_number_and_columns_by_choice() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    let ten: Vec<i32> = (0..30).filter(|id| id % 3 != 0).collect();
    write(&people, &[&[batch(&ten[..7])], &[batch(&ten[7..])]], 1);
    let table = TableReader::open(&people, None).unwrap();
    for (start, end) in [(0, 20), (0, 3), (5, 9), (7, 8), (19, 20), (20, 20)] {
        let rows: Vec<i32> = table
            .project(&[1, 0])
            .unwrap()
            .batches_of(start..end, 2)
            .map(Result::unwrap)
            .flat_map(|rows| {
                assert_eq!(rows.schema().field(1).name(), "id");
                schemas::columns::integers(&rows, "id").unwrap().values().to_vec()
            })
            .collect();
        assert_eq!(rows, ten[start as usize..end as usize]);
    }
}

#[test]
fn work_of_another_plan_is_refused_and_replaced_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[&[batch(&[1])]], 1);
    assert!(matches!(claim(&people, "b", 1, false), Err(ShardError::Exists { .. })));
    std::fs::write(people.join("README.md"), "mine").unwrap();
    let table = claim(&people, "b", 1, true).unwrap();
    let shards = unit(&table, 0, &[batch(&[7])]);
    assert_eq!(ids(&people), [1], "the old table stays until the new one is complete");
    drop(table);
    let table = claim(&people, "b", 1, false).expect("work that was begun with force goes on without it");
    table.complete(shards, Rejected::default()).unwrap();
    table.release().unwrap();
    assert_eq!(ids(&people), [7]);
    assert_eq!(files(&people).len(), 3, "one shard, the manifest, and what is not ours");
    // The same work again: it too leaves the old files alone until its own are complete.
    let table = claim(&people, "b", 1, true).unwrap();
    unit(&table, 0, &[batch(&[8])]);
    assert_eq!(ids(&people), [7]);
    complete(table, &[&[batch(&[8])]]);
    assert_eq!((ids(&people), files(&people).len()), (vec![8], 3));
    let table = claim(&people, "c", 1, true).unwrap();
    unit(&table, 0, &[batch(&[9])]);
    table.release().unwrap();
    assert_eq!(
        (ids(&people), files(&people).len()),
        (vec![8], 3),
        "work that came to nothing leaves nothing"
    );
}

#[test]
fn folders_of_others_are_never_written() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = |name: &str, files: &[(&str, &str)]| {
        let path = folder.path().join(name);
        for (file, text) in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        for force in [false, true] {
            assert!(claim(&path, "a", 1, force).is_err(), "{name}");
        }
        assert_eq!(walk(&path), files.len(), "{name}");
    };
    foreign("own", &[("thesis", "mine")]);
    foreign("manifest", &[("thesis", "mine"), ("manifest.json", "mine")]);
    foreign("work", &[("thesis", "mine"), (".motionmill/mark.json", "mine")]);
    let path = folder.path().join("file");
    std::fs::write(&path, "mine").unwrap();
    assert!(claim(&path, "a", 1, true).is_err());
    let table = claim(&folder.path().join("table"), "a", 1, false).unwrap();
    assert!(matches!(claim(&folder.path().join("table"), "a", 1, false), Err(ShardError::Locked { .. })));
    table.release().unwrap();
    assert!(!folder.path().join("table").exists());
    std::fs::create_dir(folder.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
    write(&folder.path().join("link"), &[&[batch(&[1])]], 1);
    assert_eq!(ids(&folder.path().join("real")), [1]);
}

/// Files below `folder`.
fn walk(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
}

#[test]
fn damage_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[&[batch(&[1, 2])], &[batch(&[4])]], 1 << 20);
    let manifest = Manifest::read(&people).unwrap();
    assert!(manifest.damages(&people, &|_| ()).is_empty());
    let shard = people.join(&manifest.shards[1].file);
    let bytes = std::fs::read(&shard).unwrap();
    for harmed in [bytes[..bytes.len() / 2].to_vec(), Vec::new(), [&bytes[..], b"x"].concat()] {
        std::fs::write(&shard, harmed).unwrap();
        assert!(matches!(TableReader::open(&people, None), Err(ShardError::Stale { .. })));
        assert_eq!(manifest.damages(&people, &|_| ()).len(), 1);
    }
    std::fs::write(&shard, bytes).unwrap();
    let path = people.join(MANIFEST_FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("image missing", "image mission")).unwrap();
    assert!(matches!(TableReader::open(&people, None), Err(ShardError::BadManifest { .. })));
}

#[test]
fn a_sealed_manifest_cannot_say_what_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[&[batch(&[1, 2])]], 1 << 20);
    let sound = Manifest::read(&people).unwrap();
    let refused = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = sound.clone();
        change(&mut manifest);
        std::fs::write(people.join(MANIFEST_FILE), manifest.to_json()).unwrap();
        let rows = TableReader::open(&people, None).and_then(|table| table.read_all());
        rows.unwrap_err().to_string()
    };
    for place in ["../people.parquet", "/dev/zero", "..", "", "a/b"] {
        let message = refused(&|manifest| manifest.shards[0].file = place.to_owned());
        assert!(message.contains(&format!("a file of the folder, found `{place}`")), "{message}");
    }
    let message = refused(&|manifest| manifest.rows += 1);
    assert!(message.contains("do not add up to 3 rows"), "{message}");
    let message = refused(&|manifest| {
        let shard = manifest.shards[0].clone();
        manifest.shards = vec![ShardEntry { rows: u64::MAX, ..shard.clone() }, shard];
    });
    assert!(message.contains("do not add up"), "{message}");
    // Rows that add up, but not to those of the file.
    let message = refused(&|manifest| (manifest.rows, manifest.shards[0].rows) = (7, 7));
    assert!(message.contains("2 rows instead of 7"), "{message}");
}

#[test]
fn an_empty_table_keeps_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people");
    write(&people, &[&[batch(&[]).slice(0, 0)], &[]], 1);
    let reader = TableReader::open(&people, None).unwrap();
    assert_eq!((reader.rows(), reader.schema().as_ref()), (0, batch(&[1]).schema().as_ref()));
}
