//! Codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 seconds). Pure: secrets and moments are given.

use std::fmt::Write;

use aws_lc_rs::hmac;
use linewatch_shared::time::UnixMs;
use subtle::ConstantTimeEq;

/// Bytes of a secret, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
/// How long a code is valid.
const STEP_S: i64 = 30;
/// Codes of so many steps before and after are taken too: clocks differ.
const STEPS_AROUND: i64 = 1;
/// Digits of a code.
const DIGITS: usize = 6;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// What apps show beside the user's name.
const ISSUER: &str = "linewatch";

/// The code of a step.
fn code_at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let hash = tag.as_ref();
    let at = usize::from(hash.last().copied().unwrap_or_default() & 0xf);
    let mut four = [0; 4];
    four.copy_from_slice(&hash[at..at + 4]);
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    format!("{:0DIGITS$}", number % 10_u32.pow(DIGITS as u32))
}

/// The step whose code this is, of those around `now` and after `last`; none when it is no such code. A code whose step is
/// not after the last one that was taken has been used.
#[must_use]
pub fn step_of(secret: &[u8], code: &str, now: UnixMs, last: i64) -> Option<i64> {
    let present = now.0.div_euclid(1000).div_euclid(STEP_S);
    let is_code = |step: i64| -> bool { code_at(secret, step).as_bytes().ct_eq(code.as_bytes()).into() };
    // All are looked at, so that the time tells nothing.
    let fitting: Vec<i64> =
        (present - STEPS_AROUND..=present + STEPS_AROUND).filter(|step| is_code(*step)).collect();
    fitting.into_iter().find(|step| *step > last)
}

/// The code that an app would show at a moment.
#[must_use]
pub fn code(secret: &[u8], at: UnixMs) -> String {
    code_at(secret, at.0.div_euclid(1000).div_euclid(STEP_S))
}

/// Without the spaces and hyphens with which people write codes, in capitals.
#[must_use]
pub fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect()
}

/// Whether it looks like an app's code; otherwise it is a recovery code.
#[must_use]
pub fn is_digits(code: &str) -> bool {
    code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit())
}

/// Bytes as RFC 4648 writes them in base 32, without padding.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    let bit = |n: usize| bytes.get(n / 8).map_or(0, |byte| byte >> (7 - n % 8) & 1);
    let digits = (bytes.len() * 8).div_ceil(5);
    let digit = |n: usize| (0..5).fold(0, |digit, at| digit << 1 | bit(n * 5 + at));
    (0..digits).map(|n| char::from(BASE32[usize::from(digit(n))])).collect()
}

/// What an app reads from a picture.
#[must_use]
pub fn uri(user: &str, secret: &[u8]) -> String {
    // Names are letters, digits and . - _ @: only what is beyond ASCII has to be written otherwise.
    let mut name = String::new();
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            name.push(char::from(byte));
        } else {
            // Into a text nothing fails.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    format!("otpauth://totp/{ISSUER}:{name}?secret={}&issuer={ISSUER}", base32(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238's table; the table has eight digits, of which these are the last six.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (second, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, UnixMs(second * 1000)), expected, "{second}");
        }
    }

    #[test]
    fn a_code_is_good_for_a_step_around_and_once() {
        let now = UnixMs(1_111_111_111_000);
        let step = now.0 / 1000 / 30;
        let taken = |at: i64, last: i64| step_of(SECRET, &code(SECRET, UnixMs(at)), now, last);
        assert_eq!(taken(now.0, 0), Some(step));
        assert_eq!(taken(now.0 - 30_000, 0), Some(step - 1));
        assert_eq!(taken(now.0 + 30_000, 0), Some(step + 1));
        assert_eq!((taken(now.0 - 60_000, 0), taken(now.0 + 60_000, 0)), (None, None));
        assert_eq!((taken(now.0, step), taken(now.0 - 30_000, step)), (None, None), "used");
        assert_eq!(step_of(SECRET, "", now, 0), None);
        assert_eq!(step_of(SECRET, "05047", now, 0), None);
    }

    #[test]
    fn secrets_are_written_as_apps_read_them() {
        assert_eq!(base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            (base32(b"f"), base32(b"fooba"), base32(b"foobar")),
            ("MY".into(), "MZXW6YTB".into(), "MZXW6YTBOI".into())
        );
        assert_eq!(
            uri("值班@x", b"f"),
            "otpauth://totp/linewatch:%E5%80%BC%E7%8F%AD%40x?secret=MY&issuer=linewatch"
        );
        assert_eq!((plain(" 123 456 "), plain("abcd-2345")), ("123456".into(), "ABCD2345".into()));
    }
}
