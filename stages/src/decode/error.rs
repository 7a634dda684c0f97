//! Why maps cannot be decoded, or a spatial model not be fitted or used.

use schemas::tables::{MODEL_KEY, spatial_models};
use schemas::{Fault, Hinted};

use crate::StageError;

/// Why maps cannot be decoded, or a spatial model not be fitted or used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[expect(missing_docs, reason = "a field bears the name of the value that the message gives")]
pub enum DecodeError {
    /// The maps do not say what made them.
    #[error("the schema metadata has no `{MODEL_KEY}`: what made the maps is unknown")]
    NoModel,
    /// Maps on another grid along y.
    #[error(
        "the maps have another stride along y (`stride_y`), which only `decode` with the rule `plain` reads"
    )]
    TwoStrides,
    /// A rule that leaves nothing to refine.
    #[error("the rule `cpm` looks at whole input px and is not refined")]
    Unrefined,
    /// Keys of the other form.
    #[error("`beta` and `epsilon` belong to energies, and the form is `probability`")]
    Energies,
    /// The second input is another table.
    #[error("the input `spatial_model` must be a table `{}`, found {found}", spatial_models::NAME)]
    NoSpatialModel { found: String },
    /// The model is of another skeleton.
    #[error("the spatial model is for `{model}`, the maps are of `{maps}`")]
    OtherSkeleton { model: &'static str, maps: &'static str },
    /// The model is for maps of another size, height and width in px.
    #[error(
        "the spatial model is for maps of {} x {} px, the maps are {} x {} px",
        model[1], model[0], maps[1], maps[0]
    )]
    MapSize { model: [usize; 2], maps: [usize; 2] },
    /// The model is for maps of another stride.
    #[error(
        "`{stage}`: the spatial model is for maps of stride {model}, those of `{id}` have stride {found}"
    )]
    OtherStride { stage: String, model: f64, id: String, found: f64 },
    /// Joints in image coordinates cannot represent the torso.
    #[error("the spatial model takes the torso from keypoints, and these are not in px of the crop")]
    KeypointsElsewhere,
    /// The model uses something unknown for the torso.
    #[error("the spatial model takes `{name}` for the torso; there are {known}")]
    Torso { name: String, known: String },
    /// A row of the model that cannot be used.
    #[error("the spatial model has {what} `{joint}` given `{given}`")]
    Broken { what: &'static str, joint: String, given: String },
    /// The crop is no whole number of map px.
    #[error("`stride` {stride} does not divide the crop, {width} x {height} px")]
    Stride { stride: u32, width: u32, height: u32 },
    /// The histograms of all pairs would fill the memory.
    #[error(
        "`{stage}`: histograms of {pairs} pairs of joints for maps of {width} x {height} px take {bytes} bytes; the most is {most}"
    )]
    Histograms { stage: String, pairs: usize, width: usize, height: usize, bytes: u64, most: u64 },
    /// Nobody shows two joints.
    #[error("split `{split}` has nobody with two joints to learn displacements from")]
    Nobody { split: String },
    /// Nobody has both joints of a pair.
    #[error("none of {people} people of split `{split}` shows where `{joint}` lies, seen from `{given}`")]
    Unseen { people: u64, split: String, joint: String, given: String },
}

impl From<DecodeError> for StageError {
    fn from(error: DecodeError) -> Self {
        Self::step(error)
    }
}

impl Hinted for DecodeError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoModel => "let the maps come from the stage `infer`, or keep its metadata",
            Self::TwoStrides => "read the maps with `decode`, and leave `rule` out",
            Self::Unrefined => "leave `refine` out, or set `rule = \"plain\"`",
            Self::Energies => "leave them out, or set `form = \"energy\"`",
            Self::NoSpatialModel { .. } => "name the output of `fit_spatial_model` as the second input",
            Self::OtherSkeleton { maps, .. } => {
                return Some(format!("fit a model on people mapped to `{maps}` with `map_skeleton`"));
            }
            Self::MapSize { .. } => "fit a model with the crop size and the `stride` of the network",
            Self::OtherStride { found, .. } => return Some(format!("fit a model with `stride = {found}`")),
            Self::KeypointsElsewhere => {
                "let the rows come from `warp` and `infer`, or fit a model with `torso = \"center\"`"
            }
            Self::Torso { .. } | Self::Broken { .. } => "fit the model again with `fit_spatial_model`",
            Self::Stride { .. } => {
                "give the crop size and the stride of the network whose maps the model is for"
            }
            Self::Histograms { .. } => "raise `stride`, or make the crop smaller",
            Self::Nobody { .. } => "check `split`",
            Self::Unseen { .. } => {
                "leave out joints that are never annotated with `map_skeleton`, or choose what stands for the `torso`"
            }
        };
        Some(text.to_owned())
    }

    fn fault(&self) -> Fault {
        match self {
            Self::OtherSkeleton { .. }
            | Self::MapSize { .. }
            | Self::OtherStride { .. }
            | Self::Broken { .. }
            | Self::Nobody { .. }
            | Self::Unseen { .. } => Fault::Data,
            _ => Fault::Config,
        }
    }
}
