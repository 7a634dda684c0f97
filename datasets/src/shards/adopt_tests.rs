//! Tables that were written again in every way that other programs have.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Int64Array, StringArray};
use arrow::compute::cast;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use schemas::Hinted;
use schemas::Skeleton;
use schemas::columns::SKELETON_KEY;
use schemas::skeleton::{COCO17, LSP14};
use schemas::tables::people::Person;
use schemas::tables::{people, readings, trials};

use super::super::{ShardError, TableReader};
use super::*;
use crate::export::testing::person;

fn crowd(skeleton: &Skeleton) -> Vec<Person> {
    let mut people: Vec<Person> = (0..5).map(|index| person("a.jpg", index, skeleton.len())).collect();
    for (at, one) in people.iter_mut().enumerate().skip(1) {
        one.pose.set(at, [at as f64 * 2.5, 7.25], schemas::Visibility::Visible);
        one.center = Some([at as f64, 3.0]);
        one.image_size = Some([640, 480 + at as i32]);
        one.scale = (at > 2).then_some(1.5);
    }
    people[3].person_index = None;
    people[4].others = vec![Arc::new(people[1].pose.clone()), Arc::new(people[2].pose.clone())];
    people[4].activity = Some("rowing".into());
    people
}

/// The table of each kind that is written again.
fn tables() -> Vec<(&'static str, RecordBatch)> {
    let trial = |number: usize| trials::Trial {
        score: number as f64 / 3.0,
        genuine: number.is_multiple_of(2),
        sequence: (number > 1).then_some(number as i32),
        client: format!("c{number}"),
        dataset: "d".into(),
        split: "test".into(),
        client_split: "test".into(),
        subject: "s".into(),
        device: "phone".into(),
        session: "1".into(),
        frames: 10,
        normalisation: "none".into(),
        model: "m".into(),
    };
    let trials = trials::to_batch(&(0..4).map(trial).collect::<Vec<_>>());
    let schema = readings::schema();
    let text = |values: [&str; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let columns = schema.fields().iter().map(|field| {
        let column = match field.data_type() {
            DataType::Int64 => Arc::new(Int64Array::from(vec![1, 2, 1 << 60])) as ArrayRef,
            DataType::Float64 => Arc::new(Float64Array::from(vec![0.1, -2.0, 1e-9])) as ArrayRef,
            _ if field.is_nullable() => {
                Arc::new(StringArray::from(vec![Some("walk"), None, Some("sit")])) as ArrayRef
            }
            _ => text(["a", "a", "b"]),
        };
        cast(&column, field.data_type()).unwrap()
    });
    let readings = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    vec![("people", people::to_batch(&COCO17, &crowd(&COCO17))), ("trials", trials), ("readings", readings)]
}

/// How another program has a type.
type Retype = fn(&DataType) -> DataType;

fn inside(data_type: &DataType, retype: Retype, list: fn(Arc<Field>) -> DataType) -> DataType {
    match data_type {
        DataType::FixedSizeList(item, _) | DataType::List(item) => {
            let inner = inside(item.data_type(), retype, list);
            list(Arc::new(Field::new("element", inner, true)))
        }
        other => retype(other),
    }
}

fn styles() -> [(&'static str, Retype); 4] {
    [
        ("polars", |data_type| {
            let text = |data_type: &DataType| match data_type {
                DataType::Utf8 | DataType::Dictionary(..) => DataType::LargeUtf8,
                other => other.clone(),
            };
            inside(data_type, text, DataType::LargeList)
        }),
        ("views", |data_type| {
            let text = |data_type: &DataType| match data_type {
                DataType::Utf8 | DataType::Dictionary(..) => DataType::Utf8View,
                other => other.clone(),
            };
            inside(data_type, text, DataType::List)
        }),
        ("a database", |data_type| {
            let wide = |data_type: &DataType| match data_type {
                DataType::Dictionary(..) => DataType::Utf8,
                other if other.is_integer() => DataType::Int64,
                other => other.clone(),
            };
            inside(data_type, wide, DataType::List)
        }),
        ("a data frame", |data_type| {
            let floating = |data_type: &DataType| match data_type {
                DataType::Int32 => DataType::Float64,
                DataType::Utf8 => DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8)),
                DataType::Dictionary(..) => {
                    DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8))
                }
                other => other.clone(),
            };
            inside(data_type, floating, DataType::List)
        }),
    ]
}

/// `batch` with its columns in the types of `style`, all nullable, with metadata or without.
fn again(batch: &RecordBatch, style: Retype, keeps_metadata: bool) -> RecordBatch {
    let fields: Vec<Field> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), style(field.data_type()), true))
        .collect();
    let columns = batch.columns().iter().zip(&fields).map(|(column, field)| {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        cast_with_options(column, field.data_type(), &options).unwrap()
    });
    let metadata = if keeps_metadata { batch.schema().metadata().clone() } else { [].into() };
    let schema = Arc::new(Schema::new_with_metadata(fields.clone(), metadata));
    RecordBatch::try_new(schema, columns.collect()).unwrap()
}

fn written(folder: &Path, name: &str, batch: &RecordBatch, group_rows: usize) -> PathBuf {
    let path = folder.join(name);
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    path
}

fn all(table: &TableReader, batch_rows: usize) -> RecordBatch {
    let batches: Vec<RecordBatch> = table.batches(batch_rows).collect::<Result<_, _>>().unwrap();
    arrow::compute::concat_batches(table.schema(), &batches).unwrap()
}

/// As text, in which `NaN` equals `NaN`.
fn text(batch: &RecordBatch) -> String {
    format!("{:?} {:?}", batch.schema().metadata().get(TABLE_KEY), batch.columns())
}

#[test]
fn every_table_comes_back_from_every_program() {
    let folder = tempfile::tempdir().unwrap();
    for (name, batch) in tables() {
        let original = written(folder.path(), "original.parquet", &batch, 100);
        let original = TableReader::open(&original, None).unwrap();
        for (program, style) in styles() {
            for keeps_metadata in [true, false] {
                let what = format!("{name}, {program}, metadata {keeps_metadata}");
                let path = written(folder.path(), "again.parquet", &again(&batch, style, keeps_metadata), 2);
                let like = (name == "people" && !keeps_metadata).then(|| original.schema().as_ref());
                let table =
                    TableReader::open_like(&path, None, like).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert_eq!(text(&all(&table, 3)), text(&all(&original, 100)), "{what}");
                let by_column = table.project(&[2, 0]).unwrap();
                assert_eq!(all(&by_column, 2).column(1), all(&original, 9).column(0), "{what}");
            }
        }
    }
}

#[test]
fn a_skeleton_that_nothing_says_is_not_guessed() {
    let folder = tempfile::tempdir().unwrap();
    let batch = people::to_batch(&LSP14, &crowd(&LSP14));
    let bare = RecordBatch::try_new(
        Arc::new(Schema::new(batch.schema().fields().clone())),
        batch.columns().to_vec(),
    );
    let path = written(folder.path(), "bare.parquet", &bare.unwrap(), 100);
    let error = TableReader::open(&path, None).unwrap_err();
    assert!(
        error.to_string().contains("`people`") && error.to_string().contains("which skeleton"),
        "{error}"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains("like = ") && hint.contains("motionmill ingest table"), "{hint}");
    let read = TableReader::open_like(&path, None, Some(batch.schema().as_ref())).unwrap();
    assert_eq!(read.schema().metadata()[SKELETON_KEY], "lsp14");
    assert_eq!(text(&all(&read, 9)), text(&batch));
}

#[test]
fn values_that_would_change_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let trials = tables().swap_remove(1).1;
    let with = |name: &str, column: ArrayRef| {
        let at = trials.schema().index_of(name).unwrap();
        let (mut fields, mut columns) = (trials.schema().fields().to_vec(), trials.columns().to_vec());
        fields[at] = Arc::new(Field::new(name, column.data_type().clone(), true));
        columns[at] = column;
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let path = written(folder.path(), "changed.parquet", &batch, 2);
        TableReader::open(&path, None).and_then(|table| table.read_all()).map_err(|error| error.to_string())
    };
    let scores = |values: Vec<Option<f64>>| Arc::new(Float64Array::from(values)) as ArrayRef;
    let nulls = with("score", scores(vec![Some(1.0), Some(2.0), None, Some(0.0)])).unwrap_err();
    assert!(nulls.contains("column `score` is null in row 2"), "{nulls}");
    let broken = with("sequence", scores(vec![None, Some(2.5), None, None])).unwrap_err();
    assert!(broken.contains("`sequence` holds 2.5"), "{broken}");
    let large = with("sequence", scores(vec![None, Some(1e12), None, None])).unwrap_err();
    assert!(large.contains("`sequence`"), "{large}");
    let words = with("score", Arc::new(StringArray::from(vec!["1", "2", "three", "4"]))).unwrap_err();
    assert!(words.contains("`score`"), "{words}");
    // Null, or NaN where numbers were made floating, is null where the table may have one.
    let read = with("sequence", scores(vec![None, Some(f64::NAN), Some(3.0), None])).unwrap();
    let whole: Vec<RecordBatch> = read;
    let column = arrow::compute::concat_batches(&whole[0].schema(), &whole).unwrap();
    assert_eq!(column.column_by_name("sequence").unwrap().null_count(), 3);
}

#[test]
fn the_parts_of_a_folder_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let batch = tables().swap_remove(2).1;
    let parts = folder.path().join("spark");
    std::fs::create_dir(&parts).unwrap();
    let style = styles()[2].1;
    for (number, name) in ["part-00000.parquet", "part-00001.parquet"].into_iter().enumerate() {
        written(&parts, name, &again(&batch.slice(number, 1 + number), style, false), 5);
    }
    std::fs::write(parts.join("_SUCCESS"), "").unwrap();
    let table = TableReader::open(&parts, None).unwrap();
    assert_eq!(text(&all(&table, 1)), text(&batch));
    // A part in which a column is all null may have it in no type at all.
    let (nulls, schema) = (batch.slice(1, 1), batch.schema());
    let at = schema.index_of("activity").unwrap();
    let mut columns = nulls.columns().to_vec();
    assert_eq!(columns[at].null_count(), 1);
    columns[at] = new_null_array(&DataType::Null, 1);
    let named = schema.fields().iter().zip(columns).map(|(field, column)| (field.name(), column, true));
    let untyped = RecordBatch::try_from_iter_with_nullable(named).unwrap();
    written(&parts, "part-00002.parquet", &untyped, 5);
    let table = all(&TableReader::open(&parts, None).unwrap(), 9);
    assert_eq!(table.num_rows(), 4);
    assert!(table.column(at).is_null(3) && table.column(at).is_valid(0));
    assert_eq!(
        table.column_by_name("x").unwrap().slice(3, 1).as_ref(),
        nulls.column_by_name("x").unwrap().as_ref()
    );
    // Another table among them.
    written(&parts, "part-00002.parquet", &tables()[1].1, 5);
    assert!(matches!(TableReader::open(&parts, None), Err(ShardError::Adopted { .. })));
    std::fs::remove_file(parts.join("part-00002.parquet")).unwrap();
    // A folder that motionmill has begun is none of another program's.
    std::fs::create_dir(parts.join(super::super::work_folder::WORK_FOLDER)).unwrap();
    assert!(matches!(TableReader::open(&parts, None), Err(ShardError::NoManifest { .. })));
}

proptest! {
    /// Lists come back whatever is null and however long they are.
    #[test]
    fn lists_come_back(rows in proptest::collection::vec(proptest::option::of(any::<[f32; 3]>()), 0..20)) {
        let item = Arc::new(Field::new("item", DataType::Float64, true));
        let values = rows.iter().flat_map(|row| row.unwrap_or([0.0; 3])).map(f64::from);
        let nulls = rows.iter().map(Option::is_some).collect::<arrow::buffer::NullBuffer>();
        let values: ArrayRef = Arc::new(Float64Array::from_iter_values(values));
        let fixed: ArrayRef = Arc::new(FixedSizeListArray::new(item.clone(), 3, values, Some(nulls)));
        for list in [DataType::List, DataType::LargeList] {
            let free = cast_with_options(&fixed, &list(item.clone()), &CastOptions::default()).unwrap();
            let back = super::cast(&free, fixed.data_type()).unwrap();
            prop_assert_eq!(back.nulls(), fixed.nulls());
            prop_assert_eq!(format!("{back:?}"), format!("{fixed:?}"));
        }
    }
}
