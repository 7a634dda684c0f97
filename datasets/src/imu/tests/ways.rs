//! The ways in which one recording can be written: all give the same readings.

use std::fmt::Write as _;
use std::io::Write as _;

use super::*;

/// Readings of each sensor.
const COUNT: usize = 40;
/// Milliseconds between them.
const STEP_MS: usize = 20;

/// The readings of line `k`: x, y and z of both sensors, all of them short in binary and in decimals.
fn values(k: usize) -> [f64; 6] {
    let k = k as f64;
    [k * 0.25 - 3.0, -1.5, 9.75, 0.5, -0.25, k * 0.125]
}

/// How one recording is written, and how that is declared.
pub(in crate::imu) struct Way {
    pub(in crate::imu) name: &'static str,
    pub(in crate::imu) text: Vec<u8>,
    /// The keys beside the pattern.
    pub(in crate::imu) keys: String,
    /// The stamp of the first reading, ms.
    pub(in crate::imu) first_ms: i64,
}

/// A line for each reading, made by `line` of its number, its stamp in ms and its cells.
fn lines(line: impl Fn(usize, usize, [String; 6]) -> String) -> String {
    (0..COUNT).map(|k| line(k, k * STEP_MS, values(k).map(|value| value.to_string()))).collect()
}

const NAMES: &str = "t,ax,ay,az,gx,gy,gz";
const BY_NAME: &str = r#"stamp = "t"
sensors = { accelerometer = ["ax", "ay", "az"], gyroscope = ["gx", "gy", "gz"] }"#;
const BY_NUMBER: &str = r"header = false
stamp = 1
sensors = { accelerometer = [2, 3, 4], gyroscope = [5, 6, 7] }";

fn plain_text() -> String {
    format!("{NAMES}\n{}", lines(|_, t, v| format!("{t},{}\n", v.join(","))))
}

fn way(name: &'static str, text: impl Into<Vec<u8>>, keys: &str) -> Way {
    Way { name, text: text.into(), keys: keys.to_owned(), first_ms: 0 }
}

fn named(name: &'static str, text: impl Into<Vec<u8>>, more: &str) -> Way {
    way(name, text, &format!("clock = \"ms\"\n{BY_NAME}\n{more}"))
}

/// All ways that give exactly the readings of [`values`], in one file, without a reject.
pub(in crate::imu) fn ways() -> Vec<Way> {
    let plain = plain_text();
    let utf16 = |big: bool| -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(plain.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    let numbered = |more: &str| format!("clock = \"ms\"\n{BY_NUMBER}\n{more}");
    let comma = |v: [String; 6]| v.map(|value| value.replace('.', ","));
    let seconds = |t: usize| format!("{:02}.{:03}", t / 1000, t % 1000);
    let dated = 1_682_944_200_000;
    let at = |way: Way| Way { first_ms: dated, ..way };
    let moment = |more: &str| format!("clock = \"date-time\"\n{BY_NAME}\n{more}");
    let split = format!(
        "clock = \"date-time\"\nzone = \"+02:00\"\n{}",
        BY_NAME.replace("\"t\"", "[\"date\", \"time\"]")
    );
    vec![
        named("plain", plain.clone(), ""),
        named("carriage returns and line feeds", plain.replace('\n', "\r\n"), ""),
        named("carriage returns alone", plain.replace('\n', "\r"), ""),
        named("a byte order mark", format!("\u{feff}{plain}"), ""),
        named("UTF-16, low byte first", utf16(false), ""),
        named("UTF-16, high byte first", utf16(true), ""),
        named("UTF-16 without its mark", utf16(false)[2..].to_vec(), "encoding = \"utf-16le\""),
        named("semicolons end lines", plain.replace('\n', ";\n"), ""),
        named("semicolons and blanks end lines", plain.replace('\n', " ; \r\n"), ""),
        named("a separator ends lines", plain.replace('\n', ",\n"), ""),
        named("quotes", lines_quoted(), ""),
        named("tabs", plain.replace(',', "\t"), "separator = \"\\t\""),
        named("bars", plain.replace(',', " | "), "separator = \"|\""),
        named("single blanks", plain.replace(',', " "), "separator = \" \""),
        named("runs of blanks", plain.replace(',', "   "), "separator = \" \""),
        named(
            "aligned columns",
            plain
                .lines()
                .map(|line| {
                    line.split(',').fold(String::new(), |mut text, cell| {
                        let _ = write!(text, "{cell:>12}");
                        text
                    }) + "\n"
                })
                .collect::<String>(),
            "separator = \" \"",
        ),
        named(
            "blanks and tabs by turns",
            plain.replace(",a", "\t a").replace(',', " \t"),
            "separator = \" \"",
        ),
        named(
            "decimal commas",
            format!(
                "{}\n{}",
                NAMES.replace(',', ";"),
                lines(|_, t, v| format!("{t};{}\n", comma(v).join(";")))
            ),
            "separator = \";\"\ndecimal = \",\"",
        ),
        named(
            "quoted decimal commas",
            format!("{NAMES}\n{}", lines(|_, t, v| format!("{t},\"{}\"\n", comma(v).join("\",\"")))),
            "decimal = \",\"",
        ),
        named(
            "decimal commas between blanks",
            format!(
                "{}\n{}",
                NAMES.replace(',', " "),
                lines(|_, t, v| format!("{t}  {}\n", comma(v).join(" ")))
            ),
            "separator = \" \"\ndecimal = \",\"",
        ),
        named(
            "comments above, between and below",
            format!("# phone: x\n#\n{}# end\n", plain.replace("\n200,", "\n# pause\n200,")),
            "",
        ),
        named("a header that is a comment", format!("# {plain}"), ""),
        named("comments of another mark", format!("% made by a\n%b\n{plain}"), "comment = \"%\""),
        named("lines above the header", format!("Device,Pixel\nRate,50,Hz\n\n{plain}"), ""),
        named("so many lines above the header", format!("t,x\nt,ax,ay\n{plain}"), "skip_lines = 2"),
        way("no header", lines(|_, t, v| format!("{t},{}\n", v.join(","))), &numbered("")),
        way("lines above the readings", format!("made,by\n{}", plain_text()), &numbered("skip_lines = 2")),
        named(
            "other columns beside",
            format!(
                "i,{NAMES},mx,my,mz,roll\n{}",
                lines(|k, t, v| format!("{k},{t},{},NaN,,x,{k}\n", v.join(",")))
            ),
            "",
        ),
        named(
            "sensors take turns, empty cells",
            format!(
                "{NAMES}\n{}",
                lines(|_, t, v| format!("{t},{},,,\n{t},,,,{}\n", v[..3].join(","), v[3..].join(",")))
            ),
            "",
        ),
        named(
            "sensors take turns, NaN",
            format!(
                "{NAMES}\n{}",
                lines(|_, t, v| format!(
                    "{t},{},NaN,nan,NAN\n{t},null,,NaN,{}\n",
                    v[..3].join(","),
                    v[3..].join(",")
                ))
            ),
            "",
        ),
        way(
            "sensors one below the other",
            format!(
                "t,what,x,y,z\n{}",
                lines(|_, t, v| format!(
                    "{t},Accelerometer,{}\n{t},Gyroscope,{}\n{t},Magnetometer,1,2,3\n{t},GPS,52.5,,\n",
                    v[..3].join(","),
                    v[3..].join(",")
                ))
            ),
            r#"clock = "ms"
            stamp = "t"
            sensor = { column = "what" }
            sensors = { accelerometer = ["x", "y", "z"], gyroscope = ["x", "y", "z"] }"#,
        ),
        way(
            "sensors by number, one below the other",
            lines(|_, t, v| format!("1;{t};{}\n4;{t};{}\n2;{t};0;0;0\n", v[..3].join(";"), v[3..].join(";"))),
            r#"clock = "ms"
            header = false
            separator = ";"
            stamp = 2
            sensor = { column = 1, accelerometer = "1", gyroscope = "4" }
            sensors = { accelerometer = [3, 4, 5], gyroscope = [3, 4, 5] }"#,
        ),
        way(
            "seconds",
            format!("{NAMES}\n{}", lines(|_, t, v| format!("{},{}\n", seconds(t), v.join(",")))),
            &format!("clock = \"s\"\n{BY_NAME}"),
        ),
        way(
            "seconds with a decimal comma",
            format!(
                "{}\n{}",
                NAMES.replace(',', ";"),
                lines(|_, t, v| { format!("{};{}\n", seconds(t).replace('.', ","), comma(v).join(";")) })
            ),
            &format!("clock = \"s\"\nseparator = \";\"\ndecimal = \",\"\n{BY_NAME}"),
        ),
        way(
            "microseconds",
            plain.replace(",-1.5,", "000,-1.5,").replace("000,-1.5,", ",-1.5,"),
            &format!("clock = \"ms\"\n{BY_NAME}"),
        ),
        way(
            "a rate and no stamps",
            format!("ax,ay,az,gx,gy,gz\n{}", lines(|_, _, v| v.join(",") + "\n")),
            &format!("rate_hz = 50\n{}", BY_NAME.replace("stamp = \"t\"\n", "")),
        ),
        way(
            "a counter of readings",
            format!("{NAMES}\n{}", lines(|k, _, v| format!("{k},{}\n", v.join(",")))),
            &format!("rate_hz = 50\n{BY_NAME}"),
        ),
        way(
            "scales",
            format!(
                "{NAMES}\n{}",
                lines(|k, t, _| {
                    let v = values(k);
                    let counts =
                        [v[0] * 8.0, v[1] * 8.0, v[2] * 8.0, v[3] * -1000.0, v[4] * -1000.0, v[5] * -1000.0];
                    format!("{t},{}\n", counts.map(|count| count.to_string()).join(","))
                })
            ),
            &format!(
                "clock = \"ms\"\n{BY_NAME}\nunits = {{ accelerometer = {{ scale = 0.125 }}, gyroscope = {{ scale = -0.001 }} }}"
            ),
        ),
        at(way(
            "date and time",
            format!(
                "{NAMES}\n{}",
                lines(|_, t, v| { format!("2023-05-01T12:30:{}Z,{}\n", seconds(t), v.join(",")) })
            ),
            &moment(""),
        )),
        at(way(
            "date and time elsewhere",
            format!(
                "{NAMES}\n{}",
                lines(|_, t, v| { format!("2023-05-01 07:00:{}-0530,{}\n", seconds(t), v.join(",")) })
            ),
            &moment(""),
        )),
        at(way(
            "date and time without a zone",
            format!(
                "{NAMES}\n{}",
                lines(|_, t, v| { format!("\"01.05.2023 14:30:{}\",{}\n", seconds(t), v.join(",")) })
            ),
            &moment("zone = \"+02:00\""),
        )),
        at(way(
            "date and time, month first",
            format!(
                "{NAMES}\n{}",
                lines(|_, t, v| { format!("5/1/2023 12:30:{} PM,{}\n", seconds(t), v.join(",")) })
            ),
            &moment("zone = \"UTC\"\ndate_order = \"month_first\""),
        )),
        at(way(
            "date and time in two columns",
            format!(
                "date,time{}\n{}",
                &NAMES[1..],
                lines(|_, t, v| {
                    format!("2023/05/01,14:30:{},{}\n", seconds(t).replace('.', ":"), v.join(","))
                })
            ),
            &split,
        )),
        at(way(
            "date and time between blanks",
            format!(
                "date time{}\n{}",
                NAMES[1..].replace(',', " "),
                lines(|_, t, v| { format!("2023-05-01  14:30:{}  {}\n", seconds(t), v.join(" ")) })
            ),
            &format!("{split}\nseparator = \" \""),
        )),
    ]
}

fn lines_quoted() -> String {
    let quoted = lines(|_, t, v| format!("\"{t}\",\"{}\"\n", v.join("\",\"")));
    format!("\"{}\"\n{quoted}", NAMES.replace(',', "\",\""))
}

/// What a session must hold: all readings of both sensors, from `first_ms` on.
pub(in crate::imu) fn check(name: &str, loaded: &Loaded, first_ms: i64) {
    assert_eq!(loaded.rejects, [], "{name}");
    let views = views(&loaded.batches);
    assert_eq!(views.len(), 1, "{name}");
    assert_eq!(views[0].tracks.len(), 2, "{name}");
    for (sensor, track) in views[0].tracks.iter().enumerate() {
        let stamps: Vec<i64> = (0..COUNT).map(|k| (first_ms + (k * STEP_MS) as i64) * 1_000_000).collect();
        assert_eq!(track.stamp_nanos[..], stamps, "{name}");
        for axis in 0..3 {
            let expected: Vec<f64> = (0..COUNT).map(|k| values(k)[3 * sensor + axis]).collect();
            assert_eq!(track.axes[axis][..], expected, "{name}");
        }
    }
}

fn declared(path: &Path, keys: &str) -> Loaded {
    let text = format!("[[files]]\npattern = \"{{subject}}.csv\"\n{keys}");
    load_all(&Logs::open_csv(&plan(path, &text)).unwrap())
}

#[test]
fn every_way_of_writing_gives_the_same_readings() {
    for Way { name, text, keys, first_ms } in ways() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("s1.csv"), &text).unwrap();
        check(name, &declared(folder.path(), &keys), first_ms);
    }
}

#[test]
fn every_way_of_packing_gives_the_same_readings() {
    for Way { name, text, keys, first_ms } in ways() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let packed = std::fs::File::create(path("s1.csv.gz")).unwrap();
        let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
        packed.write_all(&text).unwrap();
        packed.finish().unwrap();
        check(name, &declared(folder.path(), &keys), first_ms);
        std::fs::remove_file(path("s1.csv.gz")).unwrap();
        let mut archive = zip::ZipWriter::new(std::fs::File::create(path("logs.zip")).unwrap());
        archive.start_file("s1.csv", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(&text).unwrap();
        archive.finish().unwrap();
        check(name, &declared(&path("logs.zip"), &keys), first_ms);
        // An archive in a folder is a folder.
        for pattern in ["logs/{subject}.csv", "{device}.zip/{subject}.csv"] {
            let text = format!("[[files]]\npattern = \"{pattern}\"\n{keys}");
            check(name, &load_all(&Logs::open_csv(&plan(folder.path(), &text)).unwrap()), first_ms);
        }
    }
}

#[test]
fn latin_1_is_read_where_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        format!("{NAMES},gr\u{f6}\u{df}e\n{}", lines(|_, t, v| format!("{t},{},\u{fc}ben\n", v.join(","))));
    let bytes: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect();
    std::fs::write(folder.path().join("s1.csv"), bytes).unwrap();
    let keys = format!("clock = \"ms\"\n{BY_NAME}\nactivity = {{ column = \"größe\" }}");
    let loaded = declared(folder.path(), &format!("{keys}\nencoding = \"latin-1\""));
    check("latin-1", &loaded, 0);
    assert_eq!(views(&loaded.batches)[0].activity.as_deref(), Some("üben"));
    // The header is found without the key, but no name is kept that may be another one.
    let loaded = declared(folder.path(), &keys);
    assert_eq!((loaded.rejects[0].reason.as_str(), loaded.batches.len()), (reasons::NOT_UTF8, 0));
    assert!(loaded.rejects[0].detail.contains("hint: name the log's `encoding`"));
}

#[test]
fn a_line_of_units_below_the_header_is_no_reading() {
    let folder = tempfile::tempdir().unwrap();
    let text = plain_text().replacen('\n', "\nms,m/s2,m/s2,m/s2,rad/s,rad/s,rad/s\n", 1);
    std::fs::write(folder.path().join("s1.csv"), text).unwrap();
    let mut loaded = declared(folder.path(), &format!("clock = \"ms\"\n{BY_NAME}"));
    let told: Vec<_> =
        loaded.rejects.iter().map(|r| (r.reason.as_str(), r.source_record.as_deref())).collect();
    assert_eq!(told, [(reasons::LINE_OF_UNITS, Some("line 2"))]);
    loaded.rejects.clear();
    check("units", &loaded, 0);
}

#[test]
fn offsets_move_the_clock_of_a_sensor() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("s1.csv"), plain_text()).unwrap();
    let keys = format!("clock = \"ms\"\n{BY_NAME}\nclock_offset_ms = {{ gyroscope = -12.5 }}");
    let loaded = declared(folder.path(), &keys);
    let views = views(&loaded.batches);
    assert_eq!(views[0].tracks[0].stamp_nanos[1], 20_000_000);
    assert_eq!(views[0].tracks[1].stamp_nanos[1], 7_500_000);
}

#[test]
fn activities_have_the_names_that_the_layout_gives() {
    let line = |t: usize, code: &str| format!("{t},1,2,3,{code}\n");
    let text: String =
        (0..3).map(|k| line(k, "1")).chain((3..6).map(|k| line(k, "0"))).chain([line(6, "9")]).collect();
    let folder = folder(&[("dws_11/s1.csv", &text), ("jog_9/s1.csv", &text)]);
    let keys = r#"
        header = false
        clock = "ms"
        stamp = 1
        sensors = { accelerometer = [2, 3, 4] }
    "#;
    let text = format!(
        "[[files]]\npattern = \"*/{{subject}}.csv\"\n{keys}\nactivity = {{ column = 5 }}\nsession = {{ value = \"a\" }}\nactivities = {{ 1 = \"lying\", 0 = \"\" }}"
    );
    let path = folder.path().join("dws_11");
    let loaded = load_all(&Logs::open_csv(&plan(&path, &text.replace("*/", ""))).unwrap());
    let parts = &views(&loaded.batches)[0].parts;
    let found: Vec<_> = parts.iter().map(|part| part.activity.as_deref()).collect();
    assert_eq!(found, [Some("lying"), None, Some("9")]);
    // A folder may say what a whole log is of.
    let text = format!(
        "[[files]]\npattern = \"{{activity}}_{{session}}/{{subject}}.csv\"\n{keys}\nactivities = {{ dws = \"downstairs\" }}"
    );
    let loaded = load_all(&Logs::open_csv(&plan(folder.path(), &text)).unwrap());
    let found: Vec<_> = views(&loaded.batches)
        .iter()
        .map(|view| (view.key.session.clone(), view.activity.clone().unwrap()))
        .collect();
    assert_eq!(found, [("11", "downstairs"), ("9", "jog")].map(|(a, b)| (a.to_owned(), b.to_owned())));
}
