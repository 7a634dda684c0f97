//! Average precision and recall by object keypoint similarity: COCO's keypoint evaluation and `CrowdPose`'s.
//!
//! All detections of a picture are compared with all its people, so that false people count, not only missed ones.
//! [`pictures`] keeps the truth by picture, [`scorer`] takes predictions as they come, [`similarity`] compares,
//! [`matching`] says who was found, [`outcome`] puts the detections of all pictures in the order of their scores,
//! [`average`] turns these into precision and recall, [`cells`] says which numbers there are, and [`comparable`] whether
//! they may stand beside published ones.
//!
//! Numbers of `coco-oks` are those of `pycocotools` 2.0.11 (`COCOeval`, `iouType='keypoints'`) to the last bit, times 100.
//! Its habits are kept:
//! - Thresholds are 0.5, 0.55, .. 0.95; a detection takes the person most like it who is not taken yet, in the order of
//!   scores, equal scores in the order of rows. Across pictures equal scores go by the number of the image.
//! - At most [`MOST_DETECTIONS`] of a picture count, those with the highest scores.
//! - Crowds and people without joints are neither found nor missed, and what is detected on them is not false; detections
//!   are compared with twice their box.
//! - A joint that was not predicted stands at (0, 0), also where the size of a detection is measured.
//! - A detection that fits nobody is not false in a range of sizes if the box about its joints is outside that range.
//! - Precision is the mean over 101 recalls from 0 to 1, of the highest precision at that recall or a higher one.
//! - Whoever finds the annotation number 0 counts as false; a note says so, as it is hardly ever wanted.
//!
//! Where `pycocotools` prints -1, for nobody is of that size, there is no row.
//!
//! `crowdpose` is the evaluation of `CrowdPose`'s fork (`crowdposetools`, `cocoeval.py`): the area of a person is
//! 0.53 times that of the box, there are no ranges of sizes, and pictures whose `crowdIndex` is below 0.2 are easy, from 0.8
//! on hard. The fork rounds its averages of easy, medium and hard pictures to four digits; here they are not rounded. `xtcocotools` (`mmpose`) differs in one
//! thing: it leaves out detections whose joints all have the score 0.
//!
//! Beyond both: the ten thresholds apart, ranges by the number of annotated joints (one of the properties by which Ronchi
//! and Perona, Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation, ICCV 2017, break average precision
//! down; the borders 5, 10 and 15 are recalled), the data sets apart, and for each joint its keypoint similarity `ks` (the
//! term of the similarity before it is averaged; theirs too) over the people who are found at 0.5, with the share that is at
//! least [`GOOD`]. Intervals are by resampling pictures.

mod average;
mod cells;
mod comparable;
mod matching;
mod outcome;
mod pictures;
mod scorer;
mod sigmas;
mod similarity;
mod sum;
mod table;
#[cfg(test)]
mod tests;

pub(super) use pictures::Pictures;
pub(super) use scorer::Scorer;
pub(super) use sigmas::sigmas_of;
pub use sigmas::{Sigma, SigmaError, Sigmas};
pub(super) use table::format_oks;
pub use table::{Headline, headlines};

/// Most detections of a picture that count (`maxDets` of the reference evaluator).
pub const MOST_DETECTIONS: usize = 20;

/// Similarity from which a joint is good: below, Ronchi and Perona call the error a jitter, below 0.5 a miss
/// (`jitterKsThrs` of their `coco-analyze`).
pub const GOOD: f64 = 0.85;

/// Thresholds of similarity.
pub const THRESHOLDS: usize = 10;

/// The thresholds 0.5, 0.55, .. 0.95 with the bits of `numpy.linspace`.
pub(super) fn thresholds() -> [f64; THRESHOLDS] {
    let step = (0.95 - 0.5) / (THRESHOLDS - 1) as f64;
    let mut all = [0.0; THRESHOLDS];
    for (at, threshold) in all.iter_mut().enumerate() {
        *threshold = at as f64 * step + 0.5;
    }
    all[THRESHOLDS - 1] = 0.95;
    all
}

/// Whose evaluation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// COCO's.
    Coco,
    /// `CrowdPose`'s.
    CrowdPose,
}
