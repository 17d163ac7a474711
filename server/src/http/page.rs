//! Lists come in pages: `limit` (1 to 500) and an opaque `cursor`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::ApiError;

/// Items in a page when the caller does not say.
pub const LIMIT_DEFAULT: usize = 100;
/// Items in a page at most.
pub const LIMIT_MAX: usize = 500;
/// The longest cursor, in characters.
const CURSOR_CHARS_MAX: usize = 1024;

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Ask with this `cursor` for what follows; null at the end.
    pub next_cursor: Option<String>,
}

/// Parameters of a list without a search.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// Items in the page, 1 to 500; 100 by default.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `items`, of which one more than `limit` was asked for: the surplus one only
    /// says that there is more. `position` is what the next page begins after.
    pub fn new<P: Serialize>(
        list: &str,
        limit: usize,
        mut items: Vec<T>,
        position: impl Fn(&T) -> P,
    ) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| encode_cursor(list, &position(last)));
        Self { items, next_cursor }
    }
}

/// Checks `limit`.
///
/// # Errors
/// 400 when it is out of range.
pub fn limit(asked: Option<u32>) -> Result<usize, ApiError> {
    match asked.map(|n| n as usize) {
        None => Ok(LIMIT_DEFAULT),
        Some(n) if (1..=LIMIT_MAX).contains(&n) => Ok(n),
        Some(n) => Err(ApiError::parameter("limit", format!("limit is 1 to {LIMIT_MAX}, not {n}"))),
    }
}

/// The cursor of `list` that points after `position`.
pub fn encode_cursor<P: Serialize>(list: &str, position: &P) -> String {
    // A tuple of a text and plain values always has a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(list, position)).unwrap_or_default())
}

#[derive(Deserialize)]
struct Parts<P>(String, P);

/// Reads a cursor that [`encode_cursor`] made for the same list.
///
/// # Errors
/// 400 when it is not one.
pub fn decode_cursor<P: DeserializeOwned>(list: &str, cursor: Option<&str>) -> Result<Option<P>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bad =
        || ApiError::parameter("cursor", "this cursor is not one of this list: take it from `next_cursor`");
    if cursor.len() > CURSOR_CHARS_MAX {
        return Err(bad());
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| bad())?;
    let Parts(of, position) = serde_json::from_slice::<Parts<P>>(&bytes).map_err(|_| bad())?;
    if of == list { Ok(Some(position)) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = encode_cursor("faults", &(5_i64, "x".to_owned()));
        assert_eq!(decode_cursor("faults", Some(&cursor)).unwrap(), Some((5_i64, "x".to_owned())));
        assert_eq!(decode_cursor::<(i64, String)>("faults", None).unwrap(), None);
        for bad in [cursor.as_str(), "", "!", &"A".repeat(5000)] {
            assert_eq!(decode_cursor::<(i64, String)>("lines", Some(bad)).unwrap_err().status(), 400);
        }
    }

    #[test]
    fn the_surplus_item_only_says_that_there_is_more() {
        let page = Page::new("n", 2, vec![1, 2, 3], |n| *n);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(decode_cursor("n", page.next_cursor.as_deref()).unwrap(), Some(2));
        assert!(Page::new("n", 3, vec![1, 2, 3], |n| *n).next_cursor.is_none());
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err());
        assert_eq!(limit(Some(500)).unwrap(), 500);
    }
}
