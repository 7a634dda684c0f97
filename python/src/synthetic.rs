//! Synthetic data sets in their original formats, for trying things out.

use std::path::{Path, PathBuf};

use datasets::synthetic::imu::{ImuOptions, write_hmog};
use datasets::synthetic::{self, Options, SyntheticError, Written};
use pyo3::prelude::*;

use crate::error::{Kind, detached, exception};
use crate::pool::pool;

/// Draws people in the format `format` into `folder`; returns the annotation file, the folder of the images and how
/// many people there are.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Python is taken whole")]
pub(crate) fn write_people(
    py: Python<'_>,
    format: &str,
    folder: PathBuf,
    images: usize,
    size: [u32; 2],
    seed: u64,
) -> PyResult<(PathBuf, PathBuf, usize)> {
    let write: fn(&Path, &Options) -> Result<Written, SyntheticError> = match format {
        "mpii" => synthetic::write_mpii,
        "lsp" => synthetic::write_lsp,
        "lspet" => synthetic::write_lspet,
        "flic" => synthetic::write_flic,
        _ => {
            let message =
                format!("no people are drawn as `{format}`; there are `mpii`, `lsp`, `lspet`, `flic`");
            return Err(exception(Kind::Config, &message, None));
        }
    };
    let [width, height] = size;
    let options = Options { images, seed, width, height };
    let written =
        detached(py, || -> anyhow::Result<Written> { Ok(pool()?.install(|| write(&folder, &options))?) })?;
    Ok((written.annotations, written.images_folder, written.people))
}

/// Writes logs in the format of HMOG, one zip per subject, into `folder`; returns the folder.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "what comes from Python is taken whole")]
pub(crate) fn write_logs(
    py: Python<'_>,
    folder: PathBuf,
    subjects: usize,
    sessions: usize,
    seconds: f64,
    seed: u64,
) -> PyResult<PathBuf> {
    let options = ImuOptions { subjects, sessions, seconds, ..ImuOptions::default() };
    detached(py, || -> anyhow::Result<PathBuf> {
        Ok(pool()?.install(|| write_hmog(&folder, &options, seed))?.path)
    })
}
