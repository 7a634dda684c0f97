//! Figures as SVG, in one piece and without colours.

use std::fmt::Write;

use schemas::printable;

use super::text::{TEXT_PX, width_of};
use super::{Anchor, Axes, DIAMOND_PX, DOT_PX, Figure, Mark, Shape};

/// From the middle of a line of words down to where its letters stand, px.
const BASELINE_PX: f64 = 4.0;
/// From the frame to the middle of the labels below it, px.
const LABEL_PX: f64 = 12.0;
/// From the frame to the middle of the title of the x axis, px.
const X_TITLE_PX: f64 = 34.0;
/// From the frame to the labels left of it, px.
const GAP_PX: f64 = 8.0;
/// Least distance of labels below each other, px.
const LEAST_APART_PX: f64 = 13.0;

impl Figure {
    /// The figure as an element `svg`, to stand in a page whose style sheet knows the classes.
    pub(crate) fn svg(&self) -> String {
        let ([width, height], label) = (self.size, escaped(&format!("{}. {}", self.title, self.summary)));
        let elements = self.elements();
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">\n{elements}</svg>\n"
        )
    }

    /// What the figure consists of, without the element about it.
    pub(crate) fn elements(&self) -> String {
        let mut out = String::new();
        for ([x, y], inset) in &self.insets {
            let elements = inset.elements();
            let _ = writeln!(out, "<g transform=\"translate({x} {y})\">\n{elements}</g>");
        }
        self.axes.iter().for_each(|axes| axes.write(&mut out));
        self.marks.iter().for_each(|mark| mark.write(&mut out));
        out
    }
}

impl Axes {
    fn write(&self, out: &mut String) {
        let [left, top, width, height] = self.frame;
        let [right, bottom] = [left + width, top + height];
        let _ = writeln!(out, "{}", rect("ground", self.frame));
        let rule = |out: &mut String, [x1, y1, x2, y2]: [f64; 4]| {
            let _ = writeln!(out, "<path class=\"grid\" d=\"M{x1} {y1}L{x2} {y2}\"/>");
        };
        for x in self.x_ticks.iter().map(|(x, _)| self.place_x(*x)) {
            rule(out, [x, top, x, bottom]);
        }
        for y in self.y_ticks.iter().filter(|_| self.y_grid).map(|(y, _)| self.place_y(*y)) {
            rule(out, [left, y, right, y]);
        }
        let _ = writeln!(
            out,
            "<svg x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" viewBox=\"{left} {top} {width} {height}\">"
        );
        self.marks.iter().for_each(|mark| mark.write(out));
        let _ = writeln!(out, "</svg>\n{}", rect("frame", self.frame));
        let wide = |label: &str| width_of(label, TEXT_PX);
        for (x, label) in apart(&self.x_ticks, |x| self.place_x(x), |label| wide(label) + GAP_PX) {
            text(out, "", [x, bottom + LABEL_PX], Anchor::Middle, label);
        }
        for (y, label) in apart(&self.y_ticks, |y| self.place_y(y), |_| LEAST_APART_PX) {
            text(out, "", [left - GAP_PX, y], Anchor::End, label);
        }
        let x_title = [left + width / 2.0, bottom + X_TITLE_PX];
        text(out, "axis", x_title, Anchor::Middle, &self.x_title);
        let widest = self.y_ticks.iter().map(|(_, label)| wide(label)).fold(0.0, f64::max);
        // Beyond the labels, but still in the figure.
        let y_title =
            [(left - 2.0 * GAP_PX - widest - 6.0).max(TEXT_PX / 2.0 + 1.0).round(), top + height / 2.0];
        text(out, "axis", y_title, Anchor::Upward, &self.y_title);
    }
}

/// Places and labels of those of `ticks` that do not run into the one before; a label takes `room` px along the axis.
fn apart(
    ticks: &[(f64, String)],
    place: impl Fn(f64) -> f64,
    room: impl Fn(&str) -> f64,
) -> Vec<(f64, &str)> {
    let mut kept: Vec<(f64, &str)> = Vec::new();
    for (at, label) in ticks.iter().map(|(value, label)| (place(*value), label.as_str())) {
        let free = |(last, text): &(f64, &str)| (at - last).abs() >= f64::midpoint(room(text), room(label));
        if kept.last().is_none_or(free) {
            kept.push((at, label));
        }
    }
    kept
}

impl Mark {
    fn write(&self, out: &mut String) {
        let class = &self.class;
        let element = match &self.shape {
            Shape::Bar(place) => rect(class, *place),
            Shape::Line(points) => format!("<path class=\"{class}\" d=\"{}\"/>", path(points)),
            Shape::Dot([x, y]) | Shape::Diamond([x, y]) if x.is_nan() || y.is_nan() => return,
            Shape::Dot([x, y]) => format!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{DOT_PX}\"/>"),
            Shape::Diamond([x, y]) => {
                let r = DIAMOND_PX;
                format!("<path class=\"{class}\" d=\"M{x} {y}m-{r} 0l{r} -{r} {r} {r} -{r} {r}z\"/>")
            }
            Shape::Text { at, anchor, words } => return text(out, class, *at, *anchor, words),
        };
        if self.tip.is_empty() {
            let _ = writeln!(out, "{element}");
        } else {
            let name = element[1..].split(' ').next().unwrap_or_default();
            let open = element.trim_end_matches("/>");
            let _ = writeln!(out, "{open}><title>{}</title></{name}>", escaped(&self.tip));
        }
    }
}

/// The line through `points`, in new pieces after each `NaN`.
fn path(points: &[[f64; 2]]) -> String {
    let mut out = String::new();
    for piece in points.split(|[x, y]| x.is_nan() || y.is_nan()).filter(|piece| !piece.is_empty()) {
        for (at, [x, y]) in piece.iter().enumerate() {
            let _ = write!(out, "{}{x} {y}", if at == 0 { 'M' } else { 'L' });
        }
        // Round ends make a dot of a line that has nearly no length.
        out.push_str(if piece.len() == 1 { "h0.1" } else { "" });
    }
    out
}

fn rect(class: &str, [x, y, width, height]: [f64; 4]) -> String {
    let [width, height] = [width, height].map(|side| (side.max(0.0) * 10.0).round() / 10.0);
    format!("<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>")
}

/// Words whose `anchor` is at `x`, and the middle of whose line is at `y`.
fn text(out: &mut String, class: &str, [x, y]: [f64; 2], anchor: Anchor, words: &str) {
    if words.is_empty() {
        return;
    }
    let (side, turn) = match anchor {
        Anchor::Start => ("start", ""),
        Anchor::Middle => ("middle", ""),
        Anchor::End => ("end", ""),
        Anchor::Upward => ("middle", " rotate(-90)"),
    };
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let words = escaped(words);
    let _ = writeln!(
        out,
        "<text{class} transform=\"translate({x} {y}){turn}\" y=\"{BASELINE_PX}\" text-anchor=\"{side}\">{words}</text>"
    );
}

/// `text` with the signs that mean something in markup replaced, and those spelt out that XML cannot hold.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in printable(text).chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            sign => out.push(sign),
        }
    }
    out
}
