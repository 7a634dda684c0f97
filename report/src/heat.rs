//! Heatmaps laid over a picture.

use image::RgbImage;
use schemas::Affine;

/// Dark to bright by way of hue; every step brighter than the last, in grey as well. After matplotlib's `inferno`.
const RAMP: [[f32; 3]; 6] = [
    [0.0, 0.0, 4.0],
    [66.0, 10.0, 104.0],
    [147.0, 38.0, 103.0],
    [221.0, 81.0, 58.0],
    [252.0, 165.0, 10.0],
    [252.0, 255.0, 164.0],
];
/// How much of the picture shines through where a map is at its peak.
const PICTURE_AT_PEAK: f32 = 0.15;
/// How bright the picture is where all maps are zero.
const PICTURE_AT_ZERO: f32 = 0.55;

/// The stack of maps `[channels, height, width]` of one row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maps<'a> {
    /// The values, without gaps.
    pub values: &'a [f32],
    /// Channels, height, width.
    pub shape: [usize; 3],
    /// Px of the maps from px of the crop.
    pub map_from_crop: Affine,
}

impl Maps<'_> {
    /// The largest value of any channel at `point` (px of the maps), between map px interpolated; 0 outside.
    fn peak(&self, [x, y]: [f64; 2]) -> f32 {
        let [channels, height, width] = self.shape;
        let (left, top) = (x.floor(), y.floor());
        let (right_share, down_share) = ((x - left) as f32, (y - top) as f32);
        let read = |channel: usize, dx: i64, dy: i64| {
            let (column, row) = (left as i64 + dx, top as i64 + dy);
            let inside = (0..width as i64).contains(&column) && (0..height as i64).contains(&row);
            if inside {
                self.values[(channel * height + row as usize) * width + column as usize]
            } else {
                0.0
            }
        };
        (0..channels)
            .map(|channel| {
                let side =
                    |dy| read(channel, 0, dy) * (1.0 - right_share) + read(channel, 1, dy) * right_share;
                side(0) * (1.0 - down_share) + side(1) * down_share
            })
            .fold(0.0, f32::max)
    }

    /// Lays the maps over `tile`, whose px come from crop px by `tile_from_crop`. The highest value of the row is the
    /// brightest colour; values below zero and `NaN` count as zero.
    pub(crate) fn blend(&self, tile: &mut RgbImage, tile_from_crop: &Affine) {
        let Some(crop_from_tile) = tile_from_crop.inverse() else { return };
        let map_from_tile = self.map_from_crop * crop_from_tile;
        let highest = self.values.iter().copied().fold(0.0, f32::max);
        for (x, y, pixel) in tile.enumerate_pixels_mut() {
            let value = self.peak(map_from_tile.apply([f64::from(x), f64::from(y)]));
            let share = if highest > 0.0 { (value / highest).clamp(0.0, 1.0) } else { 0.0 };
            let colour = ramp(share);
            let picture = PICTURE_AT_ZERO + share * (PICTURE_AT_PEAK - PICTURE_AT_ZERO);
            for (level, colour) in pixel.0.iter_mut().zip(colour) {
                *level = (f32::from(*level) * picture + colour * (1.0 - PICTURE_AT_PEAK)).round() as u8;
            }
        }
    }
}

/// The colour of `share`, 0 to 1.
fn ramp(share: f32) -> [f32; 3] {
    let place = share.clamp(0.0, 1.0) * (RAMP.len() - 1) as f32;
    let step = (place as usize).min(RAMP.len() - 2);
    let part = place - step as f32;
    std::array::from_fn(|channel| {
        RAMP[step][channel] + part * (RAMP[step + 1][channel] - RAMP[step][channel])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_grows_brighter_all_the_way() {
        let grey =
            |share: f32| ramp(share).iter().zip([0.2126, 0.7152, 0.0722]).map(|(v, w)| v * w).sum::<f32>();
        assert!((0..100).all(|step| grey((step + 1) as f32 / 100.0) > grey(step as f32 / 100.0)));
    }

    #[test]
    fn the_peak_is_the_brightest_place() {
        let mut values = vec![0.0; 2 * 8 * 8];
        values[8 * 8 + 3 * 8 + 5] = 0.7;
        values[0] = f32::NAN;
        let maps = Maps { values: &values, shape: [2, 8, 8], map_from_crop: Affine::scale(0.25) };
        let mut tile = RgbImage::from_pixel(32, 32, image::Rgb([90, 90, 90]));
        maps.blend(&mut tile, &Affine::IDENTITY);
        let light = |pixel: &image::Rgb<u8>| pixel.0.iter().map(|v| u32::from(*v)).sum::<u32>();
        let (x, y, _) = tile.enumerate_pixels().max_by_key(|(.., pixel)| light(pixel)).unwrap();
        assert_eq!((x, y), (20, 12));
    }
}
