//! An alert as a mail: headers, subject, plain text and HTML.
//!
//! Nothing that comes from outside reaches a header unchecked: the subject is cleaned of control
//! characters and encoded, ids and keys are reduced to visible ASCII.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message as Mail};
use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::page::Text;
use super::text::clean;

/// Characters of a header value of ours: the keys of a full digest fit.
const HEADER_CHARS_MAX: usize = 32_000;
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 300;
/// Faults that a digest refers to.
const REFERENCES_MAX: usize = 20;

/// What a mail is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The sender.
    pub from: &'a Mailbox,
    /// The receiver.
    pub to: &'a Address,
    /// The same on every try.
    pub message_id: &'a str,
    /// The keys of the effects that it tells of.
    pub keys: &'a [String],
    /// The faults that it tells of, each once.
    pub faults: &'a [Uuid],
    /// When it is sent.
    pub at: UnixMs,
}

/// The mail cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("the mail cannot be built: {0}")]
pub struct MailError(String);

/// Builds the mail.
///
/// # Errors
/// When the parts make no mail, which no try will change.
pub fn build(parts: &Parts<'_>, text: Text) -> Result<Mail, MailError> {
    let wrong = |e: &dyn std::fmt::Display| MailError(e.to_string());
    let millis = u64::try_from(parts.at.0).unwrap_or(0);
    let threads: Vec<String> = parts.faults.iter().take(REFERENCES_MAX).map(thread_id).collect();
    let mut builder = Mail::builder()
        .from(parts.from.clone())
        .to(Mailbox::new(None, parts.to.clone()))
        .date(UNIX_EPOCH + Duration::from_millis(millis))
        .message_id(Some(bracketed(parts.message_id)))
        .subject(clean(&text.subject, SUBJECT_CHARS_MAX))
        .references(threads.join(" "));
    // A reply to one thread; a digest of many faults belongs to none.
    if let [thread] = threads.as_slice() {
        builder = builder.in_reply_to(thread.clone());
    }
    let faults = parts.faults.iter().map(Uuid::to_string).collect::<Vec<_>>().join(", ");
    let headers = [
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Linewatch-Key", parts.keys.join(", ")),
        ("X-Linewatch-Fault", faults),
    ];
    for (name, value) in headers {
        let name = HeaderName::new_from_ascii(name.to_owned()).map_err(|e| wrong(&e))?;
        builder = builder.raw_header(HeaderValue::new(name, visible_ascii(&value)));
    }
    builder.multipart(MultiPart::alternative_plain_html(text.plain, text.html)).map_err(|e| wrong(&e))
}

/// The id that all mails of one fault refer to, so that mail programs show them as one thread.
fn thread_id(fault: &Uuid) -> String {
    format!("<{fault}@linewatch>")
}

/// A Message-ID as RFC 5322 wants it, whatever was stored.
fn bracketed(id: &str) -> String {
    let id: String = id.chars().filter(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>')).collect();
    if id.contains('@') { format!("<{id}>") } else { format!("<{id}@linewatch>") }
}

fn visible_ascii(text: &str) -> String {
    let visible = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().map(visible).take(HEADER_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(subject: &str, message_id: &str, key: &str) -> String {
        let fault = Uuid::from_u128(7);
        let parts = Parts {
            from: &"linewatch <alerts@desk.example>".parse().unwrap(),
            to: &"manager@desk.example".parse().unwrap(),
            message_id,
            keys: &[key.to_owned()],
            faults: &[fault],
            at: UnixMs(1_800_000_000_000),
        };
        let text =
            Text { subject: subject.to_owned(), plain: "客户\n.\n".into(), html: "<p>客户</p>".into() };
        let mail = String::from_utf8(build(&parts, text).unwrap().formatted()).unwrap();
        assert!(mail.is_ascii());
        assert!(mail.lines().all(|line| line.len() <= 998));
        mail.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ")
    }

    #[test]
    fn the_headers_are_those_promised() {
        let headers = headers("【金牌】L-1：抢通已超时", "<a@linewatch>", "k/restoration/first/missed/0");
        let fault = "00000000-0000-0000-0000-000000000007";
        for line in [
            "Message-ID: <a@linewatch>".to_owned(),
            format!("References: <{fault}@linewatch>"),
            format!("In-Reply-To: <{fault}@linewatch>"),
            "Auto-Submitted: auto-generated".to_owned(),
            "X-Linewatch-Key: k/restoration/first/missed/0".to_owned(),
            format!("X-Linewatch-Fault: {fault}"),
            "Date: Fri, 15 Jan 2027 08:00:00 +0000".to_owned(),
        ] {
            assert!(headers.lines().any(|l| l == line), "{line} is not in\n{headers}");
        }
        assert!(headers.contains("Subject: =?utf-8?b?"), "{headers}");
    }

    #[test]
    fn nothing_from_outside_makes_a_header() {
        let attack = "x\r\nBcc: everyone@desk.example\r\n\r\nbody";
        let headers = headers(attack, attack, attack);
        assert!(!headers.lines().any(|l| l.starts_with("Bcc")), "{headers}");
        assert!(!headers.contains("\r\n\r\n"));
        assert!(headers.contains("Subject: x Bcc: everyone@desk.example body"), "{headers}");
    }

    #[test]
    fn the_keys_of_a_full_digest_fit_in_lines_that_servers_take() {
        let keys: Vec<String> =
            (0..200).map(|n| format!("{}/restoration/first/warn_80/0", Uuid::from_u128(n))).collect();
        let headers = headers("x", "<a@b>", &keys.join(", "));
        assert!(keys.iter().all(|key| headers.contains(key.as_str())));
    }

    #[test]
    fn a_message_id_is_completed() {
        assert_eq!(bracketed("<a@b>"), "<a@b>");
        assert_eq!(bracketed("a"), "<a@linewatch>");
    }
}
