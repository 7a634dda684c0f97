//! How large a person is: their limbs compared with those of the data set.
//!
//! Every limb, divided by its usual length, is one estimate of the person's size; the median of all is taken, so that a
//! single wrong joint, which spoils two or three limbs, does not move it. No stated scale is used, so that it can be
//! checked as well.

use schemas::Skeleton;
use schemas::tables::people::{Person, Pose};

use super::spread::{Counts, Usual, median};

/// Fewest limbs with a length that make a person's size.
pub(super) const LEAST_LIMBS: usize = 3;
/// Height of a person of scale 1, px: the definition of MPII's `scale`.
pub(super) const HEIGHT_AT_SCALE_ONE: f64 = 200.0;

/// The place of joint `joint` where it is annotated and finite.
pub(super) fn place(pose: &Pose, joint: usize) -> Option<[f64; 2]> {
    pose.joint(joint).filter(|point| point.iter().all(|v| v.is_finite()))
}

/// Distance of two joints, px.
pub(super) fn distance(pose: &Pose, a: usize, b: usize) -> Option<f64> {
    let ([ax, ay], [bx, by]) = (place(pose, a)?, place(pose, b)?);
    Some(libm::hypot(ax - bx, ay - by))
}

/// Logarithm of each limb's length; `None` where an end is missing or both are one. `[limbs]`
fn logarithms(skeleton: &Skeleton, pose: &Pose) -> Vec<Option<f64>> {
    let length =
        |&(a, b): &(usize, usize)| distance(pose, a, b).filter(|length| *length > 0.0).map(libm::log);
    skeleton.limbs.iter().map(length).collect()
}

/// What the head of a person measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Head {
    /// The diagonal of the head rectangle, px; `None` where a side is not positive.
    Box(Option<f64>),
    /// From neck to head top, px.
    Segment(f64),
}

impl Head {
    /// The head of `person`: its rectangle, else the segment; `None` where neither is annotated.
    pub(super) fn of(skeleton: &Skeleton, person: &Person) -> Option<Self> {
        if let Some([x1, y1, x2, y2]) = person.head_box {
            let (width, height) = (x2 - x1, y2 - y1);
            let diagonal = libm::hypot(width, height);
            return Some(Self::Box(
                (width > 0.0 && height > 0.0 && diagonal.is_finite()).then_some(diagonal),
            ));
        }
        let (neck, top) = (skeleton.index_of("neck")?, skeleton.index_of("head_top")?);
        distance(&person.pose, neck, top).map(Self::Segment)
    }

    /// Its size, px; `None` where it has none.
    pub(super) fn length(self) -> Option<f64> {
        match self {
            Self::Box(length) => length,
            Self::Segment(length) => Some(length).filter(|length| *length > 0.0),
        }
    }
}

/// First of two readings of a data set: the usual lengths of limbs, in a person's median limb.
#[derive(Debug, Clone)]
pub(super) struct FirstReading {
    limbs: Vec<Counts>,
}

impl FirstReading {
    pub(super) fn new(skeleton: &Skeleton) -> Self {
        Self { limbs: vec![Counts::new(); skeleton.limbs.len()] }
    }

    pub(super) fn add(&mut self, skeleton: &Skeleton, person: &Person) {
        let lengths = logarithms(skeleton, &person.pose);
        let mut known: Vec<f64> = lengths.iter().flatten().copied().collect();
        if known.len() < LEAST_LIMBS {
            return;
        }
        let Some(middle) = median(&mut known) else { return };
        for (counts, length) in self.limbs.iter_mut().zip(lengths) {
            if let Some(length) = length {
                counts.add(length - middle);
            }
        }
    }

    /// The proportions, from limbs that at least `least` people have.
    pub(super) fn proportions(&self, least: u64) -> Proportions {
        Proportions { limbs: self.limbs.iter().map(|counts| counts.median(least)).collect() }
    }
}

/// Usual limb lengths as logarithms; `None` where too few people have the limb. `[limbs]`
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Proportions {
    limbs: Vec<Option<f64>>,
}

/// A person's size, and each limb's deviation from what it should be at that size, as logarithms.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Body {
    /// Logarithm of the size, in the data set's own unit of length.
    pub size: f64,
    /// `[limbs]`
    pub limbs: Vec<Option<f64>>,
}

impl Proportions {
    /// The body of `pose`; `None` where fewer than [`LEAST_LIMBS`] limbs are known.
    pub(super) fn body(&self, skeleton: &Skeleton, pose: &Pose) -> Option<Body> {
        let ratios: Vec<Option<f64>> = logarithms(skeleton, pose)
            .into_iter()
            .zip(&self.limbs)
            .map(|(length, usual)| Some(length? - (*usual)?))
            .collect();
        let mut known: Vec<f64> = ratios.iter().flatten().copied().collect();
        if known.len() < LEAST_LIMBS {
            return None;
        }
        let size = median(&mut known)?;
        Some(Body { size, limbs: ratios.into_iter().map(|ratio| Some(ratio? - size)).collect() })
    }
}

/// Second reading: how far limbs, heads and stated scales are from what the person's size says.
#[derive(Debug, Clone)]
pub(super) struct SecondReading {
    limbs: Vec<Counts>,
    head_box: Counts,
    head_segment: Counts,
    scale: Counts,
}

impl SecondReading {
    pub(super) fn new(skeleton: &Skeleton) -> Self {
        let counts = Counts::new;
        let limbs = vec![counts(); skeleton.limbs.len()];
        Self { limbs, head_box: counts(), head_segment: counts(), scale: counts() }
    }

    pub(super) fn add(&mut self, skeleton: &Skeleton, proportions: &Proportions, person: &Person) {
        let Some(body) = proportions.body(skeleton, &person.pose) else { return };
        for (counts, deviation) in self.limbs.iter_mut().zip(&body.limbs) {
            if let Some(deviation) = deviation {
                counts.add(*deviation);
            }
        }
        if let Some((head, length)) = Head::of(skeleton, person).and_then(|head| Some((head, head.length()?)))
        {
            let counts = match head {
                Head::Box(_) => &mut self.head_box,
                Head::Segment(_) => &mut self.head_segment,
            };
            counts.add(libm::log(length) - body.size);
        }
        if let Some(height) = stated_height(person) {
            self.scale.add(libm::log(height) - body.size);
        }
    }

    /// What is usual, from at least `least` people each.
    pub(super) fn build(&self, least: u64) -> Build {
        Build {
            limbs: self.limbs.iter().map(|counts| counts.usual(least)).collect(),
            head_box: self.head_box.usual(least),
            head_segment: self.head_segment.usual(least),
            scale: self.scale.usual(least),
        }
    }
}

/// The person's height as the scale states it, px; `None` where it states none that could be.
pub(super) fn stated_height(person: &Person) -> Option<f64> {
    person.scale.filter(|scale| scale.is_finite() && *scale > 0.0).map(|scale| scale * HEIGHT_AT_SCALE_ONE)
}

/// What is usual in a data set, as logarithms against the person's size; `None` where too few people show it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Build {
    /// `[limbs]`
    pub limbs: Vec<Option<Usual>>,
    /// Diagonals of head rectangles.
    pub head_box: Option<Usual>,
    /// From neck to head top.
    pub head_segment: Option<Usual>,
    /// Stated heights.
    pub scale: Option<Usual>,
}
