//! The stage `infer`: one row of the table of the network's kind for each sample and output head.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use schemas::columns::{affines, column, field, skeleton_of, vectors_f64, wrong_type};
use schemas::tables::rejects::Reject;
use schemas::tables::{MODEL_KEY, metadata, samples};
use schemas::{SchemaError, Skeleton};

use super::heads::Columns;
use super::model_card::ModelCard;
use crate::augment::geometry::CROP_CENTER;
use crate::network::Opened;
use crate::network::gather::{Row, center_in_crop};
use crate::network::pictures::{PictureWorker, check_image};
use crate::network::providers::Running;
use crate::stage::{reject, take_rows};
use crate::{FanOut, Outcome, Stage, StageError};

/// Name of the stage in plans and rejects.
pub const NAME: &str = "infer";
/// Columns that only serve training, and are not carried along.
const TARGETS: [&str; 8] = [
    samples::HEATMAPS,
    samples::HEATMAP_WEIGHT,
    samples::CENTER_MAP,
    samples::SIMCC_X,
    samples::SIMCC_Y,
    samples::SIMCC_WEIGHT,
    samples::COORDINATES,
    samples::COORDINATE_WEIGHT,
];
/// Columns that follow the skeleton of the samples, carried only where the network follows it too.
const ANNOTATIONS: [&str; 4] = ["keypoints", "visibility", "other_keypoints", "other_visibility"];

/// A network, its sessions and its card, ready to run.
pub struct Infer {
    pub(super) card: ModelCard,
    pub(super) skeleton: &'static Skeleton,
    pub(super) network: Opened<PictureWorker>,
    pub(super) columns: Box<dyn Columns>,
    pub(super) flip_average: bool,
    pub(super) keep_image: bool,
}

/// The rows fit to run, with their numbers in the batch, and the others.
type Sorted<'a> = (Vec<(usize, Row<'a>)>, Vec<Reject>);

impl Infer {
    /// The model card.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// The provider in use, for output and manifest: `cpu`, or `cpu (fell back: ...)`.
    pub fn running(&self) -> &Running {
        self.network.running()
    }

    /// Network, provider, sessions, rows per call and library in one line.
    pub fn describe(&self) -> String {
        self.network.describe(&self.card.name)
    }

    /// The columns of `input` that are carried along.
    fn carried(&self, input: &Schema) -> Vec<usize> {
        let same_skeleton = skeleton_of(input).is_ok_and(|skeleton| skeleton == self.skeleton);
        let is_carried = |field: &Field| {
            let name = field.name().as_str();
            let pixels = name == samples::IMAGE && !self.keep_image;
            !pixels && !TARGETS.contains(&name) && (same_skeleton || !ANNOTATIONS.contains(&name))
        };
        (0..input.fields().len()).filter(|index| is_carried(input.field(*index))).collect()
    }

    fn check_input(&self, input: &Schema) -> Result<(), StageError> {
        field(input, "sample_id")?;
        check_image(input, &self.card.input, &self.card.name)?;
        if self.card.center_map.is_some() {
            field(input, center_column(input))?;
            field(input, samples::CROP_FROM_IMAGE)?;
        }
        Ok(())
    }

    /// The rows fit to run, with their numbers in `batch`; the others as rejects.
    fn sort_rows<'a>(&self, batch: &RecordBatch, images: &'a BinaryArray) -> Result<Sorted<'a>, StageError> {
        let centers = if self.card.center_map.is_some() {
            let center = vectors_f64(batch, center_column(batch.schema_ref()), 2)?;
            Some((center, affines(batch, samples::CROP_FROM_IMAGE)?))
        } else {
            None
        };
        let expected = 3 * self.card.input.width as usize * self.card.input.height as usize;
        let (mut fit, mut rejects) = (Vec::with_capacity(batch.num_rows()), Vec::new());
        for row in 0..batch.num_rows() {
            let bytes = if images.is_null(row) { 0 } else { images.value(row).len() };
            if bytes != expected {
                let detail = format!("{expected} bytes of pixels are expected, found {bytes}");
                rejects.push(reject(batch, row, NAME, "image size", detail));
                continue;
            }
            let center = centers.as_ref().map(|(center, crop_from_image)| {
                let point = center.row(row).map(|point| [point[0], point[1]])?;
                center_in_crop(&crop_from_image[row], point)
            });
            if center == Some(None) {
                rejects.push(reject(batch, row, NAME, "no centre", "the network needs the person's centre"));
                continue;
            }
            fit.push((
                row,
                Row {
                    rgb: images.value(row),
                    center_in_crop: center.flatten(),
                    mirrored: false,
                    points: None,
                },
            ));
        }
        Ok((fit, rejects))
    }

    /// The columns of `rows`.
    fn predict(&self, rows: &[(usize, Row<'_>)]) -> Result<Vec<ArrayRef>, StageError> {
        // With `flip_average` the row as it is, then the same row mirrored, which is averaged into the first.
        let runs_a_row = 1 + usize::from(self.flip_average);
        let runs = rows
            .iter()
            .flat_map(|(_, row)| [*row, Row { mirrored: true, ..*row }].into_iter().take(runs_a_row));
        let runs: Vec<Row<'_>> = runs.collect();
        let mut collected = self.columns.start(rows.len());
        let rows_a_call = self.network.rows();
        self.network.with(|worker| {
            for (call, runs) in runs.chunks(rows_a_call).enumerate() {
                worker.run(runs, |outputs| {
                    for (at, run) in runs.iter().enumerate() {
                        let given: Vec<&[f32]> = outputs
                            .iter()
                            .map(|(_, values)| {
                                let per_row = values.len() / rows_a_call;
                                &values[at * per_row..][..per_row]
                            })
                            .collect();
                        let sample = (call * rows_a_call + at) / runs_a_row;
                        collected.take(sample, run.mirrored, &given);
                    }
                })?;
            }
            Ok(collected.columns())
        })
    }
}

/// The column of the point that a centre map is drawn about: the one that the crop was framed around, as in the maps of
/// training, or the annotated one where no stage `crop` framed anything.
fn center_column(input: &Schema) -> &'static str {
    if input.index_of(CROP_CENTER).is_ok() { CROP_CENTER } else { "center" }
}

impl Stage for Infer {
    fn engines(&self) -> Vec<(String, String)> {
        self.network.engines()
    }

    fn output_schema(&self, input: &SchemaRef) -> Result<SchemaRef, StageError> {
        self.check_input(input)?;
        let mut fields: Vec<Arc<Field>> =
            self.carried(input).into_iter().map(|index| Arc::clone(&input.fields()[index])).collect();
        fields.extend(self.columns.fields().into_iter().map(Arc::new));
        let mut metadata = metadata(self.columns.table(), Some(self.skeleton));
        metadata.insert(MODEL_KEY.to_owned(), self.card.name.clone());
        metadata.extend(self.columns.metadata());
        Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
    }

    fn run(&self, batch: &RecordBatch) -> Result<Outcome, StageError> {
        let schema = self.output_schema(batch.schema_ref())?;
        let images = column(batch, samples::IMAGE)?;
        let images = images
            .as_binary_opt::<i32>()
            .ok_or_else(|| wrong_type(samples::IMAGE, "Binary", images.data_type()))?;
        let (fit, rejects) = self.sort_rows(batch, images)?;
        let predicted = self.predict(&fit)?;

        let heads = self.columns.rows_a_sample();
        let rows: Vec<usize> = fit.iter().map(|(row, _)| *row).collect();
        let carried = batch.project(&self.carried(batch.schema_ref()))?;
        let carried = if heads == 1 {
            take_rows(&carried, &rows)?
        } else {
            let repeated = rows.iter().flat_map(|row| std::iter::repeat_n(*row as u64, heads));
            take_record_batch(&carried, &UInt64Array::from_iter_values(repeated))?
        };
        let columns = [carried.columns().to_vec(), predicted].concat();
        Ok(Outcome::some(RecordBatch::try_new(schema, columns).map_err(SchemaError::from)?, rejects))
    }

    fn fan_out(&self) -> FanOut {
        FanOut::Each(self.columns.rows_a_sample())
    }
}
