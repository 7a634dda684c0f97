//! Trials as plots show them: by data set, system, normalisation and split.

use std::collections::BTreeMap;

use schemas::tables::rejects::Reject;
use schemas::tables::trials::Trial;

use super::curve::sort;
use super::groups::{GroupRates, Groups};
use super::{Curve, EerMethod, EqualError, Scored, equal_error};

/// Bars of a histogram.
pub const BINS: usize = 48;
/// Share of the scores of each kind and end that may lie in the outermost bar, so that a few far ones do not squeeze
/// the rest.
const OUTSIDE: f64 = 0.005;
/// Name under which trials that cannot be drawn are reported.
const NAME: &str = "verification sheet";

/// All trials of one data set, system, normalisation and split.
pub struct Series {
    /// Data set, model, normalisation and split.
    pub key: [String; 4],
    /// What tells it from the others.
    pub label: String,
    /// Its scores.
    pub scored: Vec<Scored>,
    /// Both error rates at every threshold.
    pub curve: Curve,
    /// The point where they are alike.
    pub equal: EqualError,
    /// Names of the clients.
    clients: Vec<String>,
}

impl Series {
    /// Names and equal error rates of the clients that have genuine and impostor trials, the lowest rate first.
    pub fn clients(&self, method: EerMethod) -> Vec<(&str, f64)> {
        let groups =
            Groups::of(&self.scored, self.clients.len(), method, |trial: &Scored| trial.client, Some);
        let named = |rates: &GroupRates| (self.clients[rates.group as usize].as_str(), rates.eer);
        let mut clients: Vec<(&str, f64)> = groups.rates.iter().map(named).collect();
        clients.sort_by(|a, b| a.1.total_cmp(&b.1).then_with(|| a.0.cmp(b.0)));
        clients
    }

    /// Where the bars of a histogram begin and end: nearly all scores, and `threshold`.
    pub fn histogram_range(&self, threshold: f64) -> (f64, f64) {
        let (mut low, mut high) = (threshold, threshold);
        for genuine in [false, true] {
            let of_kind =
                || self.scored.iter().filter(|trial| trial.genuine == genuine).map(|trial| trial.score);
            let cut = (of_kind().count() as f64 * OUTSIDE) as usize;
            low = of_kind().nth(cut).map_or(low, |score| low.min(score));
            high = of_kind().rev().nth(cut).map_or(high, |score| high.max(score));
        }
        if high > low && (high - low).is_finite() { (low, high) } else { (low - 0.5, low + 0.5) }
    }

    /// Percent of the trials of one kind in each of [`BINS`] bars of equal width from `low` to `high`.
    pub fn histogram(&self, genuine: bool, [low, high]: [f64; 2]) -> Vec<f64> {
        let mut shares = vec![0.0; BINS];
        let all = if genuine { self.curve.genuine() } else { self.curve.impostor() };
        for trial in self.scored.iter().filter(|trial| trial.genuine == genuine) {
            let place = (trial.score - low) / (high - low) * BINS as f64;
            shares[(place.max(0.0) as usize).min(BINS - 1)] += 100.0 / all as f64;
        }
        shares
    }
}

/// The series of `trials` in the order of their names, and what could not be drawn.
pub fn series(trials: &[Trial], method: EerMethod) -> (Vec<Series>, Vec<Reject>) {
    let mut groups: BTreeMap<[&str; 4], Vec<&Trial>> = BTreeMap::new();
    let mut refused: BTreeMap<(&str, String), u64> = BTreeMap::new();
    for trial in trials {
        if !trial.score.is_finite() {
            *refused.entry(("score not finite", format!("model `{}`", trial.model))).or_default() += 1;
        } else if trial.split == trial.client_split {
            let key = [&trial.dataset, &trial.model, &trial.normalisation, &trial.split];
            groups.entry(key.map(String::as_str)).or_default().push(trial);
        } else {
            let detail = format!("probe of `{}`, client of `{}`", trial.split, trial.client_split);
            *refused.entry(("client of another split", detail)).or_default() += 1;
        }
    }
    let keys: Vec<[&str; 4]> = groups.keys().copied().collect();
    let mut all = Vec::new();
    for (key, trials) in groups {
        let (scored, clients) = numbered(&trials);
        let Some(curve) = Curve::weighted(&scored, |_| 1) else {
            let genuine = scored.iter().filter(|trial| trial.genuine).count();
            let impostor = scored.len() - genuine;
            let detail = format!("{}: {genuine} genuine and {impostor} impostor", key.join(", "));
            refused.insert(("one kind of trials alone", detail), trials.len() as u64);
            continue;
        };
        let equal = equal_error(&curve, method);
        all.push(Series {
            key: key.map(str::to_owned),
            label: label(key, &keys),
            scored,
            curve,
            equal,
            clients,
        });
    }
    let reject = |((reason, detail), rows): ((&str, String), u64)| Reject {
        stage: NAME.to_owned(),
        reason: reason.to_owned(),
        detail,
        rows,
        ..Reject::default()
    };
    (all, refused.into_iter().map(reject).collect())
}

/// Scores in order, and the names of the clients that they number.
fn numbered(trials: &[&Trial]) -> (Vec<Scored>, Vec<String>) {
    let mut numbers: BTreeMap<&str, u32> = trials.iter().map(|trial| (trial.client.as_str(), 0)).collect();
    numbers.values_mut().zip(0..).for_each(|(number, at)| *number = at);
    let scored = |trial: &&Trial| Scored {
        score: trial.score,
        genuine: trial.genuine,
        client: numbers[trial.client.as_str()],
        session: 0,
    };
    let mut all: Vec<Scored> = trials.iter().map(scored).collect();
    sort(&mut all);
    (all, numbers.into_keys().map(str::to_owned).collect())
}

/// The parts of `key` in which `keys` differ; the model where they do in none.
fn label(key: [&str; 4], keys: &[[&str; 4]]) -> String {
    let differs = |part: &usize| keys.iter().any(|other| other[*part] != keys[0][*part]);
    let parts: Vec<&str> = (0..4).filter(differs).map(|part| key[part]).collect();
    if parts.is_empty() { key[1].to_owned() } else { parts.join(" ") }
}
