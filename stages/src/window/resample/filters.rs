//! The low-pass of each sensor of a session, and when a session is out of proportion.

use schemas::tables::readings::TrackView;

use super::super::timing::{NANOS_PER_SECOND, typical_step};
use super::clean::Clean;
use super::grid::Grid;
use super::low_pass::{LowPass, MOST_TIMES_FASTER};

/// The most samples of a session, and of a sensor on the filter's finer grid, beside 100 for each reading. A log of few
/// readings that is drawn at a high rate, or whose stamps lie far closer than its length tells, stays small in memory.
const MOST_SAMPLES: usize = 1_000_000;
/// See [`MOST_SAMPLES`]; a sensor of 1 Hz is drawn at 100 Hz.
const SAMPLES_PER_READING: usize = 100;

/// Reason of the rejects of a session with a sensor whose filter would be too long.
pub(super) const TOO_FAST: &str = "over 10,000 times faster than `rate_hz`";
/// Reason of the rejects of a session whose signal would be too long.
pub(super) const TOO_LONG: &str = "over 1 million samples and 100 for each reading";

/// Refuses a session whose samples on `grids`, or on the finer grids of `filters`, are out of proportion to its readings.
fn check(grids: &[Grid], filters: &[Option<LowPass>], tracks: &[&TrackView<'_>]) -> Result<(), &'static str> {
    let samples = grids.iter().fold(0_usize, |sum, grid| sum.saturating_add(grid.length));
    let finest = filters.iter().flatten().map(LowPass::multiple).max().unwrap_or(1);
    let readings: usize = tracks.iter().map(|track| track.stamp_nanos.len()).sum();
    let most = MOST_SAMPLES.saturating_add(SAMPLES_PER_READING.saturating_mul(readings));
    if samples.saturating_mul(finest) > most { Err(TOO_LONG) } else { Ok(()) }
}

/// The filter of each sensor for a target of `rate_hz`, none where that is `None`; `grids` are those of the samples and
/// `tracks` the readings.
///
/// # Errors
/// The reason why the session cannot be resampled: a sensor is too fast, or there are too many samples.
pub(super) fn filters(
    cleaned: &[Clean<'_>],
    rate_hz: Option<f64>,
    grids: &[Grid],
    tracks: &[&TrackView<'_>],
) -> Result<Vec<Option<LowPass>>, &'static str> {
    let mut filters: Vec<Option<LowPass>> = Vec::with_capacity(cleaned.len());
    for (sensor, clean) in cleaned.iter().enumerate() {
        // The readings of a merged log have the same stamps, and so the same filter.
        let same = sensor > 0 && cleaned[sensor - 1].stamp_nanos == clean.stamp_nanos;
        let filter = match rate_hz {
            _ if same => filters[sensor - 1].clone(),
            Some(rate_hz) => filter(clean, rate_hz)?,
            None => None,
        };
        filters.push(filter);
    }
    check(grids, &filters, tracks)?;
    Ok(filters)
}

/// The filter that a sensor needs, by the rate that it aims at in this session.
fn filter(clean: &Clean<'_>, rate_hz: f64) -> Result<Option<LowPass>, &'static str> {
    let within = clean.stretches.iter().flat_map(|stretch| {
        clean.stamp_nanos[stretch.range.clone()].windows(2).map(|pair| pair[1] - pair[0])
    });
    let Some(step) = typical_step(&mut within.collect::<Vec<_>>()) else { return Ok(None) };
    let sensor_hz = NANOS_PER_SECOND / step;
    if sensor_hz > MOST_TIMES_FASTER * rate_hz {
        return Err(TOO_FAST);
    }
    Ok(LowPass::design(sensor_hz, rate_hz))
}
