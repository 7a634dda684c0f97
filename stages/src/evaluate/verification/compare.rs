//! Two systems scored on the same clients: the difference of their equal error rates, with a paired interval.
//!
//! Every resample draws clients once and computes both rates from the trials of those clients, as for poses in
//! [`super::super::compare`].

use std::collections::{BTreeMap, BTreeSet};

use schemas::tables::trials::Trial;

use super::super::bootstrap::intervals;
use super::curve::{Curve, Scored, sort};
use super::eer::equal_error;
use super::score::VerificationOptions;

/// The equal error rates of both systems.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialComparison {
    /// Clients that both have.
    pub clients: usize,
    /// Trials of these clients on each side.
    pub trials: [usize; 2],
    /// Equal error rate of the first system, in percent.
    pub one: f64,
    /// That of the other.
    pub other: f64,
    /// The first minus the other, in percentage points.
    pub difference: f64,
    /// 95 % bootstrap interval of the difference, over clients.
    pub ends: Option<[f64; 2]>,
    /// How many clients only one of the two has; their trials are left out.
    pub left_out: usize,
}

/// Compares the trials of two systems with finite scores whose probe and client are of one split. `None` where the
/// clients that both have lack genuine or impostor trials on a side.
pub fn compare_trials(
    one: &[&Trial],
    other: &[&Trial],
    options: &VerificationOptions,
) -> Option<TrialComparison> {
    let clients =
        |trials: &[&Trial]| -> BTreeSet<String> { trials.iter().map(|trial| trial.client.clone()).collect() };
    let (first, second) = (clients(one), clients(other));
    let shared: BTreeMap<&str, u32> = first.intersection(&second).map(String::as_str).zip(0..).collect();
    let left_out = first.union(&second).count() - shared.len();
    let numbered = |trials: &[&Trial]| {
        let scored = |trial: &&Trial| {
            let client = *shared.get(trial.client.as_str())?;
            let usable = trial.score.is_finite() && trial.split == trial.client_split;
            usable.then_some(Scored { score: trial.score, genuine: trial.genuine, client, session: 0 })
        };
        let mut scored: Vec<Scored> = trials.iter().filter_map(scored).collect();
        sort(&mut scored);
        scored
    };
    let sides = [numbered(one), numbered(other)];
    let rates = |weights: &[u32]| {
        [0, 1].map(|side| {
            let curve = Curve::weighted(&sides[side], |trial| weights[trial.client as usize]);
            curve.map_or(f64::NAN, |curve| 100.0 * equal_error(&curve, options.eer).rate)
        })
    };
    let [one, other] = rates(&vec![1; shared.len()]);
    let difference = one - other;
    if difference.is_nan() {
        return None;
    }
    let statistic = |weights: &[u32]| {
        let [one, other] = rates(weights);
        vec![one - other]
    };
    let ends = match options.resamples {
        0 => None,
        resamples => intervals(shared.len(), resamples, options.seed, &[difference], statistic)[0],
    };
    let trials = [0, 1].map(|side| sides[side].len());
    Some(TrialComparison { clients: shared.len(), trials, one, other, difference, ends, left_out })
}

#[cfg(test)]
mod tests {
    use super::super::evaluate_verification;
    use super::super::fixtures::trials;
    use super::*;

    fn options() -> VerificationOptions {
        VerificationOptions { resamples: 200, ..VerificationOptions::default() }
    }

    #[test]
    fn a_system_does_not_differ_from_itself_and_its_rate_is_that_of_scoring() {
        let all = trials("test", 12, 1);
        let refs: Vec<&Trial> = all.iter().collect();
        let same = compare_trials(&refs, &refs, &options()).unwrap();
        assert_eq!((same.clients, same.difference, same.ends), (12, 0.0, Some([0.0, 0.0])));
        let metrics = evaluate_verification(&all, None, &options()).unwrap().metrics;
        assert_eq!(metrics.iter().find(|m| m.metric == "eer").unwrap().value, same.one);
    }

    #[test]
    fn a_worse_system_is_told_and_lonely_clients_are_left_out() {
        let all = trials("test", 12, 1);
        let mut worse = all.clone();
        worse.iter_mut().filter(|trial| trial.genuine).for_each(|trial| trial.score -= 3.0);
        let refs: Vec<&Trial> = all.iter().collect();
        let lonely = &all[0].client;
        let worse: Vec<&Trial> = worse.iter().filter(|trial| trial.client != *lonely).collect();
        let told = compare_trials(&worse, &refs, &options()).unwrap();
        assert_eq!((told.clients, told.left_out), (11, 1));
        assert!(told.difference > 0.0 && told.ends.unwrap()[0] > 0.0, "{told:?}");
        assert!(compare_trials(&[], &refs, &options()).is_none());
    }
}
