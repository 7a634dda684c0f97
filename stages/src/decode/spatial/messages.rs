//! One round of messages from every joint to every other one.
//!
//! Sources: Tompson et al., NIPS 2014, in the form in which joint-cnn-mrf restates it, a fully connected graph. The
//! papers learn energies and biases by gradient, from the displacement histograms on; here the histograms are the
//! model, and one bias serves all pairs. Messages of joints that move together repeat the same information, so that
//! without a sufficiently large bias the joints' mean places outweigh every map.

use realfft::num_complex::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::convolve::{Convolution, Scratch, Spectrum};

/// What is added to a joint's own map, its message to itself (joint-cnn-mrf: 1e-6 inside of the logarithm).
const OWN_BIAS: f64 = 1e-6;

/// How messages are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// exp(sum over v of log(SoftPlus(e(A|v)) * ReLU(e(v)) + bias)): maps are energies, cut off below `epsilon`, and
    /// e(A|v) is the logarithm of the displacement histogram, which is how we read the papers. No normaliser: each map
    /// is scaled such that its highest px is the geometric mean of its factors.
    #[default]
    Energy,
    /// product over v of (p(A|v) * p(v) + bias), divided by its sum: maps are made probabilities, negative numbers
    /// cut off, sum 1.
    Probability,
}

/// ln(1 + exp(beta x)) / beta.
pub fn softplus(x: f64, beta: f64) -> f64 {
    libm::log1p(libm::exp(beta * x)) / beta
}

/// [`Form`] with its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Combine {
    /// [`Form::Energy`].
    Energy {
        /// SoftPlus(x) = ln(1 + exp(beta x)) / beta.
        beta: f64,
        /// ReLU(x) = max(x, epsilon).
        epsilon: f64,
    },
    /// [`Form::Probability`].
    Probability,
}

impl Combine {
    /// The factor of a displacement that is seen in this share of people.
    fn kernel(self, share: f64) -> f64 {
        match self {
            // 0 where nobody was seen: exp(-inf).
            Self::Energy { beta, .. } => softplus(libm::log(share), beta),
            Self::Probability => share,
        }
    }

    /// A map as evidence.
    fn evidence(self, map: &[f32], evidence: &mut [f64]) {
        let numbers = map.iter().map(|value| f64::from(*value));
        match self {
            Self::Energy { epsilon, .. } => {
                evidence.iter_mut().zip(numbers).for_each(|(to, value)| *to = value.max(epsilon));
            }
            Self::Probability => {
                evidence.iter_mut().zip(numbers).for_each(|(to, value)| *to = value.max(0.0));
                let sum: f64 = evidence.iter().sum();
                // A map without a positive number says nothing of any other joint.
                if sum > 0.0 {
                    for value in evidence {
                        *value /= sum;
                    }
                }
            }
        }
    }
}

/// A spatial model that is ready to run on maps `[h, w]`.
pub struct Messages {
    convolution: Convolution,
    combine: Combine,
    bias: f64,
    joints: usize,
    /// V: the joints, and the torso where there is one.
    evidence: usize,
    /// The spectrum of A given v at `A * V + v`; empty where v is A itself, whose kernel is the identity.
    kernels: Vec<Spectrum>,
    pixels: usize,
}

/// Buffers of one thread.
pub struct Room {
    scratch: Scratch,
    /// `[V, h, w]`.
    evidence: Vec<f64>,
    spectra: Vec<Vec<Complex<f64>>>,
    message: Vec<f64>,
    product: Vec<f64>,
}

impl Messages {
    /// Kernels `[2 h - 1, 2 w - 1]` of `joints` given each of `evidence`, at `A * V + v`, for maps `[h, w]`.
    ///
    /// # Panics
    /// When there is not one kernel per pair.
    pub fn new(
        map: [usize; 2],
        [joints, evidence]: [usize; 2],
        kernels: &[Vec<f64>],
        combine: Combine,
        bias: f64,
    ) -> Self {
        assert_eq!(kernels.len(), joints * evidence, "a kernel a pair");
        let convolution = Convolution::new(map);
        let mut scratch = convolution.scratch();
        let spectrum = |(at, kernel): (usize, &Vec<f64>)| {
            if at / evidence == at % evidence {
                return Spectrum::new();
            }
            let kernel: Vec<f64> = kernel.iter().map(|share| combine.kernel(*share)).collect();
            convolution.kernel_spectrum(&kernel, &mut scratch)
        };
        let kernels = kernels.iter().enumerate().map(spectrum).collect();
        Self { convolution, combine, bias, joints, evidence, kernels, pixels: map[0] * map[1] }
    }

    /// Buffers for one thread.
    pub fn room(&self) -> Room {
        Room {
            scratch: self.convolution.scratch(),
            evidence: vec![0.0; self.evidence * self.pixels],
            spectra: vec![Spectrum::new(); self.evidence],
            message: vec![0.0; self.pixels],
            product: vec![0.0; self.pixels],
        }
    }

    /// Writes to `out`, `[K, h, w]`, what the joints make of each other's maps; `maps` is `[K, h, w]` and `torso`
    /// `[h, w]`, where the model has it. All numbers are finite.
    ///
    /// A product of fifteen factors leaves the range of f32. In the form of energies, which has no normaliser, each
    /// map is therefore scaled such that its highest px is the geometric mean of its factors: the shape is that of
    /// the product, the height that of a map.
    pub fn pass(&self, maps: &[f32], torso: Option<&[f32]>, room: &mut Room, out: &mut [f32]) {
        let pixels = self.pixels;
        let all = maps.chunks_exact(pixels).chain(torso);
        for ((map, evidence), spectrum) in
            all.zip(room.evidence.chunks_exact_mut(pixels)).zip(&mut room.spectra)
        {
            self.combine.evidence(map, evidence);
            *spectrum = self.convolution.map_spectrum(evidence, &mut room.scratch);
        }
        for (joint, out) in out.chunks_exact_mut(pixels).enumerate() {
            let mut log_scale = 0.0;
            room.product.fill(1.0);
            for given in 0..self.evidence {
                let (message, bias) = if given == joint {
                    (&room.evidence[given * pixels..][..pixels], OWN_BIAS)
                } else {
                    let kernel = &self.kernels[joint * self.evidence + given];
                    let (spectrum, scratch) = (&room.spectra[given], &mut room.scratch);
                    self.convolution.convolve(kernel, spectrum, scratch, &mut room.message);
                    (&room.message[..], self.bias)
                };
                log_scale += multiply(&mut room.product, message, bias);
            }
            self.scale(&room.product, log_scale, out);
        }
    }

    fn scale(&self, product: &[f64], log_scale: f64, out: &mut [f32]) {
        let factor = match self.combine {
            Combine::Probability => 1.0 / product.iter().sum::<f64>(),
            Combine::Energy { .. } => {
                let peak = product.iter().fold(0.0_f64, |most, value| most.max(*value));
                libm::exp((libm::log(peak) + log_scale) / self.evidence as f64) / peak
            }
        };
        out.iter_mut().zip(product).for_each(|(to, value)| *to = (value * factor) as f32);
    }

    /// K, the joints.
    pub fn joints(&self) -> usize {
        self.joints
    }
}

/// Multiplies `message + bias` into `product`, divided by its highest number, so that no product runs out of range;
/// gives the logarithm of that number.
fn multiply(product: &mut [f64], message: &[f64], bias: f64) -> f64 {
    // A convolution of positive numbers may come out a rounding below 0.
    let most = message.iter().fold(0.0_f64, |most, value| most.max(*value)) + bias;
    for (product, value) in product.iter_mut().zip(message) {
        *product *= (value.max(0.0) + bias) / most;
    }
    libm::log(most)
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
