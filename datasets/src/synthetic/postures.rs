//! Plausible postures: ranges of joint angles by what the person does.

use schemas::random::KeyedRandom;

use super::body::{Angles, Bend};

/// A range in degrees.
type Range = (f64, f64);

/// The angle ranges of one kind of posture. Angles of limbs are as in [`Bend`], in degrees.
struct Kind {
    /// What the person does, in words; becomes the activity of data sets that have one.
    name: &'static str,
    /// How often it is drawn, relative to the others.
    weight: f64,
    /// Limb angles count along the image's x for both sides, as in a person seen from the side, not outwards.
    sideways: bool,
    /// Turn about the person's own axis.
    yaw: Range,
    lean: Range,
    /// (upper, lower) of one arm and of the other; which is the right one is drawn.
    arms: [(Range, Range); 2],
    legs: [(Range, Range); 2],
}

const HANGING: (Range, Range) = ((2.0, 25.0), (-30.0, 12.0));

const KINDS: [Kind; 9] = [
    Kind {
        name: "standing",
        weight: 2.0,
        sideways: false,
        yaw: (-40.0, 40.0),
        lean: (-6.0, 6.0),
        arms: [HANGING, ((5.0, 55.0), (-115.0, 20.0))],
        legs: [((0.0, 14.0), (-8.0, 4.0)), ((0.0, 14.0), (-8.0, 4.0))],
    },
    Kind {
        name: "waving",
        weight: 1.5,
        sideways: false,
        yaw: (-35.0, 35.0),
        lean: (-10.0, 10.0),
        arms: [((70.0, 165.0), (-40.0, 100.0)), ((4.0, 60.0), (-115.0, 15.0))],
        legs: [((0.0, 18.0), (-14.0, 4.0)), ((0.0, 18.0), (-14.0, 4.0))],
    },
    Kind {
        name: "jumping jack",
        weight: 1.5,
        sideways: false,
        yaw: (-20.0, 20.0),
        lean: (-8.0, 8.0),
        arms: [((60.0, 165.0), (-30.0, 40.0)), ((60.0, 165.0), (-30.0, 40.0))],
        legs: [((12.0, 42.0), (-18.0, 4.0)), ((12.0, 42.0), (-18.0, 4.0))],
    },
    Kind {
        name: "walking",
        weight: 1.5,
        sideways: true,
        yaw: (45.0, 80.0),
        lean: (-2.0, 12.0),
        arms: [((15.0, 45.0), (0.0, 50.0)), ((-45.0, -10.0), (0.0, 35.0))],
        legs: [((-30.0, -8.0), (-45.0, -2.0)), ((8.0, 34.0), (-20.0, 0.0))],
    },
    Kind {
        name: "running",
        weight: 1.5,
        sideways: true,
        yaw: (40.0, 80.0),
        lean: (4.0, 24.0),
        arms: [((25.0, 75.0), (50.0, 115.0)), ((-80.0, -25.0), (40.0, 100.0))],
        legs: [((-45.0, -10.0), (-110.0, -30.0)), ((25.0, 80.0), (-100.0, -20.0))],
    },
    Kind {
        name: "squatting",
        weight: 1.0,
        sideways: false,
        yaw: (-25.0, 25.0),
        lean: (-12.0, 12.0),
        arms: [((20.0, 100.0), (-110.0, 30.0)), ((20.0, 100.0), (-110.0, 30.0))],
        legs: [((40.0, 82.0), (-110.0, -50.0)), ((40.0, 82.0), (-110.0, -50.0))],
    },
    Kind {
        name: "sitting",
        weight: 1.0,
        sideways: true,
        yaw: (45.0, 80.0),
        lean: (-15.0, 15.0),
        arms: [((10.0, 60.0), (10.0, 80.0)), ((-5.0, 60.0), (5.0, 95.0))],
        legs: [((70.0, 100.0), (-100.0, -60.0)), ((60.0, 95.0), (-100.0, -45.0))],
    },
    Kind {
        name: "kicking",
        weight: 1.0,
        sideways: false,
        yaw: (-35.0, 35.0),
        lean: (-25.0, 25.0),
        arms: [((30.0, 120.0), (-70.0, 50.0)), ((20.0, 110.0), (-70.0, 50.0))],
        legs: [((50.0, 105.0), (-50.0, 5.0)), ((-4.0, 16.0), (-18.0, 4.0))],
    },
    Kind {
        name: "boxing",
        weight: 1.0,
        sideways: false,
        yaw: (-45.0, 45.0),
        lean: (-14.0, 14.0),
        arms: [((20.0, 95.0), (-145.0, -70.0)), ((20.0, 80.0), (-145.0, -85.0))],
        legs: [((5.0, 28.0), (-22.0, 0.0)), ((5.0, 28.0), (-22.0, 0.0))],
    },
];

/// How often a person shows the back.
const BACKWARD_SHARE: f64 = 0.3;
/// Spread of the whole person's turn from upright, degrees (standard deviation).
const TURN_SPREAD_DEGREES: f64 = 9.0;
/// How often a person lies, falls or stands on the head instead.
const TUMBLING_SHARE: f64 = 0.06;

/// The names of all kinds of posture, in a fixed order.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// A posture of any kind.
pub fn draw(random: &mut KeyedRandom) -> Angles {
    let kind = draw_kind(random);
    draw_of_kind(kind, random)
}

/// The number of a kind of posture, as in [`names`], by the kinds' weights.
pub fn draw_kind(random: &mut KeyedRandom) -> usize {
    let total: f64 = KINDS.iter().map(|kind| kind.weight).sum();
    let mut left = random.uniform(0.0, total);
    for (number, kind) in KINDS.iter().enumerate() {
        left -= kind.weight;
        if left < 0.0 {
            return number;
        }
    }
    KINDS.len() - 1
}

/// A posture of the kind numbered `kind`.
///
/// # Panics
/// When there is no such kind.
pub fn draw_of_kind(kind: usize, random: &mut KeyedRandom) -> Angles {
    let kind = &KINDS[kind];
    let mut within = |range: Range| random.uniform(range.0, range.1).to_radians();
    let mut yaw = within(kind.yaw);
    let mut lean = within(kind.lean);
    let nod = within((-14.0, 14.0));
    let mut limb = |(upper, lower): (Range, Range)| Bend { upper: within(upper), lower: within(lower) };
    let (mut arms, mut legs) = (kind.arms.map(&mut limb), kind.legs.map(&mut limb));
    if random.happens(0.5) {
        arms.swap(0, 1);
        legs.swap(0, 1);
    }
    let backward = random.happens(BACKWARD_SHARE);
    let turn = if random.happens(TUMBLING_SHARE) {
        random.uniform(-std::f64::consts::PI, std::f64::consts::PI)
    } else {
        (TURN_SPREAD_DEGREES * random.normal()).to_radians()
    };
    let heading = if random.happens(0.5) { 1.0 } else { -1.0 };
    if kind.sideways {
        (yaw, lean) = (yaw * heading, lean * heading);
    }
    let mut angles = Angles { turn, lean, nod, arms, legs, backward, yaw };
    if kind.sideways {
        // From along x to outwards: the same turn for the side that lies towards +x, the opposite for the other.
        for side in [0, 1] {
            let sign = heading * angles.image_side(side);
            for bend in [&mut angles.arms[side], &mut angles.legs[side]] {
                *bend = Bend { upper: sign * bend.upper, lower: sign * bend.lower };
            }
        }
    }
    angles
}
