//! How fast samples are made on one thread: `sample_bench FOLDER ROUNDS`, where FOLDER holds JPEG files.
//!
//! Prints one JSON object: images per CPU second of the whole chain (decode, flip, rotate, scale, crop to 256 x 256,
//! planar normalised f32, 16 heatmaps 64 x 64 of sigma 2), of decoding alone, and of the heatmaps alone.
//! `benches/samples.py` runs it beside the same work in Python.

#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::path::{Path, PathBuf};

use arrow::array::{AsArray, RecordBatch};
use datasets::pixels::{Limits, Reduction, decode_into, read_file};
use schemas::skeleton::MPII16;
use schemas::tables::people::{self, Person, Pose};
use schemas::visibility::Visibility;
use serde::de::DeserializeOwned;
use stages::augment::{CropConfig, FlipConfig, RotateConfig, ScaleConfig, WarpConfig, planar_f32};
use stages::encode::EncodeHeatmapsConfig;
use stages::{BuildContext, Stage};

/// Rows of a batch.
const ROWS: usize = 32;
/// `ImageNet` statistics, in levels.
const MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, rounds] = &arguments[..] else { return Err("usage: sample_bench FOLDER ROUNDS".into()) };
    let (folder, rounds) = (PathBuf::from(folder), rounds.parse::<usize>()?);
    let batch = people(&folder)?;
    let chain: [Box<dyn Stage>; 5] = [
        Box::new(
            parsed::<CropConfig>("size = [256, 256]\nframe.person.height = 204.8")?
                .build(&context(&folder, "crop"))?,
        ),
        Box::new(
            parsed::<ScaleConfig>("clipped_normal = { sigma = 0.25, min = 0.75, max = 1.25 }")?
                .build(&context(&folder, "scale"))?,
        ),
        Box::new(parsed::<RotateConfig>("normal = {}")?.build(&context(&folder, "rotate"))),
        Box::new(parsed::<FlipConfig>("")?.build(&context(&folder, "flip"))),
        Box::new(parsed::<WarpConfig>("")?.build(&context(&folder, "warp"))),
    ];
    let encode = parsed::<EncodeHeatmapsConfig>("stride = 4\nmissing = 'mask'\nstyle.patch.sigma = 2")?
        .build(&context(&folder, "encode_heatmaps"));
    let warped = run(&chain, &batch)?;

    let mut planes = vec![0.0; 3 * 256 * 256];
    let whole = per_second(rounds, 2, || {
        let encoded = encode.run(&run(&chain, &batch)?)?.rows;
        let pixels = encoded.column_by_name("image").ok_or("no pixels")?.as_binary::<i32>();
        for row in 0..ROWS {
            planar_f32(pixels.value(row), MEAN, DEVIATION, &mut planes);
            std::hint::black_box(&planes);
        }
        Ok(())
    })?;
    let paths: Vec<PathBuf> = jpegs(&folder)?;
    let (mut file, mut pixels) = (Vec::new(), Vec::new());
    let decode = per_second(rounds, 2, || {
        for path in paths.iter().cycle().take(ROWS) {
            read_file(path, &Limits::default(), &mut file)?;
            pixels =
                decode_into(std::mem::take(&mut pixels), &file, &Limits::default(), Reduction::Whole)?.rgb;
        }
        Ok(())
    })?;
    let heatmaps = per_second(rounds, 200, || {
        std::hint::black_box(encode.run(&warped)?);
        Ok(())
    })?;
    println!(r#"{{"samples": {whole:.1}, "decode": {decode:.1}, "heatmaps": {heatmaps:.0}}}"#);
    Ok(())
}

fn parsed<T: DeserializeOwned>(plan: &str) -> Result<T, Failure> {
    Ok(toml::from_str(plan)?)
}

fn context(folder: &Path, name: &str) -> BuildContext {
    BuildContext { name: name.to_owned(), seed: 7, threads: 1, folder: folder.to_owned() }
}

fn run(chain: &[Box<dyn Stage>], batch: &RecordBatch) -> Result<RecordBatch, Failure> {
    let mut batch = batch.clone();
    for stage in chain {
        let outcome = stage.run(&batch)?;
        if let Some(reject) = outcome.rejects.first() {
            return Err(format!("{}: {}", reject.reason, reject.detail).into());
        }
        batch = outcome.rows;
    }
    Ok(batch)
}

fn jpegs(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, Failure>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jpg"));
    paths.sort();
    if paths.is_empty() { Err("the folder holds no .jpg".into()) } else { Ok(paths) }
}

/// One person 300 px high in the middle of each image, all joints annotated.
fn people(folder: &Path) -> Result<RecordBatch, Failure> {
    let paths = jpegs(folder)?;
    let person = |at: usize| {
        let mut pose = Pose::unknown(16);
        for joint in 0..16 {
            let (column, row) = (joint % 4, joint / 4);
            pose.set(joint, [560.0 + 50.0 * column as f64, 240.0 + 70.0 * row as f64], Visibility::Visible);
        }
        Person {
            sample_id: format!("bench-{at}"),
            dataset: "bench".into(),
            split: "train".into(),
            image_path: paths[at % paths.len()]
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            person_index: Some(0),
            center: Some([640.0, 360.0]),
            scale: Some(1.5),
            pose,
            source_record: at.to_string(),
            ..Person::default()
        }
    };
    Ok(people::to_batch(&MPII16, &(0..ROWS).map(person).collect::<Vec<_>>()))
}

/// Rows per CPU second of this thread: the median of `rounds` runs of `repeats` batches each, after one to warm up.
/// A run must last for many clock ticks, since the system counts a thread's time in those.
fn per_second(
    rounds: usize,
    repeats: usize,
    mut batch: impl FnMut() -> Result<(), Failure>,
) -> Result<f64, Failure> {
    batch()?;
    let mut seconds = Vec::with_capacity(rounds);
    for _ in 0..rounds.max(1) {
        let before = cpu_seconds()?;
        for _ in 0..repeats {
            batch()?;
        }
        seconds.push(cpu_seconds()? - before);
    }
    seconds.sort_by(f64::total_cmp);
    Ok((ROWS * repeats) as f64 / seconds[seconds.len() / 2])
}

/// What Linux says this process's first thread has used.
fn cpu_seconds() -> Result<f64, Failure> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(text.split(' ').next().ok_or("no time")?.parse::<f64>()? / 1e9)
}
