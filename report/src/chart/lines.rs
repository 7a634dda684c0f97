//! Charts of curves: rates over thresholds, both error rates against each other.

use super::{Axes, Figure, HEIGHT_PX, Key, LEFT_PX, Scale, frame, ticks};

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Curve {
    /// What it is of.
    pub label: String,
    /// A number that stands beside the label.
    pub value: String,
    /// Class of the style sheet.
    pub class: String,
    /// `[x, y]` in the units of the axes.
    pub points: Vec<[f64; 2]>,
    /// A point of it that is marked.
    pub mark: Option<[f64; 2]>,
}

/// What an axis is of, with its unit, and from where to where it goes.
type Axis<'a> = (&'a str, [f64; 2]);

/// Curves over two linear axes.
pub(crate) fn line_chart(title: &str, summary: &str, x: Axis<'_>, y: Axis<'_>, curves: &[Curve]) -> Figure {
    let scale = |[low, high]: [f64; 2]| Scale::Linear(low, high);
    let mut axes = Axes::new(frame(LEFT_PX, HEIGHT_PX), scale(x.1), scale(y.1));
    axes.x_axis(x.0, ticks(x.1[0], x.1[1], 6));
    axes.y_axis(y.0, ticks(y.1[0], y.1[1], 6));
    let keys = add(&mut axes, curves);
    Figure::of(title, summary, axes, keys)
}

/// Curves of two error rates, shares from `ends[0]` to `ends[1]`, by normal deviate along both axes. `grid` are the
/// shares with a label, `marked` a point with its key.
pub(crate) fn det(
    title: &str,
    summary: &str,
    titles: [&str; 2],
    ends: [f64; 2],
    grid: &[(f64, String)],
    curves: &[Curve],
    marked: Option<(Key, [f64; 2])>,
) -> Figure {
    let scale = Scale::Probit(ends[0], ends[1]);
    let mut axes = Axes::new(frame(LEFT_PX, HEIGHT_PX), scale, scale);
    axes.x_axis(titles[0], grid.to_vec());
    axes.y_axis(titles[1], grid.to_vec());
    axes.line(&[[ends[0]; 2], [ends[1]; 2]], "guide", "equal errors");
    let mut keys = add(&mut axes, curves);
    if let Some((key, point)) = marked {
        axes.diamond(point, &key.class, &key.label);
        keys.push(key);
    }
    Figure::of(title, summary, axes, keys)
}

fn add(axes: &mut Axes, curves: &[Curve]) -> Vec<Key> {
    for curve in curves {
        let tip = format!("{}: {}", curve.label, curve.value);
        let tip = if curve.value.is_empty() { &curve.label } else { &tip };
        axes.line(&curve.points, &curve.class, tip);
        if let Some(point) = curve.mark {
            axes.dot(point, &curve.class, tip);
        }
    }
    curves.iter().map(|curve| Key::new(&curve.class, &curve.label, &curve.value)).collect()
}
