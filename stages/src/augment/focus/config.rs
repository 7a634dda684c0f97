//! Keys of the stage `focus`.

use std::path::PathBuf;

use schemars::JsonSchema;
use schemas::units::{Pixels, Positive};
use serde::{Deserialize, Serialize};

use super::diameter::ends;
use super::joints::Joints;
use super::spread::Spreads;
use super::stage::Focus;
use crate::stage::{BuildContext, StageError};

/// How the joints of a pose become crops.
///
/// ```
/// let config: stages::augment::FocusConfig = toml::from_str("size = [220, 220]\nside = 2")?;
/// assert_eq!(config.diameter, ["left_shoulder", "right_hip"]);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FocusConfig {
    /// Width and height of the crop in px.
    pub size: [Pixels; 2],
    /// Side of the square around a joint, in diameters of the pose; `DeepPose` has 1 on FLIC and 2 on LSP.
    pub side: Positive,
    /// The two joints between which the diameter is measured, by default left shoulder and right hip; where one is not
    /// known, their mirror images.
    #[serde(default = "ends")]
    pub diameter: [String; 2],
    /// Which joints of a person become rows.
    #[serde(default)]
    pub joints: Joints,
    /// A table `displacements`: each crop is laid where a prediction would lie, at the joint plus a draw from the normal
    /// distribution of that joint. By default, it is laid at the joint itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "path"))]
    pub displacements: Option<PathBuf>,
}

impl FocusConfig {
    /// The table that is read when the stage is built, if any: its files.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn files(&self) -> Result<Vec<PathBuf>, StageError> {
        let Some(path) = &self.displacements else { return Ok(Vec::new()) };
        let table = datasets::shards::TableReader::open(path, None)?;
        Ok(table.files().map(std::path::Path::to_owned).collect())
    }

    /// Builds the stage.
    ///
    /// # Errors
    /// When the table of displacements cannot be read.
    pub fn build(&self, context: &BuildContext) -> Result<Focus, StageError> {
        let read = |path: &PathBuf| Spreads::read(&context.folder.join(path));
        Ok(Focus {
            name: context.name.clone(),
            seed: context.seed,
            size: self.size.map(Pixels::get),
            side: self.side.get(),
            ends: self.diameter.clone(),
            joints: self.joints,
            spreads: self.displacements.as_ref().map(read).transpose()?,
        })
    }
}
