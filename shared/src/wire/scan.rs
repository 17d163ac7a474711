//! The guard in front of the MessagePack decoder.
//!
//! rmp-serde recurses once a level and trusts lengths; a short hostile body can overflow the stack or
//! ask for much memory. This walk needs neither: it keeps one counter a level and stops at the bounds.

/// The deepest nesting that is let through; our own types need seven.
const DEPTH_MAX: usize = 16;
/// The most values (of any kind) in one message.
const VALUES_MAX: u32 = 400_000;

/// Why bytes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// More levels of arrays and maps than allowed.
    #[error("nested deeper than {DEPTH_MAX} levels at byte {0}")]
    TooDeep(usize),
    /// More values than allowed.
    #[error("more than {VALUES_MAX} values")]
    TooMany,
    /// A length that goes beyond the end.
    #[error("cut off at byte {0}")]
    CutOff(usize),
    /// Something follows the one value.
    #[error("{0} bytes follow the message")]
    Trailing(usize),
    /// A marker that MessagePack does not use, or an extension, which we do not use.
    #[error("unknown marker at byte {0}")]
    Marker(usize),
}

/// Checks that `bytes` hold exactly one MessagePack value within the bounds.
///
/// # Errors
/// Says which bound was passed, and where.
pub fn scan(bytes: &[u8]) -> Result<(), ScanError> {
    let mut open = [0_u64; DEPTH_MAX];
    let mut depth = 0;
    let mut at = 0;
    let mut values = 0_u32;
    loop {
        values += 1;
        if values > VALUES_MAX {
            return Err(ScanError::TooMany);
        }
        let (skip, children) = head(bytes, at)?;
        at = at.checked_add(skip).filter(|end| *end <= bytes.len()).ok_or(ScanError::CutOff(at))?;
        if children > 0 {
            if depth == DEPTH_MAX {
                return Err(ScanError::TooDeep(at));
            }
            // Each child takes a byte at least: a count beyond the rest is a lie.
            if children > (bytes.len() - at) as u64 {
                return Err(ScanError::CutOff(at));
            }
            open[depth] = children;
            depth += 1;
            continue;
        }
        loop {
            if depth == 0 {
                return if at == bytes.len() { Ok(()) } else { Err(ScanError::Trailing(bytes.len() - at)) };
            }
            open[depth - 1] -= 1;
            if open[depth - 1] > 0 {
                break;
            }
            depth -= 1;
        }
    }
}

/// The bytes taken by the value's head and its own data, and how many values follow inside it.
fn head(bytes: &[u8], at: usize) -> Result<(usize, u64), ScanError> {
    let marker = *bytes.get(at).ok_or(ScanError::CutOff(at))?;
    let length = |size: usize| -> Result<usize, ScanError> {
        let raw = bytes.get(at + 1..at + 1 + size).ok_or(ScanError::CutOff(at))?;
        Ok(raw.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte)))
    };
    Ok(match marker {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (1, 0),
        0x80..=0x8f => (1, 2 * u64::from(marker & 0x0f)),
        0x90..=0x9f => (1, u64::from(marker & 0x0f)),
        0xa0..=0xbf => (1 + usize::from(marker & 0x1f), 0),
        0xc4 | 0xd9 => (2 + length(1)?, 0),
        0xc5 | 0xda => (3 + length(2)?, 0),
        0xc6 | 0xdb => (5 + length(4)?, 0),
        0xcc | 0xd0 => (2, 0),
        0xcd | 0xd1 => (3, 0),
        0xca | 0xce | 0xd2 => (5, 0),
        0xcb | 0xcf | 0xd3 => (9, 0),
        0xdc => (3, length(2)? as u64),
        0xdd => (5, length(4)? as u64),
        0xde => (3, 2 * length(2)? as u64),
        0xdf => (5, 2 * length(4)? as u64),
        _ => return Err(ScanError::Marker(at)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn deep_nesting_is_refused_without_recursion() {
        let bytes = vec![0x91; 60_000];
        assert!(matches!(scan(&bytes), Err(ScanError::TooDeep(_))));
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused() {
        assert!(matches!(scan(&[0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0]), Err(ScanError::CutOff(_))));
        assert!(matches!(scan(&[0xc6, 0xff, 0xff, 0xff, 0xff]), Err(ScanError::CutOff(_))));
    }

    #[test]
    fn ten_megabytes_of_nils_are_refused() {
        let mut bytes = vec![0xdd, 0x00, 0x98, 0x96, 0x80];
        bytes.resize(10_000_005, 0xc0);
        assert_eq!(scan(&bytes), Err(ScanError::TooMany));
    }

    #[test]
    fn trailing_bytes_are_refused() {
        assert_eq!(scan(&[0xc0, 0xc0]), Err(ScanError::Trailing(1)));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
        }

        #[test]
        fn what_the_encoder_writes_passes(value in proptest::collection::vec((any::<i64>(), ".{0,20}", any::<Option<bool>>()), 0..50)) {
            let bytes = rmp_serde::to_vec_named(&value).unwrap();
            prop_assert_eq!(scan(&bytes), Ok(()));
        }
    }
}
