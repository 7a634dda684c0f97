//! From heatmaps back to keypoints in image px.
