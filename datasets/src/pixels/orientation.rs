//! The EXIF orientation: viewers turn the stored pixels by it, and so do cv2 and annotation tools, while Pillow, MATLAB and
//! the JSON of COCO take them as stored.
//!
//! Source: Exif 2.32 (CIPA DC-008), tag 0x0112; where the block stands: PNG extensions 1.5 (`eXIf`), the `WebP` container.

use std::ops::Range;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::markers::{START_OF_SCAN, segments};
use super::{Decoded, PixelError};

/// What is done with a picture whose EXIF orientation turns it: the frame of the annotations is that of the stored
/// pixels, or that of the picture as viewers show it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
pub enum OrientationRule {
    /// The size that the annotations state tells in which of the two frames they are; where it does not, the picture is
    /// rejected.
    #[default]
    Stated,
    /// Pictures are turned upright, as viewers and cv2 do.
    Apply,
    /// Pictures are taken as they are stored, as Pillow and MATLAB do.
    Ignore,
    /// Pictures that would be turned are rejected.
    Refuse,
}

/// What tells the frame of the annotations of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Frame {
    /// What is done with an image that asks for a turn.
    pub rule: OrientationRule,
    /// Width and height in px that the annotations state.
    pub stated: Option<[i32; 2]>,
}

/// What became of the EXIF orientation of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// It has none, or one that turns nothing.
    Plain,
    /// The image was turned.
    Turned,
    /// The image was taken as it is stored.
    AsStored,
}

impl Framing {
    /// What a summary says of rows of such images.
    pub fn told(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Turned => Some("rows are of pictures that were turned by their EXIF orientation"),
            Self::AsStored => Some(
                "rows are of pictures whose EXIF orientation was ignored: their annotations are of the stored pixels",
            ),
        }
    }
}

impl Frame {
    /// How an image of `size` px as stored, whose EXIF block asks for `asked`, is turned.
    ///
    /// # Errors
    /// As [`OrientationRule::turn`].
    pub(super) fn turn(self, asked: Turn, size: [u32; 2]) -> Result<(Turn, Framing), PixelError> {
        let turn = self.rule.turn(asked, size, self.stated)?;
        let framing = match (asked.is_none(), turn.is_none()) {
            (true, _) => Framing::Plain,
            (false, true) => Framing::AsStored,
            (false, false) => Framing::Turned,
        };
        Ok((turn, framing))
    }
}

/// How stored pixels are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn(Orientation);

impl Default for Turn {
    fn default() -> Self {
        Self(Orientation::NoTransforms)
    }
}

impl Turn {
    /// The turn that the EXIF block of the image file `bytes` asks for; none where there is no such block.
    pub fn of(bytes: &[u8]) -> Self {
        exif(bytes)
            .and_then(|block| Orientation::from_exif_chunk(&bytes[block]))
            .map(Self)
            .unwrap_or_default()
    }

    /// Whether pixels stay where they are.
    pub fn is_none(self) -> bool {
        self.0 == Orientation::NoTransforms
    }

    /// Width and height of an image of `size` once it is turned.
    pub fn turned(self, [width, height]: [u32; 2]) -> [u32; 2] {
        match self.0 {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => [height, width],
            _ => [width, height],
        }
    }

    /// `decoded`, turned.
    pub fn apply(self, decoded: Decoded) -> Decoded {
        if self.is_none() {
            return decoded;
        }
        let Decoded { width, height, rgb, reduction, decoder } = decoded;
        let rgb = RgbImage::from_raw(width, height, rgb).expect("as many levels as pixels");
        let mut image = DynamicImage::ImageRgb8(rgb);
        image.apply_orientation(self.0);
        let rgb = image.into_rgb8();
        let (width, height) = rgb.dimensions();
        Decoded { width, height, rgb: rgb.into_raw(), reduction, decoder }
    }
}

impl OrientationRule {
    /// How an image of `size` px as stored, whose EXIF block asks for `turn`, is turned for annotations that `state` the
    /// width and height of its frame, if they do.
    ///
    /// # Errors
    /// When it may not be turned, or nothing tells whether the annotations are of the stored pixels.
    pub fn turn(self, turn: Turn, size: [u32; 2], stated: Option<[i32; 2]>) -> Result<Turn, PixelError> {
        if turn.is_none() {
            return Ok(turn);
        }
        let turned = turn.turned(size);
        let says = |size: [u32; 2]| stated == Some(size.map(|side| i32::try_from(side).unwrap_or(i32::MAX)));
        match self {
            Self::Apply => Ok(turn),
            Self::Ignore => Ok(Turn::default()),
            Self::Stated if says(turned) && !says(size) => Ok(turn),
            Self::Stated if says(size) && !says(turned) => Ok(Turn::default()),
            Self::Stated | Self::Refuse => Err(PixelError::Orientation {
                orientation: turn.0.to_exif(),
                stored: size,
                turned,
                stated,
                may_turn: self != Self::Refuse,
            }),
        }
    }
}

/// Sets the EXIF orientation of the image file `bytes` to none, so that every reader takes the pixels as they are stored.
pub fn without_orientation(bytes: &mut [u8]) {
    let Some(block) = exif(bytes) else { return };
    if Orientation::remove_from_exif_chunk(&mut bytes[block.clone()]).is_some() && bytes.starts_with(PNG) {
        // A chunk of PNG ends with the sum of its name and data.
        let mut sum = flate2::Crc::new();
        sum.update(&bytes[block.start - 4..block.end]);
        if let Some(place) = bytes.get_mut(block.end..block.end + 4) {
            place.copy_from_slice(&sum.sum().to_be_bytes());
        }
    }
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// How an EXIF block begins in JPEG, and in files of others by some programs.
const EXIF: &[u8] = b"Exif\0\0";

/// Where the EXIF block of the image file `bytes` stands.
fn exif(bytes: &[u8]) -> Option<Range<usize>> {
    let block = if bytes.starts_with(&[0xFF, 0xD8]) {
        let mut header = segments(bytes).take_while(|segment| segment.code != START_OF_SCAN);
        header.find_map(|segment| {
            let length = bytes.get(segment.at + 2..segment.at + 4)?;
            let end = segment.at + 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            let data = segment.at + 4..end.min(bytes.len());
            (segment.code == 0xE1 && bytes.get(data.clone())?.starts_with(EXIF)).then_some(data)
        })?
    } else if bytes.starts_with(PNG) {
        chunk(bytes, PNG.len(), *b"eXIf", |head| {
            (&head[4..], u32::from_be_bytes([head[0], head[1], head[2], head[3]]), 4)
        })?
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        chunk(bytes, 12, *b"EXIF", |head| {
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            (&head[..4], length, length & 1)
        })?
    } else if bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*") {
        // A TIFF file has the tag itself.
        0..bytes.len()
    } else {
        return None;
    };
    let skipped = if bytes[block.clone()].starts_with(EXIF) { EXIF.len() } else { 0 };
    Some(block.start + skipped..block.end)
}

/// The data of the chunk `name` of `bytes`, whose chunks begin at `at`; `read` tells from the 8 bytes of a chunk's head its
/// name, the length of its data, and how many bytes follow them.
fn chunk(
    bytes: &[u8],
    mut at: usize,
    name: [u8; 4],
    read: impl Fn(&[u8]) -> (&[u8], u32, u32),
) -> Option<Range<usize>> {
    loop {
        let (found, length, behind) = read(bytes.get(at..at.checked_add(8)?)?);
        let data = at + 8..at.checked_add(8)?.checked_add(length as usize)?;
        if found == name {
            return (data.end <= bytes.len()).then_some(data);
        }
        at = data.end.checked_add(behind as usize)?;
    }
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder};

    use super::super::{Limits, Reduction, decode, encode_jpeg, size_of};
    use super::*;

    const SIZE: [u32; 2] = [24, 16];

    /// An EXIF block of the orientation `value` alone, in either order of bytes.
    fn block(value: u16, is_little: bool) -> Vec<u8> {
        let number = |number: u32, length: usize| {
            let all = number.to_be_bytes();
            let part = all[4 - length..].to_vec();
            if is_little { part.into_iter().rev().collect() } else { part }
        };
        let short = |value: u16| number(u32::from(value), 2);
        let mut block: Vec<u8> = if is_little { b"II".to_vec() } else { b"MM".to_vec() };
        for part in [short(42), number(8, 4), short(1), short(0x0112), short(3), number(1, 4), short(value)] {
            block.extend(part);
        }
        block.extend([0; 6]);
        block
    }

    fn rgb() -> Vec<u8> {
        (0..SIZE[0] * SIZE[1] * 3).map(|at| (at * 5 % 251) as u8).collect()
    }

    /// A file of each format that can bear an orientation.
    fn files(value: u16, is_little: bool) -> Vec<(&'static str, Vec<u8>)> {
        let block = block(value, is_little);
        let [width, height] = SIZE;
        let jpeg = encode_jpeg(&rgb(), width, height, 95).unwrap();
        let length = (2 + EXIF.len() + block.len()) as u16;
        let jpeg = [&jpeg[..2], &[0xFF, 0xE1], &length.to_be_bytes(), EXIF, &block, &jpeg[2..]].concat();
        let mut png = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
        encoder.set_exif_metadata(block.clone()).unwrap();
        encoder.write_image(&rgb(), width, height, ExtendedColorType::Rgb8).unwrap();
        let mut webp = Vec::new();
        let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata(block).unwrap();
        encoder.write_image(&rgb(), width, height, ExtendedColorType::Rgb8).unwrap();
        vec![("jpeg", jpeg), ("png", png), ("webp", webp)]
    }

    #[test]
    fn every_orientation_of_every_format_is_read_and_taken_out() {
        for value in 1..=8 {
            for is_little in [true, false] {
                for (format, mut file) in files(value, is_little) {
                    let what = format!("{format}, {value}, {is_little}");
                    assert_eq!(Turn::of(&file).0.to_exif(), value as u8, "{what}");
                    assert_eq!(size_of(&file).unwrap(), SIZE, "{what}: as stored");
                    let before = decode(&file, &Limits::default(), Reduction::Whole).unwrap();
                    without_orientation(&mut file);
                    assert!(Turn::of(&file).is_none(), "{what}");
                    let after = decode(&file, &Limits::default(), Reduction::Whole).unwrap();
                    assert_eq!(before, after, "{what}");
                }
            }
        }
        let mut tiff = block(6, true);
        assert_eq!(Turn::of(&tiff).0, Orientation::Rotate90);
        without_orientation(&mut tiff);
        assert!(Turn::of(&tiff).is_none());
    }

    #[test]
    fn pixels_go_where_viewers_show_them() {
        // The place of the first stored pixel in the turned image, by the table of the Exif standard.
        let corner = |value: u8| match value {
            1 | 5 => [0, 0],
            2 | 6 => [1, 0],
            3 | 7 => [1, 1],
            4 | 8 => [0, 1],
            _ => unreachable!("eight orientations"),
        };
        for value in 1..=8 {
            let turn = Turn(Orientation::from_exif(value).unwrap());
            let [width, height] = SIZE;
            let mut levels = vec![0; (width * height * 3) as usize];
            levels[..3].fill(255);
            let stored = Decoded { width, height, rgb: levels, reduction: Reduction::Whole, decoder: "" };
            let turned = turn.apply(stored);
            assert_eq!([turned.width, turned.height], turn.turned(SIZE), "{value}");
            assert_eq!(turned.width == width, value < 5, "{value}");
            let [right, low] = corner(value);
            let (x, y) = (right * (turned.width - 1), low * (turned.height - 1));
            let at = ((y * turned.width + x) * 3) as usize;
            assert_eq!(turned.rgb[at..at + 3], [255; 3], "{value}");
        }
    }

    #[test]
    fn the_stated_size_tells_the_frame_or_nothing_does() {
        use OrientationRule::{Apply, Ignore, Refuse, Stated};
        for value in 1..=8_u8 {
            let turn = Turn(Orientation::from_exif(value).unwrap());
            let found = |rule: OrientationRule, stated| rule.turn(turn, SIZE, stated).ok();
            let [stored, turned] = [[24, 16], [16, 24]];
            for stated in [None, Some(stored), Some(turned), Some([9, 9])] {
                assert_eq!(found(Apply, stated), Some(turn));
                assert_eq!(found(Ignore, stated), Some(Turn::default()));
                assert_eq!(found(Refuse, stated).is_some(), value == 1);
            }
            let [none, as_stored, as_turned] = [None, Some(stored), Some(turned)].map(|s| found(Stated, s));
            match value {
                1 => assert_eq!([none, as_stored, as_turned], [Some(turn); 3]),
                // Both frames have one size.
                2..=4 => assert_eq!([none, as_stored, as_turned], [None; 3]),
                _ => assert_eq!([none, as_stored, as_turned], [None, Some(Turn::default()), Some(turn)]),
            }
        }
        let error = Stated.turn(Turn(Orientation::Rotate180), SIZE, Some([24, 16])).unwrap_err();
        assert_eq!(error.reason(), "image orientation");
        assert!(error.to_string().contains("EXIF orientation 3") && error.to_string().contains("`apply`"));
    }

    #[test]
    fn files_that_end_anywhere_ask_for_no_turn_or_theirs() {
        for (_, file) in files(6, true) {
            for kept in 0..file.len() {
                let _ = Turn::of(&file[..kept]);
                without_orientation(&mut file[..kept].to_vec());
            }
        }
    }
}
