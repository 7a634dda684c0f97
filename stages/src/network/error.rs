//! Why a network cannot be opened or does not run.

use std::path::{Path, PathBuf};

use datasets::ReadError;
use schemas::{Fault, Hinted};

use super::port::{Port, dimensions_text, listed};
use super::search::{CPU_WHEEL, LIBRARY_VARIABLE};
use crate::StageError;

/// Why a network cannot be opened or does not run.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum NetworkError {
    #[error("{error}: `{}`", path.display())]
    At { error: Box<NetworkError>, path: PathBuf },

    // The file by itself.
    #[error("the network is no ONNX model: {reason}")]
    NotOnnx { reason: &'static str },
    #[error("the network has weights in `{location}`, outside its folder")]
    OutsideFolder { location: String },

    // The card by itself.
    #[error("cannot read the model card: {reason}: `{}`", path.display())]
    NoCard { reason: String, path: PathBuf },
    #[error(transparent)]
    Skeleton(#[from] ReadError),
    #[error("the input is {width} x {height} px")]
    NoPixels { width: u32, height: u32 },
    #[error("`{key}` must be positive, found `{found}`")]
    NotPositive { key: &'static str, found: String },
    #[error("`input.mean` must be finite, found {found:?}")]
    MeanNotFinite { found: [f64; 3] },
    #[error("a {element} input is not normalised, but the card gives `mean` or `std`")]
    NormalisedBytes { element: &'static str },
    #[error("the sides must be multiples of {multiple} px, found {width} x {height}")]
    NoMultiple { width: u32, height: u32, multiple: u32 },
    #[error("the network's sides are fixed to {width} x {height} px")]
    FixedSides { width: u32, height: u32 },
    #[error("the card names no output")]
    NoOutput,
    #[error("output `{output}` is named twice")]
    OutputTwice { output: String },
    #[error("output `{output}`: `head` counts from 1, found `{found}`")]
    Head { output: String, found: i32 },
    #[error("output `{output}`: `stride` {stride} and `{key}` {value} give no place")]
    NoPlace { output: String, stride: f64, key: &'static str, value: f64 },
    #[error("output `{output}`: `background` is not an index of its {channels} channels")]
    Background { output: String, channels: usize },
    #[error("output `{output}` keeps {kept} channels, but skeleton `{skeleton}` has {joints} joints")]
    Channels { output: String, kept: usize, skeleton: String, joints: usize },
    #[error("the card has no section `[crop]`")]
    NoCrop,
    #[error("the outputs of a card must be of one kind, found `{first}` and `{other}`")]
    MixedKinds { first: &'static str, other: &'static str },
    #[error("output `{output}` has no offsets, but the first one has")]
    SomeOffsets { output: String },
    #[error("output `{output}`: `point` must have one `x` and one `y`")]
    PointNumbers { output: String },
    #[error("output `{output}`: scores stand in `point` and in `scores`")]
    ScoreTwice { output: String },
    #[error("output `{output}`: `points` has `{point}` twice")]
    PointTwice { output: String, point: String },
    #[error("output `{output}`: `points` has no `{joint}`, which is a joint of `{skeleton}`")]
    NoSuchPoint { output: String, joint: String, skeleton: String },
    #[error(
        "output `{output}`: `row` must have a `score`, and `left`, `top`, `right` and `bottom`, or `left`, `top`, `width` and \
         `height`, or `center_x`, `center_y`, `width` and `height`"
    )]
    CandidateNumbers { output: String },
    #[error("output `{output}`: the joints must stand in `row`, or in an output that `joints` names, once")]
    JointsOnce { output: String },
    #[error("`{key}` must be a number, found `{found}`")]
    NotFinite { key: &'static str, found: String },
    #[error("`{key}` must be between 0 and 1, found `{found}`")]
    NoPart { key: &'static str, found: f64 },
    #[error("output `{output}`: a card has one output of detections")]
    SecondDetections { output: String },
    #[error("the card has no channels, blocks or samples")]
    NoWindow,
    #[error("output `{output}` has {size} numbers but {classes} classes")]
    Classes { output: String, size: usize, classes: usize },
    #[error("state `{input}` to `{output}`: a name is named twice")]
    StateTwice { input: String, output: String },
    #[error("state `{input}` has the shape {shape:?}")]
    StateShape { input: String, shape: Vec<usize> },
    #[error("input `{name}` of shape {shape:?} has more numbers than can be read")]
    LargeShape { name: String, shape: Vec<usize> },
    #[error("the card has no output `{name}`")]
    UnknownOutput { name: String, known: Vec<String> },
    #[error("`carry_state` is set, but the card names no states")]
    NoStates,

    // The card against the network.
    #[error("the network has an input `{}` ({port}) that the card does not name", port.name)]
    UnnamedInput { port: Port, fed: &'static str },
    #[error("the card names {what} `{name}`, but the network has {}", listed(known))]
    NoPort { what: &'static str, name: String, known: Vec<String> },
    #[error("{what} `{}`: the card expects {element} {}, the network has {port}", port.name, dimensions_text(dimensions))]
    OtherPort { what: &'static str, port: Port, element: &'static str, dimensions: Vec<i64> },
    #[error("the network takes {rows} rows of `{port}` a call, but {other_rows} of `{other}`")]
    UnequalRows { rows: i64, port: String, other_rows: i64, other: String },
    #[error("the network takes 0 rows per call")]
    NoRows,
    #[error("`batch = {asked}`, but the network takes {fixed} rows per call")]
    FixedRows { asked: usize, fixed: usize },
    #[error(
        "output `{output}`: {rows} rows of {expected} are expected, a run gave {}",
        dimensions_text(found)
    )]
    OtherShape { output: String, rows: usize, expected: String, found: Vec<i64>, keys: &'static str },
    #[error(
        "output `{output}`: stride {stride} on an input of {axis} {input_px} px makes about {cells:.1} map px, a run gave \
         {found}"
    )]
    Stride { output: String, stride: f64, axis: &'static str, input_px: u32, cells: f64, found: i64 },
    #[error("output `{output}`: `center` {center} lies outside its maps of {width} x {height} px")]
    CenterOutside { output: String, center: f64, width: i64, height: i64 },
    #[error(
        "output `{first}` has maps of {size:?} px, output `{other}` of {other_size:?} px; the rows of one table have one \
         size"
    )]
    MapSizes { first: String, size: [usize; 2], other: String, other_size: [usize; 2] },
    #[error(
        "output `{output}`: its maps do not lie on their own mirror image: `origin` must be {expected}, found `{found}`"
    )]
    Asymmetric { output: String, expected: f64, found: f64 },
    #[error(
        "output `{output}`: the card expects {expected:?} as the last dimensions, a run gave {}",
        dimensions_text(found)
    )]
    OtherOrder { output: String, expected: [i64; 2], found: Vec<i64> },
    #[error("output `{output}`: bins of 1/{ratio} px do not lie on their own mirror image")]
    AsymmetricBins { output: String, ratio: f64 },
    #[error("output `{output}`: people of a mirrored picture cannot be averaged with those of the plain one")]
    FlippedDetections { output: String },

    // The rows against the network.
    #[error(
        "the network `{network}` expects images of {} x {} px, the samples are {} x {} px",
        expected[0], expected[1], found[0], found[1]
    )]
    ImageSize { network: String, expected: [u32; 2], found: [u32; 2] },
    #[error("the network `{network}` needs the image, but the rows have none")]
    NoImage { network: String },
    #[error("the network `{network}` refines joints of `{expected}`, the maps are of `{found}`")]
    OtherSkeleton { network: String, expected: String, found: String },
    #[error(
        "the network `{network}` reads windows of {expected:?} (blocks, samples, channels), found {found:?}"
    )]
    WindowShape { network: String, expected: [usize; 3], found: [usize; 3] },
    #[error("the network `{network}` reads the channels {}; found {}", expected.join(", "), found.join(", "))]
    WindowChannels { network: String, expected: Vec<String>, found: Vec<String> },
    #[error("the network `{network}` reads signals of {expected} Hz, found {found} Hz")]
    Rate { network: String, expected: f64, found: f64 },
    #[error(
        "`carry_state` needs windows whose first block is the next one behind the last block of the window before, which \
         is every {advance} samples; {found}"
    )]
    Cutting { advance: f64, found: String },
    #[error(
        "window `{window}` is number {number} of its stretch, and the ones before it, whose state it needs, are not at \
         hand"
    )]
    NotFirst { window: String, number: i32 },
    #[error("windows `{first}` and `{second}` are the same part of one stretch")]
    SameWindow { first: String, second: String },

    // The machine.
    #[error("`tensorrt` has keys, but the provider is `{provider}`")]
    NotTensorrt { provider: &'static str },
    #[error("`devices` is empty")]
    NoDevices,
    #[error("ONNX Runtime `{}` is asked for, but this process has loaded `{}`", asked.display(), loaded.display())]
    OtherRuntime { asked: PathBuf, loaded: PathBuf },
    #[error("cannot load ONNX Runtime; tried {}", tried.join("; "))]
    NoRuntime { tried: Vec<String> },
    #[error("{}", failures.join("; "))]
    NotStarted { failures: Vec<String>, install: String },
    #[error("session {number} on device {device}: {reason}")]
    Session { number: usize, device: i32, reason: String },
    #[error("{what}: {source}")]
    Runtime { what: &'static str, source: ort::Error },
}

impl NetworkError {
    /// The error with its file at the end.
    #[must_use]
    pub fn at(self, path: &Path) -> Self {
        Self::At { error: Box::new(self), path: path.to_owned() }
    }

    /// What the runtime said when `what` went wrong.
    pub fn runtime(what: &'static str) -> impl Fn(ort::Error) -> Self + Copy {
        move |source| Self::Runtime { what, source }
    }
}

impl From<NetworkError> for StageError {
    fn from(error: NetworkError) -> Self {
        Self::step(error)
    }
}

impl Hinted for NetworkError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::At { error, .. } => return error.hint(),
            Self::Skeleton(error) => return error.hint(),
            Self::OutsideFolder { .. } => {
                "keep the weights in the folder of the `.onnx` file, and export it again".into()
            }
            Self::NormalisedBytes { .. } => {
                "leave `input.mean` and `input.std` out, or set `input.element = \"float32\"`".into()
            }
            Self::FixedSides { .. } => {
                "leave `size` out; if width and height of the network are free, say `input.multiple` in its card".into()
            }
            Self::Channels { .. } => {
                "correct `channels`, `background` or `skeleton` in the model card".into()
            }
            Self::UnknownOutput { known, .. } => format!("the outputs are {}", listed(known)),
            Self::NoStates => {
                "leave `carry_state` out, or name the network's `[[states]]` in its card".into()
            }
            Self::UnnamedInput { fed, .. } => {
                format!("only {fed} can be fed; export the network without other inputs")
            }
            Self::NoPort { .. } => "correct the name in the model card".into(),
            Self::OtherPort { .. } => {
                "correct the size, layout, element, channels or states in the model card".into()
            }
            Self::UnequalRows { .. } => "export the network with one number of rows, best a free one".into(),
            Self::NoRows | Self::NotOnnx { .. } => "export it again".into(),
            Self::FixedRows { .. } => {
                "leave `batch` out, or export the network with a free first dimension".into()
            }
            Self::OtherShape { keys, .. } => format!("correct {keys} in the model card"),
            Self::Stride { .. } => "correct `stride` in the model card".into(),
            Self::CenterOutside { .. } => "correct `center` in the model card".into(),
            Self::MapSizes { .. } => {
                "name outputs of one size in the model card, and the others in a separate card".into()
            }
            Self::Asymmetric { .. } | Self::AsymmetricBins { .. } => {
                "leave `flip_average` out, or set `flip_rule = \"toolkit\"` to average as the network's toolkit does".into()
            }
            Self::FlippedDetections { .. } => "leave `flip_average` out".into(),
            Self::OtherOrder { .. } => "correct `order` in the model card".into(),
            Self::NoCrop => "add it to the card, or name `size` and `frame` in the plan".into(),
            Self::ImageSize { expected: [width, height], .. } => {
                format!("set the crop's size to {width} x {height} px")
            }
            Self::NoImage { .. } => "set `keep_image = true` in the stage `infer` before".into(),
            Self::OtherSkeleton { .. } => "pair networks that were trained with one skeleton".into(),
            Self::WindowShape { expected: [blocks, samples, _], .. } => {
                format!("set `blocks = {blocks}` and `block_samples = {samples}` in `window`")
            }
            Self::WindowChannels { .. } => {
                "choose the channels that it was trained on with `features`".into()
            }
            Self::Rate { expected, .. } => format!("set `rate_hz = {expected}` in `resample`"),
            Self::Cutting { advance, .. } => format!(
                "set `stride_samples = {advance}` in `window`, which is `blocks` times `block_hop_samples`"
            ),
            Self::NotFirst { .. } => {
                "`carry_state` needs whole stretches: let `readings` or `signals` go through \
                                      `window` in the same plan, and `filter` no first windows away"
                    .into()
            }
            Self::SameWindow { .. } => "give every stretch of a session a `segment` of its own".into(),
            Self::NotTensorrt { .. } => "leave `tensorrt` out, or set `provider = \"tensorrt\"`".into(),
            Self::NoDevices => "name the GPUs to use, such as `devices = [0]`".into(),
            Self::OtherRuntime { .. } => {
                format!("name the same library everywhere, or set `{LIBRARY_VARIABLE}`")
            }
            Self::NoRuntime { .. } => format!(
                "`pip install {CPU_WHEEL}` into a `.venv` beside your plan, or set `{LIBRARY_VARIABLE}` to the \
                 library's file"
            ),
            Self::NotStarted { install, .. } => install.clone(),
            Self::Session { .. } => "lower `sessions`".into(),
            _ => return None,
        })
    }

    fn fault(&self) -> Fault {
        match self {
            Self::At { error, .. } => error.fault(),
            Self::NoRuntime { .. }
            | Self::NotStarted { .. }
            | Self::Session { .. }
            | Self::Runtime { .. } => Fault::Inference,
            Self::NotFirst { .. } | Self::SameWindow { .. } => Fault::Data,
            _ => Fault::Config,
        }
    }
}
