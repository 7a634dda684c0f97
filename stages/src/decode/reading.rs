//! What the kinds of predictions have in common when they are read.

/// Name of the stage in plans and rejects.
pub const NAME: &str = "decode";

/// What one output says of one joint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The joint's place in px of the crop; `NaN` where nothing is said.
    pub point_in_crop: [f64; 2],
    /// How sure the network is: height of a peak, or its own score; `NaN` where there is none.
    pub score: f64,
    /// Mean of the map, `NaN` where there is no map.
    pub mean: f64,
}

/// The rows of a table of predictions, each of one person.
pub trait Predictions {
    /// Why row `row` cannot be read: reason and detail.
    fn refusal(&self, row: usize) -> Option<(&'static str, String)>;

    /// What row `row` says of the joint of `channel`.
    fn read(&mut self, row: usize, channel: usize) -> Reading;

    /// The network's score of the person, where it gives one.
    fn person_score(&self, row: usize) -> Option<f64>;
}
