//! A seeded generator of articulated people, written in the original formats.
//!
//! Demo, tests and benchmarks need no download: [`write_mpii`], [`write_lsp`], [`write_lspet`] and [`write_flic`]
//! draw people on textured backgrounds and write images and annotations as in the real data sets, including their
//! pitfalls. The same options give the same bytes. A person is a kinematic chain with random proportions and joint
//! angles ([`body`], [`postures`]), dressed ([`wardrobe`], [`dress`]) and placed in an image ([`scene`]); whether a
//! joint can be seen follows from what was drawn over it.
//!
//! The people are drawings: use them to run and check a pipeline, never to judge a network.

pub mod body;
pub mod dress;
pub mod postures;
pub mod scene;
pub mod shapes;
pub mod wardrobe;

mod backdrop;
mod flic;
pub mod imu;
mod jpeg;
mod lsp;
mod mpii;
mod noise;

pub use flic::write_flic;
pub use lsp::{write_lsp, write_lspet};
pub use mpii::{TEST_PERIOD, write_mpii};

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::matlab::{self, Value};
use scene::{Framing, Scene};

/// How much to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many images.
    pub images: usize,
    /// Everything random follows from it.
    pub seed: u64,
    /// Width of the images, px; where a data set's images differ in size, of the widest.
    pub width: u32,
    /// Height of the images, px; where a data set's images differ in size, of the tallest.
    pub height: u32,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The annotation file.
    pub annotations: PathBuf,
    /// The folder of the images.
    pub images_folder: PathBuf,
    /// How many images.
    pub images: usize,
    /// How many people are drawn in them, annotated or not.
    pub people: usize,
    /// Size of all images together.
    pub image_bytes: u64,
}

/// Why a synthetic data set could not be written.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum SyntheticError {
    /// The system refused.
    #[error("cannot write: {source}: `{}`", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The picture could not be made into a file.
    #[error("cannot encode the picture: {detail}: `{}`", path.display())]
    Encode { path: PathBuf, detail: String },
    /// The annotation file could not be written.
    #[error(transparent)]
    Annotations(#[from] matlab::WriteError),
    /// The options ask for something that cannot be drawn.
    #[error("an image must be {LEAST_SIDE_PX} to {MOST_SIDE_PX} px wide and tall, found {width} x {height}")]
    Size { width: u32, height: u32 },
}

/// The shortest side of an image, px: below it, limbs are thinner than a pixel.
pub const LEAST_SIDE_PX: u32 = 64;
/// The longest side of an image, px.
pub const MOST_SIDE_PX: u32 = 8192;

/// Draws scene number 0 to `images` - 1, writes each as `images/` + `name(number)` and hands it to `annotate`.
///
/// Scenes are drawn in parallel; what `annotate` gave comes back in order.
fn write_scenes<T: Send>(
    folder: &Path,
    options: &Options,
    framing: Framing,
    name: impl Fn(usize) -> String + Sync,
    annotate: impl Fn(usize, &Scene) -> T + Sync,
) -> Result<(Vec<T>, Tally), SyntheticError> {
    let Options { images, seed, width, height } = *options;
    let sides = LEAST_SIDE_PX..=MOST_SIDE_PX;
    if !sides.contains(&width) || !sides.contains(&height) {
        return Err(SyntheticError::Size { width, height });
    }
    let images_folder = folder.join("images");
    std::fs::create_dir_all(&images_folder)
        .map_err(|source| SyntheticError::Io { path: images_folder.clone(), source })?;
    let one = |number: usize| {
        let file = name(number);
        let path = images_folder.join(&file);
        let scene = scene::draw(framing, [width, height], seed, &file);
        let [wide, tall] = scene.size.map(|side| side as usize);
        let bytes = jpeg::encode(&scene.rgb, wide, tall)
            .map_err(|detail| SyntheticError::Encode { path: path.clone(), detail })?;
        std::fs::write(&path, &bytes).map_err(|source| SyntheticError::Io { path, source })?;
        Ok((annotate(number, &scene), scene.actors.len(), bytes.len() as u64))
    };
    let done: Vec<(T, usize, u64)> =
        (0..images).into_par_iter().map(one).collect::<Result<_, SyntheticError>>()?;
    let people = done.iter().map(|(_, people, _)| people).sum();
    let image_bytes = done.iter().map(|(_, _, bytes)| bytes).sum();
    Ok((done.into_iter().map(|(annotation, _, _)| annotation).collect(), Tally { people, image_bytes }))
}

/// Counts over all images.
#[derive(Debug, Clone, Copy)]
struct Tally {
    people: usize,
    image_bytes: u64,
}

/// Writes `value` as the variable `name` of the annotation file `file`, and says what was written.
fn save(
    folder: &Path,
    options: &Options,
    tally: Tally,
    file: &str,
    name: &str,
    value: &Value,
) -> Result<Written, SyntheticError> {
    let annotations = folder.join(file);
    matlab::write(&annotations, &[(name, value)])?;
    Ok(Written {
        annotations,
        images_folder: folder.join("images"),
        images: options.images,
        people: tally.people,
        image_bytes: tally.image_bytes,
    })
}
