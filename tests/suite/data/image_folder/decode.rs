//! One image file: exact pixels where the format is exact, and a refusal of everything that is no whole image.

use super::super::bounds::{DECODER_LEVELS, JPEG_LEVELS};
use super::super::fixtures::{encode, encoded, message};
use gdstar::data::image_folder::{decode, header};
use image::{DynamicImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::fs;
use std::path::Path;

fn pixels(content: &[u8]) -> RgbImage {
    decode(Path::new("f"), content).unwrap()
}

fn refused(content: &[u8]) -> String {
    message(decode(Path::new("f"), content), "the image")
}

fn pattern(x: u32, y: u32) -> [u8; 3] {
    [(17 * x + 5 * y) as u8, (250 + 31 * y) as u8, (x * y) as u8]
}

/// Every way of a PNG to store pixels becomes three bytes.
#[test]
fn every_png_becomes_rgb() {
    let (w, h) = (5, 3);
    let expected = RgbImage::from_fn(w, h, |x, y| Rgb(pattern(x, y)));
    let grey = RgbImage::from_fn(w, h, |x, y| Rgb([pattern(x, y)[0]; 3]));
    // 16 bits are rounded to 8: 257 p is p exactly, and 257 p + 128 is still p, being below half-way.
    let wide = |p: u8| 257 * u16::from(p) + if p < 255 { 128 } else { 0 };
    let images: [(DynamicImage, &RgbImage); 8] = [
        (expected.clone().into(), &expected),
        (ImageBuffer::from_fn(w, h, |x, y| Luma([pattern(x, y)[0]])).into(), &grey),
        (ImageBuffer::from_fn(w, h, |x, y| LumaA([pattern(x, y)[0], x as u8])).into(), &grey),
        // The colour under what is transparent stays.
        (
            ImageBuffer::from_fn(w, h, |x, y| {
                let [r, g, b] = pattern(x, y);
                Rgba([r, g, b, x as u8])
            })
            .into(),
            &expected,
        ),
        (ImageBuffer::from_fn(w, h, |x, y| Rgb(pattern(x, y).map(wide))).into(), &expected),
        (
            ImageBuffer::from_fn(w, h, |x, y| {
                let [r, g, b] = pattern(x, y).map(wide);
                Rgba([r, g, b, 7])
            })
            .into(),
            &expected,
        ),
        (ImageBuffer::from_fn(w, h, |x, y| Luma([wide(pattern(x, y)[0])])).into(), &grey),
        (ImageBuffer::from_fn(w, h, |x, y| LumaA([wide(pattern(x, y)[0]), 9])).into(), &grey),
    ];
    for (i, (image, expected)) in images.iter().enumerate() {
        assert!(pixels(&encode(image, ImageFormat::Png)) == **expected, "image {i}");
    }
}

/// A JPEG of one colour is that colour, within what its coding rounds.
#[test]
fn a_jpeg_is_decoded() {
    for colour in [[0, 0, 0], [255, 255, 255], [200, 100, 50], [10, 20, 230]] {
        let image = pixels(&encoded(ImageFormat::Jpeg, [16, 24], |_, _| colour));
        assert_eq!(image.dimensions(), (16, 24));
        for Rgb(found) in image.pixels() {
            let off = (0..3).map(|channel| found[channel].abs_diff(colour[channel])).max();
            assert!(off <= Some(JPEG_LEVELS), "{found:?} for {colour:?}");
        }
    }
    let grey: DynamicImage = ImageBuffer::from_pixel(8, 8, Luma([128_u8])).into();
    assert_eq!(pixels(&encode(&grey, ImageFormat::Jpeg)), RgbImage::from_pixel(8, 8, Rgb([128; 3])));
}

/// Every subsampling, in one scan, in several, progressively and with restarts; grey, RGB and CMYK; sizes that blocks do
/// not divide: what libjpeg makes of them (`tests/images/make.py`), within what two decoders may differ.
#[test]
fn jpegs_have_the_pixels_that_libjpeg_gives() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension() != Some("jpg".as_ref()) {
            continue;
        }
        let found = pixels(&fs::read(&path).unwrap());
        let expected = pixels(&fs::read(path.with_extension("png")).unwrap());
        assert_eq!(found.dimensions(), expected.dimensions(), "{}", path.display());
        let off = found.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off <= Some(DECODER_LEVELS), "{}: {off:?} levels", path.display());
        files += 1;
    }
    assert_eq!(files, 4 * (6 * 4 + 3));
}

/// BMP and PNM are exact as PNG is.
#[test]
fn bitmaps_are_read() {
    let expected = RgbImage::from_fn(9, 7, |x, y| Rgb(pattern(x, y)));
    for format in [ImageFormat::Bmp, ImageFormat::Pnm] {
        let whole = encode(&expected.clone().into(), format);
        assert_eq!(pixels(&whole), expected);
        for length in 0..whole.len() {
            assert!(refused(&whole[..length]).starts_with("f: "), "{format:?} cut at {length}");
        }
    }
    assert_eq!(pixels(b"P2 2 1 255\n7 200\n"), RgbImage::from_fn(2, 1, |x, _| Rgb([[7; 3], [200; 3]][x as usize])));
}

/// A palette is three bytes a colour; the decoder panics on four.
#[test]
fn a_palette_of_parts_of_colours_is_refused() {
    let mut png = encoded(ImageFormat::Png, [1, 1], pattern);
    for bytes in [0_u8, 1, 2, 4, 5, 7, 8] {
        let mut chunk = vec![0, 0, 0, bytes];
        chunk.extend_from_slice(b"PLTE");
        chunk.resize(8 + usize::from(bytes), 0);
        let mut crc = flate2::Crc::new();
        crc.update(&chunk[4..]);
        chunk.extend(crc.sum().to_be_bytes());
        let with_palette = [&png[..33], &chunk, &png[33..]].concat();
        let expected = format!("f: PLTE chunk: expected 3 bytes for each of 1 to 256 colours, found {bytes} bytes");
        assert_eq!(refused(&with_palette), expected);
    }
    png.truncate(33);
    assert!(refused(&png).contains("IEND chunk"));
}

/// What decoding takes is known from the header.
#[test]
fn a_header_says_what_decoding_takes() {
    let png = header(Path::new("f"), &encoded(ImageFormat::Png, [9, 7], pattern)).unwrap();
    assert_eq!((png.width, png.height, png.working_bytes), (9, 7, 2 * 3 * 9 * 7));
    let jpeg = header(Path::new("f"), &encoded(ImageFormat::Jpeg, [9, 7], pattern)).unwrap();
    assert_eq!((jpeg.width, jpeg.height, jpeg.working_bytes), (9, 7, 12 * 9 * 7));
    let mut inks = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images/16x16-cmyk.jpg")).unwrap();
    assert_eq!(header(Path::new("f"), &inks).unwrap().working_bytes, 16 * 16 * 16);
    // 32 million pixels of three components are allowed, of four they would take half a gigabyte and more.
    let frame = inks.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    inks[frame + 5..frame + 9].copy_from_slice(&[0x16, 0x44, 0x16, 0x44]); // 5,700 x 5,700
    assert!(refused(&inks).ends_with("found 5700 x 5700, 97470000 bytes, 519840000 to decode"), "{}", refused(&inks));
}

#[test]
fn what_is_no_image_is_named() {
    assert_eq!(refused(b""), "f: byte 0: expected a PNG, JPEG, BMP or PNM image, found an empty file");
    assert_eq!(refused(b"GIF89a\x01\0\x01\0"), "f: byte 0: expected a PNG, JPEG, BMP or PNM image, found GIF");
    assert_eq!(refused(b"RIFF\0\0\0\0WEBPVP8 "), "f: byte 0: expected a PNG, JPEG, BMP or PNM image, found WEBP");
    assert_eq!(refused(b"<html>\n<head>"), r"f: byte 0: expected a PNG, JPEG, BMP or PNM image, found `<html>\n<`");
}

/// Decoders make do with a cut file; here, every cut is an error that names the file.
#[test]
fn an_image_cut_anywhere_is_an_error() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encoded(format, [9, 7], pattern);
        let expected = pixels(&whole);
        for length in 0..whole.len() {
            let message = refused(&whole[..length]);
            assert!(message.starts_with("f: byte "), "{length}: {message}");
        }
        let more = [&whole[..], b"what a camera appended"].concat();
        assert_eq!(pixels(&more), expected, "what follows the end is no part of the image");
    }
    let jpeg = encoded(ImageFormat::Jpeg, [9, 7], pattern);
    let cut = jpeg.len() - 1;
    let expected = format!("f: byte {cut}: expected more, up to the end-of-image marker, found the end of the file");
    assert_eq!(refused(&jpeg[..cut]), expected);
}

/// A thumbnail's end in a segment of the header is not the image's.
#[test]
fn the_end_of_a_thumbnail_is_not_the_end() {
    let jpeg = encoded(ImageFormat::Jpeg, [9, 7], pattern);
    let thumbnail = encoded(ImageFormat::Jpeg, [1, 1], pattern);
    let length = (thumbnail.len() + 2) as u16;
    let with_thumbnail = [&jpeg[..2], &[0xff, 0xe1], &length.to_be_bytes(), &thumbnail, &jpeg[2..]].concat();
    assert_eq!(pixels(&with_thumbnail), pixels(&jpeg));
    for cut in [1, 2, 50] {
        assert!(refused(&with_thumbnail[..with_thumbnail.len() - cut]).contains("end-of-image marker"));
    }
}

/// Sizes are looked at before memory is set aside for them: these headers ask for gigabytes.
#[test]
fn a_header_that_claims_too_much_is_refused() {
    let claim = |[width, height]: [u32; 2]| {
        let mut png = encoded(ImageFormat::Png, [1, 1], pattern);
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&png[12..29]);
        png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        png
    };
    let mut jpeg = encoded(ImageFormat::Jpeg, [8, 8], pattern);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]); // 65,535 x 65,535
    let expected = "f: image: expected at most 8192 x 8192 pixels and 134217728 bytes, found ";
    for content in [claim([60_000, 60_000]), claim([8193, 1]), claim([1, 8193]), claim([8192, 8192]), jpeg] {
        assert!(refused(&content).starts_with(expected), "{}", refused(&content));
    }
    assert!(refused(&claim([4, 4])).starts_with("f: image: expected a PNG image that can be decoded, found "));
    assert!(refused(&claim([0, 1])).starts_with("f: image: expected a PNG image that can be decoded, found "));
}

/// Damaged files are refused or decoded, in one line and without a panic.
#[test]
fn damaged_images_do_not_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encoded(format, [20, 12], pattern);
        let mut outcomes = [0, 0];
        for _ in 0..3000 {
            let mut damaged = whole.clone();
            for _ in 0..1 + rng.next_u32() % 4 {
                let at = rng.next_u32() as usize % damaged.len();
                damaged[at] = rng.next_u32() as u8;
            }
            let outcome = decode(Path::new("f"), &damaged);
            outcomes[usize::from(outcome.is_ok())] += 1;
            if outcome.is_err() {
                message(outcome, "never");
            }
        }
        assert!(outcomes[0] >= 300 && (format == ImageFormat::Png || outcomes[1] >= 300), "{outcomes:?}");
    }
}
