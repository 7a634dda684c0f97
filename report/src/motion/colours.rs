//! The colours of plots: the darker half of the same set as the sheets' palette, since thin lines on a light page need
//! contrast.
//!
//! Source: Okabe and Ito, "Color Universal Design" (2008), the eight-colour set, which colour-blind people tell apart.

use super::super::palette::{self, Rgb};

/// The x axis of a sensor; impostors; what goes wrong.
pub const VERMILLION: Rgb = [213, 94, 0];
/// The y axis of a sensor.
pub const GREEN: Rgb = [0, 158, 115];
/// The z axis of a sensor; genuine trials; what is measured.
pub const BLUE: Rgb = [0, 114, 178];
/// A fourth line.
pub const BLACK: Rgb = [30, 30, 34];
/// Lines of the grid.
pub const GRID: Rgb = [222, 222, 218];
/// The frame of a plot, and small words beside it.
pub const FRAME: Rgb = [120, 120, 124];
/// The ground of a plot.
pub const GROUND: Rgb = [255, 255, 255];
/// The ground of a stretch without data.
pub const GAP: Rgb = [214, 214, 210];

/// Colours of lines that stand side by side, in turn.
pub const LINES: [Rgb; 6] = [VERMILLION, GREEN, BLUE, BLACK, palette::CENTRE, palette::LEFT];

/// The colour of line number `at`.
pub fn of_line(at: usize) -> Rgb {
    LINES[at % LINES.len()]
}
