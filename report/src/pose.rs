//! Skeletons drawn over a picture.

use image::RgbImage;
use schemas::tables::people::Pose;
use schemas::{Affine, Skeleton, Visibility};
use tiny_skia::{Color, FillRule, LineCap, Paint, PathBuilder, Pixmap, Stroke, Transform};

use super::palette::{self, Rgb};
use super::picture;

/// How heavy lines and dots are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    /// Coloured by side, dots at joints: filled where seen, rings where hidden.
    Bold,
    /// Thin white lines, no dots.
    Thin,
}

/// The pose of predicted `keypoints`, px; joints without a place are unknown.
pub(crate) fn predicted(keypoints: &[[f64; 2]]) -> Pose {
    let mut pose = Pose::unknown(keypoints.len());
    for (joint, point) in keypoints.iter().enumerate() {
        if point.iter().all(|v| v.is_finite()) {
            pose.set(joint, *point, Visibility::Visible);
        }
    }
    pose
}

/// Width of a limb relative to the tile's side.
const LIMB: f32 = 0.011;
/// Radius of a joint relative to the tile's side.
const DOT: f32 = 0.0145;

/// Draws `pose` over `tile`. Joints that are not annotated, not finite or far outside are left out, and their limbs
/// with them.
pub(crate) fn draw(
    tile: &mut RgbImage,
    skeleton: &Skeleton,
    pose: &Pose,
    tile_from_pose: &Affine,
    style: Style,
) {
    let side = tile.width().max(tile.height()) as f32;
    let reach = 4.0 * side;
    let place = |joint: usize| {
        let [x, y] = tile_from_pose.apply(pose.joint(joint)?);
        // The rasteriser's pixel centres lie at halves.
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        (x.abs() < reach && y.abs() < reach).then_some((x, y))
    };
    let lines = || skeleton.limbs.iter().filter_map(|limb| Some((*limb, place(limb.0)?, place(limb.1)?)));
    let width = side * LIMB * if matches!(style, Style::Thin) { 0.5 } else { 1.0 };
    picture::on_canvas(tile, |canvas| {
        for (limb, from, to) in lines() {
            line(canvas, from, to, width + (side / 100.0).max(1.6), palette::HALO, 150);
            if matches!(style, Style::Thin) {
                line(canvas, from, to, width, palette::TRUTH, 255);
            } else {
                line(canvas, from, to, width, palette::of_limb(skeleton, limb), 255);
            }
        }
        if matches!(style, Style::Bold) {
            for joint in 0..skeleton.len() {
                let Some(at) = place(joint) else { continue };
                let (radius, rim) = (side * DOT, (side / 200.0).max(1.0));
                disc(canvas, at, radius + rim, palette::HALO);
                disc(canvas, at, radius, palette::of_joint(skeleton, joint));
                if pose.visibility[joint] == Visibility::Occluded {
                    disc(canvas, at, radius * 0.6, palette::HALO);
                }
            }
        }
    });
}

fn paint_of([r, g, b]: Rgb, alpha: u8) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(Color::from_rgba8(r, g, b, alpha));
    paint
}

fn line(canvas: &mut Pixmap, from: (f32, f32), to: (f32, f32), width: f32, colour: Rgb, alpha: u8) {
    let mut builder = PathBuilder::new();
    builder.move_to(from.0, from.1);
    builder.line_to(to.0, to.1);
    let stroke = Stroke { width, line_cap: LineCap::Round, ..Stroke::default() };
    if let Some(path) = builder.finish() {
        canvas.stroke_path(&path, &paint_of(colour, alpha), &stroke, Transform::identity(), None);
    }
}

/// A filled disc about `at`, px.
pub(crate) fn disc(canvas: &mut Pixmap, at: (f32, f32), radius: f32, colour: Rgb) {
    if let Some(path) = PathBuilder::from_circle(at.0, at.1, radius) {
        canvas.fill_path(&path, &paint_of(colour, 255), FillRule::Winding, Transform::identity(), None);
    }
}

/// A circle about `at` drawn with a line `width` px wide.
pub(crate) fn ring(canvas: &mut Pixmap, at: (f32, f32), radius: f32, width: f32, colour: Rgb) {
    if let Some(path) = PathBuilder::from_circle(at.0, at.1, radius) {
        let stroke = Stroke { width, ..Stroke::default() };
        canvas.stroke_path(&path, &paint_of(colour, 255), &stroke, Transform::identity(), None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::skeleton::LSP14;

    #[test]
    fn dots_are_filled_where_seen_and_rings_where_hidden() {
        let mut pose = Pose::unknown(14);
        pose.set(9, [160.0, 160.0], Visibility::Visible);
        pose.set(6, [640.0, 160.0], Visibility::Occluded);
        pose.set(12, [f64::NAN, 1e12], Visibility::Visible);
        let mut tile = RgbImage::new(800, 800);
        draw(&mut tile, &LSP14, &pose, &Affine::IDENTITY, Style::Bold);
        assert_eq!(tile.get_pixel(160, 160).0, palette::LEFT);
        assert_eq!(tile.get_pixel(640, 160).0, palette::HALO);
        let inked = |colour: Rgb| tile.pixels().filter(|pixel| pixel.0 == colour).count();
        assert!(inked(palette::LEFT) > 200 && inked(palette::RIGHT) > 100 && inked(palette::CENTRE) == 0);
    }

    #[test]
    fn nothing_annotated_leaves_the_tile_as_it_was() {
        let mut tile = RgbImage::from_pixel(20, 10, image::Rgb([7, 8, 9]));
        draw(&mut tile, &LSP14, &Pose::unknown(14), &Affine::IDENTITY, Style::Bold);
        assert!(tile.pixels().all(|pixel| pixel.0 == [7, 8, 9]));
    }
}
