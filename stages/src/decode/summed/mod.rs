//! The highest px of an image in the sum of several maps, each of which covers the image through a crop of its own.
//!
//! Every px of the image counts, but few are evaluated. A block of px is skipped if none of them can be as high as the
//! highest so far: [`bounds`] says what a map can reach there. In the other blocks the px at the corners of tiles are
//! evaluated, and the maps' curvature limits what a tile can reach between its corners. So the result is the same, to
//! the bit, as from evaluating all px.

mod bounds;
mod view;

use std::ops::Range;

pub use self::view::{MapGrid, View};

/// Side of a block in px of the image.
const BLOCK: usize = 64;
/// Side of a tile of a block in px of the image.
const TILE: usize = 8;

/// Maps, and how the px of the image see them.
type Maps<'a> = [(&'a View, &'a [f32])];

/// The tiles of a block along one axis of the image.
#[derive(Debug, Clone)]
struct Tiles {
    /// The px of the block.
    block: Range<usize>,
    /// The last px of the image.
    last: usize,
}

impl Tiles {
    /// Of block number `block` of an axis of `side` px.
    fn new(block: usize, side: usize) -> Self {
        Self { block: block * BLOCK..((block + 1) * BLOCK).min(side), last: side - 1 }
    }

    fn count(&self) -> usize {
        self.block.len().div_ceil(TILE)
    }

    /// Corner number `at`; the tiles lie between the corners. The last one may be the first px of the next block.
    fn corner(&self, at: usize) -> usize {
        (self.block.start + at * TILE).min(self.block.end).min(self.last)
    }

    /// The px of tile number `at`.
    fn tile(&self, at: usize) -> Range<usize> {
        let start = self.block.start + at * TILE;
        start..(start + TILE).min(self.block.end)
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

/// Whether `found` takes the place of `best`: it is higher, or as high and comes first in row-major order.
fn better(best: Option<Highest>, found: Highest) -> bool {
    let first = |best: Highest| (found.y, found.x) < (best.y, best.x);
    best.is_none_or(|best| found.sum > best.sum || (found.sum == best.sum && first(best)))
}

/// What the maps add up to at some px of the image: those of some columns and some rows.
#[derive(Debug, Default)]
struct Sums {
    columns: Vec<usize>,
    rows: Vec<usize>,
    /// One for each row and column, row by row.
    values: Vec<f64>,
    /// Whether a crop covers the px.
    seen: Vec<bool>,
    /// One line of a map between its lines.
    line: Vec<f32>,
}

impl Sums {
    /// Reads `maps` at the px of `columns` and `rows`, both ascending.
    fn read(
        &mut self,
        maps: &Maps<'_>,
        columns: impl Iterator<Item = usize>,
        rows: impl Iterator<Item = usize>,
    ) {
        self.columns.clear();
        self.columns.extend(columns);
        self.rows.clear();
        self.rows.extend(rows);
        let count = self.columns.len() * self.rows.len();
        self.values.clear();
        self.values.resize(count, 0.0);
        self.seen.clear();
        self.seen.resize(count, false);
        for (view, map) in maps {
            view.add(map, self);
        }
    }

    /// The highest of the sums at the four corners of a tile, where these px are the corners of tiles.
    fn most_around(&self, column: usize, row: usize) -> f64 {
        let width = self.columns.len();
        let [above, below] = [row * width + column, (row + 1) * width + column];
        [above, above + 1, below, below + 1]
            .iter()
            .fold(f64::NEG_INFINITY, |most, at| self.values[*at].max(most))
    }

    /// The better of `best` and the highest of these px; sums that are no number do not count.
    fn highest(&self, mut best: Option<Highest>) -> Option<Highest> {
        for (index, (sum, seen)) in self.values.iter().zip(&self.seen).enumerate() {
            if *seen && !sum.is_nan() {
                let (row, column) = (index / self.columns.len(), index % self.columns.len());
                let found = Highest { x: self.columns[column], y: self.rows[row], sum: *sum };
                best = if better(best, found) { Some(found) } else { best };
            }
        }
        best
    }
}

/// Looks for the highest px of images of one size.
pub struct Search {
    size: [usize; 2],
    /// The most that the maps can add up to in each block that a crop covers a px of; `NaN` in others.
    bounds: Vec<f64>,
    corners: Sums,
    tile: Sums,
}

impl Search {
    /// For images of `size` px, width then height.
    pub fn new(size: [usize; 2]) -> Self {
        let blocks = size[0].div_ceil(BLOCK) * size[1].div_ceil(BLOCK);
        Self { size, bounds: vec![f64::NAN; blocks], corners: Sums::default(), tile: Sums::default() }
    }

    /// The px of the image where the sum of `maps` is highest, the first in row-major order where several are.
    ///
    /// Each map, `[h, w]`, is read through its view; where a px lies outside a crop, its map adds 0. Px that lie in no
    /// crop do not count, nor do sums that are no number; `None` where none is left, or the highest is infinite.
    pub fn highest(&mut self, maps: &Maps<'_>) -> Option<Highest> {
        self.bounds.fill(f64::NAN);
        let mut rise = 0.0;
        for (view, map) in maps {
            view.bound(map, self.size, &mut self.bounds);
            rise += view.rise(map);
        }
        let mut blocks: Vec<usize> =
            (0..self.bounds.len()).filter(|block| !self.bounds[*block].is_nan()).collect();
        blocks.sort_unstable_by(|a, b| self.bounds[*b].total_cmp(&self.bounds[*a]));
        let mut best = None;
        for block in blocks {
            if best.is_some_and(|best: Highest| self.bounds[block] < best.sum) {
                break;
            }
            best = self.look(maps, block, rise, best);
        }
        best.filter(|best| best.sum.is_finite())
    }

    /// The better of `best` and the highest px of block number `block`, where between the corners of a tile no sum lies
    /// more than `rise` above the highest of them.
    fn look(&mut self, maps: &Maps<'_>, block: usize, rise: f64, best: Option<Highest>) -> Option<Highest> {
        let blocks = self.size[0].div_ceil(BLOCK);
        let across = Tiles::new(block % blocks, self.size[0]);
        let down = Tiles::new(block / blocks, self.size[1]);
        self.corners.read(
            maps,
            (0..=across.count()).map(|at| across.corner(at)),
            (0..=down.count()).map(|at| down.corner(at)),
        );
        let mut best = self.corners.highest(best);
        for row in 0..down.count() {
            for column in 0..across.count() {
                let corners = [(&across, column), (&down, row)]
                    .map(|(tiles, at)| [tiles.corner(at), tiles.corner(at + 1)]);
                let even = maps.iter().all(|(view, _)| view.is_even(corners));
                let most = self.corners.most_around(column, row) + rise;
                if even && best.is_some_and(|best| most < best.sum) {
                    continue;
                }
                self.tile.read(maps, across.tile(column), down.tile(row));
                best = self.tile.highest(best);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests;
