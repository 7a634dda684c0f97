//! CSV logs to windows in memory: what `benches/motion.py` times beside pandas and numpy.
//!
//! `cargo run --release -p motionmill-stages --example window_bench -- LAYOUT.toml THREADS on|off`
//!
//! LAYOUT declares the logs as `read.logs` of a plan does; `on` puts the low-pass before the rate is reduced. Prints the
//! lines read, the windows made and the seconds from opening the folder to the last window, as JSON.

#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use datasets::imu::{CsvLogs, Logs, SessionSource};
use rayon::prelude::*;
use stages::window::{ResampleConfig, WindowConfig};
use stages::{BuildContext, Stage};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layout, threads, low_pass] = &arguments[..] else {
        return Err("LAYOUT.toml THREADS on|off".into());
    };
    let config: CsvLogs = toml::from_str(&std::fs::read_to_string(layout)?)?;
    let low_pass = match low_pass.as_str() {
        "on" => true,
        "off" => false,
        _ => return Err("the low-pass is `on` or `off`".into()),
    };
    let context = BuildContext { name: "bench".into(), seed: 0, threads: 1, folder: PathBuf::new() };
    let resample: ResampleConfig = toml::from_str(&format!("rate_hz = 50\nlow_pass = {low_pass}"))?;
    let resample = resample.build(&context)?;
    let window: WindowConfig = toml::from_str("blocks = 1\nblock_samples = 500\nstride_samples = 250")?;
    let window = window.build(&context)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;

    let started = Instant::now();
    let logs = Logs::open_csv(&config)?;
    let counted: Vec<(usize, usize)> = pool.install(|| {
        logs.items().par_iter().map(|item| counts(item, &resample, &window)).collect::<Result<_, _>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    // A line of these files holds a reading of each of the two sensors.
    let lines = counted.iter().map(|(readings, _)| readings).sum::<usize>() / 2;
    let windows = counted.iter().map(|(_, windows)| windows).sum::<usize>();
    println!("{{\"rows\": {lines}, \"windows\": {windows}, \"seconds\": {seconds}}}");
    Ok(())
}

/// Readings and windows of one log.
fn counts(
    item: &Arc<dyn SessionSource>,
    resample: &impl Stage,
    window: &impl Stage,
) -> Result<(usize, usize), Failure> {
    let (mut readings, mut windows) = (0, 0);
    for batch in item.load()?.batches {
        readings += batch.num_rows();
        let signals = resample.run(&batch)?.rows;
        windows += window.run(&signals)?.rows.num_rows();
    }
    Ok((readings, windows))
}
