//! The readings of one sensor that can be used, and the stretches of them without a gap.
//!
//! The rules, reading by reading in the order of the log:
//! 1. One that is not finite, or not finite as `f32`, is dropped.
//! 2. One with the stamp of the latest reading so far takes its place: the last of equal stamps is kept, as in the
//!    conversion of HMOG.
//! 3. One whose stamp is before the latest so far, by no more than the jump limit, came late and is dropped; with
//!    `late_readings = "sort"` there is none, since [`sorted`] has put all in their places.
//! 4. One that is further back means that the clock was set back: a new stretch begins with it, and the latest so
//!    far is reset. A jump forward needs no rule of its own: it is a gap.
//! 5. A step beyond the gap limit ends a stretch.
//! 6. A stretch of one reading is dropped: nothing lies between its ends. So a single outlier stamp costs one
//!    reading.
//!
//! An **epoch** is a run of stretches that follow one another in time; each time the clock was set back, the next
//! one begins.

use std::borrow::Cow;
use std::ops::Range;

use schemas::tables::readings::TrackView;

/// When a stretch ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The longest step within a stretch.
    pub max_gap_nanos: i64,
    /// The longest step back that counts as a late reading rather than as a clock that was set back.
    pub clock_jump_nanos: i64,
}

/// A run of readings without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Where they stand in [`Clean`], two readings or more.
    pub range: Range<usize>,
    /// How often the clock was set back before, stretches of one reading aside.
    pub epoch: usize,
}

/// How many readings were dropped, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub not_finite: usize,
    pub duplicate: usize,
    pub backward: usize,
    pub alone: usize,
}

impl Dropped {
    pub(super) fn total(self) -> usize {
        self.not_finite + self.duplicate + self.backward + self.alone
    }
}

/// What is left of a track.
#[derive(Debug, Clone)]
pub(super) struct Clean<'a> {
    /// `[N]`, ascending within each stretch.
    pub stamp_nanos: Cow<'a, [i64]>,
    /// x, y and z, finite: each `[N]`, or all of the track where stamps are repeated.
    axes: [Cow<'a, [f64]>; 3],
    /// How `stamp_nanos` stand in a track that has repeated stamps and no other fault.
    repeats: Option<Repeats<'a>>,
    pub stretches: Vec<Stretch>,
    pub dropped: Dropped,
}

impl<'a> Clean<'a> {
    /// The readings of `track` that can be used; those of a log without fault are not copied.
    pub(super) fn of(track: &'a TrackView<'_>, limits: Limits) -> Self {
        // Most logs have no other fault than repeated stamps.
        let sound = track.stamp_nanos.is_sorted() && track.axes.iter().all(|axis| all_usable(axis));
        let mut clean = if sound { Self::thinned(track) } else { Self::filtered(track, limits) };
        clean.cut(limits);
        clean
    }

    /// The readings of a `track` whose stamps never go back, all of them usable: of equal stamps, the last.
    fn thinned(track: &'a TrackView<'_>) -> Self {
        // All but the last reading of each run that ascends, and all of the last one.
        let mut kept: Vec<Range<usize>> = Vec::new();
        let mut start = 0;
        for run in track.stamp_nanos.chunk_by(|a, b| a < b) {
            kept.push(start..start + run.len() - 1);
            start += run.len();
        }
        if let Some(last) = kept.last_mut() {
            last.end += 1;
        }
        let duplicate = kept.len().saturating_sub(1);
        let dropped = Dropped { duplicate, ..Dropped::default() };
        let axes = [0, 1, 2].map(|axis| Cow::Borrowed(&track.axes[axis][..]));
        let (mut stamp_nanos, mut repeats) = (Cow::Borrowed(&track.stamp_nanos[..]), None);
        if duplicate > 0 {
            // The readings of run r stand r places further behind in the track.
            let starts = kept.iter().enumerate().map(|(run, range)| range.start - run).collect();
            repeats = Some(Repeats { stamp_nanos: &track.stamp_nanos, starts });
            stamp_nanos = Cow::Owned(gathered(&track.stamp_nanos, &kept));
        }
        Self { stamp_nanos, axes, repeats, stretches: Vec::new(), dropped }
    }

    /// Stamps and axes from which the samples among the readings of `range` are drawn: the stamps do not go back within
    /// a stretch, and the last of equal ones counts.
    pub(super) fn readings(&self, range: Range<usize>) -> (&[i64], [&[f64]; 3]) {
        let (stamps, range) = match &self.repeats {
            Some(repeats) => (repeats.stamp_nanos, repeats.in_track(range)),
            None => (&self.stamp_nanos[..], range),
        };
        (&stamps[range.clone()], [0, 1, 2].map(|axis| &self.axes[axis][range.clone()]))
    }

    fn filtered(track: &TrackView<'_>, limits: Limits) -> Self {
        let [x, y, z] = &track.axes;
        let count = track.stamp_nanos.len();
        let mut stamps: Vec<i64> = Vec::with_capacity(count);
        let mut axes = [(); 3].map(|()| Vec::with_capacity(count));
        let mut dropped = Dropped::default();
        for (((&stamp, &x), &y), &z) in track.stamp_nanos.iter().zip(&x[..]).zip(&y[..]).zip(&z[..]) {
            let reading = [x, y, z];
            if !reading.into_iter().all(usable) {
                dropped.not_finite += 1;
                continue;
            }
            let back = stamps.last().map_or(-1, |latest| latest.saturating_sub(stamp));
            if back == 0 {
                dropped.duplicate += 1;
                for (axis, value) in axes.iter_mut().zip(reading) {
                    axis.pop();
                    axis.push(value);
                }
            } else if back > 0 && back <= limits.clock_jump_nanos {
                dropped.backward += 1;
            } else {
                stamps.push(stamp);
                for (axis, value) in axes.iter_mut().zip(reading) {
                    axis.push(value);
                }
            }
        }
        let (stamp_nanos, axes) = (Cow::Owned(stamps), axes.map(Cow::Owned));
        Self { stamp_nanos, axes, repeats: None, stretches: Vec::new(), dropped }
    }

    /// Finds the stretches.
    fn cut(&mut self, limits: Limits) {
        let stamps = &self.stamp_nanos[..];
        let within = |pair: &[i64]| {
            let step = pair[1].saturating_sub(pair[0]);
            step > 0 && step <= limits.max_gap_nanos
        };
        let (mut start, mut epoch, mut latest) = (0, 0, None);
        while start < stamps.len() {
            let more = stamps[start..].windows(2).take_while(|pair| within(pair)).count();
            let range = start..start + more + 1;
            start = range.end;
            if range.len() == 1 {
                self.dropped.alone += 1;
                continue;
            }
            epoch += usize::from(latest.is_some_and(|latest| stamps[range.start] <= latest));
            latest = Some(stamps[range.end - 1]);
            self.stretches.push(Stretch { range, epoch });
        }
    }

    /// First and last stamp of `stretch`.
    pub(super) fn span(&self, stretch: &Stretch) -> (i64, i64) {
        (self.stamp_nanos[stretch.range.start], self.stamp_nanos[stretch.range.end - 1])
    }
}

/// `track` with late readings where their stamps belong, readings of equal stamps in the order of the log. Where the clock
/// was set back, by more than the jump limit, readings stay on their side of that place. A track without a late reading
/// is not copied.
pub(super) fn sorted<'a, 'b>(track: &'a TrackView<'b>, limits: Limits) -> Cow<'a, TrackView<'b>> {
    let stamps = &track.stamp_nanos[..];
    if stamps.is_sorted() {
        return Cow::Borrowed(track);
    }
    let mut order: Vec<usize> = (0..stamps.len()).collect();
    let (mut first, mut latest) = (0, i64::MIN);
    for at in 0..=stamps.len() {
        let set_back =
            stamps.get(at).is_none_or(|stamp| latest.saturating_sub(*stamp) > limits.clock_jump_nanos);
        if set_back {
            order[first..at].sort_by_key(|place| stamps[*place]);
            (first, latest) = (at, i64::MIN);
        }
        latest = latest.max(stamps.get(at).copied().unwrap_or(latest));
    }
    let axis = |axis: &Cow<'b, [f64]>| Cow::Owned(order.iter().map(|place| axis[*place]).collect());
    let [x, y, z] = &track.axes;
    Cow::Owned(TrackView {
        stamp_nanos: Cow::Owned(order.iter().map(|place| stamps[*place]).collect()),
        axes: [axis(x), axis(y), axis(z)],
        ..*track
    })
}

/// Readings in a track that has repeated stamps, of which the last one counts.
#[derive(Debug, Clone)]
struct Repeats<'a> {
    /// All stamps of the track.
    stamp_nanos: &'a [i64],
    /// The first reading of each run that ascends. Between two runs, one reading of the track does not count.
    starts: Vec<usize>,
}

impl Repeats<'_> {
    /// Where the readings of `range`, which is not empty, stand in the track.
    fn in_track(&self, range: Range<usize>) -> Range<usize> {
        let place = |at: usize| at + self.starts.partition_point(|start| *start <= at) - 1;
        place(range.start)..place(range.end - 1) + 1
    }
}

/// The values of all `ranges`.
fn gathered<T: Copy>(values: &[T], ranges: &[Range<usize>]) -> Vec<T> {
    let mut all = Vec::with_capacity(values.len());
    for range in ranges {
        all.extend_from_slice(&values[range.clone()]);
    }
    all
}

/// Whether a reading is a finite number as `f32` too, which is how signals hold it.
fn usable(value: f64) -> bool {
    value.abs() <= f64::from(f32::MAX)
}

/// Whether all are; without a branch a number, so that it runs on several at once.
fn all_usable(values: &[f64]) -> bool {
    values.chunks(256).all(|part| part.iter().fold(true, |all, value| all & usable(*value)))
}

#[cfg(test)]
mod tests {
    use super::super::grid::{Drawing, Grid};
    use super::*;
    use proptest::prelude::*;
    use schemas::tables::readings::Sensor;

    const LIMITS: Limits = Limits { max_gap_nanos: 20, clock_jump_nanos: 100 };

    fn track(stamps: &[i64], x: &[f64]) -> TrackView<'static> {
        TrackView {
            sensor: Sensor::Accelerometer,
            first_row: 0,
            stamp_nanos: Cow::Owned(stamps.to_vec()),
            axes: [Cow::Owned(x.to_vec()), Cow::Owned(vec![0.0; x.len()]), Cow::Owned(vec![0.0; x.len()])],
        }
    }

    fn ramp(stamps: &[i64]) -> TrackView<'static> {
        track(stamps, &(0..stamps.len()).map(|at| at as f64).collect::<Vec<_>>())
    }

    fn stretches(clean: &Clean<'_>) -> Vec<(Range<usize>, usize)> {
        clean.stretches.iter().map(|stretch| (stretch.range.clone(), stretch.epoch)).collect()
    }

    #[test]
    fn a_log_without_fault_is_not_copied() {
        let track = ramp(&[0, 10, 20, 30]);
        let clean = Clean::of(&track, LIMITS);
        assert!(matches!(clean.stamp_nanos, Cow::Borrowed(_)));
        assert_eq!((stretches(&clean), clean.dropped), (vec![(0..4, 0)], Dropped::default()));
    }

    #[test]
    fn the_last_of_equal_stamps_is_kept_and_late_readings_are_not() {
        let track = ramp(&[0, 10, 10, 10, 20, 15, 30]);
        let clean = Clean::of(&track, LIMITS);
        assert_eq!(clean.stamp_nanos[..], [0, 10, 20, 30]);
        assert_eq!(clean.readings(0..4).1[0], [0.0, 3.0, 4.0, 6.0]);
        assert_eq!(clean.dropped, Dropped { duplicate: 2, backward: 1, ..Dropped::default() });
    }

    #[test]
    fn late_readings_can_be_put_in_their_place() {
        let late = ramp(&[0, 20, 10, 30, 30, 25]);
        let put = sorted(&late, LIMITS);
        assert_eq!(put.stamp_nanos[..], [0, 10, 20, 25, 30, 30]);
        assert_eq!(put.axes[0][..], [0.0, 2.0, 1.0, 5.0, 3.0, 4.0]);
        assert_eq!(Clean::of(&put, LIMITS).dropped, Dropped { duplicate: 1, ..Dropped::default() });
        // A clock that was set back begins anew.
        let set_back = ramp(&[1000, 1020, 1010, 500, 520, 510]);
        assert_eq!(sorted(&set_back, LIMITS).stamp_nanos[..], [1000, 1010, 1020, 500, 510, 520]);
        assert!(matches!(sorted(&ramp(&[0, 10, 10, 20]), LIMITS), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn repeated_stamps_alone_give_what_all_rules_give(
            steps in prop::collection::vec(0_i64..4, 0..200),
            first in 0_usize..200,
            end in 0_usize..200,
        ) {
            let mut stamp = -50;
            let stamps: Vec<i64> = steps.iter().map(|step| { stamp += step * 10; stamp }).collect();
            let track = ramp(&stamps);
            let (thinned, filtered) = (Clean::thinned(&track), Clean::filtered(&track, LIMITS));
            prop_assert_eq!(&thinned.stamp_nanos, &filtered.stamp_nanos);
            prop_assert_eq!(thinned.dropped, filtered.dropped);
            // Any range of them draws the same samples.
            let count = filtered.stamp_nanos.len();
            let (first, end) = (first.min(count), end.min(count));
            if first < end {
                let drawn = |clean: &Clean<'_>| {
                    let (stamps, axes) = clean.readings(first..end);
                    let grid = Grid { start_nanos: stamps[0] - 5, rate_hz: 1e9 / 7.0, length: 300 };
                    let mut found = Vec::new();
                    Drawing::new(stamps, grid).draw(&[axes], 0..300, |_, _, sample| found.push(sample));
                    found
                };
                prop_assert_eq!(drawn(&thinned), drawn(&filtered));
            }
        }
    }

    #[test]
    fn numbers_that_are_none_as_f32_are_dropped() {
        let track = track(&[0, 10, 20, 30, 40], &[0.0, f64::NAN, 1e39, f64::INFINITY, 1.0]);
        let clean = Clean::of(&track, Limits { max_gap_nanos: 40, ..LIMITS });
        assert_eq!((clean.stamp_nanos.len(), clean.dropped.not_finite), (2, 3));
    }

    #[test]
    fn a_step_beyond_the_limit_ends_a_stretch_and_one_at_the_limit_does_not() {
        let track = ramp(&[0, 20, 41, 50]);
        assert_eq!(stretches(&Clean::of(&track, LIMITS)), [(0..2, 0), (2..4, 0)]);
    }

    #[test]
    fn a_clock_set_back_begins_an_epoch_and_a_wild_stamp_does_not() {
        let track = ramp(&[1000, 1010, 500, 510]);
        assert_eq!(stretches(&Clean::of(&track, LIMITS)), [(0..2, 0), (2..4, 1)]);
        let track = ramp(&[0, 10, i64::MAX, 20, 30, i64::MIN, 40, 50]);
        let clean = Clean::of(&track, LIMITS);
        assert_eq!(stretches(&clean), [(0..2, 0), (3..5, 0), (6..8, 0)]);
        assert_eq!(clean.dropped, Dropped { alone: 2, ..Dropped::default() });
    }
}
