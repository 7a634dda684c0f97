//! Published figures on real data.
