//! Two logs of one sensor in one session: one after the other they are one recording, side by side they are not.

use std::borrow::Cow;
use std::sync::Arc;

use schemas::tables::rejects::Reject;

use super::assemble::Recorded;
use super::faults::file_reject;
use super::reasons;
use super::rows::Part;

/// Two readings of a log that are no further apart hold what lies between them at their time, s: phones give readings in
/// bursts of parts of a second, and a recording that goes on in another file pauses the first one for longer. Ours.
pub const TOGETHER_SECONDS: f64 = 1.0;

/// The share of its readings that two files of one recording may have in common: a logger that goes on in another file may
/// write its last readings twice. Ours.
const SHARED: f64 = 0.1;

/// Takes from `recorded` what was recorded beside another log of the same sensor, as rejects: of two such logs, the one
/// whose file comes first is kept.
pub(super) fn without_second_logs(recorded: &mut Recorded) -> Vec<Reject> {
    let mut rejects = Vec::new();
    let mut kept: Vec<(Arc<str>, Part)> = Vec::with_capacity(recorded.parts.len());
    for (file, part) in std::mem::take(&mut recorded.parts) {
        let same = kept.iter().filter(|(_, other)| other.sensor == part.sensor);
        let beside = same
            .into_iter()
            .find(|(_, other)| are_together(&other.track.stamp_nanos, &part.track.stamp_nanos));
        let Some((other, _)) = beside else {
            kept.push((file, part));
            continue;
        };
        let rows = part.track.stamp_nanos.len();
        let detail = format!(
            "{rows} readings of the {} in session `{}` of subject `{}` while `{other}` has others; hint: tell them apart by `device` or `session`, or let the pattern leave one out",
            part.sensor.name(),
            recorded.key.session,
            recorded.key.subject,
        );
        let reject = file_reject(&recorded.key.dataset, &file, reasons::SECOND_LOG, detail);
        rejects.push(Reject { rows: rows as u64, ..reject });
    }
    recorded.parts = kept;
    rejects
}

/// Whether the readings of one log lie within the other.
fn are_together(one: &[i64], other: &[i64]) -> bool {
    let (one, other) = (sorted(one), sorted(other));
    lie_within(&one, &other) || lie_within(&other, &one)
}

/// Whether more than [`SHARED`] of `stamps` lie between two of `log` that are close to each other. Both ascend.
fn lie_within(stamps: &[i64], log: &[i64]) -> bool {
    let within = stamps.iter().filter(|stamp| {
        let behind = log.partition_point(|other| other < stamp);
        let next = log.get(behind);
        let before = behind.checked_sub(1).map(|at| log[at]);
        next == Some(*stamp)
            || before
                .zip(next)
                .is_some_and(|(before, next)| next.saturating_sub(before) as f64 <= TOGETHER_SECONDS * 1e9)
    });
    within.count() as f64 > SHARED * stamps.len() as f64
}

fn sorted(stamps: &[i64]) -> Cow<'_, [i64]> {
    if stamps.is_sorted() {
        return Cow::Borrowed(stamps);
    }
    let mut stamps = stamps.to_vec();
    stamps.sort_unstable();
    Cow::Owned(stamps)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn log(first: i64, count: i64, step: i64) -> Vec<i64> {
        (0..count).map(|at| (first + at * step) * MS).collect()
    }

    #[test]
    fn logs_of_one_time_are_together_and_those_that_follow_are_not() {
        let first = log(0, 500, 20);
        for (other, together) in [
            (log(0, 500, 20), true),
            (log(7, 500, 20), true),
            (log(8_000, 500, 20), true),
            (log(3_000, 10, 20), true),
            (log(10_000, 500, 20), false),
            (log(9_980, 500, 20), false),
            (log(9_900, 500, 20), false),
            (log(-20_000, 500, 20), false),
        ] {
            assert_eq!(are_together(&first, &other), together, "{}", other[0] / MS);
            assert_eq!(are_together(&other, &first), together, "{}", other[0] / MS);
        }
        // A day between two others, each in a file with the days around it.
        let days = [log(0, 500, 20), log(172_800_000, 500, 20)].concat();
        assert!(!are_together(&days, &log(86_400_000, 500, 20)));
        let mut backward = first.clone();
        backward.reverse();
        assert!(are_together(&backward, &first));
    }
}
