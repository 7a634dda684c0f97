use super::*;

fn curve(points: Vec<[f64; 2]>) -> Curve {
    Curve {
        label: "a".into(),
        value: "1.00 %".into(),
        class: series_class(0),
        points,
        mark: Some([0.5, 50.0]),
    }
}

fn places(line: &Line) -> Vec<[f64; 2]> {
    let number = |text: &str| text.parse::<f64>().unwrap();
    let pair = |text: &str| text.split_once(',').map(|(x, y)| [number(x), number(y)]).unwrap();
    line.points.split(' ').map(pair).collect()
}

#[test]
fn the_ends_of_the_axes_are_the_corners_of_the_frame() {
    let chart = line_chart(
        "t",
        "s",
        ("x", [0.0, 1.0]),
        ("y", [0.0, 100.0]),
        &[curve(vec![[0.0, 0.0], [1.0, 100.0]])],
    );
    let [left, top, width, height] = chart.frame;
    assert_eq!(places(&chart.lines[0]), [[left, top + height], [left + width, top]]);
    assert_eq!(chart.dots[0].place, [left + width / 2.0, top + height / 2.0]);
    assert!(chart.x_ticks.len() >= 3 && chart.x_ticks[0].label == "0");
    assert_eq!(chart.keys[0].value, "1.00 %");
}

#[test]
fn numbers_that_have_no_place_are_left_out() {
    let wild = curve(vec![[0.0, f64::NAN], [f64::INFINITY, 1.0], [0.5, 50.0], [0.5, 1e300]]);
    let chart = line_chart("t", "s", ("x", [0.0, 1.0]), ("y", [0.0, 100.0]), &[wild]);
    assert_eq!(places(&chart.lines[0]).len(), 2);
    assert!(places(&chart.lines[0]).iter().flatten().all(|px| px.abs() < 1000.0));
}

#[test]
fn rates_of_zero_and_one_stay_on_a_det_plot() {
    let points = vec![[0.0, 1.0], [0.1, 0.1], [1.0, 0.0]];
    let chart = det(
        "t",
        "s",
        ["x", "y"],
        [0.01, 0.5],
        &[(0.1, "10".into())],
        &[Curve { mark: None, ..curve(points) }],
    );
    // The guide is the first line.
    let curve = places(&chart.lines[1]);
    assert_eq!(curve.len(), 3);
    assert!(curve[1][0] > curve[0][0] && curve[1][1] > curve[0][1]);
}

#[test]
fn stacked_parts_touch_and_fill_the_bar() {
    let segments = ["a", "b"].map(|name| Segment { label: name.into(), class: name.into() });
    let bars = [StackedBar { name: "x".into(), parts: vec![25.0, 75.0] }];
    let chart = stacked_bars("t", "s", "%", &segments, &bars);
    let [left, _, width, _] = chart.frame;
    let [first, second] = [chart.bars[0].place, chart.bars[1].place];
    assert!((first[0] - left).abs() < 0.2 && (first[2] - width / 4.0).abs() < 0.2);
    assert!((first[0] + first[2] - second[0]).abs() < 0.2);
    assert!((second[0] + second[2] - left - width).abs() < 0.2);
    assert_eq!(chart.labels.iter().map(|label| label.text.as_str()).collect::<Vec<_>>(), ["25.0", "75.0"]);
    assert_eq!(chart.bars[1].tip, "x, b: 75.00 %");
}

#[test]
fn bars_are_as_long_as_their_numbers_named_or_many() {
    for count in [3, 100] {
        let bars: Vec<(String, f64)> = (0..count).map(|n| (format!("c{n}"), f64::from(n))).collect();
        let chart = ranked_bars("t", "s", "%", &bars, Some(("mean", 1.0)));
        assert_eq!(chart.bars.len(), bars.len());
        let length = |at: usize| chart.bars[at].place[if count == 3 { 2 } else { 3 }];
        assert!((length(2) - 2.0 * length(1)).abs() < 0.25, "{} {}", length(1), length(2));
        assert_eq!(chart.labels.is_empty(), count == 100);
    }
    assert!(ranked_bars("t", "s", "%", &[], None).bars.is_empty());
}

#[test]
fn a_histogram_keeps_its_kinds_apart() {
    let key = |class: &str| Key { class: class.into(), label: class.into(), value: "2".into() };
    let kinds = [(key("a"), vec![50.0, 50.0, 0.0]), (key("b"), vec![0.0, 0.0, 100.0])];
    let chart = histogram("t", "s", "score", [-1.0, 2.0], &kinds, Some(("threshold", 1.0)));
    assert_eq!(chart.bars.iter().filter(|bar| bar.class == "a veil").count(), 2);
    let [left, _, width, _] = chart.frame;
    let of_b = chart.bars.iter().find(|bar| bar.class == "b veil").unwrap();
    assert!((of_b.place[0] - (left + width * 2.0 / 3.0)).abs() < 0.2);
    assert_eq!(chart.keys.len(), 3);
}

#[test]
fn zero_is_in_the_middle_of_spans_and_only_clear_ones_are_coloured() {
    let span = |name: &str, value, ends| Span { name: name.into(), value, ends };
    let all = [span("a", 2.0, Some([1.0, 3.0])), span("b", -1.0, Some([-2.0, 0.5])), span("c", 0.0, None)];
    let chart = spans("t", "s", "points", &all);
    let [left, _, width, _] = chart.frame;
    assert!((chart.dots[2].place[0] - (left + width / 2.0)).abs() < 0.2);
    let classes: Vec<&str> = chart.dots.iter().map(|dot| dot.class.as_str()).collect();
    assert_eq!(classes, ["s2", "muted", "muted"]);
}
