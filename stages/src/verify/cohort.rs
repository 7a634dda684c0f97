//! Mean and spread of the scores of a cohort.

use crate::unit_sum::Add;

/// Fewest scores that have a spread.
pub const LEAST_SCORES: u64 = 2;

/// Scores of impostors, of which only mean and spread are kept (Welford 1962).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cohort {
    count: u64,
    mean: f64,
    squares: f64,
}

/// Why scores cannot be normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking {
    /// So few scores.
    Scores(u64),
    /// So many scores, all equal.
    Spread(u64),
}

impl Cohort {
    /// Adds a score.
    pub fn push(&mut self, score: f64) {
        self.count += 1;
        let apart = score - self.mean;
        self.mean += apart / self.count as f64;
        self.squares += apart * (score - self.mean);
    }

    /// `score` in spreads above the mean. The spread is that of a sample: N - 1 divides.
    ///
    /// # Errors
    /// When there are fewer than [`LEAST_SCORES`], or all are equal.
    pub fn normalise(self, score: f64) -> Result<f64, Lacking> {
        if self.count < LEAST_SCORES {
            return Err(Lacking::Scores(self.count));
        }
        let spread = (self.squares / (self.count - 1) as f64).sqrt();
        // Written so that a spread that is not a number is refused too.
        if spread > 0.0 { Ok((score - self.mean) / spread) } else { Err(Lacking::Spread(self.count)) }
    }
}

/// Chan, Golub and `LeVeque` 1983.
impl Add for Cohort {
    fn add(&mut self, other: &Self) {
        let count = self.count + other.count;
        let (apart, share) = (other.mean - self.mean, other.count as f64 / count.max(1) as f64);
        self.mean += apart * share;
        self.squares += other.squares + apart * apart * (self.count as f64 * share);
        self.count = count;
    }
}

impl Lacking {
    /// Reason and detail of the reject, where the scores are those of `whose`.
    pub fn of(self, whose: &str) -> (&'static str, String) {
        match self {
            Self::Scores(count) => {
                ("cohort too small", format!("{whose} has {count} cohort scores, {LEAST_SCORES} are needed"))
            }
            Self::Spread(count) => (
                "cohort without spread",
                format!("{whose} has {count} cohort scores, all equal or not finite"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_counted_in_sample_spreads() {
        let mut cohort = Cohort::default();
        for score in [1.0, 2.0, 3.0, 4.0] {
            cohort.push(score);
        }
        // numpy: (5 - mean) / std with ddof = 1.
        assert!((cohort.normalise(5.0).unwrap() - 1.936_491_673_103_708_5).abs() < 1e-14);
    }

    #[test]
    fn cohorts_of_two_units_are_that_of_both() {
        let of = |scores: &[f64]| {
            let mut cohort = Cohort::default();
            for score in scores {
                cohort.push(*score);
            }
            cohort
        };
        let whole = of(&[1.0, 2.0, 3.0, 7.0, -4.0]).normalise(5.0).unwrap();
        for border in 0..=5 {
            let (first, second) = [1.0, 2.0, 3.0, 7.0, -4.0].split_at(border);
            let mut both = of(first);
            both.add(&of(second));
            assert!((both.normalise(5.0).unwrap() - whole).abs() < 1e-14, "{border}");
        }
    }

    #[test]
    fn what_has_no_spread_says_so() {
        let mut cohort = Cohort::default();
        assert_eq!(cohort.normalise(1.0), Err(Lacking::Scores(0)));
        cohort.push(0.1);
        assert_eq!(cohort.normalise(1.0), Err(Lacking::Scores(1)));
        cohort.push(0.1);
        assert_eq!(cohort.normalise(1.0), Err(Lacking::Spread(2)));
        cohort.push(f64::NAN);
        let (reason, detail) = cohort.normalise(1.0).unwrap_err().of("client `a`");
        assert_eq!(reason, "cohort without spread");
        assert_eq!(detail, "client `a` has 3 cohort scores, all equal or not finite");
    }
}
