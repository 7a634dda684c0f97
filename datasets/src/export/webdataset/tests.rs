//! Shards are bounded, the same each time, and hold what the rows hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int32Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use schemas::Hinted;
use schemas::columns::with_column;
use schemas::skeleton::MPII16;
use schemas::tables::people::{Person, to_batch};
use schemas::tables::{heatmaps, renamed};

use super::*;
use crate::export::testing::{export, person};
use crate::pixels::encode_png;

fn samples(count: usize) -> RecordBatch {
    let people: Vec<Person> = (0..count).map(|row| person(&format!("{row:03}.jpg"), 0, 16)).collect();
    let batch = to_batch(&MPII16, &people);
    let schema = Arc::new(renamed(batch.schema_ref(), samples::NAME));
    let batch = RecordBatch::try_new(schema, batch.columns().to_vec()).unwrap();
    let file = encode_png(&[7; 27], 3, 3).unwrap();
    let bytes: ArrayRef = Arc::new(BinaryArray::from_iter_values((0..count).map(|_| file.as_slice())));
    let paths: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>; count]));
    let image = samples::encoded_image_field();
    let DataType::Struct(members) = image.data_type() else { unreachable!() };
    let images = StructArray::new(members.clone(), vec![bytes, paths], None);
    let batch = with_column(&batch, image, Arc::new(images)).unwrap();
    let maps = heatmaps::maps_array((0..count * 12).map(|v| v as f32).collect(), 2, 2, 3);
    let field = Field::new(HEATMAPS, maps.data_type().clone(), false);
    let batch = with_column(&batch, field, maps).unwrap();
    let copies: ArrayRef = Arc::new(Int32Array::from_iter_values(0..count as i32));
    let field = Field::new(COPY, DataType::Int32, false);
    with_column(&batch, field, copies).unwrap()
}

#[test]
fn webdataset_shards_are_bounded_and_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let batch = samples(5);
    // Two samples a shard: three members of one to eight blocks each.
    let files_of = |name: &str, pieces: &[RecordBatch]| {
        let target = folder.path().join(name);
        let (mut exported, mut encoder) =
            (Exported::default(), Box::new(Encoder::begin(&target, 16 << 10).unwrap()));
        pieces.iter().try_for_each(|batch| encoder.put(0, batch, &mut exported)).unwrap();
        let Target::Folder(written, _) = encoder.end(&mut exported).unwrap() else { panic!("a folder") };
        written.finish().unwrap();
        assert_eq!((exported.written, exported.rejects.len()), (5, 0));
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&target).unwrap() {
            let path = entry.unwrap().path();
            files.insert(path.file_name().unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
        files
    };
    let whole = files_of("whole", std::slice::from_ref(&batch));
    let parts = files_of("parts", &[batch.slice(0, 2), batch.slice(2, 3)]);
    assert!(whole == parts);
    let mut names = Vec::new();
    for (name, bytes) in whole.iter().filter(|(name, _)| name.to_string_lossy().ends_with(".tar")) {
        assert!(bytes.len() <= 16 << 10, "{name:?}: {}", bytes.len());
        for entry in tar::Archive::new(bytes.as_slice()).entries().unwrap() {
            let entry = entry.unwrap();
            assert_eq!((entry.header().mtime().unwrap(), entry.header().uid().unwrap()), (0, 0));
            names.push(entry.path().unwrap().to_string_lossy().into_owned());
        }
    }
    assert!(whole.len() > 1);
    assert_eq!(names.len(), 15);
    assert_eq!(names[..3], ["test-000-0-0.png", "test-000-0-0.json", "test-000-0-0.heatmap.npy"]);
}

#[test]
fn samples_that_are_none_are_rejected_or_explained() {
    let folder = tempfile::tempdir().unwrap();
    let batch = samples(3);
    let twice = [batch.slice(0, 1), batch.slice(0, 1)];
    let at = |name: &str| WebdatasetExport { path: folder.path().join(name), shard_mib: shard_mib() };
    let exported = export(&at("x"), &[&twice]).unwrap();
    assert_eq!((exported.written, exported.rejects[0].reason.as_str()), (1, "key used twice"));
    let tried = |batch| export(&at("y"), &[&[batch]]);
    let raw = samples::raw_image_field(2, 2);
    let pixels = Arc::new(BinaryArray::from_iter_values([[0_u8; 12]; 3]));
    let raw = with_column(&batch, raw, pixels).unwrap();
    let error = tried(raw).unwrap_err();
    assert_eq!(error.to_string(), "the column `image` must hold image files, found Binary");
    assert!(error.hint().unwrap().contains("encode_image"));
    let people = to_batch(&MPII16, &[person("x", 0, 16)]);
    assert!(tried(people).unwrap_err().to_string().contains("must be `samples`, found `people`"));
    assert!(!folder.path().join("y").exists());
}
