//! What all protocols share when their numbers are made.

use super::roster::Attendance;
use super::truth::Truth;

/// Truth and predictions, joined.
pub(super) struct Joined<'a> {
    pub truth: &'a Truth,
    pub attendance: &'a Attendance,
    /// Numbers of the people to score, by ascending `sample_id`.
    pub people: &'a [u32],
    /// Who is not scored, who counts as wrong.
    pub notes: &'a [String],
}
