//! How the px of an image see the maps of a crop.

use std::ops::{Range, RangeInclusive};

use schemas::Affine;

use super::super::upsample::{covered, taps_at};
use super::bounds::{self, Extremes};
use super::{BLOCK, Sums, TILE};

/// Width and height in px of a map that a network gives, and where it lies in the crop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapGrid {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Px of the crop per px of the map.
    pub stride: f64,
    /// Px of the crop of the centre of map px 0, along both axes.
    pub origin: f64,
}

/// How one axis of a map is read at the px of the image that lie in its crop.
#[derive(Debug, Clone)]
struct Axis {
    /// The px of the image that lie in the crop.
    pixels: Range<usize>,
    /// For each of them, the four cells that it is made of and their weights.
    taps: Vec<[(usize, f32); 4]>,
    /// Cells from one corner of a tile to the next.
    step: f64,
    /// For each block of px, the cells that any of its px is made of; `None` where no px lies in the crop.
    reaches: Vec<Option<RangeInclusive<usize>>>,
}

impl Axis {
    /// Px x of the image, below `side`, lies at px `factor * x + shift` of the crop.
    fn new(side: usize, factor: f64, shift: f64, cells: usize, grid: &MapGrid) -> Self {
        let (first, last) = (-0.5, covered(cells, grid.stride) as f64 - 0.5);
        let place = |x: usize| factor * x as f64 + shift;
        let inside = |x: &usize| (first..last).contains(&place(*x));
        let start = (0..side).find(inside).unwrap_or(side);
        let end = (start..side).find(|x| !inside(x)).unwrap_or(side);
        let taps: Vec<_> =
            (start..end).map(|x| taps_at((place(x) - grid.origin) / grid.stride, cells)).collect();
        let mut axis =
            Self { pixels: start..end, taps, step: TILE as f64 * factor / grid.stride, reaches: Vec::new() };
        axis.reaches = (0..side.div_ceil(BLOCK)).map(|block| axis.reach(axis.part(block))).collect();
        axis
    }

    /// The part of block `block` that lies in the crop.
    fn part(&self, block: usize) -> Range<usize> {
        let start = (block * BLOCK).max(self.pixels.start);
        start..((block + 1) * BLOCK).min(self.pixels.end).max(start)
    }

    /// How px `x`, which lies in the crop, is read.
    fn taps(&self, x: usize) -> &[(usize, f32); 4] {
        &self.taps[x - self.pixels.start]
    }

    /// The cells that some px, which lie in the crop, are made of.
    fn reach(&self, pixels: impl Iterator<Item = usize> + Clone) -> Option<RangeInclusive<usize>> {
        let cells = pixels.flat_map(|x| self.taps(x)).map(|(cell, _)| *cell);
        cells.clone().min().zip(cells.max()).map(|(least, most)| least..=most)
    }

    /// Whether all px of block `block` of an axis of `side` px lie in the crop.
    fn holds(&self, block: usize, side: usize) -> bool {
        self.part(block) == (block * BLOCK..((block + 1) * BLOCK).min(side))
    }

    /// Which of `pixels`, which ascend, lie in the crop.
    fn of(&self, pixels: &[usize]) -> Range<usize> {
        let before = |end: usize| pixels.partition_point(|x| *x < end);
        before(self.pixels.start)..before(self.pixels.end)
    }
}

/// How the px of an image see the maps of one crop.
#[derive(Debug, Clone)]
pub struct View {
    across: Axis,
    down: Axis,
    width: usize,
}

impl View {
    /// For an image of `size` px, width then height, that `crop_from_image` maps to the crop, without turning it.
    ///
    /// # Panics
    /// When the map turns or shears.
    pub fn new(size: [usize; 2], crop_from_image: &Affine, grid: &MapGrid) -> Self {
        let [a, b, tx, c, d, ty] = crop_from_image.0;
        assert!(b == 0.0 && c == 0.0, "a crop along the image's axes");
        Self {
            across: Axis::new(size[0], a, tx, grid.width, grid),
            down: Axis::new(size[1], d, ty, grid.height, grid),
            width: grid.width,
        }
    }

    /// Adds what `map` says to those px of `room` that lie in the crop, and marks these.
    pub(super) fn add(&self, map: &[f32], room: &mut Sums) {
        let (columns, rows) = (self.across.of(&room.columns), self.down.of(&room.rows));
        let Some(reach) = self.across.reach(room.columns[columns.clone()].iter().copied()) else { return };
        room.line.resize(room.line.len().max(self.width), 0.0);
        for row in rows {
            let lines = self
                .down
                .taps(room.rows[row])
                .map(|(line, weight)| (&map[line * self.width..][..self.width], weight));
            for x in reach.clone() {
                room.line[x] = lines.iter().fold(0.0, |sum, (line, weight)| sum + weight * line[x]);
            }
            for column in columns.clone() {
                let taps = self.across.taps(room.columns[column]);
                let value = taps.iter().fold(0.0f32, |sum, (cell, weight)| sum + weight * room.line[*cell]);
                let at = row * room.columns.len() + column;
                room.values[at] += f64::from(value);
                room.seen[at] = true;
            }
        }
    }

    /// Adds to `bounds`, one for each block of the image, the most that `map` can say in it; `NaN` stays where no map
    /// said anything yet.
    pub(super) fn bound(&self, map: &[f32], size: [usize; 2], bounds: &mut [f64]) {
        let columns = self.across.reaches.len();
        for (by, bounds) in bounds.chunks_exact_mut(columns).enumerate() {
            let Some(lines) = &self.down.reaches[by] else { continue };
            let mut extremes = vec![Extremes::NONE; self.width];
            for line in map.chunks_exact(self.width).take(lines.end() + 1).skip(*lines.start()) {
                for (extremes, cell) in extremes.iter_mut().zip(line) {
                    *extremes = extremes.with(*cell);
                }
            }
            let whole_lines = self.down.holds(by, size[1]);
            for (bx, bound) in bounds.iter_mut().enumerate() {
                let Some(reach) = &self.across.reaches[bx] else { continue };
                let most = extremes[reach.clone()].iter().copied().fold(Extremes::NONE, Extremes::and).most();
                // A px of the block that does not lie in the crop gets nothing from it.
                let whole = whole_lines && self.across.holds(bx, size[0]);
                let most = if whole { most } else { most.max(0.0) };
                *bound = if bound.is_nan() { most } else { *bound + most };
            }
        }
    }

    /// How far what `map` says of a px can lie above the most it says of the corners of the tile around it, where the
    /// view [is even](Self::is_even).
    pub(super) fn rise(&self, map: &[f32]) -> f64 {
        bounds::rise(map, self.width, [self.across.step, self.down.step])
    }

    /// Whether the px between two corners of a tile, first and last column and first and last row, all lie in the crop,
    /// or none of them does.
    pub(super) fn is_even(&self, [across, down]: [[usize; 2]; 2]) -> bool {
        let inside = |axis: &Axis, [first, last]: [usize; 2]| {
            axis.pixels.contains(&first) && axis.pixels.contains(&last)
        };
        let outside =
            |axis: &Axis, [first, last]: [usize; 2]| last < axis.pixels.start || first >= axis.pixels.end;
        let (x, y) = (&self.across, &self.down);
        (inside(x, across) && inside(y, down)) || outside(x, across) || outside(y, down)
    }
}
