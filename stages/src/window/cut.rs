//! `window`: signals cut into sequences of blocks.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeListArray, Float32Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{column, integers, longs, strings};
use schemas::random::KeyedRandom;
use schemas::tables::signals::{self, PARTS, SIGNAL, signals};
use schemas::tables::windows;
use schemas::units::{Count, Probability};
use serde::{Deserialize, Serialize};

use super::columns::{check_signals, signal_values, with_carried};
use super::error::{WindowError, reserve};
use super::timing::stamp_nanos;
use super::view::{Cutting, WindowView};
use super::window_labels::{ACTIVITY_SHARE, WindowLabels};
use crate::stage::{BuildContext, FanOut, Outcome, Stage, StageError, reject};

/// T, blocks in a sequence. Source: Project Abacus (arXiv 1511.03908).
pub const BLOCKS: Count = Count::constant(20);
/// B, samples in a block: 1 s at 50 Hz. Source: Project Abacus (arXiv 1511.03908).
pub const BLOCK_SAMPLES: Count = Count::constant(50);
/// Samples from block to block: 50 % overlap. Source: Project Abacus (arXiv 1511.03908).
pub const BLOCK_HOP_SAMPLES: Count = Count::constant(25);

/// The most windows that a batch of signals may become: 4 million, whose names alone take half a gibibyte.
const MOST_WINDOWS: usize = 4_000_000;

/// Keys of the stage `window`.
///
/// ```
/// let config: stages::window::WindowConfig = toml::from_str("stride_samples = 525")?;
/// assert_eq!(config.cutting().length(), 525);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// T, blocks in a sequence, [`BLOCKS`].
    #[serde(default = "blocks")]
    pub blocks: Count,
    /// B, samples in a block; by default [`BLOCK_SAMPLES`].
    #[serde(default = "block_samples")]
    pub block_samples: Count,
    /// Samples from the start of one block to that of the next; by default [`BLOCK_HOP_SAMPLES`].
    #[serde(default = "block_hop_samples")]
    pub block_hop_samples: Count,
    /// Samples from the start of one sequence to that of the next.
    ///
    /// The paper does not state it. The default is our choice: half a sequence, rounded down to whole hops but at
    /// least one hop, so that neighbours overlap by half or slightly more and share blocks: 250 with the other
    /// defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride_samples: Option<Count>,
    /// The first sequence of a signal begins at a random sample from 0 to this one, drawn for each row and copy, and
    /// no further than leaves room for one sequence. By default 0, no shift.
    #[serde(default)]
    pub start_shift_samples: u32,
    /// The share of a window's samples that its activity must have: the activity that most samples have is the window's if
    /// they are at least as many, and the column `activity_share` says how many there are. By default all samples must
    /// agree, and there is no such column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_share: Option<Probability>,
}

fn blocks() -> Count {
    BLOCKS
}

fn block_samples() -> Count {
    BLOCK_SAMPLES
}

fn block_hop_samples() -> Count {
    BLOCK_HOP_SAMPLES
}

impl WindowConfig {
    /// How signals are cut.
    pub fn cutting(&self) -> Cutting {
        let of = |count: Count| count.get() as usize;
        let (blocks, block_samples) = (of(self.blocks), of(self.block_samples));
        let hop_samples = of(self.block_hop_samples);
        let unset = Cutting { blocks, block_samples, hop_samples, stride_samples: 1 };
        let half = (unset.length() / 2 / hop_samples).max(1) * hop_samples;
        Cutting { stride_samples: self.stride_samples.map_or(half, of), ..unset }
    }

    /// Builds the stage.
    ///
    /// # Errors
    /// When a window would hold more numbers than a row can.
    pub fn build(&self, context: &BuildContext) -> Result<Window, StageError> {
        let cutting = self.cutting();
        if i32::try_from(cutting.blocks * cutting.block_samples).is_err() {
            let (blocks, samples) = (cutting.blocks, cutting.block_samples);
            return Err(StageError::step(WindowError::LongWindow { blocks, samples }));
        }
        let shift = self.start_shift_samples as usize;
        let activity_share = self.activity_share.map(Probability::get);
        Ok(Window { name: context.name.clone(), seed: context.seed, cutting, shift, activity_share })
    }
}

/// Signals to windows `[T, B, C]`, those of one signal one after the other, numbered in the column `sequence`.
///
/// A window's `activity` is that of its samples, by the column `parts` of signals, and its `source_file` that of its first
/// sample; without that column they are those of the signal.
///
/// A row that is shorter than a sequence is rejected; samples after the last sequence are not used. If the
/// windows of a batch are contiguous in its signals (no overlap, nothing left over), they share the signals'
/// memory; else each block is copied once.
#[derive(Debug, Clone)]
pub struct Window {
    name: String,
    seed: u64,
    cutting: Cutting,
    shift: usize,
    activity_share: Option<f64>,
}

impl Window {
    fn schema(&self, input: &Schema) -> Result<SchemaRef, StageError> {
        let Cutting { blocks, block_samples, hop_samples, stride_samples } = self.cutting;
        let mut schema = windows::schema(input, blocks, block_samples, hop_samples)?;
        schema.metadata.insert(windows::STRIDE_KEY.to_owned(), stride_samples.to_string());
        let schema = with_carried(input, &schema, SIGNAL);
        // Windows have activity and file of their own.
        let fields = schema.fields().iter().filter(|field| field.name() != PARTS).cloned();
        let share =
            self.activity_share.map(|_| Arc::new(Field::new(ACTIVITY_SHARE, DataType::Float32, false)));
        let fields: Vec<FieldRef> = fields.chain(share).collect();
        Ok(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())))
    }

    /// The first sample of the first sequence of a signal of `samples`.
    fn first_sample(&self, id: &str, copy: i32, samples: usize) -> usize {
        let most = self.shift.min(samples.saturating_sub(self.cutting.length()));
        // No draw where there is nothing to draw; the row's stream serves nothing else.
        if most == 0 { 0 } else { KeyedRandom::new(self.seed, &self.name, id, copy).index(most + 1) }
    }
}

/// The windows' numbers: the signals' own memory where they stand there in one piece, else a copy.
fn numbers(
    batch: &RecordBatch,
    views: &[WindowView<'_>],
    cutting: Cutting,
) -> Result<ScalarBuffer<f32>, StageError> {
    let signals = signals(batch)?;
    let channels = signals.channels();
    let windows: usize = views.iter().map(WindowView::count).sum();
    let total = windows.saturating_mul(cutting.blocks * cutting.block_samples * channels);
    if cutting.tiles() {
        // Where in the signals of the batch each row's windows begin and end.
        let (mut before, mut pieces) = (0, Vec::new());
        for (row, view) in views.iter().enumerate() {
            let start = before + view.start(0);
            pieces.extend((view.count() > 0).then(|| start..start + view.count() * cutting.length()));
            before += signals.row(row).len() / channels.max(1);
        }
        if pieces.windows(2).all(|pair| pair[0].end == pair[1].start) {
            let first = pieces.first().map_or(0, |piece| piece.start);
            return Ok(signal_values(batch)?.slice(first * channels, total));
        }
    }
    let mut numbers = Vec::new();
    reserve(&mut numbers, total, "windows")?;
    for view in views {
        view.gather(&mut numbers);
    }
    Ok(numbers.into())
}

/// `numbers`, `[N, T, B, C]`, as the column `window`.
fn window_column(numbers: ScalarBuffer<f32>, shape: [usize; 3]) -> Result<ArrayRef, StageError> {
    let mut array: ArrayRef = Arc::new(Float32Array::new(numbers, None));
    for length in shape.into_iter().rev() {
        let item = Arc::new(Field::new("item", array.data_type().clone(), true));
        array = Arc::new(FixedSizeListArray::try_new(item, length as i32, array, None)?);
    }
    Ok(array)
}

impl Stage for Window {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        check_signals(input)?;
        self.schema(input)
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let (signals, rate_hz) = (signals(batch)?, signals::rate_hz(batch.schema_ref())?);
        let (ids, copies) = (strings(batch, "sample_id")?, integers(batch, "copy")?);
        let starts = longs(batch, "start_nanos")?;
        let mut labels = WindowLabels::of(batch, self.activity_share)?;
        let (channels, length) = (signals.channels(), self.cutting.length());
        let (mut views, mut rejects) = (Vec::new(), Vec::new());
        let (mut rows, mut names, mut sequences) = (Vec::new(), Vec::new(), Vec::new());
        let mut windows = 0_usize;
        let (mut start_nanos, mut end_nanos) = (Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            let (signal, id) = (signals.row(row), ids.value(row));
            let samples = signal.len() / channels.max(1);
            let first = self.first_sample(id, copies.value(row), samples);
            let view = WindowView::new(signal, channels, self.cutting, first);
            if view.count() == 0 {
                let seconds = |samples: usize| samples as f64 / rate_hz;
                let detail = format!(
                    "{samples} samples ({} s); a window takes {length} ({} s)",
                    seconds(samples),
                    seconds(length)
                );
                rejects.push(reject(batch, row, &self.name, "shorter than a window", detail));
            }
            windows = windows.saturating_add(view.count());
            if windows > MOST_WINDOWS {
                return Err(StageError::step(WindowError::ManyWindows { windows, most: MOST_WINDOWS }));
            }
            for sequence in 0..view.count() {
                let start = view.start(sequence);
                rows.push(row as u64);
                labels.push(row, start..start + length);
                names.push(format!("{id}-{sequence:05}"));
                sequences.push(sequence as i32);
                start_nanos.push(stamp_nanos(starts.value(row), start, rate_hz));
                end_nanos.push(stamp_nanos(starts.value(row), start + length, rate_hz));
            }
            views.push(view);
        }
        let taken = batch.num_rows() - rejects.len();
        let shape = [self.cutting.blocks, self.cutting.block_samples, channels];
        let window = window_column(numbers(batch, &views, self.cutting)?, shape)?;
        let (schema, rows) = (self.schema(batch.schema_ref())?, UInt64Array::from(rows));
        let [activity, source_file, share] = labels.finish();
        let made: [(&str, ArrayRef); 8] = [
            ("activity", activity),
            ("source_file", source_file),
            (ACTIVITY_SHARE, share),
            ("sample_id", Arc::new(StringArray::from(names))),
            ("start_nanos", Arc::new(Int64Array::from(start_nanos))),
            ("sequence", Arc::new(Int32Array::from(sequences))),
            ("end_nanos", Arc::new(Int64Array::from(end_nanos))),
            (windows::WINDOW, window),
        ];
        let columns = schema.fields().iter().map(|field| -> Result<ArrayRef, StageError> {
            match made.iter().find(|(name, _)| name == field.name()) {
                Some((_, array)) => Ok(array.clone()),
                None => Ok(take(column(batch, field.name())?, &rows, None)?),
            }
        });
        let rows = RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)?;
        Ok(Outcome { taken: Some(taken), ..Outcome::some(rows, rejects) })
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Varies
    }
}
