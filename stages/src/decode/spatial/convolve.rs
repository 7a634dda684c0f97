//! The convolution of a map with a kernel over every displacement, through its spectrum.
//!
//! In numbers of f64: the last bit of what comes out may differ between processors, as the transform picks the widest
//! instructions that it finds; threads and batches change nothing.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::num_traits::Zero;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

/// Rows of a spectrum that are gathered at once: as many complex numbers as a line of the cache holds.
const ROWS_AT_ONCE: usize = 4;

/// Transforms for maps `[h, w]` and kernels `[2 h - 1, 2 w - 1]`.
///
/// Both are laid on a torus of P >= 2 h - 1 rows and Q >= 2 w - 1 columns, where no displacement meets another one.
pub struct Convolution {
    map: [usize; 2],
    torus: [usize; 2],
    rows_forward: Arc<dyn RealToComplex<f64>>,
    rows_back: Arc<dyn ComplexToReal<f64>>,
    columns_forward: Arc<dyn Fft<f64>>,
    columns_back: Arc<dyn Fft<f64>>,
}

/// `[Q / 2 + 1, P]`: the half of a real field's spectrum that says all, column by column.
pub type Spectrum = Vec<Complex<f64>>;

/// Buffers of one thread.
pub struct Scratch {
    line: Vec<f64>,
    halves: Vec<Complex<f64>>,
    product: Spectrum,
    row_work: Vec<Complex<f64>>,
    column_work: Vec<Complex<f64>>,
}

impl Convolution {
    /// Transforms for maps `[h, w]`.
    pub fn new(map: [usize; 2]) -> Self {
        let torus = map.map(|side| fast_length(2 * side - 1));
        let mut planner = RealFftPlanner::<f64>::new();
        let (rows_forward, rows_back) =
            (planner.plan_fft_forward(torus[1]), planner.plan_fft_inverse(torus[1]));
        let mut planner = FftPlanner::<f64>::new();
        let (columns_forward, columns_back) =
            (planner.plan_fft_forward(torus[0]), planner.plan_fft_inverse(torus[0]));
        Self { map, torus, rows_forward, rows_back, columns_forward, columns_back }
    }

    /// Buffers for one thread.
    pub fn scratch(&self) -> Scratch {
        let work = |lengths: [usize; 2]| vec![Complex::zero(); lengths[0].max(lengths[1])];
        Scratch {
            line: vec![0.0; self.torus[1]],
            halves: vec![Complex::zero(); ROWS_AT_ONCE * self.half()],
            product: vec![Complex::zero(); self.half() * self.torus[0]],
            row_work: work([self.rows_forward.get_scratch_len(), self.rows_back.get_scratch_len()]),
            column_work: work([
                self.columns_forward.get_inplace_scratch_len(),
                self.columns_back.get_inplace_scratch_len(),
            ]),
        }
    }

    /// Complex numbers in the half of a row's spectrum.
    fn half(&self) -> usize {
        self.torus[1] / 2 + 1
    }

    /// The spectrum of `map`, `[h, w]`.
    pub fn map_spectrum(&self, map: &[f64], scratch: &mut Scratch) -> Spectrum {
        self.spectrum(map.chunks_exact(self.map[1]).enumerate(), 0, 1.0, scratch)
    }

    /// The spectrum of `kernel`, `[2 h - 1, 2 w - 1]`, its middle at displacement (0, 0), in the measure that
    /// [`Self::convolve`] takes.
    pub fn kernel_spectrum(&self, kernel: &[f64], scratch: &mut Scratch) -> Spectrum {
        let ([height, width], [rows, columns]) = (self.map, self.torus);
        // Displacements to the left and above go round the torus.
        let row = |at: usize| (at + rows - (height - 1)) % rows;
        let lines = kernel.chunks_exact(2 * width - 1).enumerate().map(|(at, line)| (row(at), line));
        self.spectrum(lines, columns - (width - 1), 1.0 / (rows * columns) as f64, scratch)
    }

    /// The spectrum of `lines`, each with the row of the torus where it lies, their first number in `column`.
    fn spectrum<'a>(
        &self,
        lines: impl Iterator<Item = (usize, &'a [f64])>,
        column: usize,
        factor: f64,
        scratch: &mut Scratch,
    ) -> Spectrum {
        let ([rows, columns], half) = (self.torus, self.half());
        let mut spectrum = vec![Complex::zero(); half * rows];
        for (row, numbers) in lines {
            scratch.line.fill(0.0);
            for (at, number) in numbers.iter().enumerate() {
                scratch.line[(column + at) % columns] = factor * number;
            }
            let line = &mut scratch.halves[..half];
            self.rows_forward
                .process_with_scratch(&mut scratch.line, line, &mut scratch.row_work)
                .expect("buffers are as long as the transform says");
            for (at, value) in line.iter().enumerate() {
                spectrum[at * rows + row] = *value;
            }
        }
        self.columns_forward.process_with_scratch(&mut spectrum, &mut scratch.column_work);
        spectrum
    }

    /// Writes to `out`, `[h, w]`, at each place y, the sum over all places x of kernel(y - x) map(x).
    pub fn convolve(
        &self,
        kernel: &[Complex<f64>],
        map: &[Complex<f64>],
        scratch: &mut Scratch,
        out: &mut [f64],
    ) {
        let ([height, width], rows, half) = (self.map, self.torus[0], self.half());
        for ((product, kernel), map) in scratch.product.iter_mut().zip(kernel).zip(map) {
            *product = kernel * map;
        }
        self.columns_back.process_with_scratch(&mut scratch.product, &mut scratch.column_work);
        for first in (0..height).step_by(ROWS_AT_ONCE) {
            let count = ROWS_AT_ONCE.min(height - first);
            for (at, column) in scratch.product.chunks_exact(rows).enumerate() {
                for (row, value) in column[first..first + count].iter().enumerate() {
                    scratch.halves[row * half + at] = *value;
                }
            }
            let lines =
                scratch.halves.chunks_exact_mut(half).zip(out[first * width..].chunks_exact_mut(width));
            for (line, out) in lines.take(count) {
                // Real numbers, but for a rounding.
                line[0].im = 0.0;
                line[half - 1].im = 0.0;
                self.rows_back
                    .process_with_scratch(line, &mut scratch.line, &mut scratch.row_work)
                    .expect("buffers are as long as the transform says");
                out.copy_from_slice(&scratch.line[..width]);
            }
        }
    }
}

/// The least even length from `least` on with no prime factor above 5, for which a transform is fast.
fn fast_length(least: usize) -> usize {
    let smooth = |length: &usize| {
        let mut rest = *length;
        for prime in [2, 3, 5] {
            while rest.is_multiple_of(prime) {
                rest /= prime;
            }
        }
        rest == 1
    };
    let even = least.next_multiple_of(2).max(2);
    (even..).step_by(2).find(smooth).unwrap_or(even)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word.
    pub(super) fn by_definition(kernel: &[f64], map: &[f64], [height, width]: [usize; 2]) -> Vec<f64> {
        let mut out = vec![0.0; height * width];
        for (y, out) in out.iter_mut().enumerate() {
            for (x, value) in map.iter().enumerate() {
                let row = y / width + height - 1 - x / width;
                let column = y % width + width - 1 - x % width;
                *out += kernel[row * (2 * width - 1) + column] * value;
            }
        }
        out
    }

    #[test]
    fn lengths_are_even_and_smooth() {
        assert_eq!([1, 2, 91, 119, 127, 255].map(fast_length), [2, 2, 96, 120, 128, 256]);
    }

    proptest! {
        #[test]
        fn it_is_the_sum_over_all_displacements(
            height in 1_usize..9, width in 1_usize..9, seed in any::<u64>(),
        ) {
            let mut random = schemas::random::KeyedRandom::new(seed, "convolve", "", 0);
            let mut numbers = |count: usize| -> Vec<f64> { (0..count).map(|_| random.unit() - 0.3).collect() };
            let kernel = numbers((2 * height - 1) * (2 * width - 1));
            let map = numbers(height * width);
            let convolution = Convolution::new([height, width]);
            let mut scratch = convolution.scratch();
            let kernel_spectrum = convolution.kernel_spectrum(&kernel, &mut scratch);
            let map_spectrum = convolution.map_spectrum(&map, &mut scratch);
            let mut out = vec![f64::NAN; map.len()];
            convolution.convolve(&kernel_spectrum, &map_spectrum, &mut scratch, &mut out);
            for (found, expected) in out.iter().zip(by_definition(&kernel, &map, [height, width])) {
                prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }
}
