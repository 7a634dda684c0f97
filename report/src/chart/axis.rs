//! Scales and their ticks.

use stages::evaluate::verification::probit;

/// How a number becomes a place along an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scale {
    /// Evenly from the first number to the second.
    Linear(f64, f64),
    /// Shares from the first to the second, by normal deviate.
    Probit(f64, f64),
}

impl Scale {
    /// A linear scale about all finite `values`, a little wider; from -1 to 1 where there are none.
    pub(crate) fn about(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        if low > high {
            return Self::Linear(-1.0, 1.0);
        }
        let spread = high / 2.0 - low / 2.0;
        // A level line stands in the middle, however large its number.
        let margin = if spread > 0.0 { spread * 0.12 } else { (low.abs() * 0.1).max(0.5) };
        Self::Linear((low - margin).max(f64::MIN), (high + margin).min(f64::MAX))
    }

    /// Where `value` is: 0 at the beginning, 1 at the end, beyond outside.
    pub(crate) fn place(self, value: f64) -> f64 {
        match self {
            // Halves, since the difference of two large numbers may be none.
            Self::Linear(low, high) => (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0),
            Self::Probit(low, high) => (probit(value) - probit(low)) / (probit(high) - probit(low)),
        }
    }
}

/// An axis further than so many ticks from zero has no ticks: their labels would all read the same.
const MOST_STEPS: f64 = 1e9;

/// Round numbers from `low` to `high`, at most `most` or so, and their labels.
pub(crate) fn ticks(low: f64, high: f64, most: usize) -> Vec<(f64, String)> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) || most == 0 {
        return Vec::new();
    }
    let rough = span / most as f64;
    let power = libm::floor(libm::log10(rough));
    let unit = libm::pow(10.0, power);
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * unit).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * unit);
    // Ticks closer than a number can tell apart, or beyond what it can hold, are none.
    if step <= 0.0 || (low / step).abs().max((high / step).abs()) > MOST_STEPS {
        return Vec::new();
    }
    let digits = (-libm::floor(libm::log10(step) + 1e-9)).max(0.0) as usize;
    let (first, last) = (libm::ceil(low / step - 1e-9) as i64, libm::floor(high / step + 1e-9) as i64);
    (first..=last).map(|number| number as f64 * step).map(|value| (value, label(value, digits))).collect()
}

/// `value` with so many decimals, or as a power of ten where that would be long.
fn label(value: f64, digits: usize) -> String {
    if value.abs() >= 1e6 || digits > 4 {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.digits$}");
    if text.trim_start_matches(['-', '0', '.']).is_empty() { "0".to_owned() } else { text }
}

/// `seconds` in words.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", 1000.0 * seconds) } else { format!("{seconds:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, most: usize) -> Vec<String> {
        ticks(low, high, most).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(labels(-0.03, 10.2, 6), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(-0.25, 0.26, 3), ["-0.2", "0", "0.2"]);
        assert_eq!(labels(-9.96, -9.89, 4), ["-9.96", "-9.94", "-9.92", "-9.90"]);
        assert_eq!(labels(0.0, 3e7, 3), ["0", "1e7", "2e7", "3e7"]);
        assert!(ticks(1e300, 1e300 * (1.0 + 1e-12), 4).is_empty() && ticks(0.0, 5e-324, 4).is_empty());
        assert!(ticks(1.0, 1.0, 4).is_empty() && ticks(f64::NAN, 1.0, 4).is_empty());
    }

    #[test]
    fn scales_hold_what_they_are_about() {
        let Scale::Linear(low, high) = Scale::about([3.0, f64::NAN, 5.0, f64::INFINITY]) else { panic!() };
        assert!(low < 3.0 && high > 5.0 && low > 2.0 && high < 6.0);
        assert_eq!(Scale::about([]), Scale::Linear(-1.0, 1.0));
        let level = Scale::about([-9.8, -9.8]);
        assert!((level.place(-9.8) - 0.5).abs() < 1e-9);
        let huge = Scale::about([f64::MAX, f64::MIN]);
        assert!((huge.place(0.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn shares_lie_by_normal_deviate() {
        let scale = Scale::Probit(0.01, 0.99);
        assert!((scale.place(0.5) - 0.5).abs() < 1e-12 && scale.place(0.01) == 0.0);
        // 0.1 and 0.9 are 1.2816 of 2.3263 from the middle.
        assert!((scale.place(0.1) - (0.5 - 0.5 * 1.281_551_6 / 2.326_347_9)).abs() < 1e-6);
    }
}
