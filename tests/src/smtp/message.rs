//! A mail as it came, with its headers and texts decoded as far as tests need it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linewatch_shared::time::UnixMs;

/// One mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`.
    pub to: Vec<String>,
    /// The content, dots taken out.
    pub bytes: Vec<u8>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// Who had signed in.
    pub signed_in: Option<String>,
    /// When it was taken in, by this machine's clock.
    pub at: UnixMs,
}

impl Received {
    /// A header's value, unfolded and decoded. Empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        decode_words(&find_header(head_of(&text).0, name))
    }

    /// All the headers as they came, unfolded.
    #[must_use]
    pub fn headers(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.bytes);
        unfold(head_of(&text).0).lines().map(str::to_owned).collect()
    }

    /// The part of the type `text/plain`, or what there is.
    #[must_use]
    pub fn plain(&self) -> String {
        self.part("text/plain")
    }

    /// The part of the type `text/html`; empty when there is none.
    #[must_use]
    pub fn html(&self) -> String {
        self.part("text/html")
    }

    fn part(&self, kind: &str) -> String {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let (head, body) = head_of(&text);
        let content_type = find_header(head, "Content-Type");
        let Some((_, rest)) = content_type.split_once("boundary=") else {
            return decode_body(head, body);
        };
        let boundary = rest.trim_start_matches('"').split(['"', ';']).next().unwrap_or_default();
        let delimiter = format!("--{boundary}");
        let parts = body.split(&delimiter).map(|part| part.trim_start_matches("\r\n"));
        let found = parts.map(head_of).find(|(head, _)| find_header(head, "Content-Type").starts_with(kind));
        found.map(|(head, body)| decode_body(head, body)).unwrap_or_default()
    }
}

fn head_of(text: &str) -> (&str, &str) {
    text.split_once("\r\n\r\n").unwrap_or((text, ""))
}

fn unfold(head: &str) -> String {
    head.replace("\r\n ", " ").replace("\r\n\t", " ")
}

fn find_header(head: &str, name: &str) -> String {
    let head = unfold(head);
    let found = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}

fn decode_body(head: &str, body: &str) -> String {
    let bytes = match find_header(head, "Content-Transfer-Encoding").to_ascii_lowercase().as_str() {
        "base64" => STANDARD.decode(body.split_ascii_whitespace().collect::<String>()).unwrap_or_default(),
        "quoted-printable" => decode_quoted(&body.replace("=\r\n", "")),
        _ => body.as_bytes().to_vec(),
    };
    String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
}

fn decode_quoted(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        if let Some(byte) = code.filter(|_| bytes[at] == b'=') {
            out.push(byte);
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

/// `=?utf-8?b?…?=` and `=?utf-8?q?…?=`; white space between two of them is not part of the text.
fn decode_words(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        let pieces: Vec<&str> = from[2..].splitn(4, '?').collect();
        let &[_, encoding, word, end] = pieces.as_slice() else { break };
        let Some(end) = end.strip_prefix('=') else { break };
        if !after_word || !before.trim().is_empty() {
            out.extend_from_slice(before.as_bytes());
        }
        out.extend(match encoding {
            "b" | "B" => STANDARD.decode(word).unwrap_or_default(),
            _ => decode_quoted(&word.replace('_', " ")),
        });
        rest = end;
        after_word = true;
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_decoded() {
        let text = "Subject: =?utf-8?b?5a6i?= =?utf-8?b?5oi3?= / =?UTF-8?Q?a_=E6=88=B7?=\r\nX-Long: a\r\n b\r\n\
                    Content-Type: multipart/alternative;\r\n boundary=\"B\"\r\n\r\n--B\r\nContent-Type: text/plain; \
                    charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=E5=AE=A2=\r\n=E6=88=B7 1=3D1\r\n\
                    --B\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPHA+\r\n--B--\r\n";
        let mail = Received {
            from: String::new(),
            to: vec![],
            bytes: text.into(),
            encrypted: false,
            signed_in: None,
            at: UnixMs(0),
        };
        assert_eq!(mail.header("subject"), "客户 / a 户");
        assert_eq!(mail.header("X-Long"), "a b");
        assert_eq!(mail.plain().trim_end(), "客户 1=1");
        assert_eq!(mail.html(), "<p>");
    }
}
