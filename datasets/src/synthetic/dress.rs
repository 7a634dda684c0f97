//! From a figure and its clothes to shapes, back to front.

use super::body::{ARMS, AXIS, Angles, Figure, LEFT, LEGS, RIGHT};
use super::shapes::{Outline, Shape};
use super::wardrobe::{Rgb, Wardrobe, mix};

/// The part of a body that a shape belongs to. Sides as in [`RIGHT`] and [`LEFT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Chest, belly and hips.
    Trunk,
    /// Neck.
    Neck,
    /// Skull, face and hair.
    Head,
    /// Upper arm of a side.
    UpperArm(usize),
    /// Forearm and hand of a side.
    Forearm(usize),
    /// Thigh of a side.
    Thigh(usize),
    /// Shank and foot of a side.
    Shank(usize),
}

impl Part {
    /// Whether joint `joint` (MPII id) can be seen on this part.
    pub fn bears(self, joint: usize) -> bool {
        let arm = |side: usize| ARMS[side];
        let leg = |side: usize| LEGS[side];
        match self {
            Self::Trunk => {
                let [pelvis, thorax, neck, _] = AXIS;
                [pelvis, thorax, neck, arm(RIGHT)[0], arm(LEFT)[0], leg(RIGHT)[0], leg(LEFT)[0]]
                    .contains(&joint)
            }
            Self::Neck => [AXIS[1], AXIS[2]].contains(&joint),
            Self::Head => [AXIS[2], AXIS[3]].contains(&joint),
            Self::UpperArm(side) => arm(side)[..2].contains(&joint),
            Self::Forearm(side) => arm(side)[1..].contains(&joint),
            Self::Thigh(side) => leg(side)[..2].contains(&joint),
            Self::Shank(side) => leg(side)[1..].contains(&joint),
        }
    }
}

/// Which limbs are drawn behind the trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Whether the right and the left arm lie behind the trunk.
    pub arms_behind: [bool; 2],
    /// The side of the leg that is drawn first.
    pub far_leg: usize,
}

/// Radii of limbs in units of the standing height: shoulder, elbow, wrist, hand, hip, knee, ankle, neck.
const ARM_RADII: [f64; 4] = [0.029, 0.023, 0.017, 0.020];
/// See [`ARM_RADII`].
const LEG_RADII: [f64; 3] = [0.044, 0.031, 0.021];
/// See [`ARM_RADII`].
const NECK_RADIUS: f64 = 0.027;
/// Radius of a left limb's stripe relative to the limb's.
const STRIPE: f64 = 0.30;

/// Draws one person.
struct Tailor<'a> {
    figure: &'a Figure,
    wardrobe: &'a Wardrobe,
    /// Px per unit of the radii above.
    size: f64,
    shapes: Vec<(Part, Shape)>,
}

/// The shapes of `figure`, `girth` times as thick as the average, back to front.
pub fn dress(
    figure: &Figure,
    wardrobe: &Wardrobe,
    angles: &Angles,
    girth: f64,
    depth: Depth,
) -> Vec<(Part, Shape)> {
    let mut tailor = Tailor { figure, wardrobe, size: figure.height * girth, shapes: Vec::new() };
    let behind = |side: &usize| depth.arms_behind[*side];
    for side in [RIGHT, LEFT].iter().filter(|side| behind(side)) {
        tailor.arm(*side);
    }
    if !angles.backward {
        tailor.long_hair();
    }
    tailor.leg(depth.far_leg);
    tailor.leg(1 - depth.far_leg);
    tailor.neck();
    tailor.trunk(angles);
    tailor.head(angles.backward);
    if angles.backward {
        tailor.long_hair();
    }
    for side in [RIGHT, LEFT].iter().filter(|side| !behind(side)) {
        tailor.arm(*side);
    }
    tailor.shapes
}

impl Tailor<'_> {
    fn add(&mut self, part: Part, shape: Shape) {
        self.shapes.push((part, shape));
    }

    /// A limb segment from `from` to `to`; the first `covered` of its length in `garment`, the rest in skin; on
    /// the left with a stripe.
    fn segment(&mut self, part: Part, side: usize, ends: [[f64; 2]; 2], radii: [f64; 2], cloth: (Rgb, f64)) {
        let [from, to] = ends;
        let radii = radii.map(|radius| radius * self.size);
        let (garment, covered) = cloth;
        let along = |share: f64| [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
        let radius = |share: f64| radii[0] + share * (radii[1] - radii[0]);
        if covered < 1.0 {
            self.add(part, Shape::round(Outline::Capsule { from, to, radii }, self.wardrobe.skin));
        }
        if covered > 0.0 {
            let sleeve = Outline::Capsule {
                from,
                to: along(covered),
                radii: [radii[0], radius(covered)].map(|r| if covered < 1.0 { r * 1.12 } else { r }),
            };
            self.add(part, Shape::round(sleeve, Wardrobe::sided(garment, side)));
        }
        if side == LEFT {
            let stripe =
                Outline::Capsule { from: along(0.06), to: along(0.94), radii: radii.map(|r| r * STRIPE) };
            self.add(part, Shape::flat(stripe, self.wardrobe.stripe));
        }
    }

    fn arm(&mut self, side: usize) {
        let [shoulder, elbow, wrist] = ARMS[side].map(|joint| self.figure.joints[joint]);
        let (hand, skin, shirt) = (self.figure.hands[side], self.wardrobe.skin, self.wardrobe.shirt);
        let [first, second, third, palm] = ARM_RADII;
        let (upper, lower) = if self.wardrobe.long_sleeves { (1.0, 1.0) } else { (0.55, 0.0) };
        // The hand lies below the sleeve's end.
        let grip = Outline::Capsule { from: wrist, to: hand, radii: [third, palm].map(|r| r * self.size) };
        self.add(Part::Forearm(side), Shape::round(grip, skin));
        self.segment(Part::Forearm(side), side, [elbow, wrist], [second, third], (shirt, lower));
        self.segment(Part::UpperArm(side), side, [shoulder, elbow], [first, second], (shirt, upper));
    }

    fn leg(&mut self, side: usize) {
        let [hip, knee, ankle] = LEGS[side].map(|joint| self.figure.joints[joint]);
        let (toes, trousers) = (self.figure.toes[side], self.wardrobe.trousers);
        let [first, second, third] = LEG_RADII;
        let (upper, lower) = if self.wardrobe.long_trousers { (1.0, 1.0) } else { (0.7, 0.0) };
        let shoe =
            Outline::Capsule { from: ankle, to: toes, radii: [third, third * 0.75].map(|r| r * self.size) };
        let shoe_colour = Wardrobe::sided(self.wardrobe.shoes, side);
        self.add(Part::Shank(side), Shape::round(shoe, shoe_colour));
        self.segment(Part::Shank(side), side, [knee, ankle], [second, third], (trousers, lower));
        self.segment(Part::Thigh(side), side, [hip, knee], [first, second], (trousers, upper));
    }

    fn neck(&mut self) {
        let [_, thorax, neck, top] = AXIS.map(|joint| self.figure.joints[joint]);
        let to = [neck[0] + 0.25 * (top[0] - neck[0]), neck[1] + 0.25 * (top[1] - neck[1])];
        let radius = NECK_RADIUS * self.size;
        let throat = Outline::Capsule { from: thorax, to, radii: [radius; 2] };
        self.add(Part::Neck, Shape::round(throat, mix(self.wardrobe.skin, [0; 3], 0.12)));
    }

    fn trunk(&mut self, angles: &Angles) {
        let joints = &self.figure.joints;
        let [pelvis, thorax, ..] = AXIS.map(|joint| joints[joint]);
        let length = libm::hypot(thorax[0] - pelvis[0], thorax[1] - pelvis[1]);
        let up = [(thorax[0] - pelvis[0]) / length, (thorax[1] - pelvis[1]) / length];
        let across = [-up[1], up[0]];
        let half = |pair: [usize; 2]| {
            let [a, b] = pair.map(|joint| joints[joint]);
            0.5 * libm::hypot(a[0] - b[0], a[1] - b[1])
        };
        let size = self.size;
        let shoulders = (half([12, 13]) + 0.012 * size).max(0.066 * size);
        let hips = (half([2, 3]) + 0.034 * size).max(0.064 * size);
        let waist = 0.44 * (shoulders + hips);
        // A point `height` up the trunk (0 pelvis, 1 thorax) and `aside` px off its axis.
        let at = |height: f64, aside: f64| {
            let rise = height * length;
            [pelvis[0] + rise * up[0] + aside * across[0], pelvis[1] + rise * up[1] + aside * across[1]]
        };
        let both = |profile: &[(f64, f64)]| -> Outline {
            let right = profile.iter().map(|(height, aside)| at(*height, *aside));
            let left = profile.iter().rev().map(|(height, aside)| at(*height, -*aside));
            Outline::Polygon(right.chain(left).collect())
        };
        let seat = both(&[(-0.24, 0.45 * hips), (-0.12, hips), (0.0, hips), (0.22, 0.92 * hips)]);
        let chest = both(&[
            (0.08, 1.02 * hips.min(waist * 1.15)),
            (0.42, waist),
            (0.72, 0.93 * shoulders),
            (0.96, shoulders),
            (1.06, 0.86 * shoulders),
            (1.12, 0.42 * shoulders),
        ]);
        let (shirt, trousers) = (self.wardrobe.shirt, self.wardrobe.trousers);
        self.add(Part::Trunk, Shape::round(seat, trousers));
        self.add(Part::Trunk, Shape::round(chest, shirt));
        if let Some(colour) = self.wardrobe.bands {
            for height in [0.3, 0.5, 0.7] {
                let band = both(&[(height, 0.9 * waist), (height + 0.09, 0.9 * waist)]);
                self.add(Part::Trunk, Shape::flat(band, colour));
            }
        }
        if !angles.backward {
            // A row of buttons tells the front from the back.
            let aside = libm::sin(angles.yaw) * 0.5 * shoulders;
            let colour = mix(shirt, [255; 3], 0.6);
            for height in [0.3, 0.5, 0.7, 0.9] {
                let button = Outline::disc(at(height, aside), 0.006 * size);
                self.add(Part::Trunk, Shape::flat(button, colour));
            }
        }
    }

    /// A point of the head: `up` from neck (0) to top (1), `aside` in head lengths.
    fn in_head(&self, up: f64, aside: f64) -> [f64; 2] {
        let [_, _, neck, top] = AXIS.map(|joint| self.figure.joints[joint]);
        let axis = [top[0] - neck[0], top[1] - neck[1]];
        [neck[0] + up * axis[0] - aside * axis[1], neck[1] + up * axis[1] + aside * axis[0]]
    }

    fn head_length(&self) -> f64 {
        let [_, _, neck, top] = AXIS.map(|joint| self.figure.joints[joint]);
        libm::hypot(top[0] - neck[0], top[1] - neck[1])
    }

    fn long_hair(&mut self) {
        if self.wardrobe.long_hair {
            let radius = self.head_length();
            let fall = Outline::Capsule {
                from: self.in_head(0.66, 0.0),
                to: self.in_head(0.02, 0.0),
                radii: [0.43 * radius, 0.40 * radius],
            };
            self.add(Part::Head, Shape::round(fall, self.wardrobe.hair));
        }
    }

    fn head(&mut self, backward: bool) {
        let length = self.head_length();
        let (skin, hair) = (self.wardrobe.skin, self.wardrobe.hair);
        let skull = Outline::Capsule {
            from: self.in_head(0.34, 0.0),
            to: self.in_head(0.62, 0.0),
            radii: [0.30 * length, 0.40 * length],
        };
        if backward {
            let nape = Outline::disc(self.in_head(0.24, 0.0), 0.24 * length);
            self.add(Part::Head, Shape::round(nape, skin));
            self.add(Part::Head, Shape::round(skull, hair));
            return;
        }
        self.add(Part::Head, Shape::round(skull, skin));
        let crown = (0..=12).map(|step| {
            let angle = std::f64::consts::PI * f64::from(step) / 12.0;
            self.in_head(0.62 + 0.42 * libm::sin(angle), 0.42 * libm::cos(angle))
        });
        let fringe = [self.in_head(0.72, -0.30), self.in_head(0.80, 0.0), self.in_head(0.72, 0.30)];
        let cap = Outline::Polygon(crown.chain(fringe).collect());
        self.add(Part::Head, Shape::round(cap, hair));
        for eye in self.figure.eyes {
            self.add(Part::Head, Shape::flat(Outline::disc(eye, 0.075 * length), [244, 244, 240]));
            self.add(Part::Head, Shape::flat(Outline::disc(eye, 0.042 * length), [40, 34, 34]));
        }
        let nose = self.figure.nose;
        let root = self.in_head(0.54, 0.0);
        let bridge = [0.5 * (root[0] + nose[0]), 0.5 * (root[1] + nose[1])];
        let ridge = Outline::Capsule { from: bridge, to: nose, radii: [0.03 * length, 0.055 * length] };
        self.add(Part::Head, Shape::flat(ridge, mix(skin, [0; 3], 0.22)));
        let below = [nose[0] - root[0], nose[1] - root[1]];
        let mouth = [nose[0] + 0.95 * below[0], nose[1] + 0.95 * below[1]];
        let lips = Outline::disc(mouth, 0.06 * length);
        self.add(Part::Head, Shape::flat(lips, mix(skin, [170, 30, 40], 0.6)));
    }
}
