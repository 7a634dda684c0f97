//! From normalised errors to rates over all thresholds.

use super::measure::Errors;
use super::rules::{Mean, Part, Rules};
use schemas::skeleton::Skeleton;

/// What one number of a result is of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    /// Name of the metric.
    pub metric: String,
    /// The joint or stick.
    pub joint: Option<String>,
    /// The group.
    pub group: Option<&'static str>,
    /// The threshold.
    pub threshold: Option<f64>,
    /// How many annotated parts it rests on.
    pub count: i64,
}

/// The errors of all people, each sorted into the first threshold at which it is right.
#[derive(Debug)]
pub(super) struct Curves {
    rules: &'static Rules,
    thresholds: Vec<f64>,
    /// `[N, P]`: index of the first threshold at which the part is right, T where at none, T + 1 where the part is
    /// not annotated.
    bins: Vec<u8>,
}

/// The bin of a part that [`Curves::set`] has not been told of.
const UNSET: u8 = u8::MAX;

impl Curves {
    /// Sorts the errors of N people, `[N, P]`.
    pub(super) fn new(rules: &'static Rules, people: &[Errors]) -> Self {
        let mut curves = Self::open(rules, people.len());
        for (person, errors) in people.iter().enumerate() {
            curves.set(person, errors);
        }
        curves
    }

    /// Room for the errors of N = `people` people.
    pub(super) fn open(rules: &'static Rules, people: usize) -> Self {
        Self { rules, thresholds: rules.thresholds(), bins: vec![UNSET; people * rules.parts.len()] }
    }

    /// Sorts the errors of person number `person`, `[P]`.
    pub(super) fn set(&mut self, person: usize, errors: &Errors) {
        let (rules, thresholds) = (self.rules, &self.thresholds);
        let bin = |error: &Option<f64>| match error {
            Some(error) => thresholds.partition_point(|&t| !rules.comparator.holds(*error, t)),
            None => thresholds.len() + 1,
        };
        let bins = &mut self.bins[person * rules.parts.len()..];
        bins.iter_mut().zip(errors).for_each(|(place, error)| *place = bin(error) as u8);
    }

    /// The people whose errors were not told.
    pub(super) fn unset(&self) -> Vec<usize> {
        let rows = self.bins.chunks_exact(self.rules.parts.len()).enumerate();
        rows.filter(|(_, bins)| bins[0] == UNSET).map(|(person, _)| person).collect()
    }

    /// Annotated parts, `[P]`.
    fn annotated(&self) -> Vec<i64> {
        let parts = self.rules.parts.len();
        let missing = self.thresholds.len() as u8 + 1;
        let count = |part| self.bins.iter().skip(part).step_by(parts).filter(|bin| **bin != missing).count();
        (0..parts).map(|part| count(part) as i64).collect()
    }

    /// What each number of [`Self::rates`] is of, in its order: each part's curve, each group's curve, each group's
    /// area, and the protocol's extra figure.
    pub(super) fn cells(&self, truth: &Skeleton) -> Vec<Cell> {
        let (rules, annotated) = (self.rules, self.annotated());
        let cell = |metric: &str, joint: Option<&str>, group: Option<&'static str>, threshold, count| Cell {
            metric: metric.to_owned(),
            joint: joint.map(str::to_owned),
            group,
            threshold,
            count,
        };
        let group_count = |group: usize| {
            rules.groups[group].parts.iter().map(|name| annotated[rules.part(name)]).sum::<i64>()
        };
        let mut cells = Vec::new();
        for (part, count) in rules.parts.iter().zip(&annotated) {
            // The skeleton's own name: `upper_neck` of a protocol may be the truth's `neck`.
            let name = match part {
                Part::Joint(name) => truth.index_of(name).map_or(*name, |joint| truth.joints[joint]),
                Part::Stick { name, .. } => name,
            };
            cells.extend(
                self.thresholds.iter().map(|t| cell(rules.metric, Some(name), None, Some(*t), *count)),
            );
        }
        for (at, group) in rules.groups.iter().enumerate() {
            let count = group_count(at);
            cells.extend(
                self.thresholds.iter().map(|t| cell(rules.metric, None, Some(group.name), Some(*t), count)),
            );
        }
        for (at, group) in rules.groups.iter().enumerate() {
            cells.push(cell("auc", None, Some(group.name), None, group_count(at)));
        }
        if let Some((name, hundredth)) = rules.extra {
            let count = group_count(rules.groups.len() - 1);
            cells.push(cell(name, None, Some("total"), Some(self.thresholds[hundredth]), count));
        }
        cells
    }

    /// All numbers, in percent, when person n counts `weights[n]` times; `NaN` where nothing is annotated.
    pub(super) fn rates(&self, weights: &[u32]) -> Vec<f64> {
        let (parts, count) = (self.rules.parts.len(), self.thresholds.len());
        let slots = count + 2;
        let mut histogram = vec![0_u64; parts * slots];
        for (row, &weight) in self.bins.chunks_exact(parts).zip(weights) {
            if weight > 0 {
                for (part, &bin) in row.iter().enumerate() {
                    histogram[part * slots + usize::from(bin)] += u64::from(weight);
                }
            }
        }
        let all: Vec<u64> = histogram.chunks_exact(slots).map(|row| row[..=count].iter().sum()).collect();
        let mut right = Vec::with_capacity(parts * count);
        for row in histogram.chunks_exact(slots) {
            right.extend(row[..count].iter().scan(0, |sum, in_bin| {
                *sum += in_bin;
                Some(*sum)
            }));
        }
        let percent = |right: u64, all: u64| 100.0 * right as f64 / all as f64;
        let mut rates: Vec<f64> =
            right.iter().enumerate().map(|(at, right)| percent(*right, all[at / count])).collect();

        let groups = self.rules.groups;
        let first_group = rates.len();
        for group in groups {
            let members: Vec<usize> = group.parts.iter().map(|name| self.rules.part(name)).collect();
            for at in 0..count {
                let rate = match group.mean {
                    Mean::Pooled => {
                        let right = members.iter().map(|part| right[part * count + at]).sum();
                        percent(right, members.iter().map(|&part| all[part]).sum())
                    }
                    Mean::OfParts => mean(members.iter().map(|part| rates[part * count + at])),
                    Mean::OfGroups(names) => {
                        let place = |name: &&str| groups.iter().position(|group| group.name == *name);
                        mean(names.iter().filter_map(place).map(|g| rates[first_group + g * count + at]))
                    }
                };
                rates.push(rate);
            }
        }
        for group in 0..groups.len() {
            let start = first_group + group * count;
            rates.push(area(&rates[start..start + count]));
        }
        if let Some((_, hundredth)) = self.rules.extra {
            rates.push(rates[first_group + (groups.len() - 1) * count + hundredth]);
        }
        rates
    }
}

/// Mean of those that are defined; `NaN` where none is.
fn mean(rates: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) =
        rates.filter(|rate| !rate.is_nan()).fold((0.0, 0.0), |(sum, count), rate| (sum + rate, count + 1.0));
    sum / count
}

/// Area under a curve over equally spaced thresholds, rescaled to a width of 1: by trapezia, as MPII's code has it.
fn area(curve: &[f64]) -> f64 {
    let ends = f64::midpoint(curve[0], curve[curve.len() - 1]);
    (curve.iter().sum::<f64>() - ends) / (curve.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::protocol::Protocol;
    use super::*;
    use schemas::skeleton::MPII16;

    fn curves(protocol: Protocol, people: &[Errors]) -> Curves {
        Curves::new(protocol.rules().unwrap(), people)
    }

    #[test]
    fn the_comparator_decides_a_tie() {
        let people = [vec![Some(0.5); 14]];
        assert_eq!(curves(Protocol::MpiiOfficial, &people).bins[0], 50);
        assert_eq!(curves(Protocol::MpiiMmpose, &people).bins[0], 51);
        assert_eq!(curves(Protocol::MpiiOfficial, &[vec![Some(f64::NAN); 14]]).bins[0], 51);
        assert_eq!(curves(Protocol::MpiiOfficial, &[vec![None; 14]]).bins[0], 52);
    }

    #[test]
    fn the_area_of_a_straight_line_is_half() {
        let line: Vec<f64> = (0..=50).map(|at| 2.0 * f64::from(at)).collect();
        assert!((area(&line) - 50.0).abs() < 1e-12);
    }

    #[test]
    fn cells_match_rates_and_count_what_is_annotated() {
        let mut one = vec![Some(0.1); 14];
        one[13] = None;
        let curves = curves(Protocol::MpiiHrnet, &[one, vec![Some(0.3); 14]]);
        let (cells, rates) = (curves.cells(&MPII16), curves.rates(&[1, 1]));
        assert_eq!(cells.len(), rates.len());
        let extra = cells.iter().position(|cell| cell.metric == "mean_at_0.1").unwrap();
        assert_eq!((cells[extra].threshold, cells[extra].count), (Some(0.11), 27));
        assert!((rates[extra] - 100.0 * 13.0 / 27.0).abs() < 1e-12);
        let head =
            cells.iter().position(|cell| cell.group == Some("head") && cell.threshold == Some(0.2)).unwrap();
        assert_eq!((cells[head].count, rates[head]), (1, 0.0));
    }
}
