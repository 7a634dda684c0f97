//! Stages called one after the other on batches of 64 people: what `benches/border.py` times beside the same calls from
//! Python.
//!
//! `cargo run --release -p motionmill-stages --example stage_bench -- PEOPLE PASSES`
//!
//! PEOPLE is a table folder. Prints, as JSON, the seconds of each pass over all batches: of all five stages together, and of
//! `flip` alone, which does next to nothing.

#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use datasets::shards::TableReader;
use stages::registry::{StageConfig, Step};
use stages::{BuildContext, Stage};

/// Rows of a batch.
const BATCH: usize = 64;

/// The stages, as in `benches/border.py`.
const CHAIN: [&str; 5] = [
    "crop = { size = [256, 256], frame = { person = { height = 200 } } }",
    "rotate = { uniform = { max_degrees = 30 } }",
    "flip = { probability = 0.5 }",
    "warp = {}",
    "encode_heatmaps = { stride = 4, style = { gaussian = { sigma = 7 } } }",
];

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [people, passes] = &arguments[..] else { return Err("PEOPLE PASSES".into()) };
    let passes: usize = passes.parse()?;
    let chain = CHAIN.iter().map(|line| stage(line)).collect::<Result<Vec<_>, _>>()?;
    let batches = batches(Path::new(people))?;
    let cropped =
        batches.iter().map(|batch| Ok(chain[0].run(batch)?.rows)).collect::<Result<Vec<_>, Failure>>()?;
    let flip = &chain[2..3];
    let (mut whole, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..passes {
        whole.push(seconds_of(&chain, &batches)?);
        alone.push(seconds_of(flip, &cropped)?);
    }
    println!("{}", serde_json::json!({ "batches": batches.len(), "chain": whole, "flip": alone }));
    Ok(())
}

/// The people of the table in whole batches.
fn batches(folder: &Path) -> Result<Vec<RecordBatch>, Failure> {
    let table = TableReader::open(folder, None)?;
    let all = concat_batches(table.schema(), &table.read_all()?)?;
    Ok((0..all.num_rows() / BATCH).map(|at| all.slice(at * BATCH, BATCH)).collect())
}

fn stage(line: &str) -> Result<Box<dyn Stage>, Failure> {
    let config: StageConfig = toml::from_str(line)?;
    let name = config.kind().to_owned();
    match config.build(&BuildContext { name, seed: 0, threads: 1, folder: PathBuf::new() })? {
        Step::Rows(stage) => Ok(stage),
        Step::Aggregate(_) => Err("the chain is of stages".into()),
    }
}

fn seconds_of(chain: &[Box<dyn Stage>], batches: &[RecordBatch]) -> Result<f64, Failure> {
    let started = Instant::now();
    for batch in batches {
        let mut rows = batch.clone();
        for stage in chain {
            rows = stage.run(&rows)?.rows;
        }
        std::hint::black_box(rows);
    }
    Ok(started.elapsed().as_secs_f64())
}
