//! One plot: a framed area with two scales, a grid and labels.

use super::super::caption::LETTER_PX;
use super::axis::Scale;
use super::canvas::{Anchor, Area, Canvas, PLAIN, Point, Style};
use super::colours::{FRAME, GRID, GROUND};

/// From the frame to the labels of its ticks, px.
const LABEL_GAP_PX: f32 = 5.0;

/// A framed area with two scales.
#[derive(Debug, Clone, Copy)]
pub struct Plot {
    /// The area within the frame, px.
    pub area: Area,
    /// From left to right.
    pub x: Scale,
    /// From bottom to top.
    pub y: Scale,
}

impl Plot {
    /// Where (`x`, `y`) is, px.
    pub fn place(&self, x: f64, y: f64) -> Point {
        [self.place_x(x), self.place_y(y)]
    }

    /// How far right `x` is, px.
    pub fn place_x(&self, x: f64) -> f32 {
        let [left, _, width, _] = self.area;
        left + width * self.x.place(x) as f32
    }

    /// How far down `y` is, px.
    pub fn place_y(&self, y: f64) -> f32 {
        let [_, top, _, height] = self.area;
        top + height * (1.0 - self.y.place(y) as f32)
    }

    /// The ground, the grid and the frame, without labels.
    pub fn ground(&self, canvas: &mut Canvas, x_ticks: &[(f64, String)], y_ticks: &[(f64, String)]) {
        let [left, top, width, height] = self.area;
        canvas.fill(self.area, GROUND, 255);
        for (value, _) in x_ticks {
            let x = self.place_x(*value);
            canvas.rule([x, top], [x, top + height], GRID);
        }
        for (value, _) in y_ticks {
            let y = self.place_y(*value);
            canvas.rule([left, y], [left + width, y], GRID);
        }
    }

    /// The frame; it is drawn last, so that lines end at it.
    pub fn frame(&self, canvas: &mut Canvas) {
        canvas.outline(self.area, FRAME);
    }

    /// Labels below the frame; one that would run into its neighbour is left out.
    pub fn x_labels(&self, canvas: &mut Canvas, ticks: &[(f64, String)]) {
        let [_, top, _, height] = self.area;
        let mut free = f32::NEG_INFINITY;
        for (value, label) in ticks {
            let (x, half) = (self.place_x(*value), (label.len() as u32 * LETTER_PX) as f32 / 2.0);
            if x - half > free {
                canvas.write(label, [x, top + height + LABEL_GAP_PX], Anchor::Centre, PLAIN);
                free = x + half + LETTER_PX as f32;
            }
        }
    }

    /// Labels left of the frame; one that would run into its neighbour is left out.
    pub fn y_labels(&self, canvas: &mut Canvas, ticks: &[(f64, String)]) {
        let mut free = f32::INFINITY;
        for (value, label) in ticks {
            let middle = self.place_y(*value);
            if middle + LETTER_PX as f32 / 2.0 < free {
                let place = [self.area[0] - LABEL_GAP_PX, middle - LETTER_PX as f32 / 2.0];
                canvas.write(label, place, Anchor::Right, PLAIN);
                free = middle - LETTER_PX as f32 / 2.0 - 2.0;
            }
        }
    }

    /// What the x axis is of, below its labels.
    pub fn x_title(&self, canvas: &mut Canvas, title: &str) {
        let [left, top, width, height] = self.area;
        let y = top + height + 2.0 * LABEL_GAP_PX + LETTER_PX as f32;
        canvas.write(title, [left + width / 2.0, y], Anchor::Centre, Style { ink: FRAME, ..PLAIN });
    }

    /// What the y axis is of, upward, so many px left of the frame.
    pub fn y_title(&self, canvas: &mut Canvas, title: &str, distance: f32) {
        let [left, top, _, height] = self.area;
        let style = Style { ink: FRAME, upward: true, ..PLAIN };
        canvas.write(title, [left - distance, top + height / 2.0], Anchor::Centre, style);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::palette::{INK, PAGE};
    use super::super::axis::ticks;
    use super::*;

    fn plot() -> Plot {
        Plot { area: [40.0, 10.0, 100.0, 50.0], x: Scale::Linear(0.0, 10.0), y: Scale::Linear(-1.0, 1.0) }
    }

    #[test]
    fn corners_are_the_ends_of_the_scales() {
        assert_eq!(plot().place(0.0, 1.0), [40.0, 10.0]);
        assert_eq!(plot().place(10.0, -1.0), [140.0, 60.0]);
        assert_eq!(plot().place(5.0, 0.0), [90.0, 35.0]);
    }

    #[test]
    fn labels_do_not_run_into_each_other() {
        let mut canvas = Canvas::new(160, 90).unwrap();
        let crowd: Vec<(f64, String)> = (0..=100).map(|n| (f64::from(n) / 10.0, format!("{n}"))).collect();
        plot().ground(&mut canvas, &crowd[..1], &ticks(-1.0, 1.0, 4));
        plot().x_labels(&mut canvas, &crowd);
        plot().frame(&mut canvas);
        let page = canvas.finish();
        // Between labels stands at least one column without ink.
        let row = 65..73;
        let empty = |x: u32| row.clone().all(|y| page.get_pixel(x, y).0 != INK);
        let runs = (20..155).filter(|x| !empty(*x) && (1..8).all(|before| empty(x - before))).count();
        assert!(runs >= 3, "{runs}");
        assert_eq!(page.get_pixel(2, 2).0, PAGE);
    }
}
