//! Log-likelihood ratios of frames: a client's mixture against the background model.

use rayon::prelude::*;

use super::blocks::Block;
use super::density::Densities;
use super::gaussians::Gaussians;
use super::responsibilities::Responsibilities;

/// The background model, made ready to be compared with.
#[derive(Debug)]
pub struct Background {
    densities: Densities,
    /// How many components count for each frame: 0 for all, else the likeliest ones of the background model,
    /// for clients too (Reynolds, Quatieri, Dunn 2000).
    best: usize,
}

/// What the background model says of the frames of a block.
#[derive(Debug, Default)]
pub struct Baseline {
    /// log p(x), `[n]`.
    log_likelihoods: Vec<f64>,
    /// The components that count, and where those of each frame end; empty for all.
    best: Vec<u32>,
    ends: Vec<usize>,
}

impl Background {
    /// `gaussians`, of which `best` components count for each frame; 0 for all.
    pub fn new(gaussians: &Gaussians, best: usize) -> Self {
        let densities = Densities::new(gaussians);
        Self { best: if best < densities.components() { best } else { 0 }, densities }
    }

    /// What it says of each block.
    pub fn baselines(&self, blocks: &[Block<'_>]) -> Vec<Baseline> {
        blocks
            .par_iter()
            .with_max_len(1)
            .map_init(Responsibilities::default, |near, block| self.of_block(near, block))
            .collect()
    }

    fn of_block(&self, near: &mut Responsibilities, block: &Block<'_>) -> Baseline {
        let mut baseline = Baseline::default();
        near.for_each_slab(&self.densities, block, |_, frames, near| {
            if self.best == 0 {
                baseline.log_likelihoods.extend_from_slice(&near.log_likelihoods);
                return;
            }
            let dimensions = self.densities.dimensions();
            near.for_each_frame(|row, entries| {
                let mut entries: Vec<(u32, f64)> = entries.collect();
                entries.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
                entries.truncate(self.best);
                let first = baseline.best.len();
                baseline.best.extend(entries.iter().map(|(index, _)| self.densities.component(*index)));
                baseline.ends.push(baseline.best.len());
                let frame = &frames[row * dimensions..(row + 1) * dimensions];
                baseline.log_likelihoods.push(self.densities.log_likelihood(frame, &baseline.best[first..]));
            });
        });
        baseline
    }

    /// log p(x | client) - log p(x | background) of each frame of each block.
    pub fn ratios(&self, client: &Gaussians, blocks: &[Block<'_>], baselines: &[Baseline]) -> Vec<Vec<f64>> {
        let densities = Densities::new(client);
        let pairs = blocks.par_iter().zip(baselines).with_max_len(1);
        pairs
            .map_init(Responsibilities::default, |near, (block, baseline)| {
                let mut ratios = Vec::with_capacity(baseline.log_likelihoods.len());
                if self.best == 0 {
                    near.for_each_slab(&densities, block, |first, _, near| {
                        let below = &baseline.log_likelihoods[first..];
                        ratios.extend(
                            near.log_likelihoods.iter().zip(below).map(|(client, below)| client - below),
                        );
                    });
                    return ratios;
                }
                let frames = block.numbers.chunks_exact(densities.dimensions());
                let mut first = 0;
                for ((frame, end), below) in frames.zip(&baseline.ends).zip(&baseline.log_likelihoods) {
                    ratios.push(densities.log_likelihood(frame, &baseline.best[first..*end]) - below);
                    first = *end;
                }
                ratios
            })
            .collect()
    }
}
