//! Matrix products over slices with strides.
//!
//! `nalgebra` hands products of more than a few rows to `matrixmultiply`, which picks a kernel for the machine: the
//! last bits of a product are those of the machine's vector width, the same for any number of threads.

use nalgebra::{DMatrixView, DMatrixViewMut, Dyn, RealField};

/// Rows, columns and depth from which on `nalgebra` is asked. Below 6 it goes another way, which with strides reads
/// beyond the slice in version 0.35 (its checks of debug builds say so).
const LEAST_LENGTH: usize = 16;

/// A matrix within a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strided<'a, T> {
    numbers: &'a [T],
    shape: [usize; 2],
    strides: [usize; 2],
}

impl<'a, T> Strided<'a, T> {
    /// The first `columns` numbers of each of the `rows` rows of `numbers`, `[rows, stride]` row by row.
    pub(super) fn new(numbers: &'a [T], rows: usize, columns: usize, stride: usize) -> Self {
        Self { numbers, shape: [rows, columns], strides: [stride, 1] }
    }

    /// The same numbers with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        let [rows, columns] = self.shape;
        let [down, across] = self.strides;
        Self { numbers: self.numbers, shape: [columns, rows], strides: [across, down] }
    }
}

impl<'a, T: RealField> Strided<'a, T> {
    fn view(self) -> DMatrixView<'a, T, Dyn, Dyn> {
        let ([rows, columns], [down, across]) = (self.shape, self.strides);
        DMatrixView::from_slice_with_strides(self.numbers, rows, columns, down, across)
    }
}

/// `out` = `a` `b` + `keep` `out`, where `out` is `[rows of a, columns of b]` row by row.
///
/// With `keep` = 0 the numbers in `out` are never read.
pub(super) fn multiply<T: RealField + Copy>(a: Strided<'_, T>, b: Strided<'_, T>, keep: T, out: &mut [T]) {
    let ([rows, depth], columns) = (a.shape, b.shape[1]);
    assert_eq!(depth, b.shape[0], "a has a column for each row of b");
    assert_eq!(out.len(), rows * columns, "out has a number for each row of a and column of b");
    if rows.min(depth).min(columns) < LEAST_LENGTH {
        small(a, b, keep, out);
        return;
    }
    DMatrixViewMut::<T, Dyn, Dyn>::from_slice_with_strides_mut(out, rows, columns, columns, 1).gemm(
        T::one(),
        &a.view(),
        &b.view(),
        keep,
    );
}

/// [`multiply`] as its definition says.
fn small<T: RealField + Copy>(a: Strided<'_, T>, b: Strided<'_, T>, keep: T, out: &mut [T]) {
    let columns = b.shape[1];
    for (at, out) in out.iter_mut().enumerate() {
        let (first, second) = (at / columns * a.strides[0], at % columns * b.strides[1]);
        let term = |k: usize| a.numbers[first + k * a.strides[1]] * b.numbers[second + k * b.strides[0]];
        let sum = (0..a.shape[1]).fold(T::zero(), |sum, k| sum + term(k));
        *out = if keep.is_zero() { sum } else { sum + keep * *out };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(a: &[f64], b: &[f64], [n, k, m]: [usize; 3]) -> Vec<f64> {
        (0..n * m).map(|at| (0..k).map(|j| a[at / m * k + j] * b[j * m + at % m]).sum()).collect()
    }

    #[test]
    fn products_are_those_of_the_definition() {
        for [n, k, m] in [[1, 1, 1], [3, 4, 2], [17, 9, 33], [16, 40, 21]] {
            let a: Vec<f64> = (0..n * k).map(|v| (v as f64 * 0.7).sin()).collect();
            let b: Vec<f64> = (0..k * m).map(|v| (v as f64 * 0.3).cos()).collect();
            let expected = naive(&a, &b, [n, k, m]);
            let mut out = vec![1.0; n * m];
            multiply(Strided::new(&a, n, k, k), Strided::new(&b, k, m, m), 0.0, &mut out);
            assert!(out.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-12));
            multiply(Strided::new(&a, n, k, k), Strided::new(&b, k, m, m), 1.0, &mut out);
            assert!(out.iter().zip(&expected).all(|(x, y)| (x - 2.0 * y).abs() < 1e-12));
        }
    }

    #[test]
    fn large_products_take_strides_too() {
        let (rows, columns, stride) = (20, 18, 23);
        let numbers: Vec<f64> = (0..rows * stride).map(|v| (v as f64 * 0.7).sin()).collect();
        let part = Strided::new(&numbers, rows, columns, stride);
        let [mut fast, mut slow] = [vec![0.0; columns * columns], vec![0.0; columns * columns]];
        multiply(part.transposed(), part, 0.0, &mut fast);
        small(part.transposed(), part, 0.0, &mut slow);
        assert!(fast.iter().zip(&slow).all(|(x, y)| (x - y).abs() < 1e-12));
        assert_ne!(fast[1], 0.0);
    }

    #[test]
    fn a_part_of_the_columns_and_a_transpose() {
        // [[1, 2, 9], [3, 4, 9]] without its last column, transposed, times itself.
        let numbers = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let part = Strided::new(&numbers, 2, 2, 3);
        let mut out = [0.0; 4];
        multiply(part.transposed(), part, 0.0, &mut out);
        assert_eq!(out, [10.0, 14.0, 14.0, 20.0]);
    }
}
