//! Geometry is composed first (crop, scale, rotate, shift, flip, colour) and sampled once (warp).
