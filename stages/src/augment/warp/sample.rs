//! Bilinear sampling of an image through an affine map, in fixed point: the scalar path and the choice of the path.
//!
//! Crop columns are worked off in blocks of [`BLOCK`]. The place of a block's first column is computed in `f64`, the
//! others lie whole steps of 2^-16 px on. Places are integers and linear along a block, so if its first and last
//! column both have all four neighbours inside the image, every one has: such a block needs no further check, and
//! is where AVX2 is used if the machine has it. All other blocks take each neighbour with a check, and the border
//! level for those outside. Weights have 7 bits, so both paths compute the same integers, bit for bit.

#[cfg(target_arch = "x86_64")]
use super::avx2;
use super::rgb::{BLOCK, Source, WEIGHT_BITS};
use schemas::Affine;

/// Fractional bits of a place.
const PLACE_BITS: u32 = 16;
/// Places beyond this are cut off: far outside any image, and far from overflow.
const FARTHEST: f64 = (1u64 << 46) as f64;
/// Added before a number is cut to an integer, so that the cut is a floor.
const LIFT: f64 = (1u64 << 47) as f64;

/// Which code samples the inner blocks. Both give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Plain integers, on every machine.
    Scalar,
    /// 256-bit vectors of x86-64 machines; plain integers where there are none.
    Avx2,
}

impl Path {
    /// The fastest that this machine has.
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if avx2::is_available() {
            return Self::Avx2;
        }
        Self::Scalar
    }
}

/// Fills `crop`, RGB `[H, crop_width, 3]`, from `source` through `image_from_crop`; outside the image lies `border`.
///
/// # Panics
/// When a length does not fit its width and height.
pub fn sample(
    path: Path,
    source: Source,
    image_from_crop: &Affine,
    border: u8,
    crop_width: usize,
    crop: &mut [u8],
) {
    assert_eq!(source.rgb.len(), source.width * source.height * 3, "the source's shape");
    assert!(crop_width > 0 && crop.len().is_multiple_of(crop_width * 3), "the crop's shape");
    let [a, b, tx, c, d, ty] = image_from_crop.0;
    let step = [fixed(a), fixed(c)];
    let path = if source.fits_vectors() { path } else { Path::Scalar };
    for (row, line) in crop.chunks_exact_mut(crop_width * 3).enumerate() {
        for (number, block) in line.chunks_mut(BLOCK * 3).enumerate() {
            let (x, y) = ((number * BLOCK) as f64, row as f64);
            let start = [fixed(a * x + b * y + tx), fixed(c * x + d * y + ty)];
            // Half a weight's step, so that weights are rounded, not cut.
            let start = start.map(|place| place + (1 << (PLACE_BITS - WEIGHT_BITS - 1)));
            fill(path, source, start, step, border, block);
        }
    }
}

/// `value` in steps of 2^-16, rounded; numbers out of reach, and no numbers, become places far outside.
fn fixed(value: f64) -> i64 {
    let scaled = (value * f64::from(1u32 << PLACE_BITS)).clamp(-FARTHEST, FARTHEST);
    (scaled + (LIFT + 0.5)) as i64 - LIFT as i64
}

impl Source<'_> {
    /// Whether places and byte offsets fit the vectors' 32 bits.
    fn fits_vectors(&self) -> bool {
        let most = i16::MAX as usize;
        self.width <= most && self.height <= most && i32::try_from(self.rgb.len()).is_ok()
    }

    /// Whether all four neighbours of `place` are inside.
    fn surrounds(&self, place: [i64; 2]) -> bool {
        let inside = |value: i64, side: usize| (0..(side as i64 - 1) << PLACE_BITS).contains(&value);
        inside(place[0], self.width) && inside(place[1], self.height)
    }

    fn level(&self, x: i64, y: i64, channel: usize, border: u8) -> u8 {
        let inside = (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y);
        if inside { self.rgb[(y as usize * self.width + x as usize) * 3 + channel] } else { border }
    }
}

/// Fills one block of up to [`BLOCK`] px whose first column lies at `start`.
fn fill(path: Path, source: Source, start: [i64; 2], step: [i64; 2], border: u8, block: &mut [u8]) {
    let columns = (block.len() / 3) as i64;
    let last = [start[0] + (columns - 1) * step[0], start[1] + (columns - 1) * step[1]];
    if source.surrounds(start) && source.surrounds(last) {
        inner(path, source, start, step, block);
    } else if beyond(start[0], last[0], source.width) || beyond(start[1], last[1], source.height) {
        block.fill(border);
    } else {
        outer(source, start, step, border, block);
    }
}

/// Whether all places between two lie on the same side outside, with no neighbour inside.
fn beyond(first: i64, last: i64, side: usize) -> bool {
    let (low, high) = (first.min(last), first.max(last));
    high < -(1 << PLACE_BITS) || low >= (side as i64) << PLACE_BITS
}

/// The block whose columns all have their four neighbours inside.
fn inner(path: Path, source: Source, start: [i64; 2], step: [i64; 2], block: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if path == Path::Avx2
        && avx2::is_available()
        && let Ok(block) = <&mut [u8; BLOCK * 3]>::try_from(&mut *block)
    {
        // Two places inside an image of at most 2^15 px differ by less than 2^31.
        let narrow = |pair: [i64; 2]| pair.map(|value| value as i32);
        return avx2::sample(source, narrow(start), narrow(step), block);
    }
    let _ = path;
    let pitch = source.width * 3;
    let [mut u, mut v] = start;
    for pixel in block.chunks_exact_mut(3) {
        let at = (v >> PLACE_BITS) as usize * pitch + (u >> PLACE_BITS) as usize * 3;
        let (top, bottom) = (&source.rgb[at..at + 6], &source.rgb[at + pitch..at + pitch + 6]);
        for channel in 0..3 {
            let four = [top[channel], top[channel + 3], bottom[channel], bottom[channel + 3]];
            pixel[channel] = blended(four, weight(u), weight(v));
        }
        u += step[0];
        v += step[1];
    }
}

/// Any block.
fn outer(source: Source, start: [i64; 2], step: [i64; 2], border: u8, block: &mut [u8]) {
    let [mut u, mut v] = start;
    for pixel in block.chunks_exact_mut(3) {
        let (x, y) = (u >> PLACE_BITS, v >> PLACE_BITS);
        for (channel, level) in pixel.iter_mut().enumerate() {
            let at = |dx, dy| source.level(x + dx, y + dy, channel, border);
            *level = blended([at(0, 0), at(1, 0), at(0, 1), at(1, 1)], weight(u), weight(v));
        }
        u += step[0];
        v += step[1];
    }
}

/// The weight of the right or lower neighbour, 0 to 127 of 128.
fn weight(place: i64) -> u32 {
    ((place >> (PLACE_BITS - WEIGHT_BITS)) & ((1 << WEIGHT_BITS) - 1)) as u32
}

/// The level between four neighbours: left and right above, left and right below.
fn blended(levels: [u8; 4], right: u32, lower: u32) -> u8 {
    const WHOLE: u32 = 1 << WEIGHT_BITS;
    let [a, b, c, d] = levels.map(u32::from);
    let above = a * (WHOLE - right) + b * right;
    let below = c * (WHOLE - right) + d * right;
    ((above * (WHOLE - lower) + below * lower + (1 << (2 * WEIGHT_BITS - 1))) >> (2 * WEIGHT_BITS)) as u8
}

#[cfg(test)]
#[path = "sample_tests.rs"]
mod tests;
