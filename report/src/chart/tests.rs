use super::compose::TITLE_PX;
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

fn lines(figure: &Figure) -> Vec<Vec<[f64; 2]>> {
    let line = |mark: &Mark| match &mark.shape {
        Shape::Line(points) => Some(points.clone()),
        _ => None,
    };
    figure.axes[0].marks.iter().filter_map(line).collect()
}

/// Places and classes of the dots.
fn dots(figure: &Figure) -> Vec<([f64; 2], &str)> {
    let dot = |mark: &Mark| match mark.shape {
        Shape::Dot(at) => Some(at),
        _ => None,
    };
    figure.axes[0].marks.iter().filter_map(|mark| Some((dot(mark)?, mark.class.as_str()))).collect()
}

/// Places, classes and tips of the bars.
fn bars(figure: &Figure) -> Vec<([f64; 4], &str, &str)> {
    let bar = |mark: &Mark| match mark.shape {
        Shape::Bar(place) => Some(place),
        _ => None,
    };
    let marks = figure.axes[0].marks.iter();
    marks.filter_map(|mark| Some((bar(mark)?, mark.class.as_str(), mark.tip.as_str()))).collect()
}

fn words(figure: &Figure) -> Vec<String> {
    let words = |mark: &Mark| match &mark.shape {
        Shape::Text { words, .. } => Some(words.clone()),
        _ => None,
    };
    figure.axes[0].marks.iter().filter_map(words).collect()
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
    let [left, top, width, height] = chart.axes[0].frame;
    assert_eq!(lines(&chart)[0], [[left, top + height], [left + width, top]]);
    assert_eq!(dots(&chart)[0].0, [left + width / 2.0, top + height / 2.0]);
    let ticks = &chart.axes[0].x_ticks;
    assert!(ticks.len() >= 3 && ticks[0].1 == "0");
    assert_eq!(chart.keys[0].value, "1.00 %");
}

#[test]
fn numbers_that_have_no_place_break_a_line_or_stay_near_the_frame() {
    let wild = curve(vec![[f64::INFINITY, 1.0], [0.0, f64::NAN], [0.5, 50.0], [0.5, 1e300]]);
    let chart = line_chart("t", "s", ("x", [0.0, 1.0]), ("y", [0.0, 100.0]), &[wild]);
    let [left, top, width, _] = chart.axes[0].frame;
    let line = &lines(&chart)[0];
    assert!(line[0][0] == left + width + REACH_PX && line[1][1].is_nan() && line[3][1] == top - REACH_PX);
    // The line begins anew after what is no number.
    let svg = chart.svg();
    let path = svg.split("class=\"curve s0\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1), "{path}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
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
        Some((Key::new("diamond", "threshold", "1"), [0.0, 0.1])),
    );
    // A threshold without false accepts is marked at the edge, wholly within the frame.
    let [left, top, width, height] = chart.axes[0].frame;
    let diamond = chart.axes[0].marks.iter().find_map(|mark| match mark.shape {
        Shape::Diamond(at) => Some(at),
        _ => None,
    });
    let [x, y] = diamond.unwrap();
    assert!(x == left + DIAMOND_PX && (top..top + height).contains(&y) && x < left + width);
    // The guide is the first line.
    let curve = &lines(&chart)[1];
    assert_eq!(curve.len(), 3);
    assert!(curve[1][0] > curve[0][0] && curve[1][1] > curve[0][1]);
}

#[test]
fn stacked_parts_touch_and_fill_the_bar() {
    let segments = ["a", "b"].map(|name| Segment { label: name.into(), class: name.into() });
    let bars = [StackedBar { name: "x".into(), parts: vec![25.0, 75.0] }];
    let chart = stacked_bars("t", "s", "%", &segments, &bars);
    let [left, _, width, _] = chart.axes[0].frame;
    let bars = self::bars(&chart);
    let [first, second] = [bars[0].0, bars[1].0];
    assert!((first[0] - left).abs() < 0.2 && (first[2] - width / 4.0).abs() < 0.2);
    assert!((first[0] + first[2] - second[0]).abs() < 0.2);
    assert!((second[0] + second[2] - left - width).abs() < 0.2);
    assert_eq!(words(&chart), ["25.0", "75.0"]);
    assert_eq!(bars[1].2, "x, b: 75.00 %");
}

#[test]
fn bars_are_as_long_as_their_numbers_named_or_many() {
    for count in [3, 100] {
        let rates: Vec<(String, f64)> = (0..count).map(|n| (format!("c{n}"), f64::from(n))).collect();
        let chart = ranked_bars("t", "s", "%", &rates, Some(("mean", 1.0)), 40);
        let drawn = bars(&chart);
        assert_eq!(drawn.len(), rates.len());
        let length = |at: usize| drawn[at].0[if count == 3 { 2 } else { 3 }];
        assert!((length(2) - 2.0 * length(1)).abs() < 0.25, "{} {}", length(1), length(2));
        assert_eq!(words(&chart).is_empty(), count == 100);
    }
    assert!(bars(&ranked_bars("t", "s", "%", &[], None, 40)).is_empty());
}

#[test]
fn a_histogram_keeps_its_kinds_apart() {
    let key = |class: &str| Key { class: class.into(), label: class.into(), value: "2".into() };
    let kinds = [(key("a"), vec![50.0, 50.0, 0.0]), (key("b"), vec![0.0, 0.0, 100.0])];
    let chart = histogram("t", "s", "score", [-1.0, 2.0], &kinds, Some(("threshold", 1.0)));
    let drawn = bars(&chart);
    assert_eq!(drawn.iter().filter(|bar| bar.1 == "mark a veil").count(), 2);
    let [left, _, width, _] = chart.axes[0].frame;
    let of_b = drawn.iter().find(|bar| bar.1 == "mark b veil").unwrap();
    assert!((of_b.0[0] - (left + width * 2.0 / 3.0)).abs() < 0.2);
    assert_eq!(chart.keys.len(), 3);
}

#[test]
fn zero_is_in_the_middle_of_spans_and_only_clear_ones_are_coloured() {
    let span = |name: &str, value, ends| Span { name: name.into(), value, ends };
    let all = [span("a", 2.0, Some([1.0, 3.0])), span("b", -1.0, Some([-2.0, 0.5])), span("c", 0.0, None)];
    let chart = spans("t", "s", "points", &all);
    let [left, _, width, _] = chart.axes[0].frame;
    assert!((dots(&chart)[2].0[0] - (left + width / 2.0)).abs() < 0.2);
    let classes: Vec<&str> = dots(&chart).iter().map(|dot| dot.1).collect();
    assert_eq!(classes, ["dot s2", "dot muted", "dot muted"]);
}

#[test]
fn labels_that_would_run_into_each_other_are_left_out() {
    let mut axes = Axes::new(frame(LEFT_PX, HEIGHT_PX), Scale::Linear(0.0, 100.0), Scale::Linear(0.0, 1.0));
    let crowd: Vec<(f64, String)> = (0..=100).map(|n| (f64::from(n), format!("{n}.00"))).collect();
    axes.x_axis("x", crowd);
    let svg = Figure::of("t", "s", axes, Vec::new()).svg();
    let places: Vec<f64> = svg
        .split("translate(")
        .filter(|text| text.contains(".00</text>"))
        .map(|text| text.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let wide = width_of("99.00", TEXT_PX);
    assert!(places.len() > 8 && places.windows(2).all(|pair| pair[1] - pair[0] > wide), "{places:?}");
}

#[test]
fn a_figure_with_title_and_keys_holds_all_of_them_within_its_size() {
    let kinds = ["s0", "s1", "s2", "s3", "s4"]
        .map(|class| (Key::new(class, "a rather long name of a kind", "1,234"), vec![1.0]));
    let chart = histogram("t", "s", "score", [0.0, 1.0], &kinds, Some(("threshold", 0.5)));
    let height = chart.size[1];
    let whole = chart.titled();
    let places: Vec<[f64; 2]> = whole
        .marks
        .iter()
        .filter_map(|mark| if let Shape::Text { at, .. } = mark.shape { Some(at) } else { None })
        .collect();
    assert_eq!(places.len(), 7);
    // The title stands above the chart, keys below it, in several rows.
    assert!(places[0][1] < TITLE_PX && places[1][1] > TITLE_PX + height - LINE_PX);
    assert!(places[6][1] > places[1][1] && places[6][1] + LINE_PX / 2.0 < whole.size[1]);
}

#[test]
fn colours_of_light_and_dark_pages_have_the_same_names() {
    let names = |block: &str| -> Vec<String> {
        block.split("--").skip(1).map(|rest| rest.split(':').next().unwrap().to_owned()).collect()
    };
    let (light, dark) = COLOURS.split_once("@media").unwrap();
    assert_eq!(names(light), names(dark));
}
