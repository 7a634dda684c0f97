//! The stage `infer` against the bare session in a loop: the same network, the same pictures, one thread each.
//!
//! `cargo run --release -p motionmill-stages --example infer_bench -- NETWORK.onnx [CARD.toml] [ROUNDS] [PROVIDER BATCH]`
//!
//! The bare loop runs a session on one tensor that is filled beforehand, so it has no work but the network's own; with a
//! provider, both run there, that many rows a call.
//! Both are timed in turn, round by round; the ratio of the medians is the loss.

#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use ort::value::Tensor;
use schemas::Affine;
use schemas::tables::{metadata, samples, vector_array};
use stages::infer::{InferConfig, ModelCard};
use stages::network::providers::{Network, Start, session};
use stages::network::{Files, Provider, Runtime};
use stages::{BuildContext, Stage};

/// Samples a round.
const ROWS: usize = 128;
/// Rounds where the command line is silent.
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let model = PathBuf::from(arguments.first().ok_or("name a network")?);
    let card_path = Files::of(&model, arguments.get(1).map(PathBuf::from).as_ref()).card;
    let rounds = arguments.get(2).map_or(Ok(ROUNDS), |text| text.parse())?;
    let card = ModelCard::read(&card_path)?;
    let provider: Provider = match arguments.get(3) {
        Some(name) => {
            toml::from_str::<toml::Table>(&format!("provider = '{name}'"))?["provider"].clone().try_into()?
        }
        None => Provider::Cpu,
    };
    let rows_a_call: usize = arguments.get(4).map_or(Ok(1), |text| text.parse())?;

    let mut config = InferConfig::new(model.clone());
    config.card = Some(card_path);
    config.engine.provider = provider;
    config.engine.batch = rows_a_call.try_into().ok();
    let context = BuildContext { name: "bench".into(), seed: 0, threads: 1, folder: PathBuf::new() };
    let stage = config.build(&context)?;
    let batch = pictures(card.input.width, card.input.height)?;
    stage.output_schema(&batch.schema())?;

    let runtime = Runtime::load(None)?;
    let mut session = session(runtime, provider, Start::default(), Network::File(&model))?;
    let (height, width) = (i64::from(card.input.height), i64::from(card.input.width));
    let calls = i64::try_from(rows_a_call)?;
    let shape =
        if card.input.dimensions()[1] == 3 { [calls, 3, height, width] } else { [calls, height, width, 3] };
    let values = vec![100.0f32; 3 * (calls * height * width) as usize];
    let image = Tensor::from_array((shape, values))?;
    let center = match &card.center_map {
        Some(map) => {
            let mut sizes = map.layout.dimensions(1, [height, width]);
            sizes[0] = calls;
            let values = vec![0.5f32; (calls * height * width) as usize];
            Some((map.name.clone(), Tensor::from_array((sizes, values))?))
        }
        None => None,
    };

    let (mut staged, mut bare) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let started = Instant::now();
        let rows = stage.run(&batch)?.rows.num_rows();
        let stage_seconds = started.elapsed().as_secs_f64();
        let started = Instant::now();
        for _ in 0..ROWS / rows_a_call {
            let outputs = match &center {
                Some((name, map)) => session.run(ort::inputs![&card.input.name => &image, name => map])?,
                None => session.run(ort::inputs![&card.input.name => &image])?,
            };
            std::hint::black_box(outputs);
        }
        let bare_seconds = started.elapsed().as_secs_f64();
        assert_eq!(rows, ROWS * card.outputs.len());
        // The first round warms up.
        if round > 0 {
            staged.push(stage_seconds);
            bare.push(bare_seconds);
        }
    }
    let (staged, bare) = (median(&mut staged), median(&mut bare));
    let rate = |seconds: f64| ROWS as f64 / seconds;
    println!("| network | bare session, images/s | stage, images/s | loss |");
    println!("|---|---|---|---|");
    let loss = 100.0 * (1.0 - bare / staged);
    println!("| {} | {:.1} | {:.1} | {loss:.1} % |", card.name, rate(bare), rate(staged));
    Ok(())
}

/// `ROWS` samples of grey pictures.
fn pictures(width: u32, height: u32) -> Result<RecordBatch, Box<dyn std::error::Error>> {
    let pixels: Vec<Vec<u8>> = (0..ROWS).map(|row| vec![row as u8; (width * height * 3) as usize]).collect();
    let maps = vec![Affine::IDENTITY; ROWS];
    let columns: Vec<(Field, ArrayRef)> = vec![
        (
            Field::new("sample_id", DataType::Utf8, false),
            Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("bench-{row}")))),
        ),
        (samples::raw_image_field(width, height), Arc::new(BinaryArray::from_iter_values(&pixels))),
        (
            Field::new(samples::CROP_FROM_IMAGE, schemas::columns::fixed_list(DataType::Float64, 6), false),
            vector_array(maps.iter().map(|map| Some(&map.0[..])), 6),
        ),
        (
            Field::new("center", schemas::columns::fixed_list(DataType::Float64, 2), true),
            vector_array((0..ROWS).map(|_| Some(&[5.0, 5.0][..])), 2),
        ),
        (
            Field::new(samples::FLIPPED, DataType::Boolean, false),
            Arc::new(BooleanArray::from(vec![false; ROWS])),
        ),
        (Field::new(samples::COPY, DataType::Int32, false), Arc::new(Int32Array::from(vec![0; ROWS]))),
    ];
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Schema::new_with_metadata(fields, metadata(samples::NAME, None));
    Ok(RecordBatch::try_new(Arc::new(schema), arrays)?)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
