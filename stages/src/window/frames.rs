//! `frames`: windows to frames without a network, unchanged: the "raw features" that a paper compares with.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, FixedSizeListArray, Float32Array, Int32Array, Int64Array, RecordBatch, UInt64Array,
};
use arrow::buffer::ScalarBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use schemas::columns::{SchemaError, column, longs};
use schemas::tables::embeddings::{self, EMBEDDING};
use schemas::tables::signals::rate_hz;
use schemas::tables::windows::{HOP_KEY, WINDOW, shape, values};
use serde::{Deserialize, Serialize};

use super::columns::{check_windows, with_carried};
use super::timing::stamp_nanos;
use crate::stage::{BuildContext, FanOut, Outcome, Stage, StageError};

/// Keys of the stage `frames`.
///
/// ```
/// let config: stages::window::FramesConfig = toml::from_str("of = \"block\"")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FramesConfig {
    /// What a frame is.
    pub of: FrameOf,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FrameOf {
    /// A block, its samples one after the other: D = B x C, T frames per window.
    Block,
    /// A sample: D = C. Where blocks overlap, each sample of the signal is used once: of every block but the
    /// last, those before the next block.
    Sample,
}

impl FrameOf {
    /// Name of the feature in the metadata.
    pub fn model(self) -> &'static str {
        match self {
            Self::Block => "raw-block",
            Self::Sample => "raw-sample",
        }
    }
}

impl FramesConfig {
    /// Builds the stage.
    pub fn build(&self, _context: &BuildContext) -> Frames {
        Frames { of: self.of }
    }
}

/// Windows to `embeddings`, all frames of a window one after the other. It rejects no row.
///
/// The frames share the windows' memory, except samples of blocks that overlap.
#[derive(Debug, Clone)]
pub struct Frames {
    of: FrameOf,
}

/// The frames of a window: where each begins, in samples of the signal from the window's start.
struct Layout {
    /// `[frames]`.
    first_samples: Vec<usize>,
    /// Samples of a frame.
    samples: usize,
    /// Samples of each block that are used, the last one aside, which is used whole.
    used_of_block: usize,
}

impl Frames {
    fn layout(&self, schema: &Schema) -> Result<Layout, StageError> {
        let [blocks, samples, _] = shape(schema)?;
        let hop = schema.metadata().get(HOP_KEY).and_then(|hop| hop.parse::<usize>().ok());
        let hop = hop.filter(|hop| *hop > 0).ok_or(SchemaError::NoMetadata { key: HOP_KEY })?;
        Ok(match self.of {
            FrameOf::Block => {
                let first_samples = (0..blocks).map(|block| block * hop).collect();
                Layout { first_samples, samples, used_of_block: samples }
            }
            FrameOf::Sample => {
                let used = samples.min(hop);
                let of = |block| if block + 1 < blocks { used } else { samples };
                let first_samples =
                    (0..blocks).flat_map(|block| (0..of(block)).map(move |at| block * hop + at));
                Layout { first_samples: first_samples.collect(), samples: 1, used_of_block: used }
            }
        })
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef, StageError> {
        let [_, samples, channels] = shape(input)?;
        let dimensions = if self.of == FrameOf::Block { samples * channels } else { channels };
        let schema = embeddings::schema(input, dimensions, self.of.model());
        Ok(with_carried(input, &schema, WINDOW))
    }
}

/// The numbers that are used, window by window: a part of the window column, or a copy where blocks overlap.
fn numbers(batch: &RecordBatch, used_of_block: usize) -> Result<ScalarBuffer<f32>, StageError> {
    let [blocks, samples, channels] = shape(batch.schema_ref())?;
    let all = values(batch)?;
    if used_of_block == samples || blocks == 1 {
        return window_buffer(batch);
    }
    let (window, block) = (blocks * samples * channels, samples * channels);
    let kept = ((blocks - 1) * used_of_block + samples) * channels;
    let mut numbers = Vec::with_capacity(batch.num_rows() * kept);
    for window in all.chunks_exact(window.max(1)) {
        for (at, block) in window.chunks_exact(block.max(1)).enumerate() {
            let used = if at + 1 < blocks { used_of_block } else { samples };
            numbers.extend_from_slice(&block[..used * channels]);
        }
    }
    Ok(numbers.into())
}

/// The memory of [`values`], shared.
fn window_buffer(batch: &RecordBatch) -> Result<ScalarBuffer<f32>, StageError> {
    let count = values(batch)?.len();
    let blocks = column(batch, WINDOW)?.as_fixed_size_list().values().as_fixed_size_list();
    let numbers: &Float32Array = blocks.values().as_fixed_size_list().values().as_primitive();
    Ok(numbers.values().slice(0, count))
}

impl Stage for Frames {
    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        check_windows(input)?;
        self.layout(input)?;
        self.schema(input)
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let (schema, layout) = (self.schema(batch.schema_ref())?, self.layout(batch.schema_ref())?);
        let (rate_hz, starts) = (rate_hz(batch.schema_ref())?, longs(batch, "start_nanos")?);
        let (count, frames) = (batch.num_rows(), layout.first_samples.len());
        let stamps = |behind: usize| -> ArrayRef {
            let of = |start: &i64| {
                let start = *start;
                let at = layout.first_samples.iter();
                at.map(move |at| stamp_nanos(start, at + behind, rate_hz)).collect::<Vec<_>>()
            };
            Arc::new(Int64Array::from_iter_values(starts.values().iter().flat_map(of)))
        };
        let dimensions = embeddings::dimensions(&schema)?;
        let numbers = Float32Array::new(numbers(batch, layout.used_of_block)?, None);
        let item = Arc::new(Field::new("item", DataType::Float32, true));
        let embedding = FixedSizeListArray::try_new(item, dimensions as i32, Arc::new(numbers), None)?;
        let made: [(&str, ArrayRef); 4] = [
            ("start_nanos", stamps(0)),
            ("end_nanos", stamps(layout.samples)),
            ("frame", Arc::new(Int32Array::from_iter_values((0..count).flat_map(|_| 0..frames as i32)))),
            (EMBEDDING, Arc::new(embedding)),
        ];
        let rows =
            UInt64Array::from_iter_values((0..count as u64).flat_map(|row| std::iter::repeat_n(row, frames)));
        let columns = schema.fields().iter().map(|field| -> Result<ArrayRef, StageError> {
            match made.iter().find(|(name, _)| name == field.name()) {
                Some((_, array)) => Ok(array.clone()),
                None => Ok(take(column(batch, field.name())?, &rows, None)?),
            }
        });
        let rows = RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)?;
        Ok(Outcome { taken: Some(count), ..Outcome::all(rows) })
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Varies
    }
}

#[cfg(test)]
mod tests {
    use super::super::cut::WindowConfig;
    use super::super::fixtures::{Signal, context, cut, signals as table};
    use super::*;
    use schemas::columns::{integers, strings};
    use schemas::tables::embeddings::MODEL_KEY;

    fn windows(plan: &str) -> RecordBatch {
        let batch = table(&[Signal::waves("a", 40), Signal::waves("b", 31)]);
        toml::from_str::<WindowConfig>(plan).unwrap().build(&context("w")).unwrap().run(&batch).unwrap().rows
    }

    fn frames(of: FrameOf) -> Frames {
        FramesConfig { of }.build(&context("frames"))
    }

    const OVERLAPPING: &str = "blocks = 3\nblock_samples = 10\nblock_hop_samples = 4\nstride_samples = 8";

    #[test]
    fn a_block_is_a_frame_and_shares_the_window() {
        let batch = windows(OVERLAPPING);
        let stage = frames(FrameOf::Block);
        let outcome = stage.run(&batch).unwrap();
        assert_eq!(outcome.rows.schema(), stage.output_schema(&batch.schema()).unwrap());
        assert_eq!(outcome.rows.schema().metadata()[MODEL_KEY], "raw-block");
        assert_eq!((outcome.taken, outcome.rows.num_rows()), (Some(batch.num_rows()), 3 * batch.num_rows()));
        let found = embeddings::values(&outcome.rows).unwrap();
        assert!(std::ptr::eq(found, values(&batch).unwrap()));
        assert_eq!(integers(&outcome.rows, "frame").unwrap().values()[..4], [0, 1, 2, 0]);
        let [starts, ends] =
            ["start_nanos", "end_nanos"].map(|name| longs(&outcome.rows, name).unwrap().values()[1]);
        assert_eq!((starts, ends), (1_080_000_000, 1_280_000_000));
        assert_eq!(strings(&outcome.rows, "sample_id").unwrap().value(4), "a-00001");
    }

    #[test]
    fn each_sample_of_a_window_is_a_frame_once() {
        let signal = Signal::waves("a", 40).values;
        for (plan, count) in [
            (OVERLAPPING, 18),
            ("blocks = 1\nblock_samples = 10\nblock_hop_samples = 4\nstride_samples = 8", 10),
            ("blocks = 3\nblock_samples = 6\nblock_hop_samples = 6\nstride_samples = 9", 18),
        ] {
            let batch = windows(plan);
            let rows = frames(FrameOf::Sample).run(&batch).unwrap().rows;
            assert_eq!(rows.num_rows(), count * batch.num_rows());
            assert_eq!(rows.schema().metadata()[MODEL_KEY], "raw-sample");
            assert_eq!(embeddings::values(&rows).unwrap()[..count * 6], signal[..count * 6]);
            let starts = longs(&rows, "start_nanos").unwrap();
            assert!(starts.values()[..count].windows(2).all(|pair| pair[1] - pair[0] == 20_000_000));
            assert_eq!(longs(&rows, "end_nanos").unwrap().value(0), 1_020_000_000);
        }
        // With time between blocks, the samples of all blocks are used.
        let batch = windows("blocks = 2\nblock_samples = 3\nblock_hop_samples = 5\nstride_samples = 9");
        let rows = frames(FrameOf::Sample).run(&batch).unwrap().rows;
        assert_eq!(rows.num_rows(), 6 * batch.num_rows());
        assert_eq!(longs(&rows, "start_nanos").unwrap().value(3), 1_100_000_000);
    }

    #[test]
    fn the_same_rows_whatever_the_batches() {
        let batch = windows(OVERLAPPING);
        for of in [FrameOf::Block, FrameOf::Sample] {
            let whole = frames(of).run(&batch).unwrap().rows;
            let parts: Vec<_> =
                cut(&batch, 2).iter().map(|part| frames(of).run(part).unwrap().rows).collect();
            assert_eq!(arrow::compute::concat_batches(&whole.schema(), &parts).unwrap(), whole);
        }
    }

    #[test]
    fn windows_that_do_not_say_their_hop_are_refused() {
        let schema = windows(OVERLAPPING).schema();
        let bare = Schema::new_with_metadata(
            schema.fields().clone(),
            schema
                .metadata()
                .iter()
                .filter(|(key, _)| *key != HOP_KEY)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        );
        assert!(frames(FrameOf::Sample).output_schema(&Arc::new(bare)).is_err());
        assert!(frames(FrameOf::Block).output_schema(&table(&[]).schema()).is_err());
    }
}
