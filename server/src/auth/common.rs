//! Passwords that everybody tries first. The list (`common.txt`, sorted) is what leaks show most: every one of it that is
//! long enough to be a password here, and the first thousands of the shorter ones, of which people make longer ones.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Shorter words are no piece of a password that is worth looking at.
const WORD_BYTES_MIN: usize = 4;
/// A pattern that is repeated is at most so long.
const UNIT_CHARS_MAX: usize = 6;
/// What is left of a password without the names that everybody knows.
const REST_CHARS_MIN: usize = 8;
/// The product's own name.
const PRODUCT: &str = "linewatch";
/// Rows of keys, digits and letters in their order.
const RUNS: [&str; 5] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
];

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common.txt").lines().collect());

/// Whether it is on the list, or made of what is on it: one of them with figures and signs around it, one or a short
/// pattern repeated, two of them in a row, a run of keys.
#[must_use]
pub fn is_common(password: &str) -> bool {
    let text = password.to_lowercase();
    let core = text.trim_matches(|c: char| !c.is_alphabetic());
    let is_word = |text: &str| text.len() >= WORD_BYTES_MIN && WORDS.contains(text);
    let is_two = |text: &str| {
        text.char_indices().any(|(at, _)| {
            let (one, other) = text.split_at(at);
            is_word(one) && is_word(other)
        })
    };
    let is_known = |text: &str| is_word(text) || is_two(text);
    is_run(&text) || is_repeated(&text) || is_known(&text) || is_known(core)
}

/// Whether little is left of it without the user's name and the product's.
#[must_use]
pub fn is_name(password: &str, user: &str) -> bool {
    let (text, user) = (password.to_lowercase(), user.to_lowercase());
    let mut rest = text.replace(PRODUCT, "");
    if user.len() >= WORD_BYTES_MIN {
        rest = rest.replace(&user, "");
    }
    rest != text && rest.chars().count() < REST_CHARS_MIN
}

/// A few characters again and again.
fn is_repeated(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=UNIT_CHARS_MAX.min(chars.len() / 2))
        .any(|unit| chars.iter().enumerate().all(|(at, c)| *c == chars[at % unit]))
}

/// Keys or letters in their order, there or back.
fn is_run(text: &str) -> bool {
    let back: String = text.chars().rev().collect();
    RUNS.iter().any(|run| run.contains(text) || run.contains(back.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_tries_is_common() {
        for password in [
            "qwertyuiop12",
            "password1234",
            "Password2024!",
            "!!!PASSWORD!!!",
            "123456789012",
            "210987654321",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "abcdefghijklm",
            "1qaz2wsx3edc",
            "passwordpassword",
            "dragonmonkey12",
            "iloveyou-2026",
        ] {
            assert!(is_common(password), "{password}");
        }
        for password in [
            "long enough now",
            "watch-the-line",
            "sample-password-1",
            "correct horse battery",
            "九个字的口令不够长十个字",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn the_name_alone_is_no_password() {
        assert!(is_name("linewatch-2026", "ops") && is_name("Supervisor-2026", "supervisor"));
        assert!(!is_name("ops has a long one", "ops") && !is_name("watch-the-line", "supervisor"));
    }

    #[test]
    fn the_list_is_whole() {
        assert!(WORDS.len() > 6_000);
        assert!(WORDS.iter().filter(|word| word.len() >= 12).count() > 350);
    }
}
