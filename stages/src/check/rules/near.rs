//! Which boxes of a picture overlap, without comparing all pairs.
//!
//! Each box goes into grids of squares: into the one whose squares are just as large as the box, where it lies in four at
//! most. A smaller box is looked up in the grids of all larger ones. So time grows with the number of boxes, and with the
//! pairs that overlap.

use std::collections::{BTreeSet, HashMap};

/// Sides of squares are powers of 2 between these.
const EXPONENTS: (f64, f64) = (-60.0, 1025.0);

/// A box `[x1, y1, x2, y2]`, px.
pub(super) type Box4 = [f64; 4];

/// Pairs of numbers of `boxes` that overlap or touch, the smaller number first, ascending. `None` overlaps nothing.
pub(super) fn overlapping(boxes: &[Option<Box4>]) -> Vec<(usize, usize)> {
    let mut squares: HashMap<(i32, i64, i64), Vec<usize>> = HashMap::new();
    let mut exponents = BTreeSet::new();
    let known = || boxes.iter().enumerate().filter_map(|(number, place)| Some((number, (*place)?)));
    for (number, place) in known() {
        let exponent = exponent(place);
        exponents.insert(exponent);
        for (column, row) in squares_of(place, exponent) {
            squares.entry((exponent, column, row)).or_default().push(number);
        }
    }
    let mut pairs = Vec::new();
    for (number, place) in known() {
        let own = exponent(place);
        for &exponent in exponents.range(own..) {
            for (column, row) in squares_of(place, exponent) {
                let others = squares.get(&(exponent, column, row)).into_iter().flatten();
                // Of two boxes of one grid, the one with the smaller number finds the other.
                let others = others.filter(|other| exponent > own || **other > number);
                let met = others.filter(|other| boxes[**other].is_some_and(|other| overlap(place, other)));
                pairs.extend(met.map(|other| (number.min(*other), number.max(*other))));
            }
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The smallest power of 2 that is at least as long as both sides.
fn exponent([x1, y1, x2, y2]: Box4) -> i32 {
    let side = (x2 - x1).max(y2 - y1);
    libm::ceil(libm::log2(side)).clamp(EXPONENTS.0, EXPONENTS.1) as i32
}

/// Columns and rows of the squares that hold a part of the box.
fn squares_of([x1, y1, x2, y2]: Box4, exponent: i32) -> impl Iterator<Item = (i64, i64)> {
    // The cast keeps the order, however large the number.
    let [left, top, right, bottom] =
        [x1, y1, x2, y2].map(|value| libm::floor(libm::ldexp(value, -exponent)) as i64);
    (left..=right).flat_map(move |column| (top..=bottom).map(move |row| (column, row)))
}

fn overlap(a: Box4, b: Box4) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn boxes() -> impl Strategy<Value = Vec<Option<Box4>>> {
        // Whole corners, so that borders touch; sizes from points to boxes over the whole picture.
        let side =
            || prop_oneof![Just(0.0), (1_u32..6).prop_map(f64::from), (1_u32..300).prop_map(f64::from)];
        let one = (-40_i32..40, -40_i32..40, side(), side()).prop_map(|(x, y, width, height)| {
            [f64::from(x), f64::from(y), f64::from(x) + width, f64::from(y) + height]
        });
        prop::collection::vec(prop::option::weighted(0.9, one), 0..60)
    }

    proptest! {
        #[test]
        fn pairs_are_those_of_comparing_all(boxes in boxes()) {
            let mut expected = Vec::new();
            for (a, of_a) in boxes.iter().enumerate() {
                for (b, of_b) in boxes.iter().enumerate().skip(a + 1) {
                    if of_a.zip(*of_b).is_some_and(|(of_a, of_b)| overlap(of_a, of_b)) {
                        expected.push((a, b));
                    }
                }
            }
            prop_assert_eq!(overlapping(&boxes), expected);
        }
    }

    #[test]
    fn boxes_without_size_and_without_end_are_placed() {
        let all = [-f64::MAX, -f64::MAX, f64::MAX, f64::MAX];
        let far = [f64::MAX; 4];
        let boxes = [Some([1e300; 4]), Some([0.0; 4]), Some(all), Some([0.0; 4]), Some(far)];
        assert_eq!(overlapping(&boxes), [(0, 2), (1, 2), (1, 3), (2, 3), (2, 4)]);
    }
}
