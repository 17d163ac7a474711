//! Photos as people see them: unpacked whole within bounds, then drawn anew. Nothing is left of what bytes held beside the
//! picture: what cameras write, what somebody hid in it or behind it. The bytes as they came stay where they are, under
//! their hash: they are the evidence, and are shown to nobody.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

/// The longest side of a picture, in pixels.
const SIDE_PIXELS_MAX: u32 = 20_000;
/// The most pixels of a picture: more than a telephone's camera has.
const PIXELS_MAX: u64 = 64_000_000;
/// The most memory that unpacking may take, in bytes.
const UNPACKED_BYTES_MAX: u64 = 512 << 20;
/// Of a JPEG drawn anew.
const QUALITY: u8 = 88;

/// Why bytes are not shown.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    /// They are not what they say.
    #[error("it is no whole picture: {0}")]
    Unreadable(#[from] image::ImageError),
    /// It would take too much.
    #[error("it has {0} × {1} pixels; {PIXELS_MAX} are shown at most")]
    TooLarge(u32, u32),
}

/// The picture, drawn anew in its own format (`image/png`, otherwise JPEG).
///
/// # Errors
/// When the bytes are no whole picture of that format, or it is too large.
pub fn redrawn(media: &str, bytes: &[u8]) -> Result<Vec<u8>, NoPicture> {
    let format = if media == "image/png" { ImageFormat::Png } else { ImageFormat::Jpeg };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_PIXELS_MAX);
    limits.max_image_height = Some(SIDE_PIXELS_MAX);
    limits.max_alloc = Some(UNPACKED_BYTES_MAX);
    reader.limits(limits);
    let decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(NoPicture::TooLarge(width, height));
    }
    let picture = DynamicImage::from_decoder(decoder)?;
    let mut drawn = Vec::new();
    if format == ImageFormat::Png {
        picture.write_to(&mut Cursor::new(&mut drawn), ImageFormat::Png)?;
    } else {
        // JPEG has neither more than these colours nor transparency.
        let plain = DynamicImage::ImageRgb8(picture.into_rgb8());
        plain.write_with_encoder(JpegEncoder::new_with_quality(&mut drawn, QUALITY))?;
    }
    Ok(drawn)
}

/// A small photo of one shade.
#[cfg(test)]
pub(crate) fn sample(format: ImageFormat, shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let pixels = image::RgbImage::from_pixel(16, 8, image::Rgb([shade, 90, 60]));
    DynamicImage::ImageRgb8(pixels).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(bytes: &[u8], word: &[u8]) -> bool {
        bytes.windows(word.len()).any(|part| part == word)
    }

    #[test]
    fn nothing_but_the_picture_is_left() {
        let hidden = b"<script>alert(1)</script>";
        for (media, format) in [("image/jpeg", ImageFormat::Jpeg), ("image/png", ImageFormat::Png)] {
            let behind = [sample(format, 200).as_slice(), hidden].concat();
            let drawn = redrawn(media, &behind).unwrap();
            assert!(has(&behind, hidden) && !has(&drawn, hidden), "{media}");
            let (before, after) =
                (image::load_from_memory(&behind).unwrap(), image::load_from_memory(&drawn).unwrap());
            let (before, after) = (before.to_rgb8(), after.to_rgb8());
            assert_eq!(before.dimensions(), after.dimensions());
            let differs = |a: &u8, b: &u8| a.abs_diff(*b) > 6;
            assert!(!before.iter().zip(after.iter()).any(|(a, b)| differs(a, b)), "{media}: another picture");
        }
        // A comment within, as cameras and others write it.
        let photo = sample(ImageFormat::Jpeg, 10);
        let length = u16::try_from(hidden.len() + 2).unwrap().to_be_bytes();
        let within = [&photo[..2], &[0xFF, 0xFE], &length, hidden, &photo[2..]].concat();
        assert!(!has(&redrawn("image/jpeg", &within).unwrap(), hidden));
    }

    #[test]
    fn what_is_no_picture_is_not_shown() {
        let (jpeg, png) = (sample(ImageFormat::Jpeg, 1), sample(ImageFormat::Png, 1));
        for (media, bytes) in [
            ("image/jpeg", png.as_slice()),
            ("image/png", jpeg.as_slice()),
            ("image/png", &png[..png.len() / 2]),
            ("image/jpeg", &jpeg[..20]),
            ("image/jpeg", b"\xFF\xD8\xFF<html><script>alert(1)</script>"),
            ("image/png", b"\x89PNG\r\n\x1a\n<svg onload=alert(1)>"),
            ("image/jpeg", b""),
        ] {
            assert!(redrawn(media, bytes).is_err(), "{media} of {} bytes", bytes.len());
        }
    }

    #[test]
    fn a_flood_of_pixels_is_refused_by_what_its_head_says() {
        let mut png = sample(ImageFormat::Png, 1);
        let head = png.windows(4).position(|part| part == b"IHDR").unwrap();
        png[head + 4..head + 8].copy_from_slice(&19_000_u32.to_be_bytes());
        png[head + 8..head + 12].copy_from_slice(&19_000_u32.to_be_bytes());
        let sum = crc32(&png[head..head + 17]);
        png[head + 17..head + 21].copy_from_slice(&sum.to_be_bytes());
        assert!(matches!(
            redrawn("image/png", &png),
            Err(NoPicture::TooLarge(19_000, 19_000) | NoPicture::Unreadable(_))
        ));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = !0_u32;
        for byte in bytes {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            }
        }
        !crc
    }
}
