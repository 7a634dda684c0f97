//! HMOG archives: as they are, or packed from a list of entries so that checksums and offsets are sound.

use std::io::{Cursor, Write};

use datasets::imu::{HmogClock, HmogLogs};
use datasets::registry::SourceConfig;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::pieces::{mode, with_mode};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "hmog",
    seeds,
    words: &[
        "PK\u{1}\u{2}",
        "PK\u{3}\u{4}",
        "PK\u{5}\u{6}",
        "PK\u{6}\u{6}",
        "PK\u{6}\u{7}",
        "\n@",
        "Accelerometer.csv",
        "Gyroscope.csv",
        "Activity.csv",
        "100669_session_3",
        "100669.zip",
        "207969",
        "../",
        "__MACOSX/",
        "\\",
        "18446744073709551615",
        "nan",
        ",,,,,,",
    ],
    run,
};

/// How the entries of an input are packed.
const PACKINGS: usize = 5;

fn run(input: &[u8]) -> u64 {
    let (mode, rest) = mode(input);
    let clock = if (mode / PACKINGS).is_multiple_of(2) { HmogClock::System } else { HmogClock::Event };
    let (stored, deflated) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    let inner = |method| zipped(&entries(rest), method);
    let bytes = match mode % PACKINGS {
        0 => rest.to_vec(),
        1 => inner(stored),
        2 => inner(deflated),
        3 => zipped(&[("public_dataset/100669.zip".to_owned(), &inner(deflated))], stored),
        _ => zipped(&[("public_dataset/100669.zip".to_owned(), &inner(stored))], deflated),
    };
    let path = place::file("hmog.zip", &bytes);
    let event_unit = datasets::imu::Clock::Nanoseconds;
    reading::rows(&SourceConfig::Hmog(HmogLogs { path, clock, event_unit }), &[])
}

/// The entries of `text`: a line `@name`, then the content, up to the next such line.
fn entries(text: &[u8]) -> Vec<(String, &[u8])> {
    let mut starts: Vec<usize> =
        text.windows(2).enumerate().filter(|(_, pair)| pair == b"\n@").map(|(at, _)| at + 1).collect();
    if text.starts_with(b"@") {
        starts.insert(0, 0);
    }
    starts.push(text.len() + 1);
    let entry = |span: &[usize]| {
        let entry = &text[span[0] + 1..span[1] - 1];
        let end = entry.iter().position(|byte| *byte == b'\n').unwrap_or(entry.len());
        (String::from_utf8_lossy(&entry[..end]).into_owned(), entry.get(end + 1..).unwrap_or_default())
    };
    starts.windows(2).map(entry).collect()
}

/// An archive of `entries`; those whose name the writer refuses, such as one that came before, are left out.
fn zipped(entries: &[(String, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        if writer.start_file(name.as_str(), options).is_ok() {
            writer.write_all(bytes).expect("memory takes everything");
        }
    }
    writer.finish().expect("memory takes everything").into_inner()
}

fn seeds() -> Vec<Vec<u8>> {
    let lines = "1000,5000000001,11,1,2,3,0\n1010,5010000001,12,1,2,3,0\n1020,5020000001,13,1,2,-3.5,0\n";
    let activities = "11,1,1,0,0,0,0,1,7,1\n12,1,1,0,0,0,0,1,12,1\n";
    let text = format!(
        "@100669/100669_session_3/Accelerometer.csv\n{lines}@100669/100669_session_3/Gyroscope.csv\n{lines}\
         @100669/100669_session_3/Activity.csv\n{activities}@100669/100669_session_12/Gyroscope.csv\n{lines}"
    );
    let mut seeds: Vec<_> = (1..2 * PACKINGS)
        .filter(|mode| mode % PACKINGS != 0)
        .map(|mode| with_mode(mode, text.as_bytes()))
        .collect();
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        seeds.push(with_mode(0, &zipped(&entries(text.as_bytes()), method)));
    }
    seeds
}
