//! Sheets of every table, drawn from rows made here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Schema;
use image::RgbImage;
use schemas::tables::readings::{self, Sensor, Session, SessionKey, Track};
use schemas::tables::trials::Trial;
use schemas::tables::{signals, windows};

use super::super::palette::PAGE;
use super::*;
use schemas::Hinted;

/// Colours of light pages: of the classes `s0`, `s1`, `s2`, of gaps, and of the ground of a plot.
const VERMILLION: [u8; 3] = [213, 94, 0];
const GREEN: [u8; 3] = [0, 158, 115];
const BLUE: [u8; 3] = [0, 114, 178];
const GAP: [u8; 3] = [214, 214, 210];
const GROUND: [u8; 3] = [255, 255, 255];
/// Left edge and width of the strips of a page of the usual width, px.
const STRIP: (u32, u32) = (100, 808);
/// Upper edge and height of the first strip of a panel of readings, px.
const FIRST: (u32, u32) = (40, 108);

fn count(picture: &RgbImage, colour: [u8; 3], columns: std::ops::Range<u32>) -> usize {
    let inside = |x: &u32| columns.contains(x);
    picture.enumerate_pixels().filter(|(x, _, pixel)| inside(x) && pixel.0 == colour).count()
}

/// Whether `found` is `ink` over white with at least 40 % of it, as at the edges of lines.
fn is_of(found: [u8; 3], ink: [u8; 3]) -> bool {
    let [found, ink] = [found, ink].map(|colour| colour.map(|level| 255.0 - f64::from(level)));
    let cover = found.iter().sum::<f64>() / ink.iter().sum::<f64>();
    cover > 0.4 && found.iter().zip(ink).all(|(found, ink)| (found - cover * ink).abs() < 30.0)
}

fn log(session: &str, stamps: &[i64], value: impl Fn(usize) -> f64) -> Session {
    let values: Vec<f64> = (0..stamps.len()).map(value).collect();
    let track = Track {
        stamp_nanos: stamps.to_vec(),
        x: values.clone(),
        y: values.iter().map(|v| v + 5.0).collect(),
        z: values.iter().map(|v| v - 5.0).collect(),
        ..Track::default()
    };
    let key = SessionKey { subject: "s".into(), session: session.into(), ..SessionKey::default() };
    Session { key, activities: Vec::new(), tracks: vec![(Sensor::Accelerometer, track)] }
}

/// 100 Hz from 0 to 4 s and from 6 to 10 s.
fn torn_stamps() -> Vec<i64> {
    (0..1000).filter(|at| !(400..600).contains(at)).map(|at| at * 10_000_000).collect()
}

/// Rows of `signals` at 50 Hz: `lengths` samples each, `apart` seconds from the start of one to that of the next.
fn stretches(lengths: &[usize], apart: f64, value: impl Fn(usize) -> f32) -> RecordBatch {
    let rows = lengths.len();
    let schema = signals::schema(&signals::RAW_CHANNELS.map(str::to_owned), 50.0);
    let signal = |length: &usize| (0..length * 6).map(|at| value(at / 6) + (at % 6) as f32).collect();
    let starts = (0..rows).map(|at| (at as f64 * apart * 1e9) as i64 + 77);
    let mut columns = identity(rows, starts.collect());
    columns.push(Arc::new(signals::signal_array(lengths.iter().map(signal).collect(), 6)));
    RecordBatch::try_new(schema, columns).unwrap()
}

fn identity(rows: usize, starts: Vec<i64>) -> Vec<ArrayRef> {
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from(vec![value; rows])) };
    let zeros = || -> ArrayRef { Arc::new(Int32Array::from(vec![0; rows])) };
    let mut columns = vec![text("id"), zeros()];
    columns.extend(["d", "test", "s1", "phone", "01"].map(text));
    columns.extend([zeros(), text("walking"), text("f"), Arc::new(Int64Array::from(starts)) as ArrayRef]);
    columns
}

fn window_rows(rows: usize, hop: usize) -> RecordBatch {
    let [blocks, samples] = [20, 50];
    let signals = signals::schema(&signals::RAW_CHANNELS.map(str::to_owned), 50.0);
    let schema: Schema = windows::schema(&signals, blocks, samples, hop).unwrap();
    let values = |row: usize| {
        (0..blocks * samples * 6).map(move |at| ((at / 300 * hop + at / 6 % 50 + row) as f32 / 9.0).sin())
    };
    let mut columns = identity(rows, vec![0; rows]);
    columns.push(Arc::new(Int32Array::from_iter_values(0..rows as i32)));
    columns.push(Arc::new(Int64Array::from(vec![0; rows])));
    columns.push(windows::window_array((0..rows).flat_map(values).collect(), [blocks, samples, 6]));
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

#[test]
fn readings_are_drawn_over_seconds_with_their_gap() {
    let batch = readings::to_batch(log("1", &torn_stamps(), |at| (at as f64 / 20.0).sin()));
    let sheet = signal_sheet(&batch, &SignalOptions::default()).unwrap();
    assert_eq!((sheet.drawn, sheet.picture.width()), (1, 1000));
    // The gap from 4 to 6 of 10 s holds no line, and all columns beside it do.
    let column = |seconds: f64| STRIP.0 + (f64::from(STRIP.1) * seconds / 9.99) as u32;
    let within = column(4.1)..column(5.9);
    assert_eq!(count(&sheet.picture, VERMILLION, within.clone()), 0);
    assert!(count(&sheet.picture, GAP, within) > 10_000);
    for colour in [VERMILLION, GREEN, BLUE] {
        for seconds in [0.5, 3.5, 6.5, 9.5] {
            let (from, tall) = (column(seconds), FIRST.0..FIRST.0 + FIRST.1);
            let inked = |x: u32| tall.clone().any(|y| is_of(sheet.picture.get_pixel(x, y).0, colour));
            assert!((from..from + 9).all(inked), "{seconds} s, {colour:?}");
        }
    }
}

#[test]
fn a_line_lies_where_its_values_are() {
    // x is level at 0 of the range -5 to 5, so it runs through the middle of the strip.
    let stamps: Vec<i64> = (0..500).map(|at| at * 10_000_000).collect();
    let sheet =
        signal_sheet(&readings::to_batch(log("1", &stamps, |_| 0.0)), &SignalOptions::default()).unwrap();
    let middle = FIRST.0 + FIRST.1 / 2;
    let inked = |y: u32, ink| {
        (STRIP.0 + 20..STRIP.0 + 700).filter(|x| is_of(sheet.picture.get_pixel(*x, y).0, ink)).count()
    };
    assert!((middle - 1..=middle + 1).any(|y| inked(y, VERMILLION) == 680));
    assert_eq!(inked(middle - 25, VERMILLION), 0);
}

#[test]
fn neighbouring_stretches_share_a_panel_and_windows_have_their_own() {
    let signals = stretches(&[600, 200, 700], 15.0, |at| (at as f32 / 7.0).cos());
    let plain = signal_sheet(&signals, &SignalOptions::default()).unwrap();
    assert_eq!(plain.drawn, 1);
    assert!(count(&plain.picture, GAP, 0..1000) > 5_000);
    let windows = signal_sheet(&window_rows(3, 25), &SignalOptions::default()).unwrap();
    assert_eq!(windows.drawn, 3);
    assert_eq!(count(&windows.picture, GAP, 0..1000), 0);
    let few = SignalOptions { panels: 2, ..SignalOptions::default() };
    assert!(signal_sheet(&window_rows(3, 25), &few).unwrap().picture.height() < windows.picture.height());
}

#[test]
fn blocks_are_shown_where_a_window_fits() {
    let cut = Blocks { blocks: 20, samples: 50, hop: 25 };
    let with = SignalOptions { blocks: Some(cut), ..SignalOptions::default() };
    let bars = |lengths: &[usize]| {
        let sheet = signal_sheet(&stretches(lengths, 20.0, |_| f32::NAN), &with).unwrap();
        // All values are missing, so blue is that of the bars and of the legend right of the strips.
        count(&sheet.picture, BLUE, STRIP.0..STRIP.0 + STRIP.1)
    };
    assert_eq!(bars(&[524]), 0);
    let (one, two) = (bars(&[525]), bars(&[525, 525]));
    // Twenty blocks cover the strip nearly twice; half of them are of this blue, 5 px tall.
    assert!((3_000..6_000).contains(&one) && two > 1_000, "{one} {two}");
}

#[test]
fn dense_signals_keep_their_peaks() {
    // One reading of 60,000 stands out.
    let stamps: Vec<i64> = (0..60_000).map(|at| at * 10_000_000).collect();
    let batch = readings::to_batch(log("1", &stamps, |at| if at == 30_000 { 100.0 } else { 0.0 }));
    let sheet = signal_sheet(&batch, &SignalOptions::default()).unwrap();
    let tall = |x: u32| {
        (FIRST.0 + 4..FIRST.0 + FIRST.1 - 4).filter(|y| sheet.picture.get_pixel(x, *y).0 != GROUND).count()
    };
    let middle = STRIP.0 + STRIP.1 / 2;
    assert!((middle - 2..middle + 3).any(|x| tall(x) > 70));
}

#[test]
fn values_and_stamps_of_any_kind_do_not_panic() {
    let strange = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, 1e-300];
    for stamps in
        [vec![0_i64; 7], vec![5, 4, 3, 2, 1, 0, i64::MAX], vec![i64::MIN, i64::MAX], vec![3], vec![]]
    {
        let batch = readings::to_batch(log("1", &stamps, |at| strange[at % 7]));
        match signal_sheet(&batch, &SignalOptions::default()) {
            Ok(sheet) => assert_eq!(sheet.picture.get_pixel(1, 1).0, PAGE),
            Err(error) => assert!(stamps.is_empty() && error.hint().is_some(), "{error}"),
        }
    }
    for lengths in [&[0_usize][..], &[1, 0, 2], &[300]] {
        signal_sheet(&stretches(lengths, 0.0, |at| strange[at % 7] as f32), &SignalOptions::default())
            .unwrap();
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_in_words() {
    let batch = readings::to_batch(log("1", &torn_stamps(), |_| 0.0));
    let error = signal_sheet(&batch.slice(0, 0), &SignalOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "there are no rows of signals to draw");
    let other = batch.project(&[0, 1]).unwrap();
    assert!(signal_sheet(&other, &SignalOptions::default()).unwrap_err().hint().is_some());
    let usual = SignalOptions::default();
    let none = Blocks { blocks: 1, samples: 0, hop: 1 };
    for bad in [
        SignalOptions { panels: 0, ..usual },
        SignalOptions { width_px: 100, ..usual },
        SignalOptions { blocks: Some(none), ..usual },
    ] {
        assert!(signal_sheet(&batch, &bad).unwrap_err().hint().is_some(), "{bad:?}");
    }
}

/// Genuine scores 10 to 19, impostor scores 0 to 11: they overlap by two of ten and of twelve.
fn trials(normalisation: &str, shift: f64) -> Vec<Trial> {
    let trial = |at: usize, genuine: bool| Trial {
        dataset: "d".into(),
        split: "test".into(),
        client_split: "test".into(),
        client: format!("c{}", at % 3),
        subject: "x".into(),
        device: String::new(),
        session: at.to_string(),
        sequence: None,
        genuine,
        score: at as f64 + if genuine { 10.0 + shift } else { 0.0 },
        frames: 1,
        normalisation: normalisation.into(),
        model: "gmm".into(),
    };
    (0..10).map(|at| trial(at, true)).chain((0..12).map(|at| trial(at, false))).collect()
}

#[test]
fn curves_pass_through_their_points() {
    let sheet = verification_sheet(&trials("none", 0.0), &VerificationSheetOptions::default()).unwrap();
    assert_eq!((sheet.drawn, sheet.rejects.len()), (22, 0));
    // Frames of charts 560 px wide: 58 px from the left, 12 px from the top, below titles of 46 and 24 px.
    let curve = |x: f64, y: f64, left: f64| {
        let place = |share: f64, length: f64| length * (100.0 * share + 2.0) / 104.0;
        let (x, y) = ((left + place(x, 488.0)) as u32, (82.0 + 292.0 - place(y, 292.0)) as u32);
        let near = |dx: u32, dy: u32| is_of(sheet.picture.get_pixel(x + dx - 2, y + dy - 2).0, VERMILLION);
        (0..5).any(|dx| (0..5).any(|dy| near(dx, dy)))
    };
    let roc = 58.0;
    // At threshold 12 no impostor is accepted and 80 % of the genuine trials are; at 10 all of these and 2 of 12.
    assert!(curve(0.0, 0.7, roc) && curve(0.5 / 12.0, 0.85, roc));
    assert!(curve(2.0 / 12.0, 1.0, roc) && curve(0.9, 1.0, roc));
    assert!(!curve(0.5, 0.5, roc));
    // Away from its own curve the plot of errors by normal deviate is empty.
    assert!(!curve(0.9, 0.9, 560.0 + 58.0));
    // No client errs at a threshold of its own, until scores overlap within clients too.
    let bars = |trials: &[Trial]| {
        let sheet = verification_sheet(trials, &VerificationSheetOptions::default()).unwrap();
        count(&sheet.picture, BLUE, 690..1106)
    };
    let (none, some) = (bars(&trials("none", 0.0)), bars(&trials("none", -3.0)));
    assert!(none < 2_000 && some > 20_000, "{none} {some}");
}

#[test]
fn several_series_have_a_colour_each_up_to_the_most() {
    let mut rows = trials("none", 0.0);
    rows.extend(trials("zt", 1.0));
    let sheet = verification_sheet(&rows, &VerificationSheetOptions::default()).unwrap();
    assert_eq!(sheet.drawn, 44);
    let green = sheet.picture.pixels().filter(|pixel| is_of(pixel.0, GREEN)).count();
    assert!(green > 300, "{green}");
    for name in ["a", "b", "c", "d", "e", "f", "g"] {
        rows.extend(trials(name, 0.0));
    }
    let error = verification_sheet(&rows, &VerificationSheetOptions::default()).unwrap_err();
    assert!(error.to_string().contains("9 series"), "{error}");
}

#[test]
fn trials_that_cannot_be_drawn_are_said() {
    let usual = VerificationSheetOptions::default();
    let mut rows = trials("none", 0.0);
    rows[0].score = f64::NAN;
    rows[1].score = f64::INFINITY;
    rows[2].client_split = "train".to_owned();
    rows.push(Trial { normalisation: "t".to_owned(), ..rows[3].clone() });
    let sheet = verification_sheet(&rows, &usual).unwrap();
    assert_eq!(sheet.drawn, 19);
    let said: Vec<(&str, u64)> =
        sheet.rejects.iter().map(|reject| (reject.reason.as_str(), reject.rows)).collect();
    let expected = [("client of another split", 1), ("one kind of trials alone", 1), ("score not finite", 2)];
    assert_eq!(said, expected);
    assert!(verification_sheet(&[], &usual).unwrap_err().hint().is_some());
    let lonely = verification_sheet(&rows[3..4], &usual).unwrap_err();
    assert!(lonely.to_string().contains("1 genuine and 0 impostor"), "{lonely}");
    let nowhere = VerificationSheetOptions { threshold: Some(f64::NAN), ..usual };
    assert!(verification_sheet(&rows, &nowhere).is_err());
}

#[test]
fn scores_of_any_size_do_not_panic() {
    for scale in [0.0, 1e-300, 1e300, -1.0] {
        let rows: Vec<Trial> =
            trials("none", 0.0).into_iter().map(|row| Trial { score: row.score * scale, ..row }).collect();
        let far = VerificationSheetOptions { threshold: Some(1e6), ..VerificationSheetOptions::default() };
        for options in [VerificationSheetOptions::default(), far] {
            verification_sheet(&rows, &options).unwrap();
        }
    }
}

#[test]
fn the_same_rows_give_the_same_pixels() {
    let rows = trials("none", 0.0);
    let turned: Vec<Trial> = rows.iter().rev().cloned().collect();
    let draw =
        |rows: &[Trial]| verification_sheet(rows, &VerificationSheetOptions::default()).unwrap().picture;
    assert_eq!(draw(&rows), draw(&turned));
}
