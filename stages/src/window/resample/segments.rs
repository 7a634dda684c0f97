//! Where all sensors have readings: the intersection of their stretches.

use std::ops::Range;

use super::clean::{Clean, Stretch};

/// A stretch of time in which no sensor has a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// The first common stamp.
    pub start_nanos: i64,
    /// The last one.
    pub end_nanos: i64,
    /// The readings of each sensor in it, with the neighbour of either end that a sample may be drawn from.
    pub readings: Vec<Range<usize>>,
}

/// The segments of `sensors`, and how many readings of each sensor stand in one.
///
/// The clock of a log may have been set back. The stamps then do not say which readings of the sensors belong
/// together, except that all sensors share the clock: so epoch k of one is intersected with epoch k of the others.
pub(super) fn segments(sensors: &[Clean<'_>]) -> (Vec<Segment>, Vec<usize>) {
    let mut segments = Vec::new();
    let mut next = vec![0; sensors.len()];
    // A reading may stand in two segments, as the neighbour of both, and counts once.
    let (mut counted, mut taken) = (vec![0; sensors.len()], vec![0; sensors.len()]);
    while let Some(current) = current(sensors, &next) {
        let epoch = current.iter().map(|stretch| stretch.epoch).max().unwrap_or(0);
        if let Some(behind) = current.iter().position(|stretch| stretch.epoch < epoch) {
            next[behind] += 1;
            continue;
        }
        let spans: Vec<_> = sensors.iter().zip(&current).map(|(clean, at)| clean.span(at)).collect();
        let start_nanos = spans.iter().map(|span| span.0).max().unwrap_or(0);
        let end_nanos = spans.iter().map(|span| span.1).min().unwrap_or(0);
        if start_nanos <= end_nanos {
            let readings = sensors.iter().zip(&current).map(|(clean, stretch)| {
                let stamps = &clean.stamp_nanos[stretch.range.clone()];
                let first = stamps.partition_point(|stamp| *stamp <= start_nanos) - 1;
                let last = stamps.partition_point(|stamp| *stamp < end_nanos);
                stretch.range.start + first..stretch.range.start + last + 1
            });
            let readings: Vec<_> = readings.collect();
            for (sensor, range) in readings.iter().enumerate() {
                taken[sensor] += range.end.saturating_sub(range.start.max(counted[sensor]));
                counted[sensor] = counted[sensor].max(range.end);
            }
            segments.push(Segment { start_nanos, end_nanos, readings });
        }
        for (sensor, span) in spans.iter().enumerate() {
            next[sensor] += usize::from(span.1 == end_nanos);
        }
    }
    (segments, taken)
}

/// The next stretch of each sensor; `None` once one has no more.
fn current<'a>(sensors: &'a [Clean<'_>], next: &[usize]) -> Option<Vec<&'a Stretch>> {
    let stretches = sensors.iter().zip(next).map(|(clean, at)| clean.stretches.get(*at));
    stretches.collect::<Option<Vec<_>>>().filter(|stretches| !stretches.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::clean::Limits;
    use super::*;
    use schemas::tables::readings::{Sensor, TrackView};
    use std::borrow::Cow;

    fn cleaned(stamps: Vec<i64>) -> Clean<'static> {
        let zeros = || Cow::Owned(vec![0.0; stamps.len()]);
        let track = TrackView {
            sensor: Sensor::Accelerometer,
            first_row: 0,
            axes: [zeros(), zeros(), zeros()],
            stamp_nanos: Cow::Owned(stamps),
        };
        let limits = Limits { max_gap_nanos: 10, clock_jump_nanos: 50 };
        Clean::of(Box::leak(Box::new(track)), limits)
    }

    fn spans(segments: &[Segment]) -> Vec<(i64, i64)> {
        segments.iter().map(|segment| (segment.start_nanos, segment.end_nanos)).collect()
    }

    #[test]
    fn a_gap_of_either_sensor_cuts_both() {
        let whole = cleaned((0..=20).map(|at| at * 5).collect());
        let holed = cleaned([2, 12, 22, 60, 70, 80, 90, 100].to_vec());
        let (found, taken) = segments(&[whole.clone(), holed.clone()]);
        assert_eq!(spans(&found), [(2, 22), (60, 100)]);
        // 0..=25 with the neighbours of 2 and 22, then 60..=100.
        assert_eq!(taken, [6 + 9, 8]);
        let (swapped, _) = segments(&[holed, whole]);
        assert_eq!(spans(&swapped), spans(&found));
    }

    #[test]
    fn a_reading_between_two_segments_counts_once() {
        let sparse = cleaned(vec![0, 9, 19, 28]);
        let holed = cleaned(vec![0, 5, 10, 21, 26]);
        let (found, taken) = segments(&[sparse, holed]);
        assert_eq!(spans(&found), [(0, 10), (21, 26)]);
        assert_eq!((found[0].readings[0].clone(), found[1].readings[0].clone()), (0..3, 2..4));
        assert_eq!(taken, [4, 5]);
    }

    #[test]
    fn epochs_are_laid_over_one_another_in_order() {
        let early: Vec<i64> = (0..5).map(|at| 1000 + at * 10).chain((0..5).map(|at| at * 10)).collect();
        let (found, _) = segments(&[cleaned(early.clone()), cleaned(early.clone())]);
        assert_eq!(spans(&found), [(1000, 1040), (0, 40)]);
        // A sensor whose clock was not set back has no part in what comes after.
        let (found, taken) = segments(&[cleaned(early), cleaned((0..5).map(|at| 1000 + at * 10).collect())]);
        assert_eq!((spans(&found), taken), (vec![(1000, 1040)], vec![5, 5]));
    }

    #[test]
    fn sensors_that_never_meet_have_no_segment() {
        let (found, taken) = segments(&[cleaned(vec![0, 10]), cleaned(vec![20, 30])]);
        assert_eq!((found.len(), taken), (0, vec![0, 0]));
        assert_eq!(segments(&[]).0.len(), 0);
    }
}
