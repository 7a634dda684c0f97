//! Logs grouped by columns and cut into sessions.

use super::*;

#[test]
fn rows_are_grouped_by_the_values_of_columns() {
    let text = "1,1,0,0,ann,sit\n2,2,0,0,bob,sit\n3,3,0,0,ann,sit\n4,4,0,0,ann,walk\n5,5,0,0,,walk\n";
    let folder = folder(&[("all.csv", text)]);
    let loaded = load_all(&Logs::open_csv(&plan(folder.path(), BY_COLUMN)).unwrap());
    let found: Vec<_> = views(&loaded.batches)
        .iter()
        .map(|view| (view.id(), view.tracks[0].axes[0].to_vec(), view.activity.clone().unwrap()))
        .collect();
    let expected = [
        ("ann-sit".to_owned(), vec![1.0, 3.0], "sit".to_owned()),
        ("bob-sit".to_owned(), vec![2.0], "sit".to_owned()),
        ("ann-walk".to_owned(), vec![4.0], "walk".to_owned()),
    ];
    assert_eq!(found, expected);
    assert_eq!((loaded.rejects.len(), loaded.rejects[0].reason.as_str()), (1, reasons::EMPTY_CELL));
    // A plan may name the file itself.
    let alone = load_all(&Logs::open_csv(&plan(&folder.path().join("all.csv"), BY_COLUMN)).unwrap());
    assert_eq!(alone.batches, loaded.batches);
}

#[test]
fn gaps_cut_a_log_and_backward_stamps_stay_in_their_session() {
    let stamps = [0, 10, 5, 20, 3000, 3010, 2995, 9000];
    let text = stamps.map(|ms| format!("{ms},{ms},0,0,ann,x\n")).concat();
    let folder = folder(&[("all.csv", &text)]);
    let text = format!("sessions = {{ gap_seconds = 2 }}\n{BY_COLUMN}");
    let loaded = load_all(&Logs::open_csv(&plan(folder.path(), &text)).unwrap());
    let views = views(&loaded.batches);
    let found: Vec<_> = views.iter().map(|view| (view.id(), view.tracks[0].axes[0].to_vec())).collect();
    let expected = [
        ("ann-x-001".to_owned(), vec![0.0, 10.0, 5.0, 20.0]),
        ("ann-x-002".to_owned(), vec![3000.0, 3010.0, 2995.0]),
        ("ann-x-003".to_owned(), vec![9000.0]),
    ];
    assert_eq!(found, expected);
    assert!(loaded.rejects.is_empty());
}

#[test]
fn events_cut_a_log_and_what_lies_outside_is_told() {
    let lines = (0..20).map(|n| format!("{},1,2,3,4,5,6,a\n", n * 100)).collect::<Vec<_>>().concat();
    let events = "what,ms\nlock,50\nunlock,300\nnotify,400\nlock,500\nunlock,900\nunlock,950\nlock,1200\nunlock,x\nunlock,1800\n";
    let folder = folder(&[
        ("s/1.csv", &format!("{HEADER}{lines}")),
        ("s/screen.log", events),
        ("r/1.csv", &format!("{HEADER}{lines}")),
    ]);
    let text = format!(
        "sessions = {{ events = {{ pattern = \"{{subject}}/screen.log\", clock = \"ms\", stamp = \"ms\", event = \"what\", start = \"unlock\", end = \"lock\" }} }}\n{MERGED}"
    );
    let logs = Logs::open_csv(&plan(folder.path(), &text)).unwrap();
    let opened: Vec<_> =
        logs.rejects().iter().map(|r| (r.reason.as_str(), r.source_record.as_deref().unwrap())).collect();
    let expected = [
        (reasons::NOT_A_NUMBER, "line 9"),
        (reasons::EVENT_OUT_OF_PLACE, "line 2"),
        (reasons::EVENT_OUT_OF_PLACE, "line 7"),
    ];
    assert_eq!(opened, expected);
    let loaded = load_all(&logs);
    let found: Vec<_> =
        views(&loaded.batches).iter().map(|view| (view.id(), view.tracks[1].stamp_nanos.len())).collect();
    assert_eq!(found, [("s-1-001".to_owned(), 3), ("s-1-002".to_owned(), 4), ("s-1-003".to_owned(), 2)]);
    let outside = loaded.rejects.iter().filter(|reject| reject.reason == reasons::OUTSIDE_ANY_SESSION);
    let told: Vec<_> =
        outside.map(|r| (r.source_file.clone().unwrap(), r.source_record.clone().unwrap(), r.rows)).collect();
    let expected = [
        ("r/1.csv", "lines 2-21", 20),
        ("s/1.csv", "lines 2-4", 3),
        ("s/1.csv", "lines 8-10", 3),
        ("s/1.csv", "lines 15-19", 5),
    ];
    assert_eq!(told, expected.map(|(file, record, rows)| (file.to_owned(), record.to_owned(), rows)));
}
