//! A client's mixture: the background model moved towards the client's frames, maximum a posteriori.
//!
//! Source: Reynolds, Quatieri, Dunn, Speaker Verification Using Adapted Gaussian Mixture Models, Digital Signal
//! Processing 10 (2000), equations 7 to 14, with one relevance factor r for all parameters: with n frames in
//! a component, its share of the client is a = n / (n + r).

use super::gaussians::Gaussians;
use super::statistics::{Order, Statistics};
use crate::stage::StageError;

/// What is moved, and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptation {
    /// r: how many frames of the client weigh as much as the background model.
    pub relevance: f64,
    /// Equation 12: mean = a E(x) + (1 - a) mean.
    pub means: bool,
    /// Equation 11: weight = (a n / T + (1 - a) weight) times what makes the sum 1.
    pub weights: bool,
    /// Equation 13, as the spread about the mean that the client has: a E((x - mean')²) + (1 - a) (variance + (mean -
    /// mean')²). With moved means it is the paper's; with others, the paper's would depend on where 0 lies.
    pub variances: bool,
}

impl Adaptation {
    /// The sums over a client's frames that it needs.
    pub fn order(self) -> Order {
        if self.variances { Order::Second } else { Order::First }
    }
}

/// `background` moved towards the frames of `statistics`, whose shares are those of `background`.
///
/// # Errors
/// When there are no frames.
pub fn adapt(
    background: &Gaussians,
    statistics: &Statistics,
    adaptation: Adaptation,
) -> Result<Gaussians, StageError> {
    let (components, dimensions) = (background.components(), background.dimensions());
    let mut weights = background.weights().to_vec();
    let (mut means, mut variances) = (background.means().to_vec(), background.variances().to_vec());
    let counts: Vec<f64> = (0..components).map(|component| statistics.count(component)).collect();
    let total: f64 = counts.iter().sum();
    for (component, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
        let (row, share) =
            (component * dimensions..(component + 1) * dimensions, count / (count + adaptation.relevance));
        let before = &background.means()[row.clone()];
        if adaptation.means {
            for (mean, new) in means[row.clone()].iter_mut().zip(statistics.mean(component)) {
                *mean = share * new + (1.0 - share) * *mean;
            }
        }
        if adaptation.variances {
            let after = &means[row.clone()];
            let spread = statistics.spread(component, after);
            let moved = before.iter().zip(after).map(|(before, after)| (before - after) * (before - after));
            for ((variance, spread), moved) in variances[row].iter_mut().zip(spread).zip(moved) {
                *variance = share * spread + (1.0 - share) * (*variance + moved);
            }
        }
    }
    if adaptation.weights {
        for (weight, count) in weights.iter_mut().zip(&counts) {
            let share = count / (count + adaptation.relevance);
            *weight = share * count / total + (1.0 - share) * *weight;
        }
        let sum: f64 = weights.iter().sum();
        for weight in &mut weights {
            *weight /= sum;
        }
    }
    Gaussians::new(weights, means, variances)
}
