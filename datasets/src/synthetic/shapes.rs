//! The few outlines that everything is drawn with, each of which knows what it covers.

use tiny_skia::{
    Color, FillRule, GradientStop, LinearGradient, Paint, Path, PathBuilder, Pixmap, Point, SpreadMode,
    Stroke, Transform,
};

use super::wardrobe::{Rgb, mix};

/// Corners that stand for half a circle.
const ARC_STEPS: usize = 20;
/// How much light and shade differ from the middle tone of a shaded shape.
const SHADE: f64 = 0.20;
/// Where the light comes from: a unit vector in the image, from above left.
const LIGHT: [f64; 2] = [-0.6, -0.8];

/// An outline in px of the image, pixel centres at integers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// Two circles and all between them: centre and radius of each.
    Capsule {
        /// Centre of the first circle.
        from: [f64; 2],
        /// Centre of the second circle.
        to: [f64; 2],
        /// Radii of both, px.
        radii: [f64; 2],
    },
    /// A closed polygon.
    Polygon(Vec<[f64; 2]>),
}

impl Outline {
    /// A disc.
    pub fn disc(center: [f64; 2], radius: f64) -> Self {
        Self::Capsule { from: center, to: center, radii: [radius; 2] }
    }

    /// An axis-parallel rectangle `[x1, y1, x2, y2]`.
    pub fn rectangle([x1, y1, x2, y2]: [f64; 4]) -> Self {
        Self::Polygon(vec![[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    }

    /// Whether `point` lies inside.
    pub fn contains(&self, point: [f64; 2]) -> bool {
        match self {
            Self::Capsule { from, to, radii } => {
                let axis = [to[0] - from[0], to[1] - from[1]];
                let squared = axis[0] * axis[0] + axis[1] * axis[1];
                let along = (point[0] - from[0]) * axis[0] + (point[1] - from[1]) * axis[1];
                let share = if squared > 0.0 { (along / squared).clamp(0.0, 1.0) } else { 0.0 };
                let nearest = [from[0] + share * axis[0], from[1] + share * axis[1]];
                let radius = radii[0] + share * (radii[1] - radii[0]);
                libm::hypot(point[0] - nearest[0], point[1] - nearest[1]) <= radius
            }
            Self::Polygon(corners) => {
                let mut inside = false;
                for (at, a) in corners.iter().enumerate() {
                    let b = corners[(at + 1) % corners.len()];
                    let crosses = (a[1] > point[1]) != (b[1] > point[1]);
                    if crosses && point[0] < a[0] + (point[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) {
                        inside = !inside;
                    }
                }
                inside
            }
        }
    }

    /// Corners of the outline.
    fn corners(&self) -> Vec<[f64; 2]> {
        match self {
            Self::Polygon(corners) => corners.clone(),
            Self::Capsule { from, to, radii } => {
                let ahead = libm::atan2(to[1] - from[1], to[0] - from[0]);
                let half = std::f64::consts::FRAC_PI_2;
                let arc = |center: &[f64; 2], radius: f64, start: f64| {
                    let center = *center;
                    (0..=ARC_STEPS).map(move |step| {
                        let angle = start + std::f64::consts::PI * step as f64 / ARC_STEPS as f64;
                        [center[0] + radius * libm::cos(angle), center[1] + radius * libm::sin(angle)]
                    })
                };
                arc(to, radii[1], ahead - half).chain(arc(from, radii[0], ahead + half)).collect()
            }
        }
    }

    fn path(&self) -> Option<Path> {
        let mut builder = PathBuilder::new();
        for (at, [x, y]) in self.corners().into_iter().enumerate() {
            // The rasteriser's pixel centres lie at halves.
            let (x, y) = ((x + 0.5) as f32, (y + 0.5) as f32);
            if at == 0 { builder.move_to(x, y) } else { builder.line_to(x, y) }
        }
        builder.close();
        builder.finish()
    }

    /// Both ends of the way from the lit edge to the shaded one.
    fn light_ends(&self) -> [[f64; 2]; 2] {
        let corners = self.corners();
        let (mut center, count) = ([0.0; 2], corners.len().max(1) as f64);
        for corner in &corners {
            center = [center[0] + corner[0] / count, center[1] + corner[1] / count];
        }
        let across = match self {
            Self::Capsule { from, to, .. } if from != to => {
                let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
                let length = libm::hypot(dx, dy);
                let normal = [-dy / length, dx / length];
                let lit = normal[0] * LIGHT[0] + normal[1] * LIGHT[1];
                normal.map(|v| v * libm::copysign(1.0, lit))
            }
            _ => LIGHT,
        };
        let reach = corners
            .iter()
            .map(|c| libm::fabs((c[0] - center[0]) * across[0] + (c[1] - center[1]) * across[1]))
            .fold(0.0, f64::max);
        [1.0, -1.0].map(|way| [center[0] + way * reach * across[0], center[1] + way * reach * across[1]])
    }
}

/// An outline with its colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What it covers.
    pub outline: Outline,
    /// Its middle tone.
    pub colour: Rgb,
    /// Whether it is round: lit from one side, shaded on the other, with a darker edge.
    pub round: bool,
}

impl Shape {
    /// A flat shape.
    pub fn flat(outline: Outline, colour: Rgb) -> Self {
        Self { outline, colour, round: false }
    }

    /// A round shape.
    pub fn round(outline: Outline, colour: Rgb) -> Self {
        Self { outline, colour, round: true }
    }

    /// Paints the shape over `canvas`. A shape without area leaves it as it is.
    pub fn paint(&self, canvas: &mut Pixmap) {
        let Some(path) = self.outline.path() else { return };
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color(colour(self.colour));
        if self.round {
            let [lit, dark] = self.outline.light_ends().map(|[x, y]| Point::from_xy(x as f32, y as f32));
            let stops = vec![
                GradientStop::new(0.0, colour(mix(self.colour, [255; 3], SHADE))),
                GradientStop::new(0.45, colour(self.colour)),
                GradientStop::new(1.0, colour(mix(self.colour, [0; 3], 1.5 * SHADE))),
            ];
            let shader = LinearGradient::new(lit, dark, stops, SpreadMode::Pad, Transform::identity());
            paint.shader = shader.unwrap_or(paint.shader);
        }
        canvas.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        if self.round {
            let mut edge = Paint { anti_alias: true, ..Paint::default() };
            let [r, g, b] = mix(self.colour, [0; 3], 0.55);
            edge.set_color_rgba8(r, g, b, 110);
            let stroke = Stroke { width: canvas.height() as f32 / 600.0, ..Stroke::default() };
            canvas.stroke_path(&path, &edge, &stroke, Transform::identity(), None);
        }
    }
}

fn colour([r, g, b]: Rgb) -> Color {
    Color::from_rgba8(r, g, b, 255)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_painted_is_what_is_contained(
            ax in 8.0..40.0f64, ay in 8.0..40.0f64, bx in 8.0..40.0f64, by in 8.0..40.0f64,
            first in 3.0..8.0f64, change in -0.3..0.3f64,
        ) {
            let second = first * (1.0 + change);
            // Where one circle holds most of the other, the outline is no longer two arcs.
            prop_assume!(libm::hypot(bx - ax, by - ay) > first.max(second));
            let outline = Outline::Capsule { from: [ax, ay], to: [bx, by], radii: [first, second] };
            let mut canvas = Pixmap::new(48, 48).unwrap();
            Shape::flat(outline.clone(), [255, 0, 0]).paint(&mut canvas);
            for (at, pixel) in canvas.pixels().iter().enumerate() {
                let point = [(at % 48) as f64, (at / 48) as f64];
                let ring = |by: f64| outline.grown(by).contains(point);
                prop_assert!(!ring(-1.5) || pixel.alpha() == 255, "hole at {point:?}");
                prop_assert!(ring(1.5) || pixel.alpha() == 0, "spill at {point:?}");
            }
        }
    }

    impl Outline {
        fn grown(&self, by: f64) -> Self {
            match self.clone() {
                Self::Capsule { from, to, radii } => Self::Capsule { from, to, radii: radii.map(|r| r + by) },
                polygon @ Self::Polygon(_) => polygon,
            }
        }
    }

    #[test]
    fn a_polygon_contains_its_inside() {
        let square = Outline::rectangle([1.0, 2.0, 5.0, 6.0]);
        assert!(square.contains([3.0, 4.0]) && !square.contains([0.5, 4.0]) && !square.contains([3.0, 7.0]));
    }

    #[test]
    fn a_shape_without_area_paints_nothing() {
        let mut canvas = Pixmap::new(8, 8).unwrap();
        Shape::round(Outline::Polygon(vec![]), [1, 2, 3]).paint(&mut canvas);
        Shape::round(Outline::disc([f64::NAN, 2.0], 3.0), [1, 2, 3]).paint(&mut canvas);
        assert!(canvas.data().iter().all(|level| *level == 0));
    }
}
