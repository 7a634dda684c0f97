//! Accuracy of class scores: is the right person among the most probable classes?
//!
//! Source: the talk on Project Abacus (the work of arXiv 1511.03908), where a frame counts as right if its user is
//! within the 5 % most probable classes. 5 % of its 587 classes are 29.35; how that is rounded is not stated there, so
//! it is a key, and every figure says how many classes were counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Share of the classes that count as the top, as in the talk.
pub const DEFAULT_SHARE: f64 = 0.05;
/// A number of classes this near to a whole number is that number: 0.07 x 100 is 7, not 7.000000000000001.
const WHOLE_WITHIN: f64 = 1e-9;

/// How a share of the classes becomes a number of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the next whole number above.
    #[default]
    Up,
    /// To the next whole number below.
    Down,
    /// To the nearest whole number, halves rounded up.
    Nearest,
}

impl Rounding {
    /// The name in plans and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Nearest => "nearest",
        }
    }
}

/// How many of `classes` are the top `share`: at least one, at most all.
///
/// ```
/// use stages::evaluate::verification::{Rounding, classes_counted};
/// assert_eq!(classes_counted(587, 0.05, Rounding::Up), 30);
/// assert_eq!(classes_counted(587, 0.05, Rounding::Down), 29);
/// ```
pub fn classes_counted(classes: usize, share: f64, rounding: Rounding) -> usize {
    let exact = share * classes as f64;
    let whole = exact.round();
    let counted = match rounding {
        _ if (exact - whole).abs() < WHOLE_WITHIN => whole,
        Rounding::Up => exact.ceil(),
        Rounding::Down => exact.floor(),
        Rounding::Nearest => whole,
    };
    (counted as usize).clamp(1, classes.max(1))
}

/// The place of class `truth` among `scores`, `[classes]`, from 1 for the highest.
///
/// Among equal scores the right one comes last: a network that gives all classes the same score has identified
/// nobody.
pub fn rank<T: PartialOrd + Copy>(scores: &[T], truth: usize) -> usize {
    let own = scores[truth];
    scores.iter().filter(|score| **score >= own).count()
}

/// How often the right class is on top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TopShare {
    /// Share of rows whose right class is among the [`TopShare::counted`] highest.
    pub top_share: f64,
    /// Share of rows whose right class is the highest.
    pub top_one: f64,
    /// How many classes count as the top.
    pub counted: usize,
}

/// How often the right class is among the top `share` of `classes`.
///
/// `scores` is `[N, classes]` row by row, `truth` `[N]`: which class each row is of. Ties are decided against the right
/// class. `None` where there is no row, the shapes do not fit, a class is out of range or a score is NaN.
pub fn top_share_accuracy(
    scores: &[f64],
    classes: usize,
    truth: &[usize],
    share: f64,
    rounding: Rounding,
) -> Option<TopShare> {
    let fits = !truth.is_empty() && scores.len() == truth.len() * classes;
    if !fits || truth.iter().any(|class| *class >= classes) || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let counted = classes_counted(classes, share, rounding);
    let ranks: Vec<usize> =
        scores.chunks_exact(classes).zip(truth).map(|(row, class)| rank(row, *class)).collect();
    let within = |most: usize| ranks.iter().filter(|rank| **rank <= most).count() as f64 / ranks.len() as f64;
    Some(TopShare { top_share: within(counted), top_one: within(1), counted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rounding_is_the_one_that_is_named() {
        let counted = |classes, share| {
            [Rounding::Up, Rounding::Down, Rounding::Nearest].map(|r| classes_counted(classes, share, r))
        };
        assert_eq!(counted(587, 0.05), [30, 29, 29]);
        assert_eq!(counted(590, 0.05), [30, 29, 30]);
        assert_eq!(counted(100, 0.07), [7, 7, 7]);
        assert_eq!(counted(15, 0.05), [1, 1, 1]);
        assert_eq!(counted(3, 1.0), [3, 3, 3]);
    }

    #[test]
    fn ties_are_decided_against_the_right_class() {
        assert_eq!(rank(&[0.5, 0.5, 0.1], 0), 2);
        assert_eq!(rank(&[0.25; 4], 3), 4);
        assert_eq!(rank(&[0.1, 0.9], 1), 1);
    }

    #[test]
    fn accuracy_counts_rows_within_the_top() {
        // Ranks 1, 2 and 4 of four classes.
        let scores = [0.9, 0.1, 0.0, 0.0, 0.5, 0.4, 0.1, 0.0, 0.1, 0.2, 0.3, 0.4];
        let half = top_share_accuracy(&scores, 4, &[0, 1, 0], 0.5, Rounding::Up).unwrap();
        assert_eq!(half, TopShare { top_share: 2.0 / 3.0, top_one: 1.0 / 3.0, counted: 2 });
    }

    #[test]
    fn what_cannot_be_ranked_has_no_accuracy() {
        let of = |scores: &[f64], truth: &[usize]| top_share_accuracy(scores, 2, truth, 0.5, Rounding::Up);
        assert_eq!(of(&[], &[]), None);
        assert_eq!(of(&[0.1, 0.2], &[2]), None);
        assert_eq!(of(&[0.1, 0.2, 0.3], &[0]), None);
        assert_eq!(of(&[0.1, f64::NAN], &[0]), None);
    }
}
