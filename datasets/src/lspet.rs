//! Reader of LSP extended training: `joints.mat`, 14 x 3 x 10000.
