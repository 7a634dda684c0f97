//! Pictures for people: contact sheets of poses, samples and heatmaps.
