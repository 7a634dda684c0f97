//! Charts of curves: rates over thresholds, both error rates against each other.

use super::super::super::motion::axis::{Scale, ticks};
use super::{Chart, Dot, HEIGHT_PX, Key, LEFT_PX, Plot};

/// One curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
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

/// What the axes are of, and from where to where they go.
type Axis<'a> = (&'a str, [f64; 2]);

/// Curves over two linear axes.
pub fn line_chart(title: &str, summary: &str, x: Axis<'_>, y: Axis<'_>, curves: &[Curve]) -> Chart {
    let scale = |[low, high]: [f64; 2]| Scale::Linear(low, high);
    let mut plot = Plot::new(title, HEIGHT_PX, LEFT_PX, scale(x.1), scale(y.1));
    plot.x_axis(x.0, ticks(x.1[0], x.1[1], 6));
    plot.y_axis(y.0, ticks(y.1[0], y.1[1], 6));
    add(&mut plot, curves);
    plot.finished(summary)
}

/// Curves of two error rates, shares from `ends[0]` to `ends[1]`, by normal deviate along both axes. `grid` are the
/// shares with a label.
pub fn det(
    title: &str,
    summary: &str,
    titles: [&str; 2],
    ends: [f64; 2],
    grid: &[(f64, String)],
    curves: &[Curve],
) -> Chart {
    let scale = Scale::Probit(ends[0], ends[1]);
    let mut plot = Plot::new(title, HEIGHT_PX, LEFT_PX, scale, scale);
    plot.x_axis(titles[0], grid.to_vec());
    plot.y_axis(titles[1], grid.to_vec());
    plot.line(&[[ends[0], ends[0]], [ends[1], ends[1]]], "guide", "equal errors");
    // A rate of zero has no place on this scale: it stands below the frame.
    let within = |share: f64| share.clamp(ends[0] * 0.5, 1.0 - (1.0 - ends[1]) * 0.5);
    let held: Vec<Curve> = curves
        .iter()
        .map(|curve| Curve { points: curve.points.iter().map(|p| p.map(within)).collect(), ..curve.clone() })
        .collect();
    add(&mut plot, &held);
    plot.finished(summary)
}

fn add(plot: &mut Plot, curves: &[Curve]) {
    for curve in curves {
        let tip = if curve.value.is_empty() {
            curve.label.clone()
        } else {
            format!("{}: {}", curve.label, curve.value)
        };
        plot.line(&curve.points, &curve.class, &tip);
        if let Some([x, y]) = curve.mark {
            let place = [plot.place_x(x), plot.place_y(y)];
            if place.iter().all(|px| px.is_finite()) {
                plot.chart.dots.push(Dot { place, class: curve.class.clone(), tip });
            }
        }
        let (class, label, value) = (curve.class.clone(), curve.label.clone(), curve.value.clone());
        plot.chart.keys.push(Key { class, label, value });
    }
}
