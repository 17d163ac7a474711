//! The first thing in which two outcomes differ, said so that a person can look it up.

use serde_json::Value;

/// The first line in which two texts differ, with its number from 1.
#[must_use]
pub fn first_line(one: &str, other: &str) -> Option<String> {
    let (mut ones, mut others) = (one.lines(), other.lines());
    for number in 1.. {
        match (ones.next(), others.next()) {
            (None, None) => return None,
            (one, other) if one != other => {
                let shown =
                    |line: Option<&str>| line.map_or("nothing".to_owned(), |line| line.trim().to_owned());
                return Some(format!("line {number}: {} | {}", shown(one), shown(other)));
            }
            _ => {}
        }
    }
    None
}

/// The first figure in which two reports differ: its path, and both values. Reports that are no JSON are compared line
/// by line where they are text, and byte by byte otherwise.
#[must_use]
pub fn first_figure(one: &[u8], other: &[u8]) -> Option<String> {
    if one == other {
        return None;
    }
    if let (Ok(one), Ok(other)) = (serde_json::from_slice(one), serde_json::from_slice(other)) {
        return first_value("", &one, &other).or_else(|| Some("the same figures in other bytes".to_owned()));
    }
    if let (Ok(one), Ok(other)) = (std::str::from_utf8(one), std::str::from_utf8(other)) {
        return first_line(one, other);
    }
    let at = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    Some(format!("byte {at} of {} | {}", one.len(), other.len()))
}

fn first_value(path: &str, one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(ones), Value::Object(others)) => {
            let names = ones.keys().chain(others.keys().filter(|name| !ones.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let value = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                first_value(&format!("{path}.{name}"), &value(ones), &value(others))
            })
        }
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            let mut pairs = ones.iter().zip(others).enumerate();
            pairs.find_map(|(n, (one, other))| first_value(&format!("{path}[{n}]"), one, other))
        }
        _ if one == other => None,
        _ => Some(format!("{path}: {one} | {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let (one, other) = (br#"{"a":1,"rows":[{"n":2},{"n":3}]}"#, br#"{"a":1,"rows":[{"n":2},{"n":4}]}"#);
        assert_eq!(first_figure(one, other).as_deref(), Some(".rows[1].n: 3 | 4"));
        assert_eq!(first_figure(b"a,b\n1,2\n", b"a,b\n1,3\n").as_deref(), Some("line 2: 1,2 | 1,3"));
        assert_eq!(first_figure(&[0xFF, 1], &[0xFF, 2]).as_deref(), Some("byte 1 of 2 | 2"));
        assert_eq!(first_figure(one, one), None);
    }
}
