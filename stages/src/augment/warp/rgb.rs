//! What is sampled from, and in what steps.

/// Columns of the crop that are worked off together.
pub const BLOCK: usize = 16;

/// Fractional bits of a weight.
pub(super) const WEIGHT_BITS: u32 = 7;

/// Pixels to sample from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// RGB levels `[height, width, 3]`.
    pub rgb: &'a [u8],
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}
