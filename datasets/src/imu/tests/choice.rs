//! Which files and columns are read, and what is said of the others.

use super::*;

const XYZ: &str = "t,x,y,z\n";

fn log(first: usize, z: f64) -> String {
    let lines = (first..first + 50).map(|k| format!("{},1,2,{z}\n", k * 20));
    XYZ.to_owned() + &lines.collect::<String>()
}

fn group(pattern: &str, more: &str) -> String {
    format!(
        "[[files]]\npattern = \"{pattern}\"\nclock = \"ms\"\nstamp = \"t\"\nsensors = {{ accelerometer = [\"x\", \"y\", \"z\"] }}\n{more}\n"
    )
}

fn open(path: &Path, groups: &str) -> Result<Loaded, String> {
    Logs::open_csv(&plan(path, groups)).map(|logs| load_all(&logs)).map_err(|error| error.to_string())
}

fn all_z(loaded: &Loaded) -> Vec<f64> {
    let views = views(&loaded.batches);
    let mut all: Vec<f64> =
        views.iter().flat_map(|view| &view.tracks).flat_map(|track| track.axes[2].to_vec()).collect();
    all.dedup();
    all
}

#[test]
fn of_names_of_one_sensor_the_plain_one_is_read() {
    for (plain, other) in [
        ("Accelerometer", "AccelerometerUncalibrated"),
        ("acc", "acc_linear"),
        ("accel", "AccelGravity"),
        ("ACC", "acceleration-user"),
    ] {
        let (a, b) = (format!("s/{plain}.csv"), format!("s/{other}.csv"));
        let folder = folder(&[(&a, &log(0, 0.5)), (&b, &log(0, 1.0))]);
        let loaded = open(folder.path(), &group("{subject}/{sensor}.csv", "")).unwrap();
        assert_eq!(all_z(&loaded), [0.5], "{other}");
        let note = format!("1 file not read, beside one of the sensor's plain name: {b}");
        assert_eq!((loaded.notes, loaded.rejects.len()), (vec![note], 0));
        // Where it stands alone, it is read, and that is said.
        std::fs::remove_file(folder.path().join(&a)).unwrap();
        let loaded = open(folder.path(), &group("{subject}/{sensor}.csv", "")).unwrap();
        assert_eq!(all_z(&loaded), [1.0]);
        assert!(loaded.notes[0].contains("read as that sensor which the name begins with"));
    }
}

#[test]
fn two_logs_of_one_time_are_not_put_together() {
    let second = |second: &str| {
        let folder = folder(&[("s/a.csv", &log(0, 0.5)), ("s/b.csv", second)]);
        open(folder.path(), &group("{subject}/*.csv", "")).unwrap()
    };
    let loaded = second(&log(10, 1.0));
    assert_eq!(all_z(&loaded), [0.5]);
    let reject = &loaded.rejects[0];
    assert_eq!((reject.reason.as_str(), reject.rows), (reasons::SECOND_LOG, 50));
    assert_eq!(reject.source_file.as_deref(), Some("s/b.csv"));
    assert!(reject.detail.contains("`s/a.csv`") && reject.detail.contains("hint:"), "{}", reject.detail);
    // One that goes on where the first one ends is a part of the recording.
    let loaded = second(&log(50, 1.0));
    assert_eq!((all_z(&loaded), loaded.rejects.len()), (vec![0.5, 1.0], 0));
    let files = schemas::tables::readings::labels(&loaded.batches[0], "source_file").unwrap();
    let named: Vec<_> = [0, 49, 50, 99].map(|row| files.get(row).unwrap()).to_vec();
    assert_eq!(named, ["s/a.csv", "s/a.csv", "s/b.csv", "s/b.csv"]);
}

#[test]
fn groups_of_one_pattern_share_their_files() {
    let line = |k: usize| format!("{}.{:02} 0 1 2 3 4 5 6 7 8 9 10 11\n", k / 100, k % 100);
    let text: String = (0..20).map(line).collect();
    let folder = folder(&[("s1.dat", &text)]);
    let device = |name: &str, first: usize| {
        let columns = |first: usize| format!("[{first}, {}, {}]", first + 1, first + 2);
        format!(
            "[[files]]\npattern = \"{{subject}}.dat\"\nheader = false\nseparator = \" \"\nclock = \"s\"\nstamp = 1\ndevice = {{ value = \"{name}\" }}\nsensors = {{ accelerometer = {}, gyroscope = {} }}\n",
            columns(first),
            columns(first + 3)
        )
    };
    let both = device("hand", 2) + &device("chest", 8);
    let loaded = open(folder.path(), &both).unwrap();
    let found: Vec<_> = views(&loaded.batches)
        .iter()
        .map(|view| {
            (view.key.device.clone(), view.tracks.len(), view.tracks[0].axes[0][3], view.tracks[1].axes[2][3])
        })
        .collect();
    assert_eq!(found, [("chest".to_owned(), 2, 6.0, 11.0), ("hand".to_owned(), 2, 0.0, 5.0)]);
    // A line of one device is no fault of the other's.
    let gap = " NaN NaN NaN NaN NaN NaN";
    let text = text.replacen(" 6 7 8 9 10 11", gap, 5);
    std::fs::write(folder.path().join("s1.dat"), text).unwrap();
    let loaded = open(folder.path(), &both).unwrap();
    let found: Vec<_> = views(&loaded.batches).iter().map(|view| view.tracks[0].stamp_nanos.len()).collect();
    assert_eq!((found, loaded.rejects.len()), (vec![15, 20], 0));
    let error = open(folder.path(), &both.replace("chest", "hand")).unwrap_err();
    assert!(error.contains("the same for groups 1 and 2 of the pattern `{subject}.dat`"), "{error}");
}

#[test]
fn no_group_is_passed_over_in_silence() {
    let folder = folder(&[("s1.csv", &log(0, 0.5)), ("s2.txt", &log(0, 1.0))]);
    let both = group("{subject}.csv", "") + &group("*{subject}.csv", "device = { value = \"b\" }");
    let error = open(folder.path(), &both).unwrap_err();
    assert!(error.contains("group 2 of `files`") && error.contains("s1.csv"), "{error}");
    let both = group("{subject}.csv", "") + &group("{subject}.log", "");
    let loaded = open(folder.path(), &both).unwrap();
    assert_eq!(loaded.notes[0], "no file fits the pattern `{subject}.log`");
    // One that serves what the others leave is sound.
    let both = group("{subject}.csv", "") + &group("*{subject}.*", "device = { value = \"b\" }");
    assert_eq!(open(folder.path(), &both).unwrap().batches.len(), 2);
}

#[test]
fn damaged_archives_are_told() {
    let folder =
        folder(&[("s1.csv", &log(0, 0.5)), ("s2.csv.gz", "\u{1f}"), ("more.zip", "PK\u{3}\u{4}nothing")]);
    std::fs::write(folder.path().join("s2.csv.gz"), [0x1f, 0x8b, 8, 0, 1, 2, 3]).unwrap();
    let loaded = open(folder.path(), &group("{subject}.csv", "")).unwrap();
    let mut told: Vec<_> =
        loaded.rejects.iter().map(|r| (r.source_file.as_deref().unwrap(), r.reason.as_str())).collect();
    told.sort_unstable();
    assert_eq!(told, [("more.zip", reasons::NOT_AN_ARCHIVE), ("s2.csv.gz", reasons::CORRUPT_ENTRY)]);
    assert_eq!(all_z(&loaded), [0.5]);
}

/// What a layout must say is told with the reject that lacks it.
#[test]
fn rejects_say_what_mends_them() {
    let header = group("{subject}.csv", "");
    let numbers = "[[files]]\npattern = \"{subject}.csv\"\nheader = false\nclock = \"ms\"\nstamp = 1\nsensors = { accelerometer = [2, 3, 4] }\n";
    let dated = header.replace("\"ms\"", "\"date-time\"");
    for (text, layout, reason, hint) in [
        ("t,x,y,z\n1,\"0,5\",2,3\n", header.as_str(), reasons::NOT_A_NUMBER, "`decimal = \",\"`"),
        ("t;x;y;z\n1;2;3;4\n", header.as_str(), reasons::COLUMNS_DO_NOT_FIT, "`separator = \";\"`"),
        ("1;2;3;4\n", numbers, reasons::MISSING_COLUMN, "`separator = \";\"`"),
        ("1\t2\t3\t4\n", numbers, reasons::MISSING_COLUMN, "`separator = \"\\t\"`"),
        (
            "t,x,y,z\n2023-05-01T12:30:00Z,1,2,3\n",
            header.as_str(),
            reasons::NOT_A_NUMBER,
            "`clock = \"date-time\"`",
        ),
        ("t,x,y,z\n2023-05-01T12:30:00,1,2,3\n", dated.as_str(), reasons::NOT_A_MOMENT, "`zone = "),
        ("t,x,y,z\n5/1/2023 12:30:00Z,1,2,3\n", dated.as_str(), reasons::NOT_A_MOMENT, "`date_order`"),
        ("t,x,y,z\n1682944200,1,2,3\n", dated.as_str(), reasons::NOT_A_MOMENT, "`clock = \"ms\"`"),
    ] {
        let folder = folder(&[("s1.csv", text)]);
        let loaded = open(folder.path(), layout).unwrap();
        let reject = &loaded.rejects[0];
        assert_eq!((reject.reason.as_str(), loaded.batches.len()), (reason, 0), "{text}");
        assert!(
            reject.detail.contains("hint: ") && reject.detail.contains(hint),
            "{text}: {}",
            reject.detail
        );
    }
}

#[test]
fn groups_whose_keys_contradict_each_other_are_refused() {
    let folder = folder(&[("s1.csv", &log(0, 0.5))]);
    let sound = group("{subject}.csv", "");
    for (from, to, told) in [
        ("clock = \"ms\"\nstamp = \"t\"\n", "", "`rate_hz` for logs without a clock"),
        ("clock = \"ms\"\n", "", "`stamp` needs `clock`"),
        ("stamp = \"t\"\n", "", "`clock` needs `stamp`"),
        ("clock = \"ms\"\n", "clock = \"ms\"\nrate_hz = 50\n", "`rate_hz` is for logs without a `clock`"),
        ("stamp = \"t\"", "stamp = [\"t\", \"x\"]", "need `clock = \"date-time\"`"),
        ("clock = \"ms\"\n", "clock = \"ms\"\nzone = \"UTC\"\n", "need `clock = \"date-time\"`"),
        (
            "clock = \"ms\"\n",
            "clock = \"ms\"\nclock_offset_ms = { accelerometer = 1e13 }\n",
            "`clock_offset_ms`",
        ),
    ] {
        let error = open(folder.path(), &sound.replace(from, to)).unwrap_err();
        assert!(error.contains(told), "{to}: {error}");
    }
}
