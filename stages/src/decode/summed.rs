//! The highest px of an image in the sum of several maps, each of which covers the image through a crop of its own.
//!
//! Every px of the image counts, but few are looked at: a block of px is passed over where no px of it can be as high as
//! the highest px so far. What a map can reach in a block follows from its highest and lowest cell there, since the
//! weights of the bicubic kernel add up to 1 and their absolute values to 25/16 at most. So the outcome is that of looking
//! at all px, to the bit.

use std::ops::{Range, RangeInclusive};

use schemas::Affine;

use super::upsample::{covered, taps_at};

/// Side of a block in px of the image.
const BLOCK: usize = 16;
/// Most that the kernel's positive weights add up to, both axes together: (1 + (5/4)^2) / 2, halfway between two cells.
const MOST_ABOVE: f64 = 1.28125;
/// Most that its negative weights add up to: ((5/4)^2 - 1) / 2.
const MOST_BELOW: f64 = 0.28125;
/// Share of a cell's height that rounding in `f32` may add to a reading; it is below 1e-6.
const ROUNDING: f64 = 1e-5;

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
        let reach = |block: usize| {
            let pixels = (block * BLOCK).max(start)..((block + 1) * BLOCK).min(end);
            let cells = pixels.flat_map(|x| taps[x - start]).map(|(cell, _)| cell);
            cells.clone().min().zip(cells.max()).map(|(least, most)| least..=most)
        };
        let reaches = (0..side.div_ceil(BLOCK)).map(reach).collect();
        Self { pixels: start..end, taps, reaches }
    }

    /// The part of block `block` that lies in the crop.
    fn part(&self, block: usize) -> Range<usize> {
        let start = (block * BLOCK).max(self.pixels.start);
        start..((block + 1) * BLOCK).min(self.pixels.end).max(start)
    }

    /// Whether all px of block `block` of an axis of `side` px lie in the crop.
    fn holds(&self, block: usize, side: usize) -> bool {
        self.part(block) == (block * BLOCK..((block + 1) * BLOCK).min(side))
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

    /// Adds what `map` says to the px of the block that lie in the crop, and marks these.
    fn add(&self, map: &[f32], [bx, by]: [usize; 2], room: &mut Room) {
        let (Some(reach), pixels) = (&self.across.reaches[bx], self.across.part(bx)) else { return };
        let taps = &self.across.taps[pixels.start - self.across.pixels.start..][..pixels.len()];
        for y in self.down.part(by) {
            let lines = self.down.taps[y - self.down.pixels.start];
            for x in reach.clone() {
                room.line[x] =
                    lines.iter().fold(0.0, |sum, (line, weight)| sum + weight * map[line * self.width + x]);
            }
            let first = (y - by * BLOCK) * BLOCK + pixels.start - bx * BLOCK;
            let (sums, seen) = (&mut room.sums[first..], &mut room.seen[first..]);
            for ((sum, seen), taps) in sums.iter_mut().zip(seen).zip(taps) {
                let value = taps.iter().fold(0.0f32, |sum, (cell, weight)| sum + weight * room.line[*cell]);
                *sum += f64::from(value);
                *seen = true;
            }
        }
    }

    /// Adds to `bounds`, one for each block of the image, the most that `map` can say in it; `NaN` stays where no map
    /// said anything yet.
    fn bound(&self, map: &[f32], size: [usize; 2], bounds: &mut [f64]) {
        let columns = self.across.reaches.len();
        for (by, bounds) in bounds.chunks_exact_mut(columns).enumerate() {
            let Some(lines) = &self.down.reaches[by] else { continue };
            let extremes: Vec<Extremes> = (0..self.width)
                .map(|x| lines.clone().fold(Extremes::NONE, |all, y| all.with(map[y * self.width + x])))
                .collect();
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
}

/// The highest and lowest of some cells, those without a number left out.
#[derive(Debug, Clone, Copy)]
struct Extremes {
    highest: f32,
    lowest: f32,
}

impl Extremes {
    const NONE: Self = Self { highest: f32::NEG_INFINITY, lowest: f32::INFINITY };

    fn with(self, value: f32) -> Self {
        Self {
            highest: if value > self.highest { value } else { self.highest },
            lowest: if value < self.lowest { value } else { self.lowest },
        }
    }

    fn and(self, other: Self) -> Self {
        self.with(other.highest).with(other.lowest)
    }

    /// The most that a reading of these cells can be; infinite where the cells do not bound it.
    fn most(self) -> f64 {
        let (highest, lowest) = (f64::from(self.highest), f64::from(self.lowest));
        let slack = ROUNDING * (highest.abs() + lowest.abs());
        let most = MOST_ABOVE * highest - MOST_BELOW * lowest + slack;
        if most.is_finite() { most } else { f64::INFINITY }
    }
}

/// The highest px of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Highest {
    /// Column, from 0.
    pub x: usize,
    /// Row, from 0.
    pub y: usize,
    /// What the maps add up to there.
    pub sum: f64,
}

/// Memory of a block.
struct Room {
    sums: [f64; BLOCK * BLOCK],
    seen: [bool; BLOCK * BLOCK],
    /// One line of a map between its lines.
    line: Vec<f32>,
}

/// Looks for the highest px of images of one size.
pub struct Search {
    size: [usize; 2],
    bounds: Vec<f64>,
    room: Room,
}

impl Search {
    /// For images of `size` px, width then height.
    pub fn new(size: [usize; 2]) -> Self {
        let blocks = size[0].div_ceil(BLOCK) * size[1].div_ceil(BLOCK);
        let room = Room { sums: [0.0; BLOCK * BLOCK], seen: [false; BLOCK * BLOCK], line: Vec::new() };
        Self { size, bounds: vec![f64::NAN; blocks], room }
    }

    /// The px of the image where the sum of `maps` is highest, the first in row-major order where several are.
    ///
    /// Each map, `[h, w]`, is read through its view; where a px lies outside a crop, its map adds 0. Px that lie in no
    /// crop do not count, nor do sums that are no number; `None` where none is left, or the highest is infinite.
    pub fn highest(&mut self, maps: &[(&View, &[f32])]) -> Option<Highest> {
        self.bounds.fill(f64::NAN);
        for (view, map) in maps {
            view.bound(map, self.size, &mut self.bounds);
        }
        let first = (0..self.bounds.len()).filter(|block| !self.bounds[*block].is_nan());
        let first = first.max_by(|a, b| self.bounds[*a].total_cmp(&self.bounds[*b]))?;
        let mut best = self.look(maps, first, None);
        for block in 0..self.bounds.len() {
            let reachable = best.is_none_or(|best| self.bounds[block] >= best.sum);
            if block != first && !self.bounds[block].is_nan() && reachable {
                best = self.look(maps, block, best);
            }
        }
        best.filter(|best| best.sum.is_finite())
    }

    /// The better of `best` and the highest px of block number `block`.
    fn look(&mut self, maps: &[(&View, &[f32])], block: usize, best: Option<Highest>) -> Option<Highest> {
        let [width, height] = self.size;
        let columns = width.div_ceil(BLOCK);
        let at = [block % columns, block / columns];
        self.room.sums.fill(0.0);
        self.room.seen.fill(false);
        for (view, map) in maps {
            self.room.line.resize(self.room.line.len().max(view.width), 0.0);
            view.add(map, at, &mut self.room);
        }
        let mut best = best;
        for (index, (sum, seen)) in self.room.sums.iter().zip(&self.room.seen).enumerate() {
            let (x, y) = (at[0] * BLOCK + index % BLOCK, at[1] * BLOCK + index / BLOCK);
            debug_assert!(!seen || (x < width && y < height));
            let better =
                best.is_none_or(|best| *sum > best.sum || (*sum == best.sum && (y, x) < (best.y, best.x)));
            if *seen && !sum.is_nan() && better {
                best = Some(Highest { x, y, sum: *sum });
            }
        }
        best
    }
}

#[cfg(test)]
#[path = "summed_tests.rs"]
mod tests;
