//! Readers of the files in which MPII Human Pose annotations are handed around.
