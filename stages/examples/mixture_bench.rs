//! Times expectation maximisation and scoring of a mixture with diagonal covariance on given frames and a given start.
//!
//! All files hold raw little-endian `f64`, row by row: frames `[N, D]`, means `[M, D]`, variances `[M, D]`, weights
//! `[M]`; D follows from the sizes. Prints one line of JSON.

#![expect(clippy::print_stdout, reason = "an example talks to whoever started it")]

use std::path::Path;
use std::time::Instant;

use stages::verify::blocks::FrameMatrix;
use stages::verify::em::{self, Options};
use stages::verify::gaussians::Gaussians;

const USAGE: &str = "usage: mixture_bench FRAMES MEANS VARIANCES WEIGHTS ITERATIONS REGULARISATION THREADS";
/// Scoring passes, of which the fastest counts.
const PASSES: usize = 3;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [frames, means, variances, weights, iterations, regularisation, threads] = &arguments[..] else {
        return Err(USAGE.into());
    };
    let (means, weights) = (read(means)?, read(weights)?);
    let start = Gaussians::new(weights, means, read(variances)?)?;
    let (numbers, dimensions) = (read(frames)?, start.dimensions());
    let iterations: usize = iterations.parse()?;
    let options = Options {
        iterations,
        tolerance: 0.0,
        floor: vec![0.0; dimensions],
        regularisation: regularisation.parse()?,
    };
    let frames = FrameMatrix { numbers: &numbers, dimensions };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;
    pool.install(|| {
        let began = Instant::now();
        let fit = em::fit(&frames, start, &options)?;
        let fitted = began.elapsed().as_secs_f64();
        let mut scored = f64::INFINITY;
        let mut sum = 0.0;
        for _ in 0..PASSES {
            let began = Instant::now();
            sum = em::log_likelihood(&frames, &fit.gaussians)?.0;
            scored = scored.min(began.elapsed().as_secs_f64());
        }
        // A fit ends with a pass that only measures the likelihood.
        let iteration = (fitted - scored) / iterations.max(1) as f64;
        println!(
            "{{\"frames\": {}, \"dimensions\": {dimensions}, \"components\": {}, \"iterations\": {iterations}, \
             \"seconds_per_iteration\": {iteration:.6}, \"seconds_per_scoring_pass\": {scored:.6}, \
             \"mean_log_likelihood\": {:.16e}}}",
            fit.frames,
            fit.gaussians.components(),
            sum / fit.frames as f64,
        );
        Ok(())
    })
}

fn read(path: impl AsRef<Path>) -> Result<Vec<f64>, Failure> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|error| format!("{error}: `{}`", path.display()))?;
    let (numbers, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(format!("not a whole number of f64: `{}`", path.display()).into());
    }
    Ok(numbers.iter().map(|number| f64::from_le_bytes(*number)).collect())
}
