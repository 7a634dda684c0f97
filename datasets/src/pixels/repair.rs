//! JPEG files that hold every pixel and yet make the decoder warn: bytes that belong to no pixel, a missing end mark,
//! header fields of other values than the standard allows.
//!
//! The decoder reports its first warning alone, and most warnings mean damage. So the one thing that a harmless warning
//! complains of is put right in a copy, and the copy is decoded: where it gives no warning, all is told.
//!
//! Sources: ITU-T T.81, section B; warnings of libjpeg in `jerror.h`.

use super::markers::{END_OF_IMAGE, START_OF_SCAN, Segment, segments};

/// Most repairs of one file: each is found by decoding it once more.
pub(super) const MOST_REPAIRS: usize = 8;

/// Bytes of a scan that the decoder may have taken up behind its last pixel, before it counts those that are left: its
/// bit buffer has 64 bits.
const BIT_BUFFER_BYTES: usize = 8;

/// A copy of the file `bytes` without what `warning` complains of; `None` where that may be damage.
pub(super) fn repaired(bytes: &[u8], warning: &str) -> Option<Vec<u8>> {
    let warning = warning.to_ascii_lowercase();
    if warning.contains("extraneous bytes before marker") {
        return without_stray_bytes(bytes, &warning);
    }
    let found: Vec<Segment> = segments(bytes).collect();
    let place = |code: u8, offset: usize| {
        let segment = found.iter().find(|segment| segment.code == code)?;
        Some(segment.at + offset).filter(|at| *at < bytes.len())
    };
    let with = |at: usize, values: &[u8]| {
        let mut copy = bytes.to_vec();
        copy.get_mut(at..at + values.len())?.copy_from_slice(values);
        Some(copy)
    };
    if warning.contains("premature end of jpeg file") {
        return with_end_mark(bytes, &found);
    }
    if warning.contains("unknown jfif revision") {
        // Marker, length, `JFIF` and a zero: then the revision, which is 1.2 at most.
        return with(place(0xE0, 9)?, &[1, 2]);
    }
    if warning.contains("invalid sos parameters") {
        let scan = found.iter().find(|segment| segment.code == START_OF_SCAN)?;
        let components = usize::from(*bytes.get(scan.at + 4)?);
        // Whole blocks, as a sequential scan always has.
        return with(scan.at + 5 + 2 * components, &[0, 63, 0]);
    }
    if warning.contains("unknown adobe color transform") {
        // Marker, length, `Adobe`, version and two flags: then the transform. The decoder takes 3 colours for YCbCr and 4
        // for YCCK, which are 1 and 2.
        let frame = found.iter().find(|segment| segment.is_frame())?;
        let components = *bytes.get(frame.at + 9)?;
        return with(place(0xEE, 15)?, &[if components == 4 { 2 } else { 1 }]);
    }
    None
}

/// A copy without the bytes before a marker that `warning` counts. In front of a scan they belong to nothing; behind one
/// they do so only where they are one value repeated: anything else may be what a damaged scan has left over.
fn without_stray_bytes(bytes: &[u8], warning: &str) -> Option<Vec<u8>> {
    let (before, marker) = warning.split_once(" extraneous bytes before marker 0x")?;
    let count: usize = before.rsplit(' ').next()?.parse().ok()?;
    let code = u8::from_str_radix(marker.get(..2)?, 16).ok()?;
    let mut in_scans = false;
    for segment in segments(bytes) {
        if segment.code == code
            && let Some(stray) = segment.at.checked_sub(count).and_then(|first| bytes.get(first..segment.at))
        {
            let padding = stray.first().is_some_and(|value| stray.iter().all(|byte| byte == value));
            // Those that the decoder has taken up go with the others.
            let more = stray.first().map_or(0, |value| {
                let before = &bytes[..segment.at - count];
                before.iter().rev().take(BIT_BUFFER_BYTES).take_while(|byte| *byte == value).count()
            });
            let (is_stray, taken) = if in_scans { (padding, more) } else { (count > 0, 0) };
            if is_stray {
                return Some([&bytes[..segment.at - count - taken], &bytes[segment.at..]].concat());
            }
        }
        in_scans |= segment.code == START_OF_SCAN;
    }
    None
}

/// A copy with an end mark, of a file whose one scan gives all pixels. Of several scans the last may be missing.
fn with_end_mark(bytes: &[u8], found: &[Segment]) -> Option<Vec<u8>> {
    let scans = found.iter().filter(|segment| segment.code == START_OF_SCAN).count();
    let progressive = found.iter().any(|segment| matches!(segment.code, 0xC2 | 0xC6 | 0xCA | 0xCE));
    let ended = found.iter().any(|segment| segment.code == END_OF_IMAGE);
    if scans != 1 || progressive || ended {
        return None;
    }
    // A mark that is cut in its middle.
    let bytes = bytes.strip_suffix(&[0xFF]).unwrap_or(bytes);
    Some([bytes, &[0xFF, END_OF_IMAGE]].concat())
}

#[cfg(test)]
mod tests {
    use super::super::{Limits, Reduction, decode, encode_jpeg};
    use super::*;

    fn sound() -> Vec<u8> {
        let (width, height) = (48, 40);
        let rgb: Vec<u8> = (0..width * height * 3).map(|at| (at * at / 97 % 251) as u8).collect();
        encode_jpeg(&rgb, width, height, 90).unwrap()
    }

    fn pixels(bytes: &[u8]) -> Option<Vec<u8>> {
        decode(bytes, &Limits::default(), Reduction::Whole).ok().map(|decoded| decoded.rgb)
    }

    fn at(bytes: &[u8], code: u8) -> usize {
        segments(bytes).find(|segment| segment.code == code).unwrap().at
    }

    #[test]
    fn bytes_that_belong_to_no_pixel_are_passed_over() {
        let file = sound();
        let with = |place: usize, stray: &[u8]| [&file[..place], stray, &file[place..]].concat();
        let end = at(&file, END_OF_IMAGE);
        for value in [0, 0x20, 0x0A, 0x55] {
            for count in [1, 2, 5, 8, 9, 245, 4096] {
                let padded = with(end, &vec![value; count]);
                assert_eq!(pixels(&padded), pixels(&file), "{count} x {value}");
            }
        }
        for code in [0xDB, 0xC4, START_OF_SCAN] {
            assert_eq!(pixels(&with(at(&file, code), b"of no meaning")), pixels(&file), "before {code:x}");
        }
        assert_eq!(pixels(&with(file.len(), b"behind the end")), pixels(&file));
        let twice = with(end, &[0; 30]);
        let twice = [&twice[..at(&twice, 0xC4)], b"more", &twice[at(&twice, 0xC4)..]].concat();
        assert_eq!(pixels(&twice), pixels(&file), "in two places");
    }

    #[test]
    fn a_missing_end_mark_loses_no_pixel() {
        let file = sound();
        for cut in 1..=2 {
            assert_eq!(pixels(&file[..file.len() - cut]), pixels(&file), "{cut} bytes less");
        }
    }

    #[test]
    fn header_fields_of_other_values_are_put_right() {
        let file = sound();
        let mut other = file.clone();
        let jfif = at(&file, 0xE0);
        assert_eq!(&file[jfif + 4..jfif + 9], b"JFIF\0");
        other[jfif + 9] = 7;
        assert_eq!(pixels(&other), pixels(&file));
        let mut other = file.clone();
        let parameters = at(&file, START_OF_SCAN) + 5 + 2 * 3;
        other[parameters..parameters + 3].copy_from_slice(&[1, 5, 0x11]);
        assert_eq!(pixels(&other), pixels(&file));
        let adobe = [&[0xFF, 0xEE, 0, 14][..], b"Adobe", &[0, 100, 0, 0, 0, 0, 9]].concat();
        let other = [&file[..jfif], &adobe, &file[jfif..]].concat();
        assert_eq!(pixels(&other), pixels(&file));
    }

    #[test]
    fn what_may_be_damage_is_not_repaired() {
        let file = sound();
        let (start, end) = (at(&file, START_OF_SCAN) + 14, at(&file, END_OF_IMAGE));
        // Bytes of a scan before the end mark may be the rest of a scan that was misread.
        let rest = [&file[..end], &file[start..start + 40], &file[end..]].concat();
        assert_eq!(pixels(&rest), None);
        // A scan that is cut, with and without an end mark.
        for kept in [start + 40, end - 10] {
            assert_eq!(pixels(&file[..kept]), None);
            assert_eq!(pixels(&[&file[..kept], &[0xFF, END_OF_IMAGE]].concat()), None);
        }
        assert_eq!(repaired(&file, "corrupt jpeg data: bad huffman code"), None);
    }
}
