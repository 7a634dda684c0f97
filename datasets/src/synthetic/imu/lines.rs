//! Numbers as text, without detours: files of motion are long.

/// Appends `value`.
pub(super) fn push_integer(text: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let (mut rest, mut at) = (value, digits.len());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[at..]);
}

/// Appends `value` with so many decimals; both together must have fewer than 19 digits.
pub(super) fn push_decimal(text: &mut Vec<u8>, value: f64, decimals: u32) {
    let scale = 10u64.pow(decimals);
    let scaled = (value.abs() * scale as f64).round() as u64;
    if value < 0.0 && scaled > 0 {
        text.push(b'-');
    }
    push_integer(text, scaled / scale);
    // The digit in front keeps the zeros, and its place becomes the point.
    let point = text.len();
    push_integer(text, scale + scaled % scale);
    text[point] = b'.';
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for value in [0.0, -0.000_000_4, 1.0, -9.806_65, 0.000_001, 123_456.789_012_4, -0.5] {
            let mut text = Vec::new();
            push_decimal(&mut text, value, 6);
            let expected = format!("{value:.6}").replace("-0.000000", "0.000000");
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        }
        let mut text = Vec::new();
        for value in [0, 7, 10, u64::MAX] {
            push_integer(&mut text, value);
        }
        assert_eq!(text, b"071018446744073709551615");
    }
}
