//! Real data sets, where they are there.

use schemas::tables::readings::Sensor;

use super::*;
use crate::testing::real_data;

#[test]
fn sp_sw_har_is_read_whole() {
    let Some(path) = real_data("imu/sp-sw-har") else { return };
    let config: CsvLogs = toml::from_str("path = ''\npreset = 'sp-sw-har'").unwrap();
    let logs = Logs::open_csv(&CsvLogs { path, ..config }).unwrap();
    assert_eq!(logs.items().len(), 145);
    let loaded = load_all(&logs);
    let lines: usize =
        logs.inputs().iter().map(|path| std::fs::read_to_string(path).unwrap().lines().count() - 1).sum();
    // `cat s*/*.csv | grep -vc x_acc` says 167338.
    assert_eq!((lines, rows(&loaded.batches) / 2 + total_rows(&loaded.rejects) as usize), (167_338, 167_338));
    assert!(loaded.rejects.is_empty());
    let views = views(&loaded.batches);
    let subjects: std::collections::BTreeSet<&str> =
        views.iter().map(|view| view.key.subject.as_str()).collect();
    assert_eq!((subjects.len(), views.len()), (15, 145));
    assert_eq!(views[0].id(), "s01-phone-s01_01");
    assert_eq!(views[0].tracks[0].axes[0][0], -4.160_221_099_853_516);
    assert_eq!(views[0].tracks[1].stamp_nanos[1], 1_657_533_977_864_000_000);
    assert_eq!(loaded.notes, ["2 files not read, no pattern fits: executions_info.csv, subjects_info.csv"]);
}

#[test]
fn hhar_is_read_whole() {
    let Some(path) = real_data("imu/hhar-phone") else { return };
    let config: CsvLogs = toml::from_str("path = ''\npreset = 'hhar-phone'").unwrap();
    let logs = Logs::open_csv(&CsvLogs { path, ..config }).unwrap();
    let loaded = load_all(&logs);
    assert_eq!((loaded.rejects.len(), rows(&loaded.batches), logs.items().len()), (0, 20_000, 1));
    let views = views(&loaded.batches);
    assert_eq!(views.len(), 1);
    assert_eq!((views[0].id(), views[0].activity.as_deref()), ("a-nexus4_1-001".to_owned(), Some("stand")));
    let accelerometer = &views[0].tracks[0];
    assert_eq!(
        (accelerometer.sensor, accelerometer.stamp_nanos[0]),
        (Sensor::Accelerometer, 1_424_696_631_913_248_572)
    );
    let backward = accelerometer.stamp_nanos.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert_eq!((backward, views[0].tracks[1].stamp_nanos.len()), (287, 10_000));
    assert_eq!(accelerometer.axes[1][2], 0.653_549_199_999_999_9);
}
