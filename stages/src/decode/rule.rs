//! Whose way a heatmap becomes a place.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose way a map becomes a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// The highest px, refined, at input px `origin + stride * place`.
    #[default]
    Plain,
    /// Convolutional pose machines, one scale (`testing/src/run_benchmark.m`): the map is enlarged to input px with
    /// a bicubic kernel, and the highest input px is the place. The original then also resizes to the image's own
    /// px and sums seven scales before it looks for the highest: that is the stage `merge_scales`.
    Cpm,
    /// Stacked hourglass (`src/util/pose.lua`): as `plain`, but at input px `stride * (place + 0.5)` whatever the
    /// origin, and a map with no positive px gives its px (0, 0).
    Hourglass,
}
