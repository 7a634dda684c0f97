//! Figures recomputed by an independent script.
