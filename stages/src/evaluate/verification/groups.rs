//! Error rates with a separate threshold for each client or each session: the best that a perfect normalisation of
//! scores could reach.
//!
//! Source: the talk on Project Abacus (the work of arXiv 1511.03908), the rows of its results that are marked with a
//! dagger (per device) and a double dagger (per session). Each threshold is chosen on the group's own test scores, so
//! these are bounds, not results of a system. In the talk each device belongs to one person: here it is the client.

use super::curve::{Curve, Scored};
use super::eer::{EerMethod, equal_error};

/// The rates of one group at its own threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupRates {
    /// Number of the client or session.
    pub group: u32,
    /// Number of the client who is drawn when people are resampled.
    pub person: u32,
    /// Equal error rate, a share.
    pub eer: f64,
    /// Half the sum of FAR and FRR at the threshold where they are nearest, a share.
    pub hter: f64,
    /// The threshold where they are nearest.
    pub threshold: f64,
    /// How many trials it rests on.
    pub trials: u64,
}

/// The groups of one kind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Groups {
    /// Those with genuine and impostor trials, by number.
    pub rates: Vec<GroupRates>,
    /// How many lack one of the two kinds.
    pub left_out: usize,
}

impl Groups {
    /// Splits `trials`, in the order of [`super::curve::sort`], into `count` groups by the number that `group_of`
    /// gives. `person_of` says whose weight a group has; a group of nobody is left out.
    pub fn of(
        trials: &[Scored],
        count: usize,
        method: EerMethod,
        group_of: impl Fn(&Scored) -> u32,
        person_of: impl Fn(u32) -> Option<u32>,
    ) -> Self {
        let mut members: Vec<Vec<Scored>> = vec![Vec::new(); count];
        for trial in trials {
            members[group_of(trial) as usize].push(*trial);
        }
        let mut groups = Self::default();
        for (group, trials) in (0_u32..).zip(&members) {
            let Some((curve, person)) = Curve::weighted(trials, |_| 1).zip(person_of(group)) else {
                groups.left_out += 1;
                continue;
            };
            let equal = equal_error(&curve, method);
            groups.rates.push(GroupRates {
                group,
                person,
                eer: equal.rate,
                hter: equal.half_total,
                threshold: equal.threshold,
                trials: trials.len() as u64,
            });
        }
        groups
    }

    /// Mean EER and mean HTER over the groups, each as often as its person was drawn; NaN where none was.
    pub fn means(&self, weights: &[u32]) -> [f64; 2] {
        let (mut count, mut eer, mut hter) = (0.0, 0.0, 0.0);
        for rates in &self.rates {
            let weight = f64::from(weights[rates.person as usize]);
            count += weight;
            eer += weight * rates.eer;
            hter += weight * rates.hter;
        }
        [eer / count, hter / count]
    }

    /// How many trials the groups rest on.
    pub fn trials(&self) -> u64 {
        self.rates.iter().map(|rates| rates.trials).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::verification::curve::sort;

    #[test]
    fn each_group_has_its_own_threshold_and_lonely_ones_are_left_out() {
        // Client 0 is perfect about 10, client 1 about 0, client 2 has no genuine trial; pooled they mix.
        let rows = [(11.0, true, 0), (9.0, false, 0), (1.0, true, 1), (-1.0, false, 1), (5.0, false, 2)];
        let mut trials: Vec<Scored> =
            rows.map(|(score, genuine, client)| Scored { score, genuine, client, session: 0 }).to_vec();
        sort(&mut trials);
        let pooled = equal_error(&Curve::weighted(&trials, |_| 1).unwrap(), EerMethod::Linear);
        assert!(pooled.rate > 0.3, "{}", pooled.rate);
        let groups = Groups::of(&trials, 3, EerMethod::Linear, |trial| trial.client, Some);
        assert_eq!((groups.left_out, groups.trials()), (1, 4));
        assert_eq!(groups.means(&[1, 1, 1]), [0.0, 0.0]);
        assert_eq!(groups.rates.iter().map(|rates| rates.threshold).collect::<Vec<_>>(), [10.0, 0.0]);
        assert!(groups.means(&[0, 0, 4]).iter().all(|mean| mean.is_nan()));
    }

    #[test]
    fn means_weigh_people() {
        let rates =
            |person, eer| GroupRates { group: person, person, eer, hter: 0.5, threshold: 0.0, trials: 1 };
        let groups = Groups { rates: vec![rates(0, 0.1), rates(1, 0.4)], left_out: 0 };
        assert_eq!(groups.means(&[3, 0])[0], 0.1 * 3.0 / 3.0);
        assert!((groups.means(&[1, 2])[0] - 0.3).abs() < 1e-15);
    }
}
