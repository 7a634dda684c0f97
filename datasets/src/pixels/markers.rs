//! What a JPEG file will cost, from its markers, before it is decoded.
//!
//! Source: ITU-T T.81, sections B.1 and B.2.

/// What the markers of a file say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// How many scans it has.
    pub scans: u64,
    /// Bytes of the coefficients that the decoder holds; 0 where a single scan gives all, which is decoded as it is read.
    pub coefficient_bytes: u64,
}

/// The marker of a start of scan.
pub(super) const START_OF_SCAN: u8 = 0xDA;
/// The marker of the end of the image.
pub(super) const END_OF_IMAGE: u8 = 0xD9;
/// Bytes of a coefficient.
const COEFFICIENT_BYTES: u64 = 2;

/// A marker with its segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Where its marker begins.
    pub at: usize,
    /// The byte behind `FF`.
    pub code: u8,
}

impl Segment {
    /// Whether it is the start of a frame; the others of the range are tables.
    pub(super) fn is_frame(self) -> bool {
        matches!(self.code, 0xC0..=0xCF) && !matches!(self.code, 0xC4 | 0xC8 | 0xCC)
    }
}

/// The segments of `bytes`, up to the end mark or to where they are damaged.
pub(super) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment> + '_ {
    let mut next = Some(2);
    std::iter::from_fn(move || {
        loop {
            let marker = next_marker(bytes, next?)?;
            let code = bytes[marker + 1];
            // Markers without a length: TEM, restarts and the start of the image.
            if code == 0x01 || (0xD0..=0xD8).contains(&code) {
                next = Some(marker + 2);
                continue;
            }
            next = if code == END_OF_IMAGE {
                None
            } else {
                let length = bytes.get(marker + 2..marker + 4)?;
                let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                Some(marker + 2 + length.max(2))
            };
            return Some(Segment { at: marker, code });
        }
    })
}

/// Walks through the markers of `bytes`; where they are damaged, it ends there, and the decoder says what is wrong.
pub(super) fn survey(bytes: &[u8]) -> Survey {
    let (mut scans, mut coefficients, mut progressive) = (0, 0, false);
    for segment in segments(bytes) {
        if segment.code == START_OF_SCAN {
            scans += 1;
        } else if segment.is_frame() {
            coefficients = bytes.get(segment.at + 4..).map_or(0, frame_coefficients);
            progressive = matches!(segment.code, 0xC2 | 0xC6 | 0xCA | 0xCE);
        }
    }
    let held = progressive || scans > 1;
    Survey { scans, coefficient_bytes: if held { coefficients * COEFFICIENT_BYTES } else { 0 } }
}

/// Where the next marker begins, from `at` on: an `FF` that neither a zero nor another `FF` follows.
fn next_marker(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let found =
        memchr::memchr_iter(0xFF, rest).find(|first| !matches!(rest.get(first + 1), Some(0 | 0xFF) | None));
    found.map(|first| at + first)
}

/// The coefficients of all components of a frame, whose header behind its length is `header`.
fn frame_coefficients(header: &[u8]) -> u64 {
    let [_, height_high, height_low, width_high, width_low, components, rest @ ..] = header else { return 0 };
    let height = u64::from(u16::from_be_bytes([*height_high, *height_low]));
    let width = u64::from(u16::from_be_bytes([*width_high, *width_low]));
    let factors = rest.chunks_exact(3).take(usize::from(*components));
    let factors: Vec<[u64; 2]> =
        factors.map(|one| [u64::from(one[1] >> 4), u64::from(one[1] & 15)]).collect();
    let most = |axis: usize| factors.iter().map(|one| one[axis]).max().unwrap_or(1).max(1);
    let (across, down) = (most(0), most(1));
    // Each component is padded to whole blocks of 8 x 8.
    let padded = |length: u64, factor: u64, most: u64| (length * factor).div_ceil(most).next_multiple_of(8);
    factors.iter().map(|one| padded(width, one[0], across) * padded(height, one[1], down)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of `scans` empty scans of a frame 100 x 50 with components 4:2:0.
    fn file(frame: u8, scans: usize) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xC4, 0, 4, 0xFF, 0xDA];
        bytes.extend([0xFF, frame, 0, 17, 8, 0, 50, 0, 100, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
        for _ in 0..scans {
            // The data holds a zero behind FF, and a restart.
            bytes.extend([0xFF, START_OF_SCAN, 0, 2, 7, 0xFF, 0, 0xFF, 0xD0, 9]);
        }
        bytes.extend([0xFF, END_OF_IMAGE, 0xFF, START_OF_SCAN, 0, 2]);
        bytes
    }

    #[test]
    fn scans_and_coefficients_are_counted() {
        let coefficients = 104 * 56 + 2 * 56 * 32;
        for (frame, scans, held) in [(0xC2, 1, true), (0xC0, 1, false), (0xC0, 3, true), (0xCA, 450, true)] {
            let expected =
                Survey { scans: scans as u64, coefficient_bytes: if held { 2 * coefficients } else { 0 } };
            assert_eq!(survey(&file(frame, scans)), expected, "{frame:x}, {scans}");
        }
    }

    #[test]
    fn a_file_that_ends_anywhere_is_surveyed() {
        let whole = file(0xC2, 5);
        for kept in 0..whole.len() {
            assert!(survey(&whole[..kept]).scans <= 5);
        }
        assert_eq!(survey(&[0xFF; 100]), Survey::default());
    }
}
