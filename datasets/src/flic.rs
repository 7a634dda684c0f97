//! Reader of FLIC: `examples.mat`.
