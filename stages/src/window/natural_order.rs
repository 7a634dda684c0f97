//! Names in natural order: `session 2` before `session 10`.

use std::cmp::Ordering;

/// Compares `a` and `b` with each run of digits as the number that it writes; ties by the characters themselves.
pub(super) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a_rest, mut b_rest) = (a.as_bytes(), b.as_bytes());
    while let (Some(first), Some(second)) = (a_rest.first(), b_rest.first()) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (a_number, b_number) = (number(&mut a_rest), number(&mut b_rest));
            a_number.len().cmp(&b_number.len()).then(a_number.cmp(b_number))
        } else {
            let order = first.cmp(second);
            (a_rest, b_rest) = (&a_rest[1..], &b_rest[1..]);
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a_rest.len().cmp(&b_rest.len()).then_with(|| a.cmp(b))
}

/// Takes the digits off the front of `text`, and gives them without zeros in front.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    *text = rest;
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_zeros_in_front_do_not() {
        let ascending =
            ["", "10", "a", "a2", "a02b", "a10", "a10b", "a10b2", "a99999999999999999999999", "b1"];
        for (at, low) in ascending.iter().enumerate() {
            for high in &ascending[at + 1..] {
                assert_eq!(natural_order(low, high), Ordering::Less, "{low} {high}");
                assert_eq!(natural_order(high, low), Ordering::Greater, "{high} {low}");
            }
        }
        assert_eq!(natural_order("a1", "a1"), Ordering::Equal);
        assert_eq!(natural_order("a01", "a1"), Ordering::Less, "a tie goes by the characters");
    }
}
