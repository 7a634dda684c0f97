//! CSV logs: a declaration and the files that it declares, or those of a preset.

use datasets::imu::{CsvLogs, Preset};
use datasets::registry::SourceConfig;

use crate::pieces::{joined, part};
use crate::{Target, place, reading};

pub(crate) const TARGET: Target = Target {
    name: "csv_logs",
    seeds,
    words: &[
        "[[files]]",
        "pattern = \"{subject}/{session}.csv\"",
        "header = false",
        "separator = \";\"",
        "clock = \"ns\"",
        "stamp = 1",
        "sensors = { accelerometer = [2, 3, 4] }",
        "units = { accelerometer = \"g\" }",
        "columns = 7",
        "device = { column = 5 }",
        "subject = { column = \"u\" }",
        "activity = { column = \"label\" }",
        "sessions = { gap_seconds = 1 }",
        "\n====\n",
        "nan",
        "inf",
        "1e308",
        "-9223372036854775808",
        "\r\n",
        "\u{feff}",
        "\"",
        ",,,,",
        "unlock",
        "lock",
    ],
    run,
};

fn run(input: &[u8]) -> u64 {
    let (declared, rest) = part(input);
    let (log, events) = part(rest);
    let (folder, preset) = match declared {
        b"sp-sw-har" => {
            place::file("logs-sp/s1/1_sp.csv", log);
            ("logs-sp", Some(Preset::SpSwHar))
        }
        b"hhar-phone" => {
            place::file("logs-hhar/Phones_accelerometer.csv", log);
            place::file("logs-hhar/Phones_gyroscope.csv", events);
            ("logs-hhar", Some(Preset::HharPhone))
        }
        _ => {
            place::file("logs/s1/1.csv", log);
            place::file("logs/s1/screen.txt", events);
            ("logs", None)
        }
    };
    let layout = preset.is_none().then(|| place::file("layout.toml", declared));
    let path = place::path(folder);
    let logs =
        CsvLogs { path, layout, dataset: None, preset, guess: false, files: Vec::new(), sessions: None };
    reading::rows(&SourceConfig::Logs(logs), &[])
}

fn seeds() -> Vec<Vec<u8>> {
    let named = "dataset = \"d\"\n[[files]]\npattern = \"{subject}/{session}.csv\"\nclock = \"ms\"\nstamp = \"t\"\n\
                 sensors = { accelerometer = [\"ax\", \"ay\", \"az\"], gyroscope = [\"gx\", \"gy\", \"gz\"] }\n\
                 activity = { column = \"what\" }\n";
    let log = "t,ax,ay,az,gx,gy,gz,what\n1000,0.1,0.2,9.8,1,2,3,walk\n1010,0.1,-0.2,9.8,1,2,3e-1,walk\n\
               1020,.5,0,9.8,1,2,3,\"sit\"\n9000,1,2,3,4,5,6,sit\n9010,nan,2,3,4,5,6,sit\n9010,1,2\n";
    let numbered = "dataset = \"d\"\nsessions = { events = { pattern = \"{subject}/screen.txt\", clock = \"s\", \
                    stamp = \"t\", event = \"what\", start = \"unlock\", end = \"lock\" } }\n[[files]]\n\
                    pattern = \"{subject}/*.csv\"\nheader = false\nseparator = \";\"\nclock = \"s\"\nstamp = 1\n\
                    sensors = { accelerometer = [2, 3, 4] }\nunits = { accelerometer = \"g\" }\n\
                    device = { column = 5 }\n";
    let plain = "1.5;0;0;1;a\n1.6;0;0;1;a\n2.5;0;0;1;b\n7;1;1;1;a\n";
    let events = "t,what\n1,unlock\n2,lock\n6,unlock\n8,lock\n";
    let gaps = named.replacen("\n[[", "\nsessions = { gap_seconds = 2 }\n[[", 1);
    let sp = "timestamp,x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,label\n1000,1,2,3,4,5,6,WALKING\n\
              1010,1,2,3,4,5,6,SEATED\n";
    let hhar = "0,1424696633908,1424696631913248572,-5.9,0.6,8.1,a,nexus4,nexus4_1,stand\n\
                1,1424696633909,1424696631918283972,-5.9,0.6,8.2,a,nexus4,nexus4_1,null\n";
    vec![
        joined(&[named, log]),
        joined(&[&gaps, log]),
        joined(&[numbered, plain, events]),
        joined(&["sp-sw-har", sp]),
        joined(&["hhar-phone", hhar, hhar]),
    ]
}
