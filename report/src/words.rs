//! Numbers and names as people read them.

use schemas::units::grouped;

/// `value` with two decimals, as the terminal prints it.
pub(crate) fn number(value: f64) -> String {
    format!("{value:.2}")
}

/// An interval with two decimals; empty where there is none.
pub(crate) fn interval(low: Option<f64>, high: Option<f64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
        _ => String::new(),
    }
}

/// A difference with two decimals and its sign; none where it rounds to zero.
pub(crate) fn signed(value: f64) -> String {
    let text = format!("{value:+.2}");
    if text[1..] == *"0.00" { "0.00".to_owned() } else { text }
}

/// The interval of a difference; empty where there is none.
pub(crate) fn signed_interval(ends: Option<[f64; 2]>) -> String {
    ends.map_or_else(String::new, |[low, high]| format!("{} to {}", signed(low), signed(high)))
}

/// A count with commas between thousands.
pub(crate) fn count(count: impl Into<i128>) -> String {
    let count = count.into();
    let sign = if count < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(count.unsigned_abs() as u64))
}

/// A name of a table as words: `upper_body` is `upper body`.
pub(crate) fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

/// `text` as an anchor: letters and digits, the rest hyphens.
pub(crate) fn anchor(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!((number(71.034), interval(Some(1.0), None)), ("71.03".to_owned(), String::new()));
        assert_eq!(interval(Some(69.6), Some(72.44)), "69.60 to 72.44");
        assert_eq!([0, 999, 1_000, -1_234_567].map(|n: i64| count(n)), ["0", "999", "1,000", "-1,234,567"]);
        assert_eq!([0.004, -0.004, 1.0, -2.345].map(signed), ["0.00", "0.00", "+1.00", "-2.35"]);
        assert_eq!(anchor("keypoints/mpii, Stage 2"), "keypoints-mpii--stage-2");
    }
}
