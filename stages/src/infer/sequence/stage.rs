//! The stage `embed`: one row of `embeddings` for each block of a window, or for each window.

use std::mem::take;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::SchemaError;
use schemas::columns::longs;
use schemas::tables::{embeddings, signals, windows};
use serde::{Deserialize, Serialize};

use super::card::{Frames, SequenceCard, SequenceOutput};
use super::worker::{SequenceWorker, check_sequence_ports};
use crate::infer::config::DEFAULT_BATCH_CPU;
use crate::infer::model_card::ModelCard;
use crate::infer::providers::{Network, Provider, Running, choose, start};
use crate::infer::runtime::Runtime;
use crate::infer::session::Pool;
use crate::stage::{FanOut, reject};
use crate::{BuildContext, Outcome, Stage, StageError};

/// Name of the stage in rejects.
const NAME: &str = "embed";

/// Keys of the stage `embed`: which network reads the windows, and on what it runs.
///
/// ```
/// let config: stages::infer::EmbedConfig = toml::from_str("model = 'dcwrnn.onnx'\noutput = 'features'")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmbedConfig {
    /// The `.onnx` file.
    #[schemars(extend("format" = "path"))]
    pub model: PathBuf,
    /// Its card; by default the `.toml` of the same stem beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub card: Option<PathBuf>,
    /// The output to keep, by its name in the card; the card's first by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// What computes.
    #[serde(default)]
    pub provider: Provider,
    /// Number of the card to use; ignored by `cpu`.
    #[serde(default)]
    pub device: i32,
    /// Whether a slower provider may take over where `provider` does not start.
    #[serde(default)]
    pub fall_back: bool,
    /// Windows a call; by default what the network fixes, else one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<NonZeroUsize>,
    /// The file of ONNX Runtime; by default it is searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub library: Option<PathBuf>,
}

impl EmbedConfig {
    /// The configuration that runs `model` with every default.
    pub fn new(model: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            card: None,
            output: None,
            provider: Provider::default(),
            device: 0,
            fall_back: false,
            batch: None,
            library: None,
        }
    }

    /// The files that are read: the network and its card.
    pub fn inputs(&self) -> Vec<PathBuf> {
        let card = self.card.clone().unwrap_or_else(|| ModelCard::path_beside(&self.model));
        vec![self.model.clone(), card]
    }

    /// Loads the network, one session a thread, and checks it against its card.
    ///
    /// # Errors
    /// When the runtime, the provider, the network or its card is missing, or they do not fit together.
    pub fn build(&self, context: &BuildContext) -> Result<Embed, StageError> {
        let model = context.folder.join(&self.model);
        if let Err(source) = std::fs::File::open(&model) {
            return Err(StageError::File { what: "network", path: model, source });
        }
        let card_path = self.card.as_ref().map(|path| context.folder.join(path));
        let card_path = card_path.unwrap_or_else(|| ModelCard::path_beside(&model));
        let card = SequenceCard::read(&card_path)?;
        let output = card.output(self.output.as_deref())?.clone();
        let library = self.library.as_ref().map(|path| context.folder.join(path));
        let runtime = Runtime::load(library.as_deref())?;
        let network = Network::File(&model);
        let (first, running) = choose(runtime, self.provider, self.device, self.fall_back, 1, network)?;
        let fixed = check_sequence_ports(&card, &output, &first).map_err(|error| at(error, &card_path))?;
        let rows = match (fixed, self.batch.map(NonZeroUsize::get)) {
            (Some(fixed), Some(asked)) if fixed != asked => {
                return Err(StageError::config(
                    format!("`batch = {asked}`, but the network takes {fixed} windows a call"),
                    "leave `batch` out, or export the network with a free first dimension",
                ));
            }
            (fixed, asked) => fixed.or(asked).unwrap_or(DEFAULT_BATCH_CPU).max(1),
        };
        let mut workers = vec![SequenceWorker::new(first, &card, &output, rows)?];
        for _ in 1..context.threads.max(1) {
            let session = start(runtime, running.provider, self.device, 1, network)
                .map_err(|message| StageError::Inference { message, hint: None })?;
            workers.push(SequenceWorker::new(session, &card, &output, rows)?);
        }
        Ok(Embed { card, output, pool: Pool::new(workers), rows, running, runtime })
    }
}

fn at(error: StageError, path: &Path) -> StageError {
    match error {
        StageError::Config { message, hint } => {
            StageError::Config { message: format!("{message}: `{}`", path.display()), hint }
        }
        other => other,
    }
}

/// A network that reads windows, ready to run.
pub struct Embed {
    card: SequenceCard,
    output: SequenceOutput,
    pool: Pool<SequenceWorker>,
    rows: usize,
    running: Running,
    runtime: &'static Runtime,
}

impl Embed {
    /// Embeddings that a window gives.
    fn frames(&self) -> usize {
        match self.output.frames {
            Frames::Each => self.card.input.blocks,
            Frames::Last | Frames::One => 1,
        }
    }

    fn check_input(&self, input: &Schema) -> Result<(), StageError> {
        let (found, expected) = (windows::shape(input)?, self.card.window_shape());
        if found != expected {
            return Err(StageError::config(
                format!(
                    "the network `{}` reads windows of {expected:?} (blocks, samples, channels), found {found:?}",
                    self.card.name
                ),
                format!("set `blocks = {}` and `block_samples = {}` in `window`", expected[0], expected[1]),
            ));
        }
        let channels = signals::channels(input)?;
        if channels != self.card.channels {
            let (expected, found) = (self.card.channels.join(", "), channels.join(", "));
            return Err(StageError::config(
                format!("the network `{}` reads the channels {expected}; found {found}", self.card.name),
                "choose the channels that it was trained on with `features`",
            ));
        }
        let (found, expected) = (signals::rate_hz(input)?, self.card.rate_hz.get());
        if found != expected {
            return Err(StageError::config(
                format!("the network `{}` reads signals of {expected} Hz, found {found} Hz", self.card.name),
                format!("set `rate_hz = {expected}` in `resample`"),
            ));
        }
        Ok(())
    }

    /// The embeddings of the windows `rows`, `[rows, frames, D]`.
    fn embed(&self, numbers: &[f32], rows: &[usize]) -> Result<Vec<f32>, StageError> {
        let shape = self.card.window_shape();
        let (length, size) = (shape.iter().product::<usize>(), self.output.size);
        let steps = match self.output.frames {
            Frames::Each | Frames::Last => shape[0],
            Frames::One => 1,
        };
        let kept = self.frames();
        let mut all = Vec::with_capacity(rows.len() * kept * size);
        let mut odd = None;
        self.pool.with(|worker| {
            for rows in rows.chunks(self.rows) {
                let fill = |input: &mut [f32]| {
                    for (slot, &row) in input.chunks_exact_mut(length).zip(rows) {
                        self.card.input.axes.arrange(&numbers[row * length..][..length], shape, slot);
                    }
                    input[rows.len() * length..].fill(0.0);
                };
                worker.run(fill, |dimensions, values| {
                    if values.len() != self.rows * steps * size {
                        odd = Some(dimensions.to_vec());
                        return;
                    }
                    for row in values.chunks_exact(steps * size).take(rows.len()) {
                        all.extend_from_slice(&row[(steps - kept) * size..]);
                    }
                })?;
            }
            Ok::<(), StageError>(())
        })?;
        match odd {
            None => Ok(all),
            Some(found) => Err(StageError::config(
                format!(
                    "output `{}`: {} rows of {steps} x {size} are expected, a run gave {found:?}",
                    self.output.name, self.rows
                ),
                "correct `frames` or `size` in the model card",
            )),
        }
    }
}

impl Stage for Embed {
    fn engines(&self) -> Vec<(String, String)> {
        vec![("onnxruntime".to_owned(), format!("{}, {}", self.runtime.version(), self.running))]
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.check_input(input)?;
        let mut schema = embeddings::schema(input, self.output.size, &self.card.name);
        if !self.output.classes.is_empty() {
            let classes = serde_json::Value::from(self.output.classes.clone()).to_string();
            schema.metadata.insert(embeddings::CLASSES_KEY.to_owned(), classes);
        }
        Ok(Arc::new(schema))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.output_schema(batch.schema_ref())?;
        let numbers = windows::values(batch)?;
        let length: usize = self.card.window_shape().iter().product();
        let (mut rows, mut rejects) = (Vec::new(), Vec::new());
        for (row, window) in numbers.chunks_exact(length).enumerate() {
            if window.iter().all(|number| number.is_finite()) {
                rows.push(row);
            } else {
                rejects.push(reject(
                    batch,
                    row,
                    NAME,
                    "not finite",
                    "a sample of the window is no finite number",
                ));
            }
        }
        let mut vectors = self.embed(numbers, &rows)?;
        let frames = self.frames();
        let repeated = rows.iter().flat_map(|row| std::iter::repeat_n(*row as u64, frames));
        let carried = take_record_batch(batch, &UInt64Array::from_iter_values(repeated))?;
        let (mut starts, mut ends) = self.spans(batch, &rows)?;
        let mut columns: Vec<ArrayRef> = Vec::new();
        for field in schema.fields() {
            columns.push(match field.name().as_str() {
                "start_nanos" => Arc::new(Int64Array::from(take(&mut starts))),
                "end_nanos" => Arc::new(Int64Array::from(take(&mut ends))),
                "frame" => {
                    let last = self.card.input.blocks as i32 - 1;
                    let frame = |index: i32| if frames == 1 { last } else { index };
                    let all = rows.iter().flat_map(|_| (0..frames as i32).map(frame));
                    Arc::new(Int32Array::from_iter_values(all))
                }
                embeddings::EMBEDDING => embeddings::embedding_array(take(&mut vectors), self.output.size),
                name => Arc::clone(schemas::columns::column(&carried, name)?),
            });
        }
        Ok(Outcome::some(RecordBatch::try_new(schema, columns).map_err(SchemaError::from)?, rejects))
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Each(self.frames())
    }
}

impl Embed {
    /// First and last nanosecond that each embedding of `rows` was made from: its block, or the whole window.
    fn spans(&self, batch: &RecordBatch, rows: &[usize]) -> Result<(Vec<i64>, Vec<i64>), StageError> {
        let (starts, ends) = (longs(batch, "start_nanos")?, longs(batch, "end_nanos")?);
        if self.output.frames != Frames::Each {
            let pick = |column: &Int64Array| rows.iter().map(|&row| column.value(row)).collect();
            return Ok((pick(starts), pick(ends)));
        }
        let schema = batch.schema_ref();
        let period_nanos = 1e9 / signals::rate_hz(schema)?;
        let hop = schema.metadata().get(windows::HOP_KEY).and_then(|text| text.parse::<f64>().ok());
        let hop = hop.ok_or(SchemaError::NoMetadata { key: windows::HOP_KEY })?;
        let samples = self.card.input.block_samples as f64;
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for &row in rows {
            for block in 0..self.card.input.blocks {
                let begin = block as f64 * hop;
                first.push(starts.value(row) + (begin * period_nanos).round() as i64);
                last.push(starts.value(row) + ((begin + samples) * period_nanos).round() as i64);
            }
        }
        Ok((first, last))
    }
}
