//! A text in its two forms, built side by side: plain, and simple HTML in which everything is escaped.

use std::fmt::Write;

use super::words::{Lang, Words};

/// What a mail consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// For mail programs without HTML.
    pub plain: String,
    /// A whole document.
    pub html: String,
}

/// One alert in one language.
pub(super) struct Piece {
    /// The subject without customer and line.
    pub(super) what: String,
    pub(super) subject: String,
    pub(super) lead: String,
    pub(super) rows: Vec<(String, String)>,
    pub(super) done_label: String,
    pub(super) done: Vec<String>,
    pub(super) link: Option<(String, String)>,
    /// Where the receiver takes it.
    pub(super) take: Option<(String, String)>,
    /// Between a label and its value.
    pub(super) colon: &'static str,
}

/// Collects both forms of a text side by side.
pub(super) struct Page {
    plain: String,
    html: String,
    sections: usize,
}

impl Page {
    pub(super) fn new(first: Option<&Words>) -> Self {
        let lang = first.map_or("en", |words| words.lang.code());
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\"><head><meta charset=\"utf-8\"></head>\
             <body style=\"font-family:sans-serif\">\n"
        );
        Self { plain: String::new(), html, sections: 0 }
    }

    pub(super) fn begin(&mut self, lang: Lang) {
        if self.sections > 0 {
            self.plain.push_str("----------------------------------------\n\n");
            self.html.push_str("</div>\n<hr>\n");
        }
        let _ = writeln!(self.html, "<div lang=\"{}\">", lang.code());
        self.sections += 1;
    }

    pub(super) fn paragraph(&mut self, text: &str) {
        let _ = writeln!(self.plain, "{text}\n");
        let _ = writeln!(self.html, "<p>{}</p>", paragraph(text));
    }

    pub(super) fn piece(&mut self, piece: &Piece, lead: &str) {
        let _ = writeln!(self.plain, "{lead}\n");
        let _ = writeln!(self.html, "<p><strong>{}</strong></p>\n<table>", paragraph(lead));
        for (label, value) in &piece.rows {
            let _ = writeln!(self.plain, "{label}{}{value}", piece.colon);
            let _ = writeln!(
                self.html,
                "<tr><th align=\"left\">{}</th><td>{}</td></tr>",
                escape(label),
                escape(value)
            );
        }
        let _ = writeln!(self.plain, "\n{}{}", piece.done_label, piece.colon.trim_end());
        let _ = writeln!(self.html, "</table>\n<p>{}</p>\n<ul>", escape(&piece.done_label));
        for done in &piece.done {
            let _ = writeln!(self.plain, "- {done}");
            let _ = writeln!(self.html, "<li>{}</li>", escape(done));
        }
        self.html.push_str("</ul>\n");
        for (label, link) in piece.take.iter().chain(&piece.link) {
            let _ = writeln!(self.plain, "\n{label}{}{link}", piece.colon);
            let _ = writeln!(self.html, "<p><a href=\"{}\">{}</a></p>", escape(link), escape(label));
        }
        self.plain.push('\n');
    }

    pub(super) fn list(&mut self, items: &[String]) {
        self.html.push_str("<ul>\n");
        for item in items {
            let _ = writeln!(self.plain, "- {item}");
            let _ = writeln!(self.html, "<li>{}</li>", escape(item));
        }
        self.html.push_str("</ul>\n");
        self.plain.push('\n');
    }

    /// A way to a page of ours; nothing where it is no web address.
    pub(super) fn link(&mut self, label: &str, link: &str) {
        if link.starts_with("http://") || link.starts_with("https://") {
            let _ = writeln!(self.plain, "{label} {link}\n");
            let _ = writeln!(self.html, "<p><a href=\"{}\">{}</a></p>", escape(link), escape(label));
        }
    }

    pub(super) fn done(mut self, subject: String) -> Text {
        if self.sections > 0 {
            self.html.push_str("</div>\n");
        }
        self.html.push_str("</body></html>\n");
        Text { subject, plain: self.plain, html: self.html }
    }
}

/// A paragraph of a desk's own may have lines.
fn paragraph(text: &str) -> String {
    escape(text).replace('\n', "<br>\n")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
