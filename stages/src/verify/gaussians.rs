//! A mixture of Gaussians with diagonal covariance, checked once.

use std::sync::Arc;

use schemas::tables::models::Mixture;

use super::error::VerifyError;
use crate::stage::StageError;

/// How far the weights of a mixture may be from a sum of 1.
const WEIGHT_SUM_TOLERANCE: f64 = 1e-6;

/// M Gaussians over D numbers: weights that sum to 1, means, and variances above zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussians {
    weights: Vec<f64>,
    means: Vec<f64>,
    variances: Arc<[f64]>,
}

impl Gaussians {
    /// The mixture of these weights, `[M]`, means, `[M, D]`, and variances, `[M, D]`.
    ///
    /// # Errors
    /// When the shapes do not fit, a number is not finite, a variance is not above 0, a weight is below 0, or the
    /// weights do not sum to 1.
    pub fn new(weights: Vec<f64>, means: Vec<f64>, variances: Vec<f64>) -> Result<Self, StageError> {
        let broken = |error: VerifyError| Err(StageError::step(error));
        if weights.is_empty() || means.len() != variances.len() || !means.len().is_multiple_of(weights.len())
        {
            let (weights, means, variances) = (weights.len(), means.len(), variances.len());
            return broken(VerifyError::MixtureShape { weights, means, variances });
        }
        if means.is_empty() {
            return broken(VerifyError::NoDimension);
        }
        if let Some(mean) = means.iter().find(|mean| !mean.is_finite()) {
            return broken(VerifyError::MixtureNumber { part: "mean", value: *mean });
        }
        if let Some(variance) = variances.iter().find(|variance| !variance.is_finite() || **variance <= 0.0) {
            return broken(VerifyError::MixtureNumber { part: "variance", value: *variance });
        }
        let sum: f64 = weights.iter().sum();
        let negative = weights.iter().any(|weight| *weight < 0.0);
        // Written so that a sum that is not a number is refused too.
        if negative || (sum - 1.0).abs().partial_cmp(&WEIGHT_SUM_TOLERANCE) != Some(std::cmp::Ordering::Less)
        {
            return broken(VerifyError::Weights { sum });
        }
        Ok(Self { weights, means, variances: variances.into() })
    }

    /// M.
    pub fn components(&self) -> usize {
        self.weights.len()
    }

    /// D.
    pub fn dimensions(&self) -> usize {
        self.means.len() / self.weights.len()
    }

    /// `[M]`, sum 1.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// `[M, D]`.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// `[M, D]`, each above 0.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The same mixture, which keeps no variances of its own where they are those of `other`.
    #[must_use]
    pub fn sharing(mut self, other: &Self) -> Self {
        if self.variances == other.variances {
            self.variances = Arc::clone(&other.variances);
        }
        self
    }

    /// The mean of the whole mixture, `[D]`.
    pub fn center(&self) -> Vec<f64> {
        let mut center = vec![0.0; self.dimensions()];
        for (weight, mean) in self.weights.iter().zip(self.means.chunks_exact(center.len())) {
            super::sums::add_scaled(&mut center, *weight, mean);
        }
        center
    }

    /// The row of `mixtures` with these numbers; who was seen is for the caller to say.
    pub fn to_mixture(&self, frames: u64) -> Mixture {
        Mixture {
            client: None,
            split: None,
            frames: i64::try_from(frames).unwrap_or(i64::MAX),
            subjects: Vec::new(),
            weights: self.weights.clone(),
            means: self.means.clone(),
            variances: self.variances.to_vec(),
            log_likelihoods: Vec::new(),
        }
    }
}

impl TryFrom<&Mixture> for Gaussians {
    type Error = StageError;

    fn try_from(row: &Mixture) -> Result<Self, StageError> {
        Self::new(row.weights.clone(), row.means.clone(), row.variances.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mixture_is_refused_with_the_number() {
        let message = |weights: &[f64], means: &[f64], variances: &[f64]| {
            Gaussians::new(weights.to_vec(), means.to_vec(), variances.to_vec()).unwrap_err().to_string()
        };
        assert_eq!(
            message(&[0.5, 0.5], &[1.0], &[1.0]),
            "the mixture has 2 weights, 1 means and 1 variances"
        );
        assert_eq!(message(&[1.0], &[f64::NAN], &[1.0]), "the mixture has a mean of NaN");
        assert_eq!(message(&[1.0], &[1.0], &[0.0]), "the mixture has a variance of 0");
        assert_eq!(
            message(&[0.5, 0.4], &[1.0, 2.0], &[1.0, 1.0]),
            "the mixture has weights that are negative or sum to 0.9"
        );
        assert!(Gaussians::new(vec![f64::NAN], vec![1.0], vec![1.0]).is_err());
    }

    #[test]
    fn a_row_of_the_table_comes_back() {
        let gaussians = Gaussians::new(vec![0.25, 0.75], vec![0.0, 4.0], vec![1.0, 2.0]).unwrap();
        assert_eq!(gaussians.center(), [3.0]);
        assert_eq!(Gaussians::try_from(&gaussians.to_mixture(3)).unwrap(), gaussians);
    }
}
