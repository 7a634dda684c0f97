//! From raw crops to a network's input: channel order, layout and normalisation in one pass.

use half::f16;
use schemas::Affine;

use super::card::{Colour, ImageInput, Layout};

/// Turns raw RGB bytes `[H, W, 3]` into the numbers that a network's image input wants.
///
/// A level has 256 values, so `(level - mean) / std` is looked up: one rounding, the same on every machine.
#[derive(Debug)]
pub struct Gather {
    layout: Layout,
    /// Px of a row of the image.
    width: usize,
    /// For each channel of the input, which of red, green and blue it takes.
    source: [usize; 3],
    /// For each channel of the input, the value of every level.
    values: Box<[[f32; 256]; 3]>,
}

impl Gather {
    /// The conversion for `input`.
    pub fn new(input: &ImageInput) -> Self {
        let mut values = Box::new([[0.0; 256]; 3]);
        for (channel, table) in values.iter_mut().enumerate() {
            for (level, value) in table.iter_mut().enumerate() {
                *value = ((level as f64 - input.mean[channel]) / input.std[channel]) as f32;
            }
        }
        let source = match input.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
        };
        Self { layout: input.layout, width: input.width as usize, source, values }
    }

    /// Mirrors left and right of an image in the input's layout, whatever its numbers are.
    pub fn mirror<T: Copy>(&self, image: &mut [T]) {
        match self.layout {
            Layout::Nchw => image.chunks_exact_mut(self.width).for_each(<[T]>::reverse),
            Layout::Nhwc => {
                let lines = image.chunks_exact_mut(3 * self.width);
                lines.for_each(|line| line.as_chunks_mut::<3>().0.reverse());
            }
        }
    }

    /// Writes `rgb`, `[H, W, 3]`, to `out`, as long, in the input's layout and order, normalised.
    pub fn floats(&self, rgb: &[u8], out: &mut [f32]) {
        let [first, second, third] = &*self.values;
        self.arrange(
            rgb,
            out,
            |level| first[level as usize],
            |level| second[level as usize],
            |level| third[level as usize],
        );
    }

    /// Writes `rgb`, `[H, W, 3]`, to `out`, as long, in the input's layout and order, the levels as they are.
    pub fn bytes(&self, rgb: &[u8], out: &mut [u8]) {
        if self.layout == Layout::Nhwc && self.source == [0, 1, 2] {
            out.copy_from_slice(rgb);
        } else {
            self.arrange(rgb, out, |level| level, |level| level, |level| level);
        }
    }

    /// Writes `rgb`, `[H, W, 3]`, to `out`, as long, in the input's layout and order, normalised.
    pub fn halves(&self, rgb: &[u8], out: &mut [f16]) {
        let [first, second, third] = &*self.values;
        let of = |table: &[f32; 256], level: u8| f16::from_f32(table[level as usize]);
        self.arrange(rgb, out, |level| of(first, level), |level| of(second, level), |level| of(third, level));
    }

    /// Writes `rgb`, `[H, W, 3]`, to `out`, as long, in the input's layout and order, the levels as they are.
    pub fn integers(&self, rgb: &[u8], out: &mut [i32]) {
        self.arrange(rgb, out, i32::from, i32::from, i32::from);
    }

    fn arrange<T>(
        &self,
        rgb: &[u8],
        out: &mut [T],
        first: impl Fn(u8) -> T,
        second: impl Fn(u8) -> T,
        third: impl Fn(u8) -> T,
    ) {
        assert_eq!(rgb.len(), out.len(), "a raster as large as the input");
        let [a, b, c] = self.source;
        let (pixels, _) = rgb.as_chunks::<3>();
        match self.layout {
            Layout::Nhwc => {
                let (values, _) = out.as_chunks_mut::<3>();
                for (value, pixel) in values.iter_mut().zip(pixels) {
                    *value = [first(pixel[a]), second(pixel[b]), third(pixel[c])];
                }
            }
            Layout::Nchw => {
                let (plane_a, rest) = out.split_at_mut(pixels.len());
                let (plane_b, plane_c) = rest.split_at_mut(pixels.len());
                let planes = plane_a.iter_mut().zip(plane_b).zip(plane_c);
                for (((x, y), z), pixel) in planes.zip(pixels) {
                    (*x, *y, *z) = (first(pixel[a]), second(pixel[b]), third(pixel[c]));
                }
            }
        }
    }
}

/// Writes a Gaussian of height 1 and deviation `sigma` px about `center_in_crop` to `out`, `[H, W]`.
///
/// It is not truncated, as in the test protocol of convolutional pose machines (`testing/src/run_benchmark.m`).
pub fn center_map(center_in_crop: [f64; 2], sigma: f64, width: usize, out: &mut [f32]) {
    let fall = |position: usize, center: f64| {
        let distance = (position as f64 - center) / sigma;
        libm::exp(-0.5 * distance * distance)
    };
    let across: Vec<f64> = (0..width).map(|x| fall(x, center_in_crop[0])).collect();
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        let down = fall(y, center_in_crop[1]);
        for (value, across) in row.iter_mut().zip(&across) {
            *value = (down * across) as f32;
        }
    }
}

/// One row that goes into a network.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Raw RGB bytes `[H, W, 3]`, as large as the input.
    pub rgb: &'a [u8],
    /// The person's centre in px of the crop, if the network has an input for it.
    pub center_in_crop: Option<[f64; 2]>,
    /// Whether the network gets the mirrored picture, with its centre mirrored too.
    pub mirrored: bool,
    /// Places of the joints, `[K, 2]` px of the crop, if the network has an input for them.
    pub points: Option<&'a [f32]>,
}

/// Where the centre of a person lies in the crop: `center_in_image` through `crop_from_image`, if finite.
pub fn center_in_crop(crop_from_image: &Affine, center_in_image: [f64; 2]) -> Option<[f64; 2]> {
    Some(crop_from_image.apply(center_in_image)).filter(|center| center.iter().all(|value| value.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::card::Element;
    use proptest::prelude::*;

    fn input(layout: Layout, colour: Colour) -> ImageInput {
        ImageInput {
            name: "image".to_owned(),
            layout,
            colour,
            element: Element::Float32,
            width: 2,
            height: 2,
            multiple: None,
            mean: [10.0, 20.0, 30.0],
            std: [2.0, 4.0, 5.0],
        }
    }

    #[test]
    fn mean_and_std_follow_the_order_of_the_input() {
        let (rgb, mut out) = ([110, 120, 130], [0.0; 3]);
        Gather::new(&input(Layout::Nhwc, Colour::Rgb)).floats(&rgb, &mut out);
        assert_eq!(out, [50.0, 25.0, 20.0]);
        Gather::new(&input(Layout::Nhwc, Colour::Bgr)).floats(&rgb, &mut out);
        assert_eq!(out, [60.0, 25.0, 16.0]);
    }

    proptest! {
        #[test]
        fn every_layout_is_the_plain_definition(rgb in proptest::collection::vec(any::<u8>(), 12)) {
            for (layout, colour) in [
                (Layout::Nchw, Colour::Rgb), (Layout::Nchw, Colour::Bgr),
                (Layout::Nhwc, Colour::Rgb), (Layout::Nhwc, Colour::Bgr),
            ] {
                let input = input(layout, colour);
                let gather = Gather::new(&input);
                let (mut floats, mut bytes) = ([0.0f32; 12], [0u8; 12]);
                let (mut halves, mut integers) = ([f16::ZERO; 12], [0i32; 12]);
                gather.floats(&rgb, &mut floats);
                gather.bytes(&rgb, &mut bytes);
                gather.halves(&rgb, &mut halves);
                gather.integers(&rgb, &mut integers);
                for pixel in 0..4 {
                    for channel in 0..3 {
                        let level = rgb[pixel * 3 + if colour == Colour::Bgr { 2 - channel } else { channel }];
                        let at = if layout == Layout::Nhwc { pixel * 3 + channel } else { channel * 4 + pixel };
                        let value = (f64::from(level) - input.mean[channel]) / input.std[channel];
                        prop_assert_eq!(floats[at], value as f32);
                        prop_assert_eq!(bytes[at], level);
                        prop_assert_eq!(halves[at], f16::from_f32(value as f32));
                        prop_assert_eq!(integers[at], i32::from(level));
                    }
                }
            }
        }
    }

    #[test]
    fn mirroring_reverses_every_line_in_both_layouts() {
        let wide = |layout| Gather::new(&ImageInput { width: 3, height: 2, ..input(layout, Colour::Rgb) });
        let rgb: Vec<u8> = (0..18).collect();
        let mut mirrored = rgb.clone();
        wide(Layout::Nhwc).mirror(&mut mirrored);
        assert_eq!(mirrored, [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11]);
        let (mut planes, mut of_mirrored) = ([0; 18], [0; 18]);
        let nchw = wide(Layout::Nchw);
        nchw.bytes(&rgb, &mut planes);
        nchw.mirror(&mut planes);
        nchw.bytes(&mirrored, &mut of_mirrored);
        assert_eq!(planes, of_mirrored);
    }

    #[test]
    fn the_centre_map_is_one_at_the_centre_and_never_cut_off() {
        let mut map = vec![0.0; 64 * 48];
        center_map([20.0, 30.0], 3.0, 64, &mut map);
        assert_eq!(map[30 * 64 + 20], 1.0);
        assert!((f64::from(map[30 * 64 + 23]) - libm::exp(-0.5)).abs() < 1e-7);
        assert!(map.iter().all(|value| *value >= 0.0) && map[30 * 64 + 40] > 0.0);
    }
}
