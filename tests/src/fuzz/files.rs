//! Files that people hand over.

use linewatch_agent::field::clean::clean;
use linewatch_server::app::import;

/// The longest file that is tried: what a reader does once per byte it does as well in a small one.
const FILE_BYTES_MAX: usize = 256 << 10;

/// A customer list or a workbook.
pub(super) fn tables(bytes: &[u8]) {
    if bytes.len() <= FILE_BYTES_MAX {
        let _ = import::count_rows(bytes);
    }
}

/// A photo: what is kept of it is a picture again, and nothing more can be taken away.
pub(super) fn pictures(bytes: &[u8]) {
    if let Ok((media, kept)) = clean(bytes) {
        assert_eq!(clean(&kept), Ok((media, kept.clone())), "cleaned twice is cleaned once");
        assert!(kept.len() <= bytes.len());
    }
}
