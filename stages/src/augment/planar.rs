//! Pixels as networks read them: planes of normalised `f32`.

/// Writes `rgb`, `[H, W, 3]` levels, to `planes`, `[3, H, W]`: (level - `mean`) / `deviation` of each channel.
///
/// Convolutional pose machines: mean 128, deviation 256. ImageNet networks: mean 123.675, 116.28, 103.53, deviation
/// 58.395, 57.12, 57.375. Stacked hourglass: mean 0, deviation 255.
///
/// # Panics
/// When `planes` is not as long as `rgb`, or `rgb` is not of whole pixels.
pub fn planar_f32(rgb: &[u8], mean: [f32; 3], deviation: [f32; 3], planes: &mut [f32]) {
    assert_eq!(rgb.len(), planes.len(), "one number for each level");
    assert!(rgb.len().is_multiple_of(3), "three levels a pixel");
    let pixels = rgb.len() / 3;
    let (red, rest) = planes.split_at_mut(pixels);
    let (green, blue) = rest.split_at_mut(pixels);
    let table = |channel: usize| -> [f32; 256] {
        std::array::from_fn(|level| (level as f32 - mean[channel]) / deviation[channel])
    };
    let (reds, greens, blues) = (table(0), table(1), table(2));
    let planes = red.iter_mut().zip(green).zip(blue);
    for (pixel, ((r, g), b)) in rgb.chunks_exact(3).zip(planes) {
        *r = reds[usize::from(pixel[0])];
        *g = greens[usize::from(pixel[1])];
        *b = blues[usize::from(pixel[2])];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_hold_the_normalised_levels() {
        let mut planes = [0.0; 6];
        planar_f32(&[0, 128, 255, 64, 1, 2], [128.0, 0.0, 255.0], [256.0, 1.0, 0.5], &mut planes);
        assert_eq!(planes, [-0.5, -0.25, 128.0, 1.0, 0.0, -506.0]);
    }
}
