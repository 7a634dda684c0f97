//! The stage `embed`: one row of `embeddings` for each block of a window, or for each window.

use std::mem::take;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use schemas::SchemaError;
use schemas::columns::longs;
use schemas::tables::{embeddings, signals, windows};

use super::card::{Frames, SequenceCard, SequenceOutput};
use super::carry;
use super::worker::SequenceWorker;
use crate::network::{NetworkError, Opened};
use crate::stage::{FanOut, reject};
use crate::{Outcome, Stage, StageError};

/// Name of the stage in rejects.
const NAME: &str = "embed";

/// A network that reads windows, ready to run.
pub struct Embed {
    pub(super) card: SequenceCard,
    pub(super) output: SequenceOutput,
    /// Whether states go from window to window.
    pub(super) carry: bool,
    pub(super) network: Opened<SequenceWorker>,
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
        let network = self.card.name.clone();
        let (found, expected) = (windows::shape(input)?, self.card.window_shape());
        if found != expected {
            return Err(NetworkError::WindowShape { network, expected, found }.into());
        }
        let found = signals::channels(input)?;
        if found != self.card.channels {
            let expected = self.card.channels.clone();
            return Err(NetworkError::WindowChannels { network, expected, found }.into());
        }
        let (found, expected) = (signals::rate_hz(input)?, self.card.rate_hz.get());
        if found != expected {
            return Err(NetworkError::Rate { network, expected, found }.into());
        }
        Ok(())
    }

    /// The embeddings of the windows of `runs`, `[N, frames, D]` in the order of the rows of the batch, N of them.
    ///
    /// The windows of a run follow each other; runs stand side by side in a call, as many as it has windows.
    fn embed(&self, numbers: &[f32], runs: &[Vec<usize>]) -> Result<Vec<f32>, StageError> {
        let shape = self.card.window_shape();
        let (length, size) = (shape.iter().product::<usize>(), self.output.size);
        let steps = match self.output.frames {
            Frames::Each | Frames::Last => shape[0],
            Frames::One => 1,
        };
        let kept = self.frames();
        let mut made: Vec<(usize, Vec<f32>)> = Vec::new();
        let (mut odd, rows) = (None, self.network.rows());
        self.network.with(|worker| {
            for call in carry::calls(runs, rows) {
                let fill = |input: &mut [f32]| {
                    for (slot, turn) in input.chunks_exact_mut(length).zip(&call) {
                        match turn {
                            Some(turn) => {
                                let window = &numbers[turn.row * length..][..length];
                                self.card.input.axes.arrange(window, shape, slot);
                            }
                            None => slot.fill(0.0),
                        }
                    }
                };
                let fresh: Vec<bool> = call.iter().map(|turn| turn.is_none_or(|turn| turn.first)).collect();
                worker.run(&fresh, fill, |dimensions, values| {
                    if values.len() != rows * steps * size {
                        odd = Some(dimensions.to_vec());
                        return;
                    }
                    for (turn, row) in call.iter().zip(values.chunks_exact(steps * size)) {
                        made.extend(turn.map(|turn| (turn.row, row[(steps - kept) * size..].to_vec())));
                    }
                })?;
            }
            Ok::<(), NetworkError>(())
        })?;
        made.sort_unstable_by_key(|(row, _)| *row);
        match odd {
            None => Ok(made.into_iter().flat_map(|(_, vectors)| vectors).collect()),
            Some(found) => Err(NetworkError::OtherShape {
                output: self.output.name.clone(),
                rows,
                expected: format!("{steps} x {size}"),
                found,
                keys: "`frames` or `size`",
            }
            .into()),
        }
    }

    /// The samples from the first block of a window to that of the window that goes on where it ends.
    fn advance(&self, input: &Schema) -> Result<f64, StageError> {
        Ok(self.card.input.blocks as f64 * windows::hop_samples(input)?)
    }
}

impl Stage for Embed {
    fn engines(&self) -> Vec<(String, String)> {
        self.network.engines()
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.check_input(input)?;
        if self.carry {
            carry::check_cutting(input, self.advance(input)?)?;
        }
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
                    "a sample of the window is not a finite number",
                ));
            }
        }
        let runs = if self.carry {
            let period_nanos = 1e9 / signals::rate_hz(batch.schema_ref())?;
            carry::stretches(batch, &rows, self.advance(batch.schema_ref())?, period_nanos)?
        } else {
            rows.iter().map(|row| vec![*row]).collect()
        };
        let mut vectors = self.embed(numbers, &runs)?;
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
        let hop = windows::hop_samples(schema)?;
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
