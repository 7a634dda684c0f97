//! Lines: the fast path against plain means, and bytes of every kind.

use proptest::prelude::*;
use schemas::tables::readings::Sensor;

use super::*;
use crate::imu::layout::Layout;
use crate::imu::log_file::{FileRows, LogFile};

/// A cell of a log: mostly a number, at times anything.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (-2000.0..2000.0f64).prop_map(|value| value.to_string()),
        8 => (-20.0..20.0f64).prop_map(|value| format!("{value:.4}")),
        4 => any::<f32>().prop_map(|value| value.to_string()),
        1 => Just(String::new()),
        1 => " ?-?[0-9]{1,20}\\.?[0-9]{0,20}",
        1 => "[a-zA-Z+.e-]{0,6}",
    ]
}

/// The readings of one line, by the plainest means.
fn plainly(line: &str, columns: usize) -> Option<(i64, [f64; 3], String)> {
    let mut cells: Vec<&str> = line.split(',').map(str::trim).collect();
    if cells.len() == columns + 1 && cells[columns].is_empty() {
        cells.pop();
    }
    if cells.len() != columns {
        return None;
    }
    let value = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let stamp = cells[1].parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Some((stamp, [value(cells[3])?, value(cells[4])?, value(cells[0])?], cells[5].to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_fast_path_reads_what_plain_means_read(
        lines in proptest::collection::vec(
            (proptest::collection::vec(cell(), 4), 0i64..4_000_000_000_000, "[ab]{1,2}", 0..40u8),
            1..40,
        ),
        crlf: bool,
    ) {
        // x stands before the stamp, and one column is skipped before y, another behind the name.
        let line = |(cells, stamp, name, odd): &(Vec<String>, i64, String, u8)| {
            let [z, skipped, x, y] = &cells[..] else { unreachable!() };
            match odd {
                0 => format!("{z},{stamp},{skipped},{x}"),
                1 => format!("{z},{stamp},{skipped},{x},{y},{name},0,"),
                2 => format!("{z},{stamp},{skipped},{x},{y},{name},0,1"),
                _ => format!("{z},{stamp},{skipped},{x},{y},{name},0"),
            }
        };
        let lines: Vec<String> = lines.iter().map(line).collect();
        let end = if crlf { "\r\n" } else { "\n" };
        let text = lines.join(end) + end;
        let config = plan(Path::new(""), r#"
            [[files]]
            pattern = "{subject}"
            header = false
            clock = "ms"
            stamp = 2
            sensors = { gyroscope = [4, 5, 1] }
            activity = { column = 6 }
            columns = 7
        "#);
        let found = read(&config.files[0], text.as_bytes());
        let expected: Vec<_> = lines.iter().filter_map(|line| plainly(line, 7)).collect();
        let parts: Vec<_> = found.groups.iter().flat_map(|(_, parts)| parts).collect();
        let track = parts.first().map(|part| part.track.clone()).unwrap_or_default();
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let axis = |at: usize| expected.iter().map(|(_, xyz, _)| xyz[at].to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(&track.stamp_nanos, &expected.iter().map(|(stamp, ..)| *stamp).collect::<Vec<_>>());
        prop_assert_eq!([bits(&track.x), bits(&track.y), bits(&track.z)], [axis(0), axis(1), axis(2)]);
        let names: Vec<_> = track.activity.iter().map(|name| found.activities[*name as usize].clone()).collect();
        prop_assert_eq!(names, expected.iter().map(|(.., name)| name.clone()).collect::<Vec<_>>());
        prop_assert_eq!(total_rows(&found.rejects) as usize + expected.len(), lines.len());
    }

    #[test]
    fn any_bytes_are_read_or_told(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'"'), b'0'..=b'9'], 0..400)) {
        let mut config = plan(Path::new(""), BY_COLUMN);
        config.files[0].comment.clear();
        let found = read(&config.files[0], &bytes);
        let kept: usize = found.groups.iter().flat_map(|(_, parts)| parts).map(|part| part.track.x.len()).sum();
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let lines = text.split_inclusive(|byte| *byte == b'\n').count();
        prop_assert_eq!(kept + total_rows(&found.rejects) as usize, lines.max(1));
    }
}

fn read(group: &FileGroup, bytes: &[u8]) -> FileRows {
    let file = LogFile {
        dataset: "d",
        name: "f",
        group,
        sensors: &Sensor::ALL,
        bytes: bytes.len() as u64,
        numbered: false,
        shared: false,
    };
    file.read(&mut &bytes[..]).unwrap()
}

#[test]
fn quoted_numbers_are_bit_equal_to_plain_ones() {
    let config = plan(Path::new(""), BY_COLUMN);
    let values = [0.1, -9.806_65, 1e-7, 123_456.789];
    let [plain, quoted] = ["", "\""].map(|quote| {
        let line = |value: &f64| format!("1,{quote}{value}{quote},0,0,a,b\n");
        let found = read(&config.files[0], values.iter().map(line).collect::<String>().as_bytes());
        found.groups[0].1[0].track.x.clone()
    });
    assert_eq!((&plain, &quoted), (&values.to_vec(), &values.to_vec()));
}

#[test]
fn columns_are_counted_by_most_of_the_first_lines() {
    let config = plan(Path::new(""), BY_COLUMN);
    let text = b"broken\n1,1,1,1,a,b,9,9\n2,1,1,1,a,b,9,9\n3,1,1,1,a,b\n";
    let (layout, header) = Layout::new(&config.files[0], &Sensor::ALL, text).unwrap();
    assert_eq!((layout.columns, header.bytes), (8, 0));
    let found = read(&config.files[0], text);
    let told: Vec<_> = found.rejects.iter().map(|r| r.source_record.as_deref().unwrap()).collect();
    assert_eq!(told, ["line 1", "line 4"]);
}

#[test]
fn lines_without_end_do_not_hurt_the_others() {
    let config = plan(Path::new(""), BY_COLUMN);
    let text = format!("1,1,1,1,a,b\n{}\n2,1,1,1,a,b\n", "7".repeat(3 * chunks::MOST_LINE_BYTES));
    let found = read(&config.files[0], text.as_bytes());
    assert_eq!(found.groups[0].1[0].track.x.len(), 2);
    let told: Vec<_> =
        found.rejects.iter().map(|r| (r.reason.as_str(), r.source_record.as_deref())).collect();
    assert_eq!(told, [(reasons::LINE_TOO_LONG, Some("line 2"))]);
}
