//! What a person does from which sample of a signal on, and from which file the readings are.

use schemas::tables::readings::Part as Told;
use schemas::tables::signals::Part;

use super::super::timing::{NANOS_PER_SECOND, stamp_nanos};
use super::grid::Grid;

/// The parts of the samples of `grid`, one or more, of a session of the parts `told`.
///
/// A sample belongs with the last reading at or before it. Parts whose stamps go back by up to `clock_jump_nanos` begin
/// with a late reading and are put in order. Where the clock was set back further, the stamps do not say which readings
/// the samples are from: what all parts agree in holds, all else is unknown.
pub(super) fn of_stretch(told: &[Told], grid: Grid, clock_jump_nanos: i64) -> Vec<Part<'_>> {
    let mut told: Vec<&Told> = told.iter().collect();
    if !told.is_sorted_by_key(|part| part.first_nanos) {
        let mut latest = i64::MIN;
        let set_back = told.iter().any(|part| {
            latest = latest.max(part.first_nanos);
            latest.saturating_sub(part.first_nanos) > clock_jump_nanos
        });
        if set_back {
            return vec![agreed(&told)];
        }
        told.sort_by_key(|part| part.first_nanos);
    }
    let mut parts: Vec<Part<'_>> = Vec::new();
    for part in told {
        let first_sample = if parts.is_empty() { 0 } else { sample_at(part.first_nanos, grid) };
        if first_sample >= grid.length {
            break;
        }
        let part = named(part, first_sample);
        match parts.last_mut() {
            // No sample lies between the two: the later one holds.
            Some(last) if last.first_sample == first_sample => *last = part,
            _ => parts.push(part),
        }
    }
    parts.dedup_by(|later, earlier| {
        (later.activity, later.source_file) == (earlier.activity, earlier.source_file)
    });
    if parts.is_empty() {
        parts.push(Part { first_sample: 0, activity: None, source_file: None });
    }
    parts
}

/// What all of `told` agree in.
fn agreed<'a>(told: &[&'a Told]) -> Part<'a> {
    let first = told.first().map(|part| named(part, 0));
    let mut part = first.unwrap_or(Part { first_sample: 0, activity: None, source_file: None });
    for other in told {
        part.activity = part.activity.filter(|activity| Some(*activity) == other.activity.as_deref());
        part.source_file = part.source_file.filter(|file| Some(*file) == other.source_file.as_deref());
    }
    part
}

fn named(part: &Told, first_sample: usize) -> Part<'_> {
    Part { first_sample, activity: part.activity.as_deref(), source_file: part.source_file.as_deref() }
}

/// The first sample of `grid` that does not lie before `nanos`.
fn sample_at(nanos: i64, grid: Grid) -> usize {
    let since = nanos.saturating_sub(grid.start_nanos).max(0);
    let mut sample = (since as f64 * grid.rate_hz / NANOS_PER_SECOND) as usize;
    // The product is rounded: the sample itself says where it lies.
    while sample > 0 && stamp_nanos(grid.start_nanos, sample - 1, grid.rate_hz) >= nanos {
        sample -= 1;
    }
    while sample < grid.length && stamp_nanos(grid.start_nanos, sample, grid.rate_hz) < nanos {
        sample += 1;
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;
    const JUMP: i64 = 1_000 * MS;

    fn told(parts: &[(i64, &str)]) -> Vec<Told> {
        let part = |(ms, activity): &(i64, &str)| Told {
            first_nanos: ms * MS,
            activity: (!activity.is_empty()).then(|| (*activity).to_owned()),
            source_file: Some("a.csv".to_owned()),
        };
        parts.iter().map(part).collect()
    }

    fn found(parts: &[(i64, &str)], start_ms: i64, length: usize) -> Vec<(usize, Option<String>)> {
        let grid = Grid { start_nanos: start_ms * MS, rate_hz: 50.0, length };
        let told = told(parts);
        let parts = of_stretch(&told, grid, JUMP);
        parts.iter().map(|part| (part.first_sample, part.activity.map(str::to_owned))).collect()
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands where a part may have no activity")]
    fn some(name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    #[test]
    fn a_part_begins_at_the_first_sample_not_before_it() {
        let parts = [(0, "walk"), (1000, "sit"), (2000, ""), (3001, "run")];
        assert_eq!(found(&parts, 0, 50), [(0, some("walk"))]);
        assert_eq!(found(&parts, 0, 51), [(0, some("walk")), (50, some("sit"))]);
        assert_eq!(
            found(&parts, 990, 500),
            [(0, some("walk")), (1, some("sit")), (51, None), (101, some("run"))]
        );
        assert_eq!(found(&parts, 1000, 10), [(0, some("sit"))]);
        assert_eq!(found(&[(500, "walk")], 0, 50), [(0, some("walk"))], "the first part reaches back");
        assert_eq!(found(&[], 0, 50), [(0, None)]);
    }

    #[test]
    fn a_clock_that_was_set_back_leaves_what_all_agree_in() {
        assert_eq!(found(&[(5000, "walk"), (0, "sit")], 0, 100), [(0, None)]);
        assert_eq!(found(&[(5000, "walk"), (0, "walk")], 0, 100), [(0, some("walk"))]);
        // A late reading at the border is no such clock.
        let late = [(0, "walk"), (1000, "sit"), (990, "walk"), (1020, "sit")];
        assert_eq!(found(&late, 0, 100), [(0, some("walk")), (50, some("sit"))]);
    }

    proptest! {
        #[test]
        fn each_sample_has_the_activity_of_the_last_reading_before_it(
            steps in prop::collection::vec((0_i64..400, "[ab]?"), 1..12),
            start in -100_i64..3000,
            length in 1_usize..200,
            rate_hz in prop_oneof![Just(50.0), Just(30.0), 1.0_f64..400.0],
        ) {
            let mut at = 0;
            let parts: Vec<Told> = steps
                .iter()
                .flat_map(|(step, name)| { at += step; told(&[(at, name)]) })
                .collect();
            let grid = Grid { start_nanos: start * MS, rate_hz, length };
            let found = of_stretch(&parts, grid, JUMP);
            prop_assert!(found[0].first_sample == 0);
            for sample in 0..length {
                let stamp = stamp_nanos(grid.start_nanos, sample, rate_hz);
                let last = parts.iter().rfind(|part| part.first_nanos <= stamp).unwrap_or(&parts[0]);
                let part = found.iter().rfind(|part| part.first_sample <= sample).unwrap();
                prop_assert_eq!(part.activity, last.activity.as_deref());
            }
        }
    }
}
