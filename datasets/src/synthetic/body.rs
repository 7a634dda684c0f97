//! The kinematic chain: proportions and joint angles in, joint places out.

use schemas::Affine;
use schemas::random::KeyedRandom;

/// Right and left of the person, as indices of two-element arrays.
pub const RIGHT: usize = 0;
/// See [`RIGHT`].
pub const LEFT: usize = 1;

/// Spread of one limb's length from person to person, as a standard deviation relative to the mean.
const LENGTH_SPREAD: f64 = 0.06;
/// The longest deviation from the mean, relative to it.
const LENGTH_LIMIT: f64 = 0.15;

/// Lengths of body segments in units of the standing height.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportions {
    /// Upper neck to head top.
    pub head: f64,
    /// Middle of the shoulders to upper neck.
    pub neck: f64,
    /// Middle of the hips to middle of the shoulders.
    pub trunk: f64,
    /// Half the distance of the shoulders, seen from the front.
    pub half_shoulders: f64,
    /// Half the distance of the hips, seen from the front.
    pub half_hips: f64,
    /// Shoulder to elbow.
    pub upper_arm: f64,
    /// Elbow to wrist.
    pub forearm: f64,
    /// Wrist to knuckles.
    pub hand: f64,
    /// Hip to knee.
    pub thigh: f64,
    /// Knee to ankle.
    pub shank: f64,
    /// Ankle to toes.
    pub foot: f64,
    /// How thick limbs and trunk are, relative to the average.
    pub girth: f64,
}

impl Proportions {
    /// The average adult, after Drillis and Contini, "Body segment parameters" (1966).
    pub const AVERAGE: Self = Self {
        head: 0.130,
        neck: 0.052,
        trunk: 0.288,
        half_shoulders: 0.120,
        half_hips: 0.065,
        upper_arm: 0.186,
        forearm: 0.146,
        hand: 0.060,
        thigh: 0.245,
        shank: 0.246,
        foot: 0.085,
        girth: 1.0,
    };

    /// Somebody: every length varies on its own about the average.
    pub fn draw(random: &mut KeyedRandom) -> Self {
        let mut vary =
            |mean: f64| mean * (1.0 + (LENGTH_SPREAD * random.normal()).clamp(-LENGTH_LIMIT, LENGTH_LIMIT));
        let average = Self::AVERAGE;
        Self {
            head: vary(average.head),
            neck: vary(average.neck),
            trunk: vary(average.trunk),
            half_shoulders: vary(average.half_shoulders),
            half_hips: vary(average.half_hips),
            upper_arm: vary(average.upper_arm),
            forearm: vary(average.forearm),
            hand: vary(average.hand),
            thigh: vary(average.thigh),
            shank: vary(average.shank),
            foot: vary(average.foot),
            girth: vary(average.girth),
        }
    }
}

/// The two angles of an arm or leg, radians, positive outwards (away from the middle of the body).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bend {
    /// Upper segment against straight down: the trunk's down for arms, the person's down for legs.
    pub upper: f64,
    /// Lower segment against the upper one.
    pub lower: f64,
}

/// All angles of a posture, and the side from which it is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Angles {
    /// The whole person against upright, radians, clockwise on screen.
    pub turn: f64,
    /// The trunk against the whole person, radians, clockwise on screen.
    pub lean: f64,
    /// The head against the trunk, radians, clockwise on screen.
    pub nod: f64,
    /// Right and left arm.
    pub arms: [Bend; 2],
    /// Right and left leg.
    pub legs: [Bend; 2],
    /// Whether the person shows the back.
    pub backward: bool,
    /// Turn about the person's own axis, radians, -pi/2 to pi/2: narrows shoulders and hips and moves the face.
    pub yaw: f64,
}

impl Angles {
    /// The direction in the image, -1 or +1 along x, in which `side` of the person lies when upright.
    pub fn image_side(&self, side: usize) -> f64 {
        if (side == LEFT) == self.backward { -1.0 } else { 1.0 }
    }
}

/// Where everything of one person is. Joints are in MPII order (`mpii16`).
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// `[16, 2]`.
    pub joints: [[f64; 2]; 16],
    /// Knuckles, right and left.
    pub hands: [[f64; 2]; 2],
    /// Toes, right and left.
    pub toes: [[f64; 2]; 2],
    /// Right and left eye; behind the head when the person shows the back.
    pub eyes: [[f64; 2]; 2],
    /// Tip of the nose; behind the head when the person shows the back.
    pub nose: [f64; 2],
    /// Length of the person standing, in the figure's unit.
    pub height: f64,
}

/// MPII ids of the joints of each arm, shoulder first: `[right, left]`.
pub const ARMS: [[usize; 3]; 2] = [[12, 11, 10], [13, 14, 15]];
/// MPII ids of the joints of each leg, hip first: `[right, left]`.
pub const LEGS: [[usize; 3]; 2] = [[2, 1, 0], [3, 4, 5]];
/// MPII ids of pelvis, thorax, upper neck and head top.
pub const AXIS: [usize; 4] = [6, 7, 8, 9];

fn add(point: [f64; 2], direction: Affine, step: [f64; 2]) -> [f64; 2] {
    let moved = direction.apply(step);
    [point[0] + moved[0], point[1] + moved[1]]
}

/// The figure of `proportions` bent by `angles`; the pelvis is at the origin and the standing height is 1.
pub fn bend(proportions: &Proportions, angles: &Angles) -> Figure {
    let p = proportions;
    let whole = Affine::rotation(angles.turn);
    let trunk = whole * Affine::rotation(angles.lean);
    let head = trunk * Affine::rotation(angles.nod);
    let breadth = 1.0 - libm::fabs(libm::sin(angles.yaw)) * 0.65;
    let mut joints = [[0.0; 2]; 16];
    let (mut hands, mut toes, mut eyes) = ([[0.0; 2]; 2], [[0.0; 2]; 2], [[0.0; 2]; 2]);

    let thorax = add([0.0, 0.0], trunk, [0.0, -p.trunk]);
    let neck = add(thorax, trunk, [0.0, -p.neck]);
    joints[AXIS[1]] = thorax;
    joints[AXIS[2]] = neck;
    joints[AXIS[3]] = add(neck, head, [0.0, -p.head]);

    // A face looks where the yaw turns it; from behind the same yaw shows mirrored.
    let gaze = libm::sin(angles.yaw) * 0.22 * p.head;
    for side in [RIGHT, LEFT] {
        let sign = angles.image_side(side);
        let outwards = |frame: Affine, angle: f64| frame * Affine::rotation(-sign * angle);

        let [shoulder, elbow, wrist] = ARMS[side];
        let (upper, lower) = (angles.arms[side].upper, angles.arms[side].upper + angles.arms[side].lower);
        joints[shoulder] = add(thorax, trunk, [sign * p.half_shoulders * breadth, 0.0]);
        joints[elbow] = add(joints[shoulder], outwards(trunk, upper), [0.0, p.upper_arm]);
        joints[wrist] = add(joints[elbow], outwards(trunk, lower), [0.0, p.forearm]);
        hands[side] = add(joints[wrist], outwards(trunk, lower), [0.0, p.hand]);

        let [hip, knee, ankle] = LEGS[side];
        let (upper, lower) = (angles.legs[side].upper, angles.legs[side].upper + angles.legs[side].lower);
        joints[hip] = add([0.0, 0.0], whole, [sign * p.half_hips * breadth, 0.0]);
        joints[knee] = add(joints[hip], outwards(whole, upper), [0.0, p.thigh]);
        joints[ankle] = add(joints[knee], outwards(whole, lower), [0.0, p.shank]);
        let toward = if libm::fabs(angles.yaw) > 0.6 { libm::copysign(1.0, angles.yaw) } else { sign * 0.55 };
        toes[side] = add(joints[ankle], outwards(whole, lower), [toward * p.foot, 0.35 * p.foot]);

        eyes[side] = add(neck, head, [gaze + sign * 0.17 * p.head * breadth, -0.52 * p.head]);
    }
    let nose = add(neck, head, [1.35 * gaze, -0.38 * p.head]);
    Figure { joints, hands, toes, eyes, nose, height: 1.0 }
}

impl Figure {
    /// The figure under `map`, which must keep angles (a similarity).
    #[must_use]
    pub fn mapped(&self, map: &Affine) -> Self {
        Self {
            joints: self.joints.map(|point| map.apply(point)),
            hands: self.hands.map(|point| map.apply(point)),
            toes: self.toes.map(|point| map.apply(point)),
            eyes: self.eyes.map(|point| map.apply(point)),
            nose: map.apply(self.nose),
            height: self.height * map.magnification(),
        }
    }

    /// The smallest rectangle `[x1, y1, x2, y2]` about all joints, hands and toes.
    pub fn bounds(&self) -> [f64; 4] {
        let points = || self.joints.iter().chain(&self.hands).chain(&self.toes);
        let fold = |axis: usize, pick: fn(f64, f64) -> f64| {
            points().map(|point| point[axis]).reduce(pick).unwrap_or_default()
        };
        [fold(0, f64::min), fold(1, f64::min), fold(0, f64::max), fold(1, f64::max)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::postures;
    use proptest::prelude::*;

    fn length(figure: &Figure, a: usize, b: usize) -> f64 {
        let (a, b) = (figure.joints[a], figure.joints[b]);
        libm::hypot(a[0] - b[0], a[1] - b[1])
    }

    proptest! {
        #[test]
        fn no_posture_stretches_a_limb(seed in any::<u64>(), height in 20.0..900.0f64, dx in -500.0..500.0f64) {
            let mut random = KeyedRandom::new(seed, "body", "test", 0);
            let p = Proportions::draw(&mut random);
            let angles = postures::draw(&mut random);
            let map = Affine::translation(dx, 3.0) * Affine::scale(height);
            let figure = bend(&p, &angles).mapped(&map);
            let near = |a: f64, b: f64| (a - b * height).abs() < 1e-9 * height;
            for side in [RIGHT, LEFT] {
                let ([shoulder, elbow, wrist], [hip, knee, ankle]) = (ARMS[side], LEGS[side]);
                prop_assert!(near(length(&figure, shoulder, elbow), p.upper_arm));
                prop_assert!(near(length(&figure, elbow, wrist), p.forearm));
                prop_assert!(near(length(&figure, hip, knee), p.thigh));
                prop_assert!(near(length(&figure, knee, ankle), p.shank));
            }
            prop_assert!(near(length(&figure, 6, 7), p.trunk));
            prop_assert!(near(length(&figure, 7, 8), p.neck));
            prop_assert!(near(length(&figure, 8, 9), p.head));
            prop_assert!(near(length(&figure, 2, 6), 0.5 * length(&figure, 2, 3) / height));
            prop_assert!((figure.height - height).abs() < 1e-9 * height);
        }

        #[test]
        fn a_person_from_behind_has_left_on_the_left(seed in any::<u64>()) {
            let mut random = KeyedRandom::new(seed, "body", "test", 1);
            let (p, mut angles) = (Proportions::draw(&mut random), postures::draw(&mut random));
            (angles.turn, angles.lean) = (0.0, 0.0);
            for backward in [false, true] {
                angles.backward = backward;
                let figure = bend(&p, &angles);
                prop_assert_eq!(figure.joints[13][0] < figure.joints[12][0], backward);
                prop_assert_eq!(figure.joints[3][0] < figure.joints[2][0], backward);
            }
        }
    }

    #[test]
    fn a_person_who_stands_is_as_tall_as_the_sum_of_the_parts() {
        let stand = Bend::default();
        let angles = Angles {
            turn: 0.0,
            lean: 0.0,
            nod: 0.0,
            arms: [stand; 2],
            legs: [stand; 2],
            backward: false,
            yaw: 0.0,
        };
        let figure = bend(&Proportions::AVERAGE, &angles);
        let tall = figure.joints[0][1] - figure.joints[9][1];
        assert!((tall - (0.130 + 0.052 + 0.288 + 0.245 + 0.246)).abs() < 1e-12, "{tall}");
    }
}
