//! What numbers of a network mean in px of its input.

use serde::{Deserialize, Serialize};

use crate::network::card::ImageInput;

/// The unit of coordinates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Px of the input.
    #[default]
    Px,
    /// Parts of the input's width and height, 0 at its left and top.
    Parts,
    /// Parts of the input's width and height, 0 in its middle: -1/2 to 1/2 (`DeepPose`, section 3).
    CentredParts,
}

/// Where coordinate 0 lies in the first px.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// At its centre, as in all our tables.
    #[default]
    Centre,
    /// At its left and top edge: half a px before its centre.
    Edge,
}

/// Unit and origin of coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Space {
    pub unit: Unit,
    pub origin: Origin,
}

impl Space {
    /// A length of `value` in px, along an axis of `side` px.
    pub(super) fn length(self, value: f64, side: u32) -> f64 {
        match self.unit {
            Unit::Px => value,
            Unit::Parts | Unit::CentredParts => value * f64::from(side),
        }
    }

    /// A place in px whose centres are at integers, along an axis of `side` px.
    pub(super) fn place(self, value: f64, side: u32) -> f64 {
        let from_origin = match self.unit {
            Unit::CentredParts => self.length(value, side) + f64::from(side) / 2.0,
            _ => self.length(value, side),
        };
        match self.origin {
            Origin::Centre => from_origin,
            Origin::Edge => from_origin - 0.5,
        }
    }

    /// A point in px of `input`.
    pub(super) fn point(self, [x, y]: [f64; 2], input: [u32; 2]) -> [f64; 2] {
        [self.place(x, input[0]), self.place(y, input[1])]
    }
}

/// Width and height of `input`.
pub(super) fn sides(input: &ImageInput) -> [u32; 2] {
    [input.width, input.height]
}

/// What a score is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreIs {
    /// A number between 0 and 1, or any that is higher the surer the network is.
    #[default]
    Probability,
    /// Its logit: the logistic function of it is the score.
    Logit,
    /// The logit of a deviation, as residual log-likelihood networks give: 1 minus the logistic function of it.
    DeviationLogit,
}

impl ScoreIs {
    /// The score that `value` stands for.
    pub(super) fn score(self, value: f64) -> f64 {
        let logistic = |value: f64| 1.0 / (1.0 + libm::exp(-value));
        match self {
            Self::Probability => value,
            Self::Logit => logistic(value),
            Self::DeviationLogit => 1.0 - logistic(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_and_origin_is_its_formula() {
        let place = |unit, origin, value| Space { unit, origin }.place(value, 200);
        assert_eq!(place(Unit::Px, Origin::Centre, 7.0), 7.0);
        assert_eq!(place(Unit::Px, Origin::Edge, 7.5), 7.0);
        assert_eq!(place(Unit::Parts, Origin::Centre, 0.25), 50.0);
        assert_eq!(place(Unit::Parts, Origin::Edge, 1.0), 199.5);
        assert_eq!(place(Unit::CentredParts, Origin::Centre, -0.5), 0.0);
        assert_eq!(place(Unit::CentredParts, Origin::Edge, 0.0), 99.5);
        assert_eq!(Space { unit: Unit::Parts, origin: Origin::Edge }.length(0.5, 200), 100.0);
    }

    #[test]
    fn scores_grow_with_what_they_are_made_of() {
        assert_eq!(ScoreIs::Logit.score(0.0), 0.5);
        assert!(ScoreIs::Logit.score(3.0) > 0.9 && ScoreIs::DeviationLogit.score(3.0) < 0.1);
        assert_eq!(ScoreIs::Probability.score(0.25), 0.25);
    }
}
