//! How fast the clock of a sensor runs, from what lasts and not from single steps.
//!
//! Each reading is given the number of its period by following the clock from reading to reading, and a straight line
//! through stamps and numbers gives the mean period. So a reading that is late is one reading, and readings that are
//! missing are passed over.

/// How far two sensors' mean periods may differ, as a share, for their clocks to be compared: if they differ more,
/// the sensors do not aim at the same rate, and the difference says nothing about their clocks.
pub const SAME_RATE: f64 = 0.01;
/// A step up to this many periods counts for the clock, since readings go missing. How many periods a longer one takes
/// cannot be told well enough: there the count begins anew.
const COUNTED_PERIODS: f64 = 10.0;
/// How much of a reading's distance from the clock that is followed is taken over, as a share: little, so that one late
/// reading does not lead astray, and enough to follow a period that is known to 5 %.
const FOLLOWED: f64 = 0.1;
/// The steps of which the first guess of the period is the mean, in typical steps: neither missing nor late readings.
const PLAIN_STEPS: std::ops::RangeInclusive<f64> = 0.5..=1.5;
/// The largest spread of readings around the line, in periods, that still is a clock: stamps without any order have 0.29.
const MOST_SPREAD: f64 = 0.2;
/// How often the line is drawn, each time with the period of the time before.
const ROUNDS: usize = 2;

/// The clock of a sensor, as its stamps show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    /// The first stamp of the log.
    pub first_nanos: i64,
    /// The mean time from reading to reading, ns, missing readings allowed for; `None` where the stamps show no clock.
    pub period_nanos: Option<f64>,
}

impl Clock {
    /// Parts per million by which this clock seems to run faster than `reference`.
    ///
    /// Both sensors are taken to be read at one true rate; a clock that shows longer steps then runs faster. `None`
    /// where the rates are not the same, within [`SAME_RATE`].
    pub(super) fn drift_ppm(&self, reference: &Self) -> Option<f64> {
        let drift = self.period_nanos? / reference.period_nanos? - 1.0;
        (drift.abs() <= SAME_RATE).then_some(drift * 1e6)
    }
}

/// The mean period of a sensor whose `stamps` ascend, of this typical step; `None` where they are too irregular to tell.
pub(super) fn mean_period(stamps: &[i64], typical: f64) -> Option<f64> {
    let steps = stamps.windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as f64);
    let plain = steps.filter(|step| PLAIN_STEPS.contains(&(step / typical)));
    let (sum, count) = plain.fold((0.0, 0.0), |(sum, count), step| (sum + step, count + 1.0));
    let mut period = if count > 0.0 { sum / count } else { typical };
    for _ in 0..ROUNDS {
        period = line(stamps, period)?;
    }
    Some(period)
}

/// The slope of the line through the stamps and the numbers of their periods, all runs without a long step together.
fn line(stamps: &[i64], period: f64) -> Option<f64> {
    let (mut along, mut squares, mut rises, mut count) = (0.0, 0.0, 0.0, 0.0);
    let run = |pair: &i64, next: &i64| next.saturating_sub(*pair) as f64 <= COUNTED_PERIODS * period;
    for run in stamps.chunk_by(run).filter(|run| run.len() > 1) {
        let (mut number, mut expected) = (0.0, 0.0);
        let readings: Vec<[f64; 2]> = run
            .iter()
            .map(|stamp| {
                let since = stamp.saturating_sub(run[0]) as f64;
                let periods = ((since - expected) / period).round();
                number += periods;
                expected += periods * period;
                expected += FOLLOWED * (since - expected);
                [number, since]
            })
            .collect();
        let length = readings.len() as f64;
        let mean = |place: usize| readings.iter().map(|reading| reading[place]).sum::<f64>() / length;
        let middle = [mean(0), mean(1)];
        for [number, since] in &readings {
            let (number, since) = (number - middle[0], since - middle[1]);
            along += number * since;
            squares += number * number;
            rises += since * since;
        }
        count += length;
    }
    let slope = (squares > 0.0).then(|| along / squares)?;
    // What is left of the variance of the stamps beside the line.
    let spread = ((rises - slope * along).max(0.0) / count).sqrt();
    (spread <= MOST_SPREAD * slope).then_some(slope)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;

    fn clock(stamps: &[i64], typical: i64) -> Clock {
        Clock { first_nanos: 0, period_nanos: mean_period(stamps, typical as f64) }
    }

    fn drift(stamps: &[i64], reference: &[i64], typical: i64) -> f64 {
        clock(stamps, typical).drift_ppm(&clock(reference, typical)).unwrap()
    }

    #[test]
    fn a_clock_of_longer_steps_runs_faster() {
        let stamps = |step: i64, count: i64| (0..count).map(|at| at * step).collect::<Vec<_>>();
        let reference = stamps(10 * MS, 100);
        let faster = stamps(10 * MS + 500, 90);
        assert!((drift(&faster, &reference, 10 * MS) - 50.0).abs() < 1e-3);
        assert!(drift(&reference, &faster, 10 * MS) < -49.9);
        let slower = clock(&stamps(20 * MS, 100), 20 * MS);
        assert_eq!(slower.drift_ppm(&clock(&reference, 10 * MS)), None);
        assert_eq!(mean_period(&[0], 1.0), None);
    }

    #[test]
    fn readings_that_are_missing_or_late_do_not_look_like_drift() {
        let steady: Vec<i64> = (0..1000).map(|at| at * 10 * MS).collect();
        let late = |at: &i64| at + (at / (10 * MS)) * 7_919 % 11 * MS / 4;
        let holed: Vec<i64> = steady.iter().filter(|at| **at / (10 * MS) % 7 != 3).map(late).collect();
        let found = drift(&holed, &steady, 10 * MS);
        assert!(found.abs() < 30.0, "{found}");
    }

    #[test]
    fn stamps_without_order_show_no_clock() {
        let mut at = 0;
        let stamps: Vec<i64> = (0..2000_i64)
            .map(|number| {
                at += (number * 7_919 % 97 + 3) * MS;
                at
            })
            .collect();
        assert_eq!(mean_period(&stamps, 50e6), None);
    }

    proptest! {
        /// A late reading is one reading: whatever the share of late ones and how late they are, up to half a step.
        #[test]
        fn late_readings_move_the_clock_by_little(
            every in 7_usize..400, offset in 0_usize..7, late in 0.0_f64..0.5, step in 1_000_000_i64..40_000_000,
            missing in 13_usize..90, faster in -200_i64..200,
        ) {
            let stamps = |late: f64, step: i64| -> Vec<i64> {
                let stamp = |at: usize| {
                    let is_late = at % every == offset;
                    at as i64 * step + if is_late { (late * step as f64) as i64 } else { 0 }
                };
                (0..4000).filter(|at| at % missing != 5).map(stamp).collect()
            };
            let faster = step / 1_000_000 * faster;
            let found = drift(&stamps(late, step + faster), &stamps(0.0, step), step);
            let expected = faster as f64 / step as f64 * 1e6;
            prop_assert!((found - expected).abs() < 20.0, "{found} for {expected}");
        }
    }
}
