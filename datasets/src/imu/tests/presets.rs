//! Presets, each on files of the form that its set or app publishes.

use super::*;

fn open(path: &Path, preset: &str) -> Loaded {
    let config: CsvLogs = toml::from_str(&format!("path = ''\npreset = '{preset}'")).unwrap();
    load_all(&Logs::open_csv(&CsvLogs { path: path.to_owned(), ..config }).unwrap())
}

/// Subject, device and session, the readings of each sensor, and the activities, of each session.
type Told = (String, Vec<usize>, Vec<Option<String>>);

fn told(loaded: &Loaded) -> Vec<Told> {
    let views = views(&loaded.batches);
    let one = |view: &SessionView<'_>| {
        let counts = view.tracks.iter().map(|track| track.stamp_nanos.len()).collect();
        (view.id(), counts, view.parts.iter().map(|part| part.activity.clone()).collect())
    };
    views.iter().map(one).collect()
}

fn expect(loaded: &Loaded, expected: &[(&str, &[usize], &[&str])]) {
    let some = |name: &&str| (!name.is_empty()).then(|| (*name).to_owned());
    let expected: Vec<Told> = expected
        .iter()
        .map(|(id, counts, names)| ((*id).to_owned(), counts.to_vec(), names.iter().map(some).collect()))
        .collect();
    assert_eq!(told(loaded), expected);
}

/// `count` lines, made of their numbers.
fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// An archive of these entries.
fn archive(path: &Path, entries: &[(&str, &str)]) {
    use std::io::Write;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, text) in entries {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn every_layout_of_a_preset_is_sound() {
    use Preset::*;
    for preset in [Wisdm, WisdmPhoneWatch, Pamap2, MotionSense, RealworldHar, SensorLogger, Phyphox] {
        let (groups, _) = preset.declaration().unwrap();
        assert!(!groups.is_empty());
        let text = preset.layout().unwrap();
        assert!(
            text.contains(&format!("dataset = \"{}\"", preset.dataset())) && text.starts_with("# "),
            "{preset:?}"
        );
        // It can be copied and used as a layout.
        let declared: CsvLogs = toml::from_str(&format!("path = ''\n{text}")).unwrap();
        assert_eq!(declared.files, groups);
    }
}

#[test]
fn wisdm() {
    let line = |k: usize| match k {
        // Lines as they stand in the published file: an empty last cell, two on one line, a blank.
        7 => "33,Jogging,49105962326007,-0.69,12.68,;\n".to_owned(),
        8 => "33,Jogging,49105962326000,1,2,3;33,Jogging,49105962326000,1,2,3;\n".to_owned(),
        _ => format!(
            "33,{},{},-0.5,12.5,0.25;\n",
            if k < 10 { "Jogging" } else { "Walking" },
            49_105_962_326_000 + k * 50_000_000
        ),
    };
    let text = lines(20, line) + "17,Sitting,1000000000,1,2,3;\n";
    let folder = folder(&[("WISDM_ar_v1.1_raw.txt", &text), ("readme.txt", "x")]);
    let loaded = open(folder.path(), "wisdm");
    expect(
        &loaded,
        &[("33-phone-001", &[18], &["Jogging", "Walking"]), ("17-phone-001", &[1], &["Sitting"])],
    );
    let reasons: Vec<&str> = loaded.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, [reasons::EMPTY_CELL, reasons::EXTRA_COLUMN]);
    assert_eq!(views(&loaded.batches)[0].tracks[0].axes[2][0], 0.25);
}

#[test]
fn wisdm_phone_and_watch() {
    let text = lines(30, |k| {
        format!(
            "1600,{},{},-0.36,8.79,1.05;\n",
            if k < 15 { "A" } else { "S" },
            252_207_666_810_782_u64 + k as u64 * 50_000_000
        )
    });
    let folder = folder(&[
        ("raw/phone/accel/data_1600_accel_phone.txt", &text),
        ("raw/phone/gyro/data_1600_gyro_phone.txt", &text),
        ("raw/watch/accel/data_1600_accel_watch.txt", &text),
        ("raw/watch/gyro/data_1600_gyro_watch.txt", &text),
    ]);
    let names = ["walking", "folding clothes"];
    for path in [folder.path().to_owned(), folder.path().join("raw")] {
        let loaded = open(&path, "wisdm-phone-watch");
        expect(&loaded, &[("1600-phone-001", &[30, 30], &names), ("1600-watch-001", &[30, 30], &names)]);
        assert_eq!((loaded.rejects.len(), loaded.notes.len()), (0, 0));
    }
}

#[test]
fn pamap2() {
    let line = |k: usize| {
        let imu =
            |first: usize| (0..17).map(|at| format!("{}.{at}", first + at)).collect::<Vec<_>>().join(" ");
        let gone = ["NaN"; 17].join(" ");
        let activity = if k < 10 { 0 } else { 7 };
        // The ankle's radio drops out.
        let ankle = if k == 12 { gone } else { imu(38) };
        format!("{:.2} {activity} NaN {} {} {ankle}\n", 8.38 + k as f64 * 0.01, imu(4), imu(21))
    };
    let folder = folder(&[
        ("Protocol/subject101.dat", &lines(20, line)),
        ("Optional/subject101.dat", &lines(20, line)),
    ]);
    let loaded = open(folder.path(), "pamap2");
    let names = ["", "nordic walking"];
    expect(
        &loaded,
        &[
            ("101-ankle-Optional", &[19, 19], &names),
            ("101-ankle-Protocol", &[19, 19], &names),
            ("101-chest-Optional", &[20, 20], &names),
            ("101-chest-Protocol", &[20, 20], &names),
            ("101-hand-Optional", &[20, 20], &names),
            ("101-hand-Protocol", &[20, 20], &names),
        ],
    );
    assert_eq!(loaded.rejects.len(), 0);
    let views = views(&loaded.batches);
    // Column 5 of the file is the first of the 16 g range of the hand, column 11 the first of its gyroscope.
    assert_eq!((views[4].tracks[0].axes[0][0], views[4].tracks[1].axes[0][0]), (5.1, 11.7));
    assert_eq!((views[0].tracks[0].axes[0][0], views[0].tracks[1].axes[0][0]), (39.1, 45.7));
    let alone = open(&folder.path().join("Protocol"), "pamap2");
    assert_eq!(
        told(&alone).iter().map(|(id, ..)| id.clone()).collect::<Vec<_>>(),
        ["101-ankle", "101-chest", "101-hand"]
    );
}

#[test]
fn motion_sense() {
    let header = ",attitude.roll,attitude.pitch,attitude.yaw,gravity.x,gravity.y,gravity.z,rotationRate.x,rotationRate.y,rotationRate.z,userAcceleration.x,userAcceleration.y,userAcceleration.z\n";
    let text = header.to_owned() + &lines(10, |k| format!("{k},9,9,9,8,8,8,0.25,0.5,0.75,0.5,1,2\n"));
    let folder = folder(&[
        ("A_DeviceMotion_data/dws_1/sub_1.csv", &text),
        ("A_DeviceMotion_data/wlk_15/sub_24.csv", &text),
    ]);
    let loaded = open(&folder.path().join("A_DeviceMotion_data"), "motion-sense");
    expect(
        &loaded,
        &[("1-iphone6s-1", &[10, 10], &["downstairs"]), ("24-iphone6s-15", &[10, 10], &["walking"])],
    );
    let views = views(&loaded.batches);
    assert_eq!((views[0].tracks[0].axes[1][0], views[0].tracks[1].axes[2][0]), (9.806_65, 0.75));
    assert_eq!(views[0].tracks[0].stamp_nanos[..3], [0, 20_000_000, 40_000_000]);
    assert_eq!(told(&open(folder.path(), "motion-sense")), told(&loaded));
}

#[test]
fn realworld_har() {
    let log = |first: usize| {
        "id,attr_time,attr_x,attr_y,attr_z\n".to_owned()
            + &lines(10, |k| {
                format!("{},{},1,2,9.5\n", k + 1, 1_435_993_000_000_u64 + (first + 20 * k) as u64)
            })
    };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("proband1/data");
    archive(
        &data.join("acc_walking_csv.zip"),
        &[("acc_walking_chest.csv", &log(0)), ("acc_walking_upperarm.csv", &log(0)), ("readMe", "x")],
    );
    archive(
        &data.join("gyr_walking_csv.zip"),
        &[("Gyroscope_walking_chest.csv", &log(5)), ("Gyroscope_walking_upperarm.csv", &log(5))],
    );
    archive(&data.join("mag_walking_csv.zip"), &[("MagneticField_walking_chest.csv", &log(0))]);
    archive(&data.join("acc_climbingdown_csv.zip"), &[("acc_climbingdown_2_chest.csv", &log(600_000))]);
    archive(&data.join("gyr_climbingdown_csv.zip"), &[("Gyroscope_climbingdown_2_chest.csv", &log(600_000))]);
    let loaded = open(folder.path(), "realworld-har");
    assert_eq!(loaded.rejects, []);
    expect(
        &loaded,
        &[("1-chest", &[20, 20], &["climbingdown", "walking"]), ("1-upperarm", &[10, 10], &["walking"])],
    );
    assert_eq!(views(&loaded.batches)[1].tracks[1].stamp_nanos[0], 1_435_993_000_005_000_000);
}

#[test]
fn sensor_logger() {
    let log = lines(10, |k| {
        format!("{},{},3,2,1\n", 1_718_030_736_872_695_300_u64 + 10_000_000 * k as u64, k as f64 * 0.01)
    });
    let log = format!("time,seconds_elapsed,z,y,x\n{log}");
    let entries = [
        ("Accelerometer.csv", log.as_str()),
        ("AccelerometerUncalibrated.csv", &log),
        ("Gyroscope.csv", &log),
        ("GyroscopeUncalibrated.csv", &log),
        ("TotalAcceleration.csv", &log),
        ("Gravity.csv", &log),
        ("Metadata.csv", "version,device name\n3,x\n"),
    ];
    let folder = tempfile::tempdir().unwrap();
    archive(&folder.path().join("ann/2024-06-10_14-32-16.zip"), &entries);
    archive(&folder.path().join("2024-06-11_14-32-16.zip"), &entries);
    let loaded = open(folder.path(), "sensor-logger");
    assert_eq!(loaded.rejects, []);
    expect(
        &loaded,
        &[
            ("ann-phone-2024-06-10_14-32-16", &[10, 10], &[""]),
            ("unknown-phone-2024-06-11_14-32-16", &[10, 10], &[""]),
        ],
    );
    let views = views(&loaded.batches);
    assert_eq!([0, 1, 2].map(|axis| views[0].tracks[0].axes[axis][0]), [1.0, 2.0, 3.0]);
    assert_eq!(views[0].tracks[0].stamp_nanos[0], 1_718_030_736_872_695_300);
    assert!(
        loaded
            .notes
            .iter()
            .any(|note| note.contains("AccelerometerUncalibrated.csv") && note.contains("not read"))
    );
}

#[test]
fn phyphox() {
    let log = |name: &str, unit: &str| {
        let names = ["x", "y", "z"].map(|axis| format!("\"{name} {axis} ({unit})\"")).join(",");
        format!("\"Time (s)\",{names}\n")
            + &lines(10, |k| format!("{:e},1.5E0,-2.5E-1,9.75E0\n", k as f64 * 0.0025))
    };
    let (accelerometer, gyroscope) = (log("Acceleration", "m/s^2"), log("Gyroscope", "rad/s"));
    let folder = tempfile::tempdir().unwrap();
    let meta = [("meta/device.csv", "\"property\",\"value\"\n"), ("meta/time.csv", "\"event\"\n")];
    let both =
        [("Accelerometer.csv", accelerometer.as_str()), ("Gyroscope.csv", &gyroscope), meta[0], meta[1]];
    archive(&folder.path().join("bob/Sensors 2024-06-10.zip"), &both);
    archive(&folder.path().join("Acceleration.zip"), &[("Raw Data.csv", &accelerometer), meta[0]]);
    let loaded = open(folder.path(), "phyphox");
    expect(
        &loaded,
        &[("bob-phone-Sensors_2024-06-10", &[10, 10], &[""]), ("unknown-phone-Acceleration", &[10], &[""])],
    );
    let reasons: Vec<&str> = loaded.rejects.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons, [reasons::SENSOR_MISSING]);
    let views = views(&loaded.batches);
    assert_eq!([0, 1, 2].map(|axis| views[0].tracks[0].axes[axis][9]), [1.5, -0.25, 9.75]);
    assert_eq!(views[0].tracks[0].stamp_nanos[1], 2_500_000);
}
