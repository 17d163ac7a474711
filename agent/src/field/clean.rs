//! Photos without what cameras write into them: position, serial numbers, thumbnails, names.
//!
//! Whoever sends the picture to the agent, only what draws it is kept: of a JPEG its frame, tables and scans, of a PNG its
//! critical chunks. Pixels are not touched, and nothing is decoded, so hostile pictures cost what their length costs.

use linewatch_shared::facts::Media;

/// Why bytes are not taken as a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// Neither JPEG nor PNG.
    #[error("only JPEG and PNG pictures are taken")]
    OtherMedia,
    /// It ends too early, or is not built as it should be.
    #[error("the picture is damaged")]
    Damaged,
}

/// The picture without its metadata.
///
/// # Errors
/// When it is no whole JPEG or PNG.
pub fn clean(bytes: &[u8]) -> Result<(Media, Vec<u8>), NoPicture> {
    let media = Media::of(bytes).ok_or(NoPicture::OtherMedia)?;
    let cleaned = match media {
        Media::Jpeg => jpeg(bytes),
        Media::Png => png(bytes),
    };
    cleaned.map(|cleaned| (media, cleaned)).ok_or(NoPicture::Damaged)
}

/// Marker segments of a JPEG: `FF marker length…`; after a start of scan come coded bytes up to the next marker.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    const START_OF_SCAN: u8 = 0xDA;
    const END: u8 = 0xD9;
    let mut cleaned = bytes.get(..2)?.to_vec();
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        match (*bytes.get(at)?, marker) {
            (0xFF, 0xFF) => at += 1,
            (0xFF, END) => {
                cleaned.extend_from_slice(&[0xFF, END]);
                return Some(cleaned);
            }
            // These stand alone, and never between segments.
            (0xFF, 0xD0..=0xD8) => return None,
            (0xFF, 0xC0..=0xFE) => {
                let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
                let mut end = at + 2 + length.max(2);
                if marker == START_OF_SCAN {
                    end = scan_end(bytes, end)?;
                }
                let segment = bytes.get(at..end)?;
                if draws(marker, segment) {
                    cleaned.extend_from_slice(segment);
                }
                at = end;
            }
            _ => return None,
        }
    }
}

/// Whether a segment is needed to draw the picture: not comments, and of the applications' segments only Adobe's, which
/// says how colours are coded.
fn draws(marker: u8, segment: &[u8]) -> bool {
    match marker {
        0xEE => segment.get(4..9) == Some(b"Adobe"),
        0xFE | 0xE0..=0xEF => false,
        _ => true,
    }
}

/// Where the coded bytes of a scan end: at a marker that is neither stuffing nor a restart.
fn scan_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let next = bytes.get(at..)?.iter().position(|byte| *byte == 0xFF)? + at;
        match *bytes.get(next + 1)? {
            0x00 | 0xD0..=0xD7 => at = next + 2,
            0xFF => at = next + 1,
            _ => return Some(next),
        }
    }
}

/// Chunks of a PNG: `length type data crc`. Critical ones have an upper-case first letter.
fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    const HEAD: usize = 8;
    let mut cleaned = bytes.get(..HEAD)?.to_vec();
    let mut at = HEAD;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let kind = bytes.get(at + 4..at + 8)?;
        let end = at.checked_add(12)?.checked_add(length)?;
        let chunk = bytes.get(at..end)?;
        // tRNS is the one other chunk that changes how the picture looks on paper.
        if kind[0].is_ascii_uppercase() || kind == b"tRNS" {
            cleaned.extend_from_slice(chunk);
        }
        if kind == b"IEND" {
            return Some(cleaned);
        }
        at = end;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The smallest thing that is built like a photo: frame, table, scan, and what a camera adds.
    pub(crate) fn photo(exif: &[u8], scan: &[u8]) -> Vec<u8> {
        let segment = |marker: u8, data: &[u8]| {
            let mut segment = vec![0xFF, marker];
            segment.extend_from_slice(&(data.len() as u16 + 2).to_be_bytes());
            segment.extend_from_slice(data);
            segment
        };
        let mut bytes = vec![0xFF, 0xD8];
        bytes.extend(segment(0xE1, &[b"Exif\0\0", exif].concat()));
        bytes.extend(segment(0xFE, b"a camera's comment"));
        bytes.extend(segment(0xDB, &[1; 65]));
        bytes.extend(segment(0xC0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]));
        bytes.extend(segment(0xDA, &[1, 1, 0, 0, 63, 0]));
        bytes.extend_from_slice(scan);
        bytes.extend_from_slice(&[0xFF, 0xD9]);
        bytes
    }

    #[test]
    fn what_a_camera_adds_is_gone_and_what_draws_is_kept() {
        let dirty = photo(b"GPS 31.23 121.47", &[1, 2, 0xFF, 0x00, 3, 0xFF, 0xD0, 4]);
        let (media, cleaned) = clean(&dirty).unwrap();
        assert_eq!(media, Media::Jpeg);
        let text = String::from_utf8_lossy(&cleaned);
        assert!(!text.contains("GPS") && !text.contains("comment") && !text.contains("Exif"), "{text}");
        assert!(cleaned.windows(8).any(|part| part == [1, 2, 0xFF, 0x00, 3, 0xFF, 0xD0, 4]));
        assert_eq!(clean(&cleaned).unwrap().1, cleaned, "cleaning twice is cleaning once");
        let after_the_end = [dirty.as_slice(), b"GPS after the end"].concat();
        assert_eq!(clean(&after_the_end).unwrap().1, cleaned);
    }

    #[test]
    fn a_png_keeps_its_critical_chunks() {
        let chunk =
            |kind: &[u8], data: &[u8]| [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat();
        let head = b"\x89PNG\r\n\x1a\n".to_vec();
        let plain =
            [head.clone(), chunk(b"IHDR", &[0; 13]), chunk(b"IDAT", &[7; 5]), chunk(b"IEND", &[])].concat();
        let dirty = [
            head,
            chunk(b"IHDR", &[0; 13]),
            chunk(b"tEXt", b"Author\0somebody"),
            chunk(b"eXIf", b"GPS"),
            chunk(b"IDAT", &[7; 5]),
            chunk(b"IEND", &[]),
        ]
        .concat();
        assert_eq!(clean(&dirty), Ok((Media::Png, plain)));
    }

    #[test]
    fn what_is_no_whole_picture_is_refused_wherever_it_is_cut() {
        let whole = photo(b"x", &[1, 2, 3]);
        for end in 3..whole.len() {
            assert_eq!(clean(&whole[..end]), Err(NoPicture::Damaged), "{end}");
        }
        assert_eq!(clean(b"GIF89a"), Err(NoPicture::OtherMedia));
        assert_eq!(clean(b""), Err(NoPicture::OtherMedia));
        assert_eq!(clean(b"\x89PNG\r\n\x1a\n\xFF\xFF\xFF\xFFIHDR"), Err(NoPicture::Damaged));
    }
}
