//! What is behind the people: rooms, open country, and clutter.

use schemas::random::KeyedRandom;
use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, PathBuilder, Pixmap, Point, Rect, Shader,
    SpreadMode, Transform,
};

use super::shapes::{Outline, Shape};
use super::wardrobe::{Rgb, from_hsv};

/// Paints a whole background on `canvas`.
pub(super) fn paint(canvas: &mut Pixmap, random: &mut KeyedRandom) {
    let (width, height) = (f64::from(canvas.width()), f64::from(canvas.height()));
    let muted = |random: &mut KeyedRandom, low: f64, high: f64| {
        let (hue, saturation) = (random.unit(), random.uniform(0.02, 0.5));
        from_hsv(hue, saturation, random.uniform(low, high))
    };
    let horizon = random.uniform(0.45, 0.85) * height;
    let far = [muted(random, 0.5, 0.95), muted(random, 0.35, 0.85)];
    let near = [muted(random, 0.3, 0.8), muted(random, 0.2, 0.7)];
    gradient(canvas, [0.0, 0.0, width, horizon], far, random.happens(0.4));
    gradient(canvas, [0.0, horizon, width, height], near, false);
    if random.happens(0.5) {
        hills(canvas, horizon, random);
    }
    for _ in 0..random.index(7) + 2 {
        let thing = thing([width, height], random);
        thing.paint(canvas);
    }
}

/// Something to stand about: a box, a ball, a beam, a leaf; so that not everything long and round is a limb.
fn thing([width, height]: [f64; 2], random: &mut KeyedRandom) -> Shape {
    let size = height * random.uniform(0.04, 0.3);
    let at = [random.uniform(0.0, width), random.uniform(0.0, height)];
    let colour = from_hsv(random.unit(), random.uniform(0.05, 0.7), random.uniform(0.15, 0.95));
    let outline = match random.index(4) {
        0 => {
            let aside = size * random.uniform(0.4, 1.6);
            Outline::rectangle([at[0] - aside, at[1] - size, at[0] + aside, at[1] + size])
        }
        1 => Outline::disc(at, size * 0.7),
        2 => {
            let angle = random.uniform(0.0, std::f64::consts::PI);
            let reach = size * random.uniform(1.0, 3.0);
            let to = [at[0] + reach * libm::cos(angle), at[1] + reach * libm::sin(angle)];
            let radius = size * random.uniform(0.06, 0.2);
            Outline::Capsule { from: at, to, radii: [radius, radius * random.uniform(0.5, 1.0)] }
        }
        _ => {
            let corners = 3 + random.index(4);
            let corner = |number: usize, random: &mut KeyedRandom| {
                let angle =
                    (number as f64 + random.uniform(0.0, 0.8)) / corners as f64 * std::f64::consts::TAU;
                let reach = size * random.uniform(0.5, 1.2);
                [at[0] + reach * libm::cos(angle), at[1] + reach * libm::sin(angle)]
            };
            Outline::Polygon((0..corners).map(|number| corner(number, random)).collect())
        }
    };
    Shape { outline, colour, round: random.happens(0.5) }
}

/// A thing before the people, at `at`, big enough to hide joints of somebody `person_height` px tall.
pub(super) fn occluder(at: [f64; 2], person_height: f64, random: &mut KeyedRandom) -> Shape {
    let colour = from_hsv(random.unit(), random.uniform(0.05, 0.7), random.uniform(0.15, 0.9));
    let size = person_height * random.uniform(0.05, 0.10);
    let outline = match random.index(3) {
        0 => {
            let aside = size * random.uniform(0.7, 2.2);
            Outline::rectangle([at[0] - aside, at[1] - size, at[0] + aside, at[1] + size])
        }
        1 => Outline::disc(at, size),
        _ => {
            let reach = person_height * random.uniform(0.2, 0.5);
            let [from, to] = [[at[0], at[1] - reach], [at[0], at[1] + reach]];
            Outline::Capsule { from, to, radii: [size * 0.6; 2] }
        }
    };
    Shape::round(outline, colour)
}

fn hills(canvas: &mut Pixmap, horizon: f64, random: &mut KeyedRandom) {
    let (width, height) = (f64::from(canvas.width()), f64::from(canvas.height()));
    for layer in 0..2 {
        let rise = height * random.uniform(0.05, 0.22);
        let colour: Rgb =
            from_hsv(random.uniform(0.2, 0.65), random.uniform(0.1, 0.5), random.uniform(0.3, 0.7));
        let steps = 12 + layer * 8;
        let ridge = (0..=steps).map(|step| {
            let x = width * f64::from(step) / f64::from(steps);
            [x, horizon - rise * random.unit()]
        });
        let mut corners: Vec<[f64; 2]> = ridge.collect();
        corners.extend([[width, horizon + 2.0], [0.0, horizon + 2.0]]);
        Shape::flat(Outline::Polygon(corners), colour).paint(canvas);
    }
}

fn gradient(canvas: &mut Pixmap, [x1, y1, x2, y2]: [f64; 4], ends: [Rgb; 2], sideways: bool) {
    let Some(rect) = Rect::from_ltrb(x1 as f32, y1 as f32, x2 as f32, y2 as f32) else { return };
    let path = PathBuilder::from_rect(rect);
    let [first, second] = ends.map(|[r, g, b]| Color::from_rgba8(r, g, b, 255));
    let stops = vec![GradientStop::new(0.0, first), GradientStop::new(1.0, second)];
    let from = Point::from_xy(x1 as f32, y1 as f32);
    let to =
        if sideways { Point::from_xy(x2 as f32, y1 as f32) } else { Point::from_xy(x1 as f32, y2 as f32) };
    let shader = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity());
    let paint = Paint { shader: shader.unwrap_or(Shader::SolidColor(first)), ..Paint::default() };
    canvas.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
}
