//! `spatial_model`: maps in which every joint takes into account where the others may be.

use arrow::array::{Array, ArrayRef, Float64Array, RecordBatch};
use arrow::datatypes::{Field, SchemaRef};
use rayon::prelude::*;
use schemars::JsonSchema;
use schemas::columns::{column, field, numbers, skeleton_of, strings, with_column};
use schemas::tables::rejects::Reject;
use schemas::tables::samples::maps_type;
use schemas::tables::spatial_models;
use schemas::tables::{heatmaps, table_name};
use schemas::units::{Positive, Spread};
use serde::{Deserialize, Serialize};

use super::super::error::DecodeError;
use super::load::Loaded;
use super::messages::{Combine, Form, Room, softplus};
use super::torso::Torso;
use crate::decode::table::{check_one_stride, shape_of};
use crate::encode::gaussian::{CUTOFF, Gaussian, Grid};
use crate::stage::{AllRows, BuildContext, Gathered, Give, Number, Rows, StageError, reject, take_rows};
use crate::verify::rechunk::Rechunked;
use schemas::tables::MODEL_KEY;

/// beta of `SoftPlus`. Recalled, not verified: the paper uses 1/2 to 2; joint-cnn-mrf uses 5. At 1, the factor of
/// a displacement is nearly its share of people.
pub const BETA: Positive = Positive::constant(1.0);
/// epsilon of `ReLU`. Recalled, not verified: the paper uses values above 0 up to 0.01.
pub const EPSILON: Positive = Positive::constant(0.01);
/// b in the form `energy`, whose `SoftPlus`, ln 2 / beta, is added to every message. The papers learn it; that it begins
/// at 0 is inferred.
const ENERGY_BIAS: f64 = 0.0;
/// What is added to every message in the form `probability`. The papers learn it; this number is our choice:
/// about what `SoftPlus(0)` is to a map whose peak of height 1 and spread 1.5 px has the sum 14.
pub const PROBABILITY_BIAS: Positive = Positive::constant(0.05);
/// Spread of the torso's Gaussian in px of the maps: that of the targets of Efficient Object Localization, 1.5.
pub const TORSO_SIGMA: Spread = Spread::constant(1.5);

/// Rows that are worked on at once.
const BLOCK_ROWS: usize = 64;

/// Keys of the stage `spatial_model`.
///
/// ```
/// let config: stages::decode::SpatialModelConfig = toml::from_str("form = 'probability'")?;
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpatialModelConfig {
    /// How messages are combined.
    #[serde(default)]
    pub form: Form,
    /// beta of `SoftPlus` in the form `energy`; by default [`BETA`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<Positive>,
    /// The least energy of a map in the form `energy`; by default [`EPSILON`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<Positive>,
    /// What is added to every message from another joint or the torso, after `SoftPlus`: the larger, the less a message
    /// weighs against the network's own map; its least value, 1e-9, is well above the rounding of a convolution. By default ln 2 / `beta`, in the form `probability` 0.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bias: Option<Positive>,
    /// Spread of the Gaussian that the torso is drawn as, px of the maps; by default [`TORSO_SIGMA`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torso_sigma: Option<Spread>,
}

impl SpatialModelConfig {
    /// The step.
    ///
    /// # Errors
    /// When a key does not go with `form`.
    pub fn build(&self, context: &BuildContext) -> Result<SpatialModel, StageError> {
        let combine = match self.form {
            Form::Energy => Combine::Energy {
                beta: self.beta.unwrap_or(BETA).get(),
                epsilon: self.epsilon.unwrap_or(EPSILON).get(),
            },
            Form::Probability if self.beta.is_some() || self.epsilon.is_some() => {
                return Err(DecodeError::Energies.into());
            }
            Form::Probability => Combine::Probability,
        };
        let bias = match (self.bias, combine) {
            (Some(bias), _) => bias.get(),
            (None, Combine::Energy { beta, .. }) => softplus(ENERGY_BIAS, beta),
            (None, Combine::Probability) => PROBABILITY_BIAS.get(),
        };
        let torso_sigma = self.torso_sigma.unwrap_or(TORSO_SIGMA).get();
        Ok(SpatialModel { name: context.name.clone(), combine, bias, torso_sigma })
    }
}

/// Replaces the maps of every row by those that the spatial model makes from them; other columns do not change.
#[derive(Debug, Clone)]
pub struct SpatialModel {
    name: String,
    combine: Combine,
    bias: f64,
    torso_sigma: f64,
}

impl AllRows for SpatialModel {
    type Count = Number<2>;

    const INPUTS: &'static [&'static str; 2] = &["heatmaps", "spatial_model"];

    fn needed_columns(&self, input: usize, schema: &SchemaRef) -> Result<Vec<usize>, StageError> {
        if input == 0 {
            shape_of(schema)?;
            check_one_stride(schema)?;
        } else {
            spatial_models::map_size(schema)?;
        }
        Ok((0..schema.fields().len()).collect())
    }

    fn output_schema(&self, inputs: [&SchemaRef; 2]) -> Result<SchemaRef, StageError> {
        let (input, model) = (inputs[0], inputs[1]);
        if table_name(model) != Some(spatial_models::NAME) {
            let found = table_name(model).map_or_else(|| "no name".to_owned(), |name| format!("`{name}`"));
            return Err(DecodeError::NoSpatialModel { found }.into());
        }
        let (skeleton, [_, height, width]) = shape_of(input)?;
        let expected = skeleton_of(model)?;
        if skeleton != expected {
            return Err(DecodeError::OtherSkeleton { model: expected.name, maps: skeleton.name }.into());
        }
        let (size, maps) = (spatial_models::map_size(model)?, [height, width]);
        if size != maps {
            return Err(DecodeError::MapSize { model: size, maps }.into());
        }
        spatial_models::stride(model)?;
        let torso = Torso::named(spatial_models::torso(model)?)?;
        torso.columns(input)?;
        if torso == Torso::Keypoints && crate::augment::geometry::space_of_keypoints(input) != Some("crop") {
            return Err(DecodeError::KeypointsElsewhere.into());
        }
        for name in ["sample_id", heatmaps::STRIDE, heatmaps::ORIGIN_IN_CROP] {
            field(input, name)?;
        }
        let mut schema = input.as_ref().clone();
        if let Some(name) = schema.metadata.get_mut(MODEL_KEY) {
            name.push_str("+spatial");
        }
        Ok(SchemaRef::new(schema))
    }

    fn run(&self, inputs: [&dyn Rows; 2], _run: &str, give: &mut Give<'_>) -> Result<Gathered, StageError> {
        let schema = self.output_schema([&inputs[0].schema(), &inputs[1].schema()])?;
        let loaded = Loaded::read(inputs[1], self.combine, self.bias)?;
        let mut gathered = Gathered::default();
        for batch in Rechunked::new(inputs[0], BLOCK_ROWS) {
            let (rows, rejects) = self.apply(&batch?, &loaded)?;
            gathered.rejects.extend(rejects);
            if rows.num_rows() > 0 {
                give(RecordBatch::try_new(SchemaRef::clone(&schema), rows.columns().to_vec())?)?;
            }
        }
        Ok(gathered)
    }
}

impl SpatialModel {
    /// The rows of `batch` with new maps, and those without a torso or of maps that are not finite.
    fn apply(&self, batch: &RecordBatch, loaded: &Loaded) -> Result<(RecordBatch, Vec<Reject>), StageError> {
        let maps = column(batch, heatmaps::HEATMAPS)?;
        let values = heatmaps::maps_values(maps, heatmaps::HEATMAPS)?;
        let [height, width] = loaded.map;
        let length = loaded.messages.joints() * height * width;
        let (strides, origins) =
            (numbers(batch, heatmaps::STRIDE)?, numbers(batch, heatmaps::ORIGIN_IN_CROP)?);
        self.check_strides(batch, strides, loaded.stride)?;
        let places = loaded.torso.places(batch)?;
        let pass = |room: &mut Room, row: usize| -> Result<Vec<f32>, Reject> {
            let refuse = |reason, detail: &str| Err(reject(batch, row, &self.name, reason, detail));
            let maps_of_row = &values[row * length..][..length];
            if maps.is_null(row) || maps_of_row.iter().any(|value| !value.is_finite()) {
                return refuse("not finite", "the row has no maps, or a number of them is not finite");
            }
            let torso = match (loaded.torso, places[row]) {
                (Torso::None, _) => None,
                (_, None) => return refuse("no torso", "the row does not say where the torso is"),
                (_, Some(place)) => {
                    let map = self.torso_map(place, loaded, origins.value(row));
                    if map.iter().all(|value| *value == 0.0) {
                        return refuse("no torso", "the torso lies outside of the maps");
                    }
                    Some(map)
                }
            };
            let mut out = vec![0.0; length];
            loaded.messages.pass(maps_of_row, torso.as_deref(), room, &mut out);
            Ok(out)
        };
        let passed: Vec<Result<Vec<f32>, Reject>> =
            (0..batch.num_rows()).into_par_iter().map_init(|| loaded.messages.room(), pass).collect();
        let (mut kept, mut rejects, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (row, outcome) in passed.into_iter().enumerate() {
            match outcome {
                Ok(maps) => {
                    kept.push(row);
                    numbers.extend(maps);
                }
                Err(reject) => rejects.push(reject),
            }
        }
        let joints = loaded.messages.joints();
        let field = Field::new(heatmaps::HEATMAPS, maps_type(joints, height, width), false);
        let array: ArrayRef = heatmaps::maps_array(numbers, joints, height, width);
        Ok((with_column(&take_rows(batch, &kept)?, field, array)?, rejects))
    }

    fn check_strides(
        &self,
        batch: &RecordBatch,
        strides: &Float64Array,
        expected: f64,
    ) -> Result<(), StageError> {
        let Some(row) = (0..strides.len()).find(|row| strides.value(*row) != expected) else { return Ok(()) };
        let (id, found) = (strings(batch, "sample_id")?.value(row).to_owned(), strides.value(row));
        Err(DecodeError::OtherStride { stage: self.name.clone(), model: expected, id, found }.into())
    }

    /// The torso as a map of its own, drawn as targets are.
    fn torso_map(&self, place: [f64; 2], loaded: &Loaded, origin: f64) -> Vec<f32> {
        let [height, width] = loaded.map;
        let grid = Grid { width, height, stride: loaded.stride, origin };
        let sigma = Spread::constant(self.torso_sigma * loaded.stride);
        let mut map = vec![0.0; width * height];
        Gaussian { sigma, cutoff: CUTOFF, origin: None }.add(place, &grid, &mut map);
        map
    }
}
