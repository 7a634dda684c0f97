//! Reader of LSP: `joints.mat`, 3 x 14 x 2000.
