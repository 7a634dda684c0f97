use std::fs;

use super::*;

/// A smooth colourful picture `[height, width, 3]` that JPEG keeps well.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let level = |value: f64| (127.5 + 120.0 * value.sin()) as u8;
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (f64::from(x), f64::from(y));
            rgb.extend([level(x / 17.0), level(y / 11.0 + 1.0), level((x + y) / 23.0)]);
        }
    }
    rgb
}

fn small() -> Limits {
    Limits { max_pixels: 100 * 80, ..Limits::default() }
}

#[test]
fn png_comes_back_unchanged_and_jpeg_nearly() {
    let rgb = picture(100, 80);
    let png = decode(&encode_png(&rgb, 100, 80).unwrap(), &small(), Reduction::Half).unwrap();
    assert_eq!((png.width, png.height, png.reduction), (100, 80, Reduction::Whole));
    assert!(png.rgb == rgb && png.decoder == OTHER_DECODER);
    let jpeg = decode(&encode_jpeg(&rgb, 100, 80, 95).unwrap(), &small(), Reduction::Whole).unwrap();
    assert_eq!((jpeg.width, jpeg.height, jpeg.decoder), (100, 80, JPEG_DECODER));
    let worst = std::iter::zip(&jpeg.rgb, &rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!((1..12).contains(&worst), "worst difference {worst}");
}

#[test]
fn reduced_decoding_averages_blocks() {
    let rgb = picture(101, 83);
    let file = encode_jpeg(&rgb, 101, 83, 95).unwrap();
    let limits = Limits::default();
    for reduction in [Reduction::Half, Reduction::Quarter, Reduction::Eighth] {
        let factor = reduction.factor();
        let reduced = decode(&file, &limits, reduction).unwrap();
        assert_eq!([reduced.width, reduced.height], [101u32.div_ceil(factor), 83u32.div_ceil(factor)]);
        assert_eq!(reduced.reduction, reduction);
        // Pixel (3, 4) of the reduced image is the mean of its factor x factor block.
        let block = |channel: usize| {
            let pixels = (0..factor * factor).map(|at| {
                let (x, y) = (3 * factor + at % factor, 4 * factor + at / factor);
                f64::from(rgb[(y * 101 + x) as usize * 3 + channel])
            });
            pixels.sum::<f64>() / f64::from(factor * factor)
        };
        for channel in 0..3 {
            let found = f64::from(reduced.rgb[(4 * reduced.width + 3) as usize * 3 + channel]);
            assert!((found - block(channel)).abs() < 6.0, "1/{factor}: {found} for {}", block(channel));
        }
    }
}

#[test]
fn a_buffer_is_used_again_without_a_trace_of_its_content() {
    let large = encode_jpeg(&picture(64, 64), 64, 64, 90).unwrap();
    let small = encode_jpeg(&picture(33, 17), 33, 17, 90).unwrap();
    let first = decode(&large, &Limits::default(), Reduction::Whole).unwrap();
    let again = decode_into(first.rgb, &small, &Limits::default(), Reduction::Whole).unwrap();
    assert_eq!(again, decode(&small, &Limits::default(), Reduction::Whole).unwrap());
}

#[test]
fn the_limit_holds_before_pixels_are_made() {
    let rgb = picture(101, 80);
    for file in [encode_png(&rgb, 101, 80).unwrap(), encode_jpeg(&rgb, 101, 80, 90).unwrap()] {
        let error = decode(&file, &small(), Reduction::Whole).unwrap_err();
        assert_eq!(error.to_string(), "the image has 8080 pixels, allowed are 8000");
        assert_eq!(error.reason(), "image too large");
        assert_eq!(size_of(&file).unwrap(), [101, 80]);
    }
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let rgb = picture(120, 90);
    for file in [encode_png(&rgb, 120, 90).unwrap(), encode_jpeg(&rgb, 120, 90, 90).unwrap()] {
        for kept in [0, 2, 3, 20, file.len() / 2, file.len() * 9 / 10] {
            let error = decode(&file[..kept], &Limits::default(), Reduction::Whole).unwrap_err();
            assert_eq!(error.reason(), "image unreadable", "{kept} of {} bytes", file.len());
        }
    }
    let sound = encode_jpeg(&rgb, 120, 90, 90).unwrap();
    let mut damaged = sound.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xFF);
    assert!(decode(&damaged, &Limits::default(), Reduction::Whole).is_err());
    // The decompressor of this thread still works afterwards.
    assert!(decode(&sound, &Limits::default(), Reduction::Whole).is_ok());
}

#[test]
fn a_missing_file_and_a_large_one_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let missing = decode_file(&folder.path().join("none.jpg"), &Limits::default(), Frame::default());
    assert_eq!(missing.unwrap_err().reason(), "image missing");
    // The name lies about the format: content decides.
    let path = folder.path().join("picture.jpg");
    fs::write(&path, encode_png(&picture(10, 10), 10, 10).unwrap()).unwrap();
    assert_eq!(size(&path).unwrap(), [10, 10]);
    assert!(decode_file(&path, &Limits::default(), Frame::default()).is_ok());
    let bounded = Limits { max_file_bytes: 50, ..Limits::default() };
    assert_eq!(decode_file(&path, &bounded, Frame::default()).unwrap_err().reason(), "image too large");
}

#[test]
fn grey_becomes_three_equal_channels() {
    let grey: Vec<u8> = (0..64).map(|v| v * 4).collect();
    let image = turbojpeg::Image {
        pixels: &grey[..],
        width: 8,
        pitch: 8,
        height: 8,
        format: turbojpeg::PixelFormat::GRAY,
    };
    let file = turbojpeg::compress(image, 95, turbojpeg::Subsamp::Gray).unwrap();
    let decoded = decode(&file, &Limits::default(), Reduction::Whole).unwrap();
    assert!(decoded.rgb.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2]));
    assert!(std::iter::zip(decoded.rgb.chunks_exact(3), &grey).all(|(p, g)| p[0].abs_diff(*g) < 6));
}

/// A grey PNG of `width` x `height` px, with `chunk` behind its header.
fn png(width: u32, height: u32, chunk: Option<(&[u8; 4], Vec<u8>)>) -> Vec<u8> {
    let whole = encode_png(&vec![9; 3 * width as usize * height as usize], width, height).unwrap();
    // Signature and header: 8 + 25 bytes.
    let (head, tail) = whole.split_at(33);
    let mut file = head.to_vec();
    if let Some((name, data)) = chunk {
        file.extend((data.len() as u32).to_be_bytes());
        let named = [&name[..], &data].concat();
        file.extend(&named);
        file.extend(crc(&named).to_be_bytes());
    }
    file.extend(tail);
    file
}

/// CRC-32 as in PNG (ISO 3309).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    };
    !bytes.iter().fold(u32::MAX, step)
}

/// A zlib stream of at least `length` zeros, whole MiB of them.
fn zeros(length: usize) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..length.div_ceil(1 << 20) {
        encoder.write_all(&vec![0; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn a_profile_that_unpacks_to_much_is_passed_over() {
    let profile = [b"p\0\0".to_vec(), zeros(300 << 20)].concat();
    let file = png(4, 4, Some((b"iCCP", profile)));
    assert!(file.len() < 4 << 20);
    assert_eq!(size_of(&file).unwrap(), [4, 4]);
    assert_eq!(decode(&file, &Limits::default(), Reduction::Whole).unwrap().rgb, [9; 48]);
}

#[test]
fn a_line_longer_than_any_picture_is_refused() {
    let file = png(1, 65_536, None);
    let error = decode(&file, &Limits::default(), Reduction::Whole).unwrap_err();
    assert_eq!(error.to_string(), "the image has 65536 pixels along a side, allowed are 65535");
    assert_eq!(error.reason(), "image too large");
    assert!(decode(&png(1, 65_535, None), &Limits::default(), Reduction::Whole).is_ok());
}

#[test]
fn a_picture_that_takes_more_than_its_pixels_is_bounded_by_what_it_takes() {
    // 16 bits of four channels: 8 bytes a pixel, and 3 for its RGB.
    let wide = image::ImageBuffer::from_pixel(600, 600, image::Rgba([7_u16, 8, 9, 10]));
    let mut file = Cursor::new(Vec::new());
    DynamicImage::ImageRgba16(wide).write_to(&mut file, ImageFormat::Png).unwrap();
    let file = file.into_inner();
    let limits = |max_pixels| Limits { max_pixels, ..Limits::default() };
    let error = decode(&file, &limits(400_000), Reduction::Whole).unwrap_err();
    assert_eq!(error.to_string(), "the image has 3960000 bytes while it is decoded, allowed are 1600000");
    assert!(decode(&file, &limits(990_000), Reduction::Whole).is_ok());
    // The coefficients of a progressive file are held as a whole.
    let sound = include_bytes!("golden/rgb444.jpg");
    assert!(markers::survey(sound).coefficient_bytes > 6 * 67 * 45);
}

#[test]
fn more_scans_than_any_writer_makes_are_refused() {
    let sound = include_bytes!("golden/rgb444.jpg").to_vec();
    let scans = markers::survey(&sound).scans;
    assert!((2..20).contains(&scans), "{scans}");
    // The last scan, again and again, before the end of the image.
    let last = memchr::memmem::rfind(&sound, &[0xFF, 0xDA]).unwrap();
    let (head, scan) = sound[..sound.len() - 2].split_at(last);
    let mut file = [head, &scan.repeat(100)].concat();
    file.extend([0xFF, 0xD9]);
    let error = decode(&file, &Limits::default(), Reduction::Whole).unwrap_err();
    assert_eq!(error.to_string(), format!("the image has {} scans, allowed are 64", scans + 99));
}

/// FNV-1a, so that a golden value of a whole picture is one number.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// Made by `golden/pixels.py`, which writes the files and prints the hashes of Pillow's pixels.
#[test]
fn pixels_are_those_of_pillow() {
    let golden: [(&str, &[u8], u64); 4] = [
        ("4:2:0", include_bytes!("golden/rgb420.jpg"), RGB420),
        ("4:4:4, progressive", include_bytes!("golden/rgb444.jpg"), RGB444),
        ("grey", include_bytes!("golden/grey.jpg"), GREY),
        ("CMYK", include_bytes!("golden/cmyk.jpg"), CMYK),
    ];
    for (name, file, expected) in golden {
        let decoded = decode(file, &Limits::default(), Reduction::Whole).unwrap();
        assert_eq!([decoded.width, decoded.height], [67, 45], "{name}");
        assert_eq!(hash(&decoded.rgb), expected, "{name}");
    }
}

const RGB420: u64 = 0x21d2_106b_a254_1db8;
const RGB444: u64 = 0x6854_3f99_bf67_5337;
const GREY: u64 = 0x09e2_d3a1_67c0_f89f;
const CMYK: u64 = 0x6cc7_4528_7807_27b5;
