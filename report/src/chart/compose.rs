//! Figures that stand alone: with their title and keys, several on one page.

use super::text::{HEAD_PX, LINE_PX, TEXT_PX, fitted, width_of};
use super::{Anchor, Figure, Key, LEFT_PX, Mark, Shape};

/// Room about a figure with its title and keys, px.
const MARGIN_PX: f64 = 14.0;
/// Height of the title of a figure, px.
pub(super) const TITLE_PX: f64 = 24.0;

impl Figure {
    /// The figure with its title above and its keys below: what a page says in markup, for a picture that stands alone.
    pub(crate) fn titled(self) -> Self {
        let [width, height] = self.size;
        let mut whole = Self::sized(width, 0.0);
        let room = width - 2.0 * MARGIN_PX;
        let title = fitted(&self.title, HEAD_PX, room);
        whole.words([MARGIN_PX, TITLE_PX / 2.0], Anchor::Start, title, "head");
        let (mut x, mut y) = (LEFT_PX, TITLE_PX + height + LINE_PX / 2.0);
        for key in &self.keys {
            let value = if key.value.is_empty() { String::new() } else { format!(": {}", key.value) };
            let words = fitted(&format!("{}{value}", key.label), TEXT_PX, room - LEFT_PX - 8.0);
            let wide = 22.0 + width_of(&words, TEXT_PX);
            if x + wide > width - MARGIN_PX && x > LEFT_PX {
                (x, y) = (LEFT_PX, y + LINE_PX);
            }
            whole.marks.push(Mark::new(key.shape([x, y]), key.mark_class()));
            whole.words([x + 22.0, y], Anchor::Start, words, "ink");
            x += wide + 16.0;
        }
        let keys = if self.keys.is_empty() { 0.0 } else { y + LINE_PX / 2.0 - TITLE_PX - height };
        whole.size[1] = TITLE_PX + height + keys + MARGIN_PX;
        whole.insets.push(([0.0, TITLE_PX], self));
        whole
    }

    /// `figures` with their titles and keys, `columns` side by side, below `title`.
    pub(crate) fn grid(title: &str, figures: Vec<Self>, columns: usize) -> Self {
        let mut page = Self::default();
        let mut top = 2.0 * MARGIN_PX + LINE_PX;
        let mut figures = figures.into_iter().map(Self::titled).peekable();
        while figures.peek().is_some() {
            let (mut left, mut tallest) = (0.0, 0.0_f64);
            for figure in figures.by_ref().take(columns.max(1)) {
                let [width, height] = figure.size;
                page.insets.push(([left, top], figure));
                left += width;
                tallest = tallest.max(height);
                page.size[0] = page.size[0].max(left);
            }
            top += tallest;
        }
        page.size[1] = top;
        let room = page.size[0] - 2.0 * MARGIN_PX;
        page.words(
            [MARGIN_PX, MARGIN_PX + LINE_PX / 2.0],
            Anchor::Start,
            fitted(title, HEAD_PX, room),
            "head",
        );
        page
    }
}

impl Key {
    /// What stands before its words, px of the figure: `at` is the middle of its left edge.
    fn shape(&self, [x, y]: [f64; 2]) -> Shape {
        match self.class.split(' ').next() {
            Some("guide") => Shape::Line(vec![[x, y], [x + 16.0, y]]),
            Some("diamond") => Shape::Diamond([x + 8.0, y]),
            Some("point") => Shape::Dot([x + 8.0, y]),
            _ => Shape::Bar([x, y - 5.0, 16.0, 10.0]),
        }
    }

    fn mark_class(&self) -> String {
        let kind = match self.shape([0.0; 2]) {
            Shape::Line(_) => "curve",
            Shape::Dot(_) | Shape::Diamond(_) => "dot",
            Shape::Bar(_) | Shape::Text { .. } => "mark",
        };
        format!("{kind} {}", self.class)
    }
}
