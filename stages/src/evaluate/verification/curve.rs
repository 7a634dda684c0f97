//! The exact step curve of the two error rates over all thresholds.
//!
//! A trial is accepted where its score is at least the threshold: FAR is the share of impostor scores at or above
//! it, FRR the share of genuine scores below it. Between two neighbouring scores nothing changes, so M distinct
//! scores make M + 1 steps. Counts are whole numbers, so comparisons of rates are exact.

use super::error::VerificationError;
use super::probit::probit;

/// One score, and whose weight it has when people are resampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Higher speaks for the client.
    pub score: f64,
    /// Whether client and probe are the same person.
    pub genuine: bool,
    /// Number of the client.
    pub client: u32,
    /// Number of the probe's session.
    pub session: u32,
}

/// FAR and FRR at every threshold.
///
/// Step s stands for the thresholds above the s lowest distinct scores and up to the next one: step 0 accepts
/// everyone, step M no one.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Distinct scores, ascending, `[M]`.
    scores: Vec<f64>,
    /// Impostor trials accepted at each step, `[M + 1]`.
    false_accepts: Vec<u64>,
    /// Genuine trials rejected at each step, `[M + 1]`.
    false_rejects: Vec<u64>,
}

impl Curve {
    /// The curve of plain lists of scores, in any order.
    ///
    /// ```
    /// use stages::evaluate::verification::Curve;
    /// let curve = Curve::of(&[2.0, 3.0], &[1.0, 2.0])?;
    /// assert_eq!(curve.rates_at(2.0), [0.5, 0.0]);
    /// # Ok::<(), stages::evaluate::verification::VerificationError>(())
    /// ```
    ///
    /// # Errors
    /// When a list is empty or a score is not finite.
    pub fn of(genuine: &[f64], impostor: &[f64]) -> Result<Self, VerificationError> {
        let all = [(genuine, true), (impostor, false)];
        let scored = |score: &f64, genuine| Scored { score: *score, genuine, client: 0, session: 0 };
        let mut trials: Vec<Scored> =
            all.iter().flat_map(|(list, kind)| list.iter().map(|score| scored(score, *kind))).collect();
        let count = trials.iter().filter(|trial| !trial.score.is_finite()).count();
        if count > 0 {
            return Err(VerificationError::NotFinite { count, of: trials.len() });
        }
        sort(&mut trials);
        Self::weighted(&trials, |_| 1).ok_or_else(|| VerificationError::OneKind {
            of: "these scores".to_owned(),
            genuine: genuine.len() as u64,
            impostor: impostor.len() as u64,
        })
    }

    /// The curve of `trials` in the order of [`sort`], each of which counts `weight` times; `None` where genuine or
    /// impostor trials are missing. A score that counts zero times is no score of the curve.
    pub fn weighted(trials: &[Scored], weight: impl Fn(&Scored) -> u32) -> Option<Self> {
        let mut scores: Vec<f64> = Vec::new();
        // Trials below each step, to be turned into errors once the totals are known.
        let (mut impostors_below, mut genuine_below) = (vec![0_u64], vec![0_u64]);
        let (mut impostors, mut genuine) = (0_u64, 0_u64);
        for trial in trials {
            let weight = u64::from(weight(trial));
            if weight == 0 {
                continue;
            }
            if scores.last() != Some(&trial.score) {
                if !scores.is_empty() {
                    impostors_below.push(impostors);
                    genuine_below.push(genuine);
                }
                scores.push(trial.score);
            }
            *(if trial.genuine { &mut genuine } else { &mut impostors }) += weight;
        }
        if impostors == 0 || genuine == 0 {
            return None;
        }
        impostors_below.push(impostors);
        genuine_below.push(genuine);
        for below in &mut impostors_below {
            *below = impostors - *below;
        }
        Some(Self { scores, false_accepts: impostors_below, false_rejects: genuine_below })
    }

    /// How many steps there are: one more than distinct scores.
    #[expect(clippy::len_without_is_empty, reason = "a curve has two steps or more")]
    pub fn len(&self) -> usize {
        self.false_accepts.len()
    }

    /// How many genuine trials it rests on.
    pub fn genuine(&self) -> u64 {
        self.false_rejects[self.len() - 1]
    }

    /// How many impostor trials it rests on.
    pub fn impostor(&self) -> u64 {
        self.false_accepts[0]
    }

    /// Impostors accepted and genuine trials rejected at `step`.
    pub fn errors(&self, step: usize) -> [u64; 2] {
        [self.false_accepts[step], self.false_rejects[step]]
    }

    /// FAR and FRR at `step`, shares.
    pub fn rates(&self, step: usize) -> [f64; 2] {
        let [accepts, rejects] = self.errors(step);
        [accepts as f64 / self.impostor() as f64, rejects as f64 / self.genuine() as f64]
    }

    /// FAR and FRR at `threshold`, shares.
    pub fn rates_at(&self, threshold: f64) -> [f64; 2] {
        self.rates(self.scores.partition_point(|score| *score < threshold))
    }

    /// FAR minus FRR at `step`, in units of 1 / (genuine times impostor trials): exact and decreasing.
    pub fn difference(&self, step: usize) -> i128 {
        let [accepts, rejects] = self.errors(step).map(i128::from);
        accepts * i128::from(self.genuine()) - rejects * i128::from(self.impostor())
    }

    /// A threshold of `step`: midway between the scores on either side, the lowest score at the first step, the
    /// number next to the highest score at the last.
    pub fn threshold(&self, step: usize) -> f64 {
        let count = self.scores.len();
        if step == 0 {
            return self.scores[0];
        }
        if step >= count {
            return self.scores[count - 1].next_up();
        }
        let (below, above) = (self.scores[step - 1], self.scores[step]);
        let middle = below / 2.0 + above / 2.0;
        // Between neighbouring numbers there is no middle; the upper one belongs to the step.
        if middle > below && middle <= above { middle } else { above }
    }

    /// The steps as points of a ROC plot: FAR and 1 - FRR, shares, `[M + 1]`.
    pub fn roc(&self) -> Vec<[f64; 2]> {
        (0..self.len()).map(|step| self.rates(step)).map(|[far, frr]| [far, 1.0 - frr]).collect()
    }

    /// The steps as points of a detection error trade-off plot: FAR and FRR on the [`probit`] scale, infinite where
    /// a rate is 0 or 1, `[M + 1]`. Source: Martin et al., "The DET curve in assessment of detection task
    /// performance", Eurospeech 1997.
    pub fn det(&self) -> Vec<[f64; 2]> {
        (0..self.len()).map(|step| self.rates(step).map(probit)).collect()
    }

    /// At most `points` steps that show the curve, ascending, with its first and last step among them.
    ///
    /// They are spread evenly along the curve of a detection error trade-off plot, whose corners hold the small
    /// rates; a rate of zero stands half an error away from it.
    pub fn thinned(&self, points: usize) -> Vec<usize> {
        let last = self.len() - 1;
        if self.len() <= points || points < 2 {
            return (0..self.len()).filter(|_| points > 0).collect();
        }
        let half = [0.5 / self.impostor() as f64, 0.5 / self.genuine() as f64];
        let place = |step: usize| {
            let [far, frr] = self.rates(step);
            [(far, half[0]), (frr, half[1])].map(|(rate, half)| probit(rate.clamp(half, 1.0 - half)))
        };
        let mut length = 0.0;
        let mut before = place(0);
        let lengths: Vec<f64> = (0..=last)
            .map(|step| {
                let here = place(step);
                length += (here[0] - before[0]).abs() + (here[1] - before[1]).abs();
                before = here;
                length
            })
            .collect();
        let wanted = |number: usize| length * number as f64 / (points - 1) as f64;
        let step_at = |number: usize| lengths.partition_point(|along| *along < wanted(number)).min(last);
        let mut steps: Vec<usize> = (1..points - 1).map(step_at).chain([0, last]).collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}

/// Sorts `trials` as curves need them: by score, then by person, so that equal trials in another order make the
/// same list.
pub fn sort(trials: &mut [Scored]) {
    trials.sort_unstable_by(|a, b| {
        let rest = |trial: &Scored| (trial.genuine, trial.client, trial.session);
        a.score.total_cmp(&b.score).then_with(|| rest(a).cmp(&rest(b)))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Curve {
        Curve::of(&[4.0, 2.0, 3.0, 3.0], &[1.0, 2.0, 0.0]).unwrap()
    }

    #[test]
    fn every_step_counts_both_errors() {
        let curve = small();
        let errors: Vec<[u64; 2]> = (0..curve.len()).map(|step| curve.errors(step)).collect();
        assert_eq!(errors, [[3, 0], [2, 0], [1, 0], [0, 1], [0, 3], [0, 4]]);
        assert_eq!(curve.threshold(0), 0.0);
        assert_eq!(curve.threshold(3), 2.5);
        assert!(curve.threshold(5) > 4.0 && curve.rates_at(curve.threshold(5)) == [0.0, 1.0]);
    }

    #[test]
    fn a_score_on_the_threshold_is_accepted() {
        assert_eq!(small().rates_at(2.0), [1.0 / 3.0, 0.0]);
        assert_eq!(small().rates_at(2.0_f64.next_up()), [0.0, 0.25]);
    }

    #[test]
    fn thresholds_fall_into_their_steps_however_close_the_scores() {
        let close = Curve::of(&[1.0, 1.0_f64.next_up(), f64::MAX], &[f64::MIN, -0.0, 0.0]).unwrap();
        for step in 0..close.len() {
            assert_eq!(close.rates_at(close.threshold(step)), close.rates(step), "step {step}");
        }
        // Minus zero and zero are one score.
        assert_eq!(close.len(), 6);
    }

    #[test]
    fn weights_are_repetitions() {
        let mut trials: Vec<Scored> = [(1.0, false, 0), (2.0, true, 0), (2.0, false, 1), (3.0, true, 1)]
            .map(|(score, genuine, client)| Scored { score, genuine, client, session: 0 })
            .to_vec();
        sort(&mut trials);
        let drawn = Curve::weighted(&trials, |trial| [0, 3][trial.client as usize]).unwrap();
        assert_eq!(drawn, Curve::of(&[3.0; 3], &[2.0; 3]).unwrap());
        assert!(Curve::weighted(&trials, |trial| u32::from(trial.genuine)).is_none());
    }

    #[test]
    fn thinning_keeps_the_ends_and_the_small_rates() {
        let genuine: Vec<f64> = (0..2000).map(|n| f64::from(n) / 1000.0 + 1.0).collect();
        let impostor: Vec<f64> = (0..2000).map(|n| f64::from(n) / 1000.0).collect();
        let curve = Curve::of(&genuine, &impostor).unwrap();
        let steps = curve.thinned(50);
        assert!((30..=50).contains(&steps.len()), "{}", steps.len());
        assert_eq!((steps[0], steps[steps.len() - 1]), (0, curve.len() - 1));
        assert!(steps.iter().any(|step| (0.0..0.005).contains(&curve.rates(*step)[0])));
        assert_eq!(small().thinned(50), [0, 1, 2, 3, 4, 5]);
        assert!(small().thinned(0).is_empty());
    }

    #[test]
    fn lists_that_make_no_curve_are_refused_with_their_counts() {
        let error = Curve::of(&[1.0], &[]).unwrap_err();
        assert!(error.to_string().contains("1 genuine and 0 impostor"), "{error}");
        let error = Curve::of(&[1.0, f64::NAN], &[f64::INFINITY]).unwrap_err();
        assert_eq!(error, VerificationError::NotFinite { count: 2, of: 3 });
    }

    #[test]
    fn plot_points_are_the_rates_on_their_scales() {
        let curve = small();
        assert_eq!(curve.roc()[3], [0.0, 0.75]);
        assert_eq!(curve.det()[2], [probit(1.0 / 3.0), f64::NEG_INFINITY]);
    }
}
