//! The median of whole numbers.

/// The median of `values`, the mean of the middle two where their count is even; `None` of nothing. The values are
/// put in another order.
pub(super) fn median(values: &mut [i64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable(middle);
    let lower = if odd { *upper } else { below.iter().copied().max().unwrap_or(*upper) };
    Some(f64::midpoint(lower as f64, *upper as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_or_the_mean_of_the_middle_two() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [7]), Some(7.0));
        assert_eq!(median(&mut [9, 1, 5]), Some(5.0));
        assert_eq!(median(&mut [9, 1, 6, 5]), Some(5.5));
        assert_eq!(median(&mut [i64::MAX, i64::MAX]), Some(i64::MAX as f64));
    }
}
