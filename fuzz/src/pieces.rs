//! Inputs of several parts.

/// The line between two parts of an input.
pub(crate) const BORDER: &[u8] = b"\n====\n";

/// The first part of `input`, and what follows it.
pub(crate) fn part(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.windows(BORDER.len()).position(|window| window == BORDER);
    at.map_or((input, &[]), |at| (&input[..at], &input[at + BORDER.len()..]))
}

/// The input of `parts`.
pub(crate) fn joined(parts: &[&str]) -> Vec<u8> {
    parts.join(std::str::from_utf8(BORDER).expect("ASCII")).into_bytes()
}

/// The first byte, which says how the rest is taken, and the rest.
pub(crate) fn mode(input: &[u8]) -> (usize, &[u8]) {
    input.split_first().map_or((0, input), |(mode, rest)| (usize::from(*mode), rest))
}

/// The input of `mode` and `rest`.
pub(crate) fn with_mode(mode: usize, rest: &[u8]) -> Vec<u8> {
    [&[u8::try_from(mode).expect("a byte")], rest].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_back() {
        let input = joined(&["a", "b\nc", ""]);
        let (first, rest) = part(&input);
        let (second, rest) = part(rest);
        assert_eq!((first, second, part(rest)), (&b"a"[..], &b"b\nc"[..], (&b""[..], &b""[..])));
        assert_eq!(mode(&with_mode(7, b"x")), (7, &b"x"[..]));
        assert_eq!(mode(b""), (0, &b""[..]));
    }
}
