//! Tables: single Parquet files, folders with a sound manifest, and folders whose manifest is the input.

use std::path::Path;
use std::sync::OnceLock;

use arrow::array::RecordBatch;
use datasets::ReadError;
use datasets::imu::{CsvLogs, Preset};
use datasets::registry::SourceConfig;
use datasets::shards::{
    InputHash, MANIFEST_FILE, Manifest, Provenance, ShardEntry, TableReader, TableSource,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use schemas::columns::points;
use schemas::tables::models::{Mixture, Normaliser, Projection};
use schemas::tables::spatial_models::Displacements;
use schemas::tables::{keypoints, people, readings, signals};

use super::coco;
use crate::pieces::{mode, with_mode};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "table",
    seeds,
    words: &[
        "PAR1",
        "PARE",
        "ARROW:schema",
        "motionmill.table",
        "motionmill.version",
        "motionmill.skeleton",
        "sample_id",
        "split",
        "keypoints",
        "visibility",
        "list",
        "item",
        "element",
        "\"rows\":",
        "\"shards\":",
        "\"file\":",
        "\"bytes\":",
        "\"blake3\":",
        "\"splits\":",
        "\"provenance\":",
        "18446744073709551615",
    ],
    run,
};

const SHARD: &str = "all-00000-000-fuzz.parquet";

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    let path = match mode % 3 {
        0 => place::file("table.parquet", rest),
        1 => {
            let file = place::file(&format!("shards/{SHARD}"), rest);
            let rows = mode as u64 / 3;
            match sealed(&file, rows) {
                Ok(manifest) => {
                    place::file(&format!("shards/{MANIFEST_FILE}"), manifest.to_json().as_bytes())
                }
                Err(error) => {
                    reading::told(&error);
                    return 0;
                }
            };
            place::path("shards")
        }
        _ => {
            let shard = place::path(&format!("described/{SHARD}"));
            if !shard.is_file() {
                place::file(&format!("described/{SHARD}"), &files()[0]);
            }
            // A manifest that is sound but for its seal gets one: else no change would come past it.
            let manifest = serde_json::from_slice::<Manifest>(rest).map(|manifest| manifest.to_json());
            let text = manifest.as_ref().map_or(rest, |text| text.as_bytes());
            place::file(&format!("described/{MANIFEST_FILE}"), text);
            place::path("described")
        }
    };
    let source = SourceConfig::Table(TableSource { path, split: None, like: None });
    reading::each_batch(&source, &[], &mut look)
}

/// The manifest of the one shard `file`.
fn sealed(file: &Path, rows: u64) -> Result<Manifest, ReadError> {
    let InputHash { blake3, .. } = InputHash::of(file)?;
    let schema = TableReader::open(file, None)?.schema().clone();
    let bytes = file.metadata().map_err(|source| ReadError::io(file, source))?.len();
    let shard = ShardEntry { file: SHARD.to_owned(), split: "all".to_owned(), rows, bytes, blake3 };
    let splits = [("all".to_owned(), rows)].into();
    let bare = Manifest::empty(&schema, Provenance::default());
    Ok(Manifest { rows, splits, shards: vec![shard], ..bare })
}

/// Reads `batch` as each of the tables that stages read rows of; all but one refuse it.
fn look(batch: &RecordBatch) {
    let read = [
        people::from_batch(batch).is_ok(),
        keypoints::from_batch(batch).is_ok(),
        readings::sessions(batch).is_ok(),
        signals::signals(batch).is_ok(),
        points(batch, "keypoints").is_ok(),
        Normaliser::from_batch(batch).is_ok(),
        Projection::from_batch(batch).is_ok(),
        Mixture::from_batch(batch).is_ok(),
        Displacements::from_batch(batch).is_ok(),
    ];
    std::hint::black_box(read);
}

/// Small tables: people and readings, plain and compressed.
fn files() -> &'static [Vec<u8>] {
    static FILES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        let people = &coco::people()[0];
        let readings = &logged()[0];
        let plain = WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .build();
        let zstd = Compression::ZSTD(ZstdLevel::default());
        let packed = WriterProperties::builder().set_compression(zstd).build();
        vec![
            parquet(people, &plain),
            parquet(people, &packed),
            parquet(readings, &plain),
            parquet(readings, &packed),
        ]
    })
}

fn logged() -> Vec<RecordBatch> {
    let log = b"timestamp,x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,label\n1000,1,2,3,4,5,6,WALKING\n\
                1010,1,2,3,4,5,6,SEATED\n";
    place::file("logged/s1/1_sp.csv", log);
    let (path, preset) = (place::path("logged"), Some(Preset::SpSwHar));
    let logs = CsvLogs {
        path,
        layout: None,
        dataset: None,
        preset,
        guess: false,
        files: Vec::new(),
        sessions: None,
    };
    let mut batches = Vec::new();
    reading::each_batch(&SourceConfig::Logs(logs), &[], &mut |batch| batches.push(batch.clone()));
    batches
}

fn parquet(batch: &RecordBatch, properties: &WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.clone()));
    let mut writer = writer.expect("a schema that Parquet can hold");
    writer.write(batch).and_then(|()| writer.close()).expect("memory takes everything");
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = files().iter().map(|file| with_mode(0, file)).collect();
    seeds.push(with_mode(1 + 3 * 3, &files()[1]));
    let shard = place::file("seed.parquet", &files()[0]);
    let manifest = sealed(&shard, 3).expect("a sound table");
    seeds.push(with_mode(2, manifest.to_json().as_bytes()));
    seeds
}
