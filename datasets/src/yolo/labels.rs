//! The lines of a label file: `class x y width height`, then x, y and maybe visibility of each joint.

use schemas::Visibility;
use schemas::tables::people::Pose;

/// One person.
pub(super) struct Label {
    pub class: u32,
    /// `[x, y, width, height]` of the box, px.
    pub box_xywh_px: [f64; 4],
    pub pose: Pose,
}

/// The persons of `text`, each with the number of its line, from 1, or why a line is none.
///
/// Where a joint has two numbers only, it is annotated unless one of them is below 0, as in `ultralytics`
/// (recalled from its code; its documentation does not say).
pub(super) fn labels(
    text: &str,
    joints: usize,
    dimensions: usize,
    size: [u32; 2],
) -> impl Iterator<Item = (usize, Result<Label, String>)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(move |(at, line)| (at + 1, label(line, joints, dimensions, size.map(f64::from))))
}

fn label(line: &str, joints: usize, dimensions: usize, [width, height]: [f64; 2]) -> Result<Label, String> {
    let number = |word: &str| match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(format!("`{word}` is not a finite number")),
    };
    let numbers = line.split_whitespace().map(number).collect::<Result<Vec<f64>, _>>()?;
    let expected = 5 + joints * dimensions;
    if numbers.len() != expected {
        return Err(format!(
            "{} numbers; there must be {expected}: class, box, {dimensions} for each of {joints} joints",
            numbers.len()
        ));
    }
    let [class, x, y, w, h] = numbers[..5] else { unreachable!("counted above") };
    if class.fract() != 0.0 || class < 0.0 {
        return Err(format!("class {class}; it must be a whole number"));
    }
    let mut pose = Pose::unknown(joints);
    for (joint, point) in numbers[5..].chunks_exact(dimensions).enumerate() {
        let is_below = point[0] < 0.0 || point[1] < 0.0;
        let visibility = match point.get(2).copied().unwrap_or(if is_below { 0.0 } else { 2.0 }) {
            0.0 => Visibility::NotAnnotated,
            1.0 => Visibility::Occluded,
            2.0 => Visibility::Visible,
            other => return Err(format!("visibility {other} of joint {joint}; it must be 0, 1 or 2")),
        };
        pose.set(joint, [point[0] * width, point[1] * height], visibility);
    }
    let corner = [(x - w / 2.0) * width, (y - h / 2.0) * height];
    Ok(Label { class: class as u32, box_xywh_px: [corner[0], corner[1], w * width, h * height], pose })
}
