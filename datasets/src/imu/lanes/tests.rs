//! Every way of reading many bytes at once against the plain one, byte by byte.

use proptest::prelude::*;

use super::*;
use crate::imu::number::{self, Clock};

/// All ways that this machine knows.
fn ways() -> Vec<Lanes> {
    vec![Lanes::Portable, Lanes::best()]
}

/// The number in a field: mostly one that can be read at once, at times anything.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?[0-9]{1,3}\\.[0-9]{1,12}",
        2 => "-?[0-9]{1,16}",
        2 => any::<f32>().prop_map(|value| value.to_string()),
        1 => any::<f64>().prop_map(|value| value.to_string()),
        1 => "-?[0-9]{0,9}\\.?[0-9]{0,9}",
        1 => "-?900719925474099[0-9]\\.?[0-9]{0,2}",
        1 => " {0,2}[+-]?[0-9]{0,20}(\\.[0-9]{0,20})?([eE][-+]?[0-9]{1,3})? ?",
        1 => "nan|NaN|inf|-inf|-|\\.|-\\.|1\\.\\.2|1\\.2\\.3|--1|1-|/1|:1|0x1|\u{661}|5e-324|-0|-0\\.0",
    ]
}

/// Lines of `columns` cells, with the marks of their fields.
fn lines(cells: &[String], columns: usize, end: &str) -> (String, Marks, usize) {
    let rows = cells.chunks_exact(columns);
    let count = rows.len().min(MOST_LINES);
    let text: String = rows.take(count).map(|row| row.join(",") + end).collect();
    let mut marks = Marks::default();
    Lanes::Portable.marks(text.as_bytes(), b',', &mut marks);
    (text, marks, count)
}

/// Whether a field is a sign, digits and a point, at most 16 bytes with a mantissa that `f64` surely holds.
fn short(field: &[u8]) -> bool {
    let size = field.strip_prefix(b"-").unwrap_or(field);
    let digits = size.iter().filter(|byte| byte.is_ascii_digit()).count();
    let points = memchr::memchr_iter(b'.', size).count();
    (1..=15).contains(&digits) && points <= 1 && digits + points == size.len() && field.len() <= READ
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn marks_are_the_places_of_separators_and_ends(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n')], 0..500),
        separator in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
    ) {
        let places = |wanted: &[u8]| -> Vec<u32> {
            (0..bytes.len()).filter(|at| wanted.contains(&bytes[*at])).map(|at| at as u32).collect()
        };
        for way in ways() {
            let mut marks = Marks::default();
            // Nothing is left of what was found before.
            for bytes in [&b",\n\n,".repeat(50)[..], &bytes] {
                way.marks(bytes, separator, &mut marks);
            }
            prop_assert_eq!(marks.ends(), &places(b"\n"));
            prop_assert_eq!(marks.places()[0], u32::MAX);
            prop_assert_eq!(&marks.places()[1..], &places(&[separator, b'\n']));
        }
    }

    #[test]
    fn values_are_bit_equal_to_those_of_the_plain_way(
        cells in proptest::collection::vec(cell(), 8..200),
        columns in 2..7usize,
        returned: bool,
    ) {
        let (text, marks, count) = lines(&cells, columns, if returned { "\r\n" } else { "\n" });
        for column in 0..columns {
            let last = column + 1 == columns;
            let fields = Fields { bytes: text.as_bytes(), marks: marks.from(column), columns, last, blank: b' ' };
            for way in ways() {
                let mut values = vec![0.0; count];
                let odd = way.values(fields, &mut values);
                prop_assert!(odd.checked_shr(count as u32).unwrap_or(0) == 0);
                for (line, value) in values.iter().enumerate() {
                    let (begin, end) = fields.bounds(line);
                    let field = &text.as_bytes()[begin..end];
                    let field = field.strip_prefix(b" ").unwrap_or(field);
                    if odd >> line & 1 == 1 {
                        prop_assert!(!short(field) || end < READ, "{:?}", str::from_utf8(field));
                    } else {
                        let expected = number::decimal(field).map(|(value, used)| (value.to_bits(), used));
                        prop_assert_eq!(Some((value.to_bits(), field.len())), expected, "{:?}", str::from_utf8(field));
                    }
                }
            }
        }
    }

    #[test]
    fn stamps_are_those_of_the_plain_way(
        cells in proptest::collection::vec(
            prop_oneof![4 => "-?[0-9]{9,13}", 2 => "[0-9]{10}\\.[0-9]{1,5}", 1 => "-?[0-9]{0,5}\\.?[0-9]{0,12}", 1 => cell()],
            2..200,
        ),
        clock in prop_oneof![
            Just(Clock::Seconds), Just(Clock::Milliseconds), Just(Clock::Microseconds), Just(Clock::Nanoseconds)
        ],
    ) {
        let (text, marks, count) = lines(&cells, 2, "\n");
        for column in 0..2 {
            let fields = Fields {
                bytes: text.as_bytes(), marks: marks.from(column), columns: 2, last: column == 1, blank: b'\t',
            };
            for way in ways() {
                let mut stamps = vec![0; count];
                let odd = way.stamps(fields, clock.decimals(), &mut stamps);
                for (line, stamp) in stamps.iter().enumerate() {
                    let (begin, end) = fields.bounds(line);
                    let field = &text.as_bytes()[begin..end];
                    let expected = number::stamp(field, clock);
                    if odd >> line & 1 == 1 {
                        let known = expected.is_some_and(|(_, used)| used == field.len());
                        let fine = field.iter().rev().position(|byte| *byte == b'.').unwrap_or(0) <= clock.decimals();
                        prop_assert!(!(known && fine && short(field)) || end < READ, "{:?}", str::from_utf8(field));
                    } else {
                        prop_assert_eq!(Some((*stamp, field.len())), expected, "{:?}", str::from_utf8(field));
                    }
                }
            }
        }
    }
}
