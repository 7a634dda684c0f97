//! The windows of one signal, in place: a strided view, nothing copied.

/// How a signal is cut into sequences of T blocks of B samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cutting {
    /// T, 1 or more.
    pub blocks: usize,
    /// B, 1 or more.
    pub block_samples: usize,
    /// Samples from the start of one block to that of the next, 1 or more; below B, blocks overlap.
    pub hop_samples: usize,
    /// Samples from the start of one sequence to that of the next, 1 or more.
    pub stride_samples: usize,
}

impl Cutting {
    /// Samples of the signal that a sequence reaches over: B + (T - 1) x hop.
    pub fn length(&self) -> usize {
        self.block_samples + (self.blocks - 1) * self.hop_samples
    }

    /// Sequences that a signal of `samples` holds, the first at its start.
    pub fn count(&self, samples: usize) -> usize {
        match samples.checked_sub(self.length()) {
            Some(free) => free / self.stride_samples + 1,
            None => 0,
        }
    }

    /// Whether the numbers of a sequence stand in the signal as they do in the window, one block after the other.
    pub fn is_plain(&self) -> bool {
        self.blocks == 1 || self.hop_samples == self.block_samples
    }

    /// Whether in addition each sequence begins where the one before ends: all windows are one piece of the signal.
    pub fn tiles(&self) -> bool {
        self.is_plain() && self.stride_samples == self.length()
    }
}

/// The windows of one signal `[length, C]`.
///
/// ```
/// use stages::window::{Cutting, WindowView};
/// let cutting = Cutting { blocks: 2, block_samples: 3, hop_samples: 2, stride_samples: 4 };
/// let signal: Vec<f32> = (0..10).map(|at| at as f32).collect();
/// let view = WindowView::new(&signal, 1, cutting, 0);
/// assert_eq!(view.count(), 2);
/// assert_eq!(view.block(1, 1), [6.0, 7.0, 8.0]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct WindowView<'a> {
    signal: &'a [f32],
    channels: usize,
    cutting: Cutting,
    first_sample: usize,
    count: usize,
}

impl<'a> WindowView<'a> {
    /// The windows of `signal`, `[length, C]` with C = `channels`, the first at `first_sample`.
    pub fn new(signal: &'a [f32], channels: usize, cutting: Cutting, first_sample: usize) -> Self {
        let samples = signal.len() / channels.max(1);
        let count = cutting.count(samples.saturating_sub(first_sample));
        Self { signal, channels, cutting, first_sample, count }
    }

    /// Number of windows.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The sample of the signal at which `window` begins.
    pub fn start(&self, window: usize) -> usize {
        self.first_sample + window * self.cutting.stride_samples
    }

    /// Block `block` of `window`, `[B, C]`.
    ///
    /// # Panics
    /// When there is no such window or block.
    pub fn block(&self, window: usize, block: usize) -> &'a [f32] {
        assert!(window < self.count && block < self.cutting.blocks, "there is no such block");
        self.samples(self.start(window) + block * self.cutting.hop_samples, self.cutting.block_samples)
    }

    /// Appends the windows to `numbers`, `[count, T, B, C]`: one copy of memory a block, or a window where its blocks
    /// stand one after the other.
    pub fn gather(&self, numbers: &mut Vec<f32>) {
        if self.cutting.is_plain() {
            let length = self.cutting.length();
            (0..self.count).for_each(|at| numbers.extend_from_slice(self.samples(self.start(at), length)));
            return;
        }
        for window in 0..self.count {
            for block in 0..self.cutting.blocks {
                numbers.extend_from_slice(self.block(window, block));
            }
        }
    }

    fn samples(&self, first: usize, count: usize) -> &'a [f32] {
        &self.signal[first * self.channels..(first + count) * self.channels]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn twenty_blocks_of_fifty_half_overlapping_take_525_samples() {
        // PROTOCOLS 5.1: 10.5 s at 50 Hz.
        let cutting = Cutting { blocks: 20, block_samples: 50, hop_samples: 25, stride_samples: 250 };
        assert_eq!(cutting.length(), 525);
        assert_eq!([524, 525, 774, 775].map(|samples| cutting.count(samples)), [0, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn a_block_is_a_slice_of_the_signal(
            blocks in 1_usize..5, block_samples in 1_usize..6, hop_samples in 1_usize..8,
            stride_samples in 1_usize..12, channels in 1_usize..4, samples in 0_usize..60, first in 0_usize..9,
        ) {
            let cutting = Cutting { blocks, block_samples, hop_samples, stride_samples };
            let signal: Vec<f32> = (0..samples * channels).map(|at| at as f32).collect();
            let view = WindowView::new(&signal, channels, cutting, first);
            let mut numbers = Vec::new();
            view.gather(&mut numbers);
            let block = block_samples * channels;
            prop_assert_eq!(numbers.len(), view.count() * blocks * block);
            for window in 0..view.count() {
                for t in 0..blocks {
                    let start = (first + window * stride_samples + t * hop_samples) * channels;
                    prop_assert_eq!(view.block(window, t), &signal[start..start + block]);
                    let gathered = (window * blocks + t) * block;
                    prop_assert_eq!(view.block(window, t), &numbers[gathered..gathered + block]);
                }
            }
            // Not one more fits.
            prop_assert!(view.start(view.count()) + cutting.length() > samples);
        }
    }
}
