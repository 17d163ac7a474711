//! A part of a report that is too large to travel with it: a photo, or a signature. The report names it by its hash.

use serde::{Deserialize, Serialize};

use crate::time::UnixMs;
use crate::wire::Hash;

/// The most parts of one report.
pub const PARTS_MAX: usize = 40;
/// The longest part, in bytes.
pub const PART_BYTES_MAX: u64 = 8 << 20;
/// The most bytes of a chunk in which a part is sent.
pub const CHUNK_BYTES_MAX: usize = 256 << 10;
/// The longest caption, in characters.
pub const CAPTION_CHARS_MAX: usize = 500;

/// A part, as its report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What it is.
    pub role: PartRole,
    /// How its bytes are to be read.
    pub media: Media,
    /// The hash of its bytes, which is its name everywhere.
    pub sha256: Hash,
    /// How many bytes.
    pub bytes: u64,
    /// A word under it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub caption: String,
    /// When it was taken, as the camera or the device said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<UnixMs>,
    /// Where it was taken, only where the technician wanted that kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartRole {
    /// A photo.
    Photo,
    /// The customer's signature.
    Signature,
}

/// How a part's bytes are to be read. Nothing else is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}

impl Media {
    /// Its name in HTTP.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// What bytes say that they are, by how they begin.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else {
            None
        }
    }
}

/// Where a photo was taken, in millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// North of the equator.
    pub latitude_udeg: i32,
    /// East of Greenwich.
    pub longitude_udeg: i32,
}
