//! Which joints of a person become rows of `focus`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which joints of a person become rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Joints {
    /// Every joint, K rows a person, in the order of the skeleton: predictions, which `merge_joints` puts together again.
    #[default]
    Each,
    /// One of the annotated joints, drawn anew for each copy: training samples.
    One,
}
