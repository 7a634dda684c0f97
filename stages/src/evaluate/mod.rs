//! Scores by named protocol: PCKh, PCK, PCP, presence of joints.
