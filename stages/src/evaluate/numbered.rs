//! Values of very many people in little memory: texts by number, and numbers that lose no bit.

use std::hash::{BuildHasher as _, RandomState};

/// Rows of numbers that are narrowed together.
const BLOCK_ROWS: usize = 1024;

/// Different texts, numbered as they came. Each takes its bytes and at most 24 more.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    /// Where each text ends.
    ends: Vec<usize>,
    /// By hash the number of a text plus 1, or 0; a taken place passes a text on to the next one.
    places: Vec<u32>,
    hashes: RandomState,
}

impl Texts {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text called `number`.
    pub(super) fn text(&self, number: usize) -> &str {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.all[start..self.ends[number]]
    }

    /// The number of `text`, if it has one.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        if self.places.is_empty() {
            return None;
        }
        (self.places[self.place(text)] as usize).checked_sub(1)
    }

    /// The number of `text`, and whether it is new.
    pub(super) fn number(&mut self, text: &str) -> (usize, bool) {
        if self.places.len() < 2 * (self.len() + 1) {
            self.grow();
        }
        let place = self.place(text);
        if let Some(number) = (self.places[place] as usize).checked_sub(1) {
            return (number, false);
        }
        self.all.push_str(text);
        self.ends.push(self.all.len());
        self.places[place] = u32::try_from(self.len()).expect("fewer than 2^32 texts");
        (self.len() - 1, true)
    }

    /// Where `text` is, or would be; equal hashes are told apart by the texts themselves.
    fn place(&self, text: &str) -> usize {
        let last = self.places.len() - 1;
        let mut place = self.hashes.hash_one(text) as usize & last;
        while let Some(number) = (self.places[place] as usize).checked_sub(1) {
            if self.text(number) == text {
                break;
            }
            place = (place + 1) & last;
        }
        place
    }

    fn grow(&mut self) {
        self.places = vec![0; (2 * self.places.len()).max(16)];
        for number in 0..self.len() {
            let place = self.place(self.text(number));
            self.places[place] = number as u32 + 1;
        }
    }
}

/// A text for each row, of few different ones.
#[derive(Debug, Default)]
pub(super) struct Labels {
    names: Texts,
    rows: Vec<u32>,
}

impl Labels {
    pub(super) fn push(&mut self, text: &str) {
        self.rows.push(self.names.number(text).0 as u32);
    }

    /// The text of `row`.
    pub(super) fn of(&self, row: usize) -> &str {
        self.names.text(self.rows[row] as usize)
    }

    /// The different texts of `rows`, ascending.
    pub(super) fn different(&self, rows: impl Iterator<Item = usize>) -> Vec<&str> {
        let mut is_in = vec![false; self.names.len()];
        rows.for_each(|row| is_in[self.rows[row] as usize] = true);
        let mut texts: Vec<&str> =
            (0..is_in.len()).filter(|&number| is_in[number]).map(|number| self.names.text(number)).collect();
        texts.sort_unstable();
        texts
    }
}

/// Rows of W numbers each. Where single precision holds all numbers of a block of rows, it is what they are kept in.
#[derive(Debug)]
pub(super) struct Numbers {
    width: usize,
    blocks: Vec<Block>,
    /// The rows behind the last block, fewer than [`BLOCK_ROWS`].
    open: Vec<f64>,
}

#[derive(Debug)]
enum Block {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Numbers {
    /// No rows of `width` numbers yet.
    pub(super) fn new(width: usize) -> Self {
        Self { width, blocks: Vec::new(), open: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When it has another width.
    pub(super) fn push(&mut self, row: impl Iterator<Item = f64>) {
        let before = self.open.len();
        self.open.extend(row);
        assert_eq!(self.open.len() - before, self.width, "numbers of a row");
        if self.open.len() < BLOCK_ROWS * self.width {
            return;
        }
        let is_exact =
            |number: &f64| number.is_nan() || f64::from(*number as f32).to_bits() == number.to_bits();
        self.blocks.push(if self.open.iter().all(is_exact) {
            Block::Single(self.open.iter().map(|number| *number as f32).collect())
        } else {
            Block::Double(self.open.clone())
        });
        self.open.clear();
    }

    /// Puts the numbers of `row` into `numbers`, `[W]`.
    pub(super) fn read(&self, row: usize, numbers: &mut Vec<f64>) {
        let first = row % BLOCK_ROWS * self.width;
        let range = first..first + self.width;
        numbers.clear();
        match self.blocks.get(row / BLOCK_ROWS) {
            Some(Block::Single(block)) => numbers.extend(block[range].iter().copied().map(f64::from)),
            Some(Block::Double(block)) => numbers.extend_from_slice(&block[range]),
            None => numbers.extend_from_slice(&self.open[range]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn texts_have_the_numbers_in_which_they_came(
            texts in prop::collection::vec("[ab\u{e9}]{0,3}", 0..200)
        ) {
            let mut numbered = Texts::default();
            let mut expected: HashMap<&str, usize> = HashMap::new();
            for text in &texts {
                prop_assert_eq!(numbered.find(text), expected.get(text.as_str()).copied());
                let next = expected.len();
                let is_new = !expected.contains_key(text.as_str());
                let number = *expected.entry(text).or_insert(next);
                prop_assert_eq!(numbered.number(text), (number, is_new));
            }
            prop_assert_eq!(numbered.len(), expected.len());
            for (text, number) in expected {
                prop_assert_eq!(numbered.text(number), text);
                prop_assert_eq!(numbered.find(text), Some(number));
            }
            prop_assert_eq!(numbered.find("zzzz"), None);
        }
    }

    #[test]
    fn numbers_come_back_to_the_last_bit() {
        let mut numbers = Numbers::new(3);
        // The second block needs double precision, the third is not full.
        let of = |row: usize| {
            let fine = if row / BLOCK_ROWS == 1 { 0.1 } else { 0.25 };
            [row as f64 + fine, if row.is_multiple_of(7) { f64::NAN } else { -0.0 }, f64::from(u32::MAX >> 8)]
        };
        let rows = 2 * BLOCK_ROWS + 5;
        (0..rows).for_each(|row| numbers.push(of(row).into_iter()));
        let is_single: Vec<bool> =
            numbers.blocks.iter().map(|block| matches!(block, Block::Single(_))).collect();
        assert_eq!(is_single, [true, false]);
        let mut found = Vec::new();
        for row in 0..rows {
            numbers.read(row, &mut found);
            let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect::<Vec<_>>();
            let is_same = of(row)
                .iter()
                .zip(&found)
                .all(|(a, b)| a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits());
            assert!(is_same, "{row}: {:?}", bits(&found));
        }
    }

    #[test]
    fn labels_of_some_rows_are_sorted_and_stand_once() {
        let mut labels = Labels::default();
        for text in ["b", "a", "b", "c"] {
            labels.push(text);
        }
        assert_eq!((labels.of(2), labels.of(3)), ("b", "c"));
        assert_eq!(labels.different([0, 1, 2].into_iter()), ["a", "b"]);
        assert!(labels.different(std::iter::empty()).is_empty());
    }
}
