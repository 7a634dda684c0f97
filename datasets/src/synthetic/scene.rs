//! One picture: people, what is behind and in front of them, and which joints can be seen.

use schemas::Affine;
use schemas::random::KeyedRandom;
use tiny_skia::Pixmap;

use super::body::{self, Angles, Figure, LEFT, Proportions, RIGHT};
use super::dress::{Depth, Part, dress};
use super::shapes::Shape;
use super::wardrobe::Wardrobe;
use super::{backdrop, noise, postures};

/// How people are placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One to three people, whole, anywhere in a fixed frame; as in MPII.
    Wide,
    /// One person who fills a picture cut to size; as in LSP.
    Close,
    /// One or two people from the head to below the hips in a fixed frame; as in FLIC.
    Bust,
}

/// Amplitude of the background's texture, grey levels.
const TEXTURE_LEVELS: (f64, f64) = (10.0, 55.0);
/// Standard deviation of the sensor's grain, grey levels.
const GRAIN_LEVELS: (f64, f64) = (3.0, 7.0);
/// How often something stands before somebody.
const OCCLUDER_SHARE: f64 = 0.3;
/// How often a person is moved so far aside that the frame may cut limbs off.
const CUT_SHARE: f64 = 0.12;

/// How many of the people who would show the back do so in [`Framing::Bust`]: films show faces (5 % in FLIC).
const BUST_BACKWARD_SHARE: f64 = 0.17;

/// One person of a picture.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Where everything is, px of the image.
    pub figure: Figure,
    /// The posture.
    pub angles: Angles,
    /// Number of the kind of posture, as in [`postures::names`].
    pub posture: usize,
    /// Whether each joint (MPII order) is in the picture with nothing in front of it. `[16]`
    pub seen: [bool; 16],
}

impl Actor {
    /// Whether `point` lies in a picture of `size`, or at most `margin` px outside.
    pub fn within(point: [f64; 2], size: [u32; 2], margin: f64) -> bool {
        (0..2).all(|axis| point[axis] >= -0.5 - margin && point[axis] < f64::from(size[axis]) - 0.5 + margin)
    }
}

/// A picture and everything that is known about it.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Width and height, px.
    pub size: [u32; 2],
    /// RGB bytes, `[height, width, 3]`.
    pub rgb: Vec<u8>,
    /// The people, the farthest first.
    pub actors: Vec<Actor>,
}

/// A shape, and whose it is: number of the actor and part of the body.
type Layer = (Option<(usize, Part)>, Shape);

/// The scene called `name` of `seed`, at most `frame` px (width, height) large.
pub fn draw(framing: Framing, frame: [u32; 2], seed: u64, name: &str) -> Scene {
    let random = |what: &str| KeyedRandom::new(seed, what, name, 0);
    let (size, mut actors) = place(framing, frame, &mut random("synthetic people"));
    let layers = layers(&mut actors, size, &mut random("synthetic clothes"));
    let Some(mut canvas) = Pixmap::new(size[0], size[1]) else {
        return Scene { size: [0, 0], rgb: Vec::new(), actors: Vec::new() };
    };
    let mut scenery = random("synthetic backdrop");
    backdrop::paint(&mut canvas, &mut scenery);
    let mut rgb = opaque(&canvas);
    let texture = scenery.uniform(TEXTURE_LEVELS.0, TEXTURE_LEVELS.1) as f32;
    noise::add_texture(&mut rgb, size[0] as usize, texture, &mut scenery);
    for (pixel, level) in canvas.data_mut().chunks_exact_mut(4).zip(rgb.chunks_exact(3)) {
        pixel[..3].copy_from_slice(level);
    }
    for (_, shape) in &layers {
        shape.paint(&mut canvas);
    }
    let mut rgb = opaque(&canvas);
    let grain = scenery.uniform(GRAIN_LEVELS.0, GRAIN_LEVELS.1);
    noise::add_texture(&mut rgb, size[0] as usize, 0.3 * texture, &mut random("synthetic cloth"));
    noise::add_grain(&mut rgb, grain, &mut random("synthetic grain"));
    Scene { size, rgb, actors }
}

fn opaque(canvas: &Pixmap) -> Vec<u8> {
    canvas.data().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}

/// Dresses `actors`, puts things before them, and notes which joints can be seen.
fn layers(actors: &mut [Actor], size: [u32; 2], random: &mut KeyedRandom) -> Vec<Layer> {
    let mut layers: Vec<Layer> = Vec::new();
    for (number, actor) in actors.iter().enumerate() {
        let wardrobe = Wardrobe::draw(random);
        let girth = random.uniform(0.88, 1.18);
        let depth = depth(&actor.angles, random);
        let shapes = dress(&actor.figure, &wardrobe, &actor.angles, girth, depth);
        layers.extend(shapes.into_iter().map(|(part, shape)| (Some((number, part)), shape)));
    }
    if !actors.is_empty() && random.happens(OCCLUDER_SHARE) {
        let actor = &actors[random.index(actors.len())];
        let joint = [0, 1, 2, 3, 4, 5, 10, 11, 14, 15][random.index(10)];
        let reach = 0.03 * actor.figure.height;
        let at = actor.figure.joints[joint].map(|v| v + random.uniform(-reach, reach));
        layers.push((None, backdrop::occluder(at, actor.figure.height, random)));
    }
    for (number, actor) in actors.iter_mut().enumerate() {
        for (joint, point) in actor.figure.joints.iter().enumerate() {
            let front = layers.iter().rev().find(|(_, shape)| shape.outline.contains(*point));
            let own =
                matches!(front, Some((Some((owner, part)), _)) if *owner == number && part.bears(joint));
            actor.seen[joint] = own && Actor::within(*point, size, 0.0);
        }
    }
    layers
}

/// Which limbs lie behind the trunk: those of the far side when seen from the side, else by chance, more often from
/// behind, where most arms are busy before the body.
fn depth(angles: &Angles, random: &mut KeyedRandom) -> Depth {
    let back = if angles.backward { -1.0 } else { 1.0 };
    let far_sign = back * libm::copysign(1.0, angles.yaw);
    let far = if angles.image_side(LEFT) == far_sign { LEFT } else { RIGHT };
    let mut arms_behind = [false; 2];
    if libm::fabs(angles.yaw) > 0.6 {
        arms_behind[far] = true;
    } else {
        let share = if angles.backward { 0.6 } else { 0.12 };
        arms_behind = [random.happens(share), random.happens(share)];
    }
    Depth { arms_behind, far_leg: far }
}

/// The size of the picture and the people in it, the farthest first, nothing yet known of what is seen.
fn place(framing: Framing, frame: [u32; 2], random: &mut KeyedRandom) -> ([u32; 2], Vec<Actor>) {
    let [width, height] = frame.map(f64::from);
    let count = match framing {
        Framing::Wide => 1 + usize::from(random.happens(0.45)) + usize::from(random.happens(0.25)),
        Framing::Close => 1,
        Framing::Bust => 1 + usize::from(random.happens(0.2)),
    };
    let mut size = frame;
    let mut actors = Vec::with_capacity(count);
    for slot in 0..count {
        let (posture, proportions, mut angles) = somebody(random);
        if framing == Framing::Bust {
            angles.turn = (angles.turn % 0.2).clamp(-0.2, 0.2);
            angles.lean = angles.lean.clamp(-0.25, 0.25);
            angles.backward &= random.happens(BUST_BACKWARD_SHARE);
        }
        let small = body::bend(&proportions, &angles);
        let [x1, y1, x2, y2] = small.bounds();
        let middle = [f64::midpoint(x1, x2), f64::midpoint(y1, y2)];
        let (tall, target, anchor) = match framing {
            Framing::Wide => {
                let tall =
                    height * if count == 1 { random.uniform(0.5, 1.05) } else { random.uniform(0.4, 0.85) };
                let x = width * (slot as f64 + random.uniform(0.25, 0.75)) / count as f64;
                (tall, [x, height * random.uniform(0.42, 0.6)], middle)
            }
            Framing::Close => {
                let tall = width.max(height) * random.uniform(0.5, 0.64);
                let spare = [random.uniform(1.15, 1.8), random.uniform(1.12, 1.45)];
                let wanted = [(x2 - x1) * tall * spare[0], (y2 - y1) * tall * spare[1]];
                size =
                    [0, 1].map(|axis| (wanted[axis].round() as u32).clamp(frame[axis].min(96), frame[axis]));
                let room =
                    [0, 1].map(|axis| 0.5 * (f64::from(size[axis]) - wanted[axis] / spare[axis]).max(0.0));
                let shift = room.map(|room| room * random.uniform(-0.8, 0.8));
                (tall, [0, 1].map(|axis| 0.5 * f64::from(size[axis]) + shift[axis]), middle)
            }
            Framing::Bust => {
                let tall = height * random.uniform(0.75, 1.25);
                let x = width * (slot as f64 + random.uniform(0.3, 0.7)) / count as f64;
                (tall, [x, height * random.uniform(0.05, 0.22)], small.joints[body::AXIS[3]])
            }
        };
        let cut = if random.happens(CUT_SHARE) { 0.3 * tall } else { 0.0 };
        let target = target.map(|v| v + cut * random.uniform(-1.0, 1.0));
        let map = Affine::translation(target[0], target[1])
            * Affine::scale(tall)
            * Affine::translation(-anchor[0], -anchor[1]);
        actors.push(Actor { figure: small.mapped(&map), angles, posture, seen: [false; 16] });
    }
    actors.sort_by(|a, b| a.figure.height.total_cmp(&b.figure.height));
    (size, actors)
}

fn somebody(random: &mut KeyedRandom) -> (usize, Proportions, Angles) {
    let proportions = Proportions::draw(random);
    let posture = postures::draw_kind(random);
    (posture, proportions, postures::draw_of_kind(posture, random))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare(framing: Framing, frame: [u32; 2], name: &str) -> (Vec<Actor>, Vec<Layer>, Pixmap) {
        let random = |what: &str| KeyedRandom::new(11, what, name, 0);
        let (size, mut actors) = place(framing, frame, &mut random("synthetic people"));
        let layers = layers(&mut actors, size, &mut random("synthetic clothes"));
        let mut canvas = Pixmap::new(size[0], size[1]).unwrap();
        for (_, shape) in &layers {
            Shape::flat(shape.outline.clone(), shape.colour).paint(&mut canvas);
        }
        (actors, layers, canvas)
    }

    #[test]
    fn a_seen_joint_has_the_colour_of_a_part_that_bears_it() {
        let (mut seen, mut matching) = (0, 0);
        for scene in 0..40 {
            let (actors, layers, canvas) = bare(Framing::Wide, [1280, 720], &format!("colour-{scene}"));
            for (number, actor) in actors.iter().enumerate() {
                for joint in (0..16).filter(|joint| actor.seen[*joint]) {
                    let [x, y] = actor.figure.joints[joint].map(|v| v.round() as u32);
                    let pixel = canvas.pixel(x.min(1279), y.min(719)).unwrap();
                    let near = |shape: &Shape| {
                        let found = [pixel.red(), pixel.green(), pixel.blue()];
                        pixel.alpha() == 255
                            && found.iter().zip(shape.colour).all(|(a, b)| a.abs_diff(b) <= 2)
                    };
                    seen += 1;
                    matching += usize::from(layers.iter().any(|(owner, shape)| {
                        matches!(owner, Some((who, part)) if *who == number && part.bears(joint))
                            && near(shape)
                    }));
                }
            }
        }
        // A joint is rounded to a pixel here, so the few that lie on an edge may show the neighbour.
        assert!(seen > 400 && matching as f64 > 0.95 * seen as f64, "{matching} of {seen}");
    }

    #[test]
    fn every_joint_lies_inside_its_own_body() {
        for scene in 0..60 {
            for framing in [Framing::Wide, Framing::Close, Framing::Bust] {
                let (actors, layers, _) = bare(framing, [320, 240], &format!("inside-{scene}"));
                for (number, actor) in actors.iter().enumerate() {
                    for (joint, point) in actor.figure.joints.iter().enumerate() {
                        let covered = layers.iter().any(|(owner, shape)| {
                            matches!(owner, Some((who, part)) if *who == number && part.bears(joint))
                                && shape.outline.contains(*point)
                        });
                        assert!(covered, "joint {joint} of {number} in scene {scene} {framing:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn scenes_have_what_data_sets_have() {
        let scenes: Vec<Scene> =
            (0..60).map(|n| draw(Framing::Wide, [320, 180], 3, &format!("mix-{n}"))).collect();
        let actors = || scenes.iter().flat_map(|scene| scene.actors.iter().map(move |actor| (scene, actor)));
        assert!(scenes.iter().any(|scene| scene.actors.len() > 1));
        assert!(
            actors().any(|(_, actor)| actor.angles.backward) && actors().any(|(_, a)| !a.angles.backward)
        );
        let joints = || actors().flat_map(|(scene, a)| (0..16).map(move |j| (scene.size, a, j)));
        let inside = |(size, actor, joint): &([u32; 2], &Actor, usize)| {
            Actor::within(actor.figure.joints[*joint], *size, 0.0)
        };
        let count = joints().count() as f64;
        let seen = joints().filter(|(_, actor, joint)| actor.seen[*joint]).count() as f64 / count;
        let outside = joints().filter(|joint| !inside(joint)).count() as f64 / count;
        assert!(outside > 0.005 && outside < 0.2, "share of joints outside {outside}");
        assert!(seen > 0.6 && seen < 0.95, "share of joints seen {seen}");
    }

    #[test]
    fn the_same_seed_gives_the_same_pixels_and_another_does_not() {
        let draw = |seed| draw(Framing::Close, [200, 160], seed, "a").rgb;
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}
