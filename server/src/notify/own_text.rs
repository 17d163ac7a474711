//! A text of the desk's own, in place of a shipped one: what it may be.
//!
//! It is the right side of a Fluent message and nothing more: no second message, no attribute, no reference to another
//! text, no function; variables only of those that the shipped text is given.

use std::collections::BTreeSet;

use fluent::FluentResource;
use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement, VariantKey};
use fluent_syntax::parser::ErrorKind;
use fluent_syntax::unicode::unescape_unicode_to_string;

use super::shipped::{self, Shipped};

/// Characters of a paragraph.
const PARAGRAPH_CHARS_MAX: usize = 2_000;
/// Characters of any other text.
const LINE_CHARS_MAX: usize = 600;
/// Opening braces: what is between them can stand one in another, and is read by recursion.
const BRACES_MAX: usize = 40;
/// What stands before the text in the message that it is read as.
const BEFORE: &str = "t = ";
/// What stands before its further lines, so that none begins a message.
const INDENT: &str = "    ";

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// For programs.
    pub reason: &'static str,
    /// For people: what is wrong, and what would be right.
    pub detail: String,
    /// What would be possible; may be empty.
    pub possible: Vec<String>,
}

impl Refusal {
    fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), possible: Vec::new() }
    }
}

/// A text of the desk's own.
pub struct OwnText {
    resource: FluentResource,
    uses: BTreeSet<String>,
    hides_late: bool,
}

impl std::fmt::Debug for OwnText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnText").field("uses", &self.uses).finish_non_exhaustive()
    }
}

impl OwnText {
    /// Reads a text that is to stand in the place of `shipped`.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn read(shipped: &Shipped, text: &str) -> Result<Self, Refusal> {
        let text = tidy(text);
        bounded(shipped, &text)?;
        let source = format!("{BEFORE}{}\n", text.replace('\n', &format!("\n{INDENT}")));
        let resource = FluentResource::try_new(source).map_err(|(resource, errors)| {
            let (at, said) =
                errors.first().map_or((0, String::new()), |error| (error.pos.start, slip(&error.kind)));
            let (line, column) = place(resource.source(), at);
            Refusal::new("syntax", format!("line {line}, character {column}: {said}"))
        })?;
        let mut uses = BTreeSet::new();
        let pattern = only_pattern(&resource)?;
        Reader { shipped, uses: &mut uses }.pattern(pattern)?;
        let hides_late = shipped.tells_late && !uses.contains("late");
        Ok(Self { resource, uses, hides_late })
    }

    /// What it says.
    pub(super) fn pattern(&self) -> Option<&Pattern<&str>> {
        only_pattern(&self.resource).ok()
    }

    /// The variables that it uses.
    #[must_use]
    pub const fn uses(&self) -> &BTreeSet<String> {
        &self.uses
    }

    /// Whether it sounds the same late as in time, where the shipped text does not.
    #[must_use]
    pub const fn hides_late(&self) -> bool {
        self.hides_late
    }
}

/// A text as it is kept: without blank ends, its lines ended in one way.
#[must_use]
pub fn tidy(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// Looks at it before it is parsed.
fn bounded(shipped: &Shipped, text: &str) -> Result<(), Refusal> {
    if text.is_empty() {
        return Err(Refusal::new("blank", "the text is empty: reset it to have the shipped one"));
    }
    let most = if shipped.is_paragraph { PARAGRAPH_CHARS_MAX } else { LINE_CHARS_MAX };
    let chars = text.chars().count();
    if chars > most {
        return Err(Refusal::new(
            "too_long",
            format!("the text has {chars} characters; {most} are possible"),
        ));
    }
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if let Some(c) = text.chars().find(|c| hidden(*c)) {
        let detail =
            format!("the text has a character that cannot be seen (U+{:04X}): take it out", u32::from(c));
        return Err(Refusal::new("hidden_character", detail));
    }
    if text.chars().filter(|c| *c == '{').count() > BRACES_MAX {
        return Err(Refusal::new(
            "too_many_parts",
            format!("the text has more than {BRACES_MAX} opening braces"),
        ));
    }
    Ok(())
}

/// What a slip of the pen was, and what would be right.
fn slip(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::MissingDefaultVariant => {
            "one variant has to be marked with a star, such as *[no]".to_owned()
        }
        ErrorKind::MultipleDefaultVariants => "only one variant may be marked with a star".to_owned(),
        ErrorKind::UnbalancedClosingBrace => {
            "a } without its {; write {\"}\"} for the character itself".to_owned()
        }
        ErrorKind::UnterminatedStringLiteral => "a quote is not closed".to_owned(),
        ErrorKind::ExpectedInlineExpression => {
            "after { comes a variable, such as { $due }; write {\"{\"} for the character itself".to_owned()
        }
        ErrorKind::ExpectedCharRange { range } if range.contains('\n') => {
            "a line has to end here: each variant stands on a line of its own".to_owned()
        }
        ErrorKind::ExpectedToken(c) => format!("a {c} is missing here"),
        other => other.to_string().to_lowercase().replace(char::is_control, " "),
    }
}

/// Line and character in the text of a place in what was parsed.
fn place(source: &str, at: usize) -> (usize, usize) {
    // What is missing at the end is missing behind the last character.
    let before = source.get(..at.min(source.trim_end().len())).unwrap_or(source);
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(BEFORE.len(), |end| end + 1 + INDENT.len());
    let column = before.get(start..).map_or(0, |rest| rest.chars().count());
    (line + 1, column + 1)
}

fn only_pattern(resource: &FluentResource) -> Result<&Pattern<&str>, Refusal> {
    let mut entries = resource.entries();
    match (entries.next(), entries.next()) {
        (Some(Entry::Message(Message { value: Some(value), attributes, .. })), None)
            if attributes.is_empty() =>
        {
            Ok(value)
        }
        _ => {
            let detail = "this is more than one text: a line cannot begin with a dot; write {\".\"} for it";
            Err(Refusal::new("more_than_one", detail))
        }
    }
}

/// Walks through a text. How deep it goes is bounded by [`BRACES_MAX`].
struct Reader<'a> {
    shipped: &'a Shipped,
    uses: &'a mut BTreeSet<String>,
}

impl Reader<'_> {
    fn pattern(&mut self, pattern: &Pattern<&str>) -> Result<(), Refusal> {
        let mut says_something = false;
        for element in &pattern.elements {
            says_something |= match element {
                PatternElement::TextElement { value } => {
                    if !self.shipped.is_paragraph && value.trim_end_matches(' ').contains('\n') {
                        let detail = "this text has to stay on one line";
                        return Err(Refusal::new("not_one_line", detail));
                    }
                    !value.trim().is_empty()
                }
                PatternElement::Placeable { expression } => self.expression(expression)?,
            };
        }
        if says_something {
            return Ok(());
        }
        Err(Refusal::new("blank", "the text, or one of its variants, says nothing"))
    }

    /// Whether it says something.
    fn expression(&mut self, expression: &Expression<&str>) -> Result<bool, Refusal> {
        match expression {
            Expression::Inline(inline) => self.inline(inline),
            Expression::Select { selector, variants } => {
                let InlineExpression::VariableReference { id } = selector else {
                    let detail = "variants are chosen by a variable: { $late -> … }";
                    return Err(Refusal::new("no_variable", detail));
                };
                self.variable(id.name)?;
                for variant in variants {
                    key(id.name, &variant.key)?;
                    self.pattern(&variant.value)?;
                }
                Ok(true)
            }
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) -> Result<bool, Refusal> {
        match inline {
            InlineExpression::StringLiteral { value } => {
                let value = unescape_unicode_to_string(value);
                if value.chars().any(char::is_control) {
                    return Err(Refusal::new(
                        "hidden_character",
                        "a quoted part has a character that cannot be seen",
                    ));
                }
                Ok(!value.is_empty())
            }
            InlineExpression::NumberLiteral { .. } => Ok(true),
            InlineExpression::VariableReference { id } => self.variable(id.name).map(|()| true),
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::MessageReference { id, .. } => {
                let name = id.name;
                let detail = format!("{{ {name} }} is no variable: a variable is written {{ ${name} }}");
                Err(self.with_possible(Refusal::new("no_variable", detail)))
            }
            InlineExpression::FunctionReference { id, .. } | InlineExpression::TermReference { id, .. } => {
                let detail = format!("{} is no variable, and only variables may stand in braces", id.name);
                Err(self.with_possible(Refusal::new("no_variable", detail)))
            }
        }
    }

    fn variable(&mut self, name: &str) -> Result<(), Refusal> {
        if !self.shipped.variables.contains(name) {
            let known: Vec<String> = self.shipped.variables.iter().map(|name| format!("${name}")).collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("it has {}", known.join(", "))
            };
            let detail = format!("{} is not given ${name}: {known}", self.shipped.id);
            return Err(self.with_possible(Refusal::new("unknown_variable", detail)));
        }
        self.uses.insert(name.to_owned());
        Ok(())
    }

    fn with_possible(&self, refusal: Refusal) -> Refusal {
        Refusal { possible: self.shipped.variables.iter().cloned().collect(), ..refusal }
    }
}

/// A variant that can never be chosen is a slip of the pen.
fn key(variable: &str, key: &VariantKey<&str>) -> Result<(), Refusal> {
    let name = match key {
        VariantKey::Identifier { name } => name,
        VariantKey::NumberLiteral { value } => value,
    };
    let possible = ["yes", "no"];
    if ["late", "over"].contains(&variable) && !possible.contains(name) {
        let detail = format!("${variable} is yes or no, never \"{name}\"");
        let possible = possible.map(str::to_owned).to_vec();
        return Err(Refusal { possible, ..Refusal::new("unknown_variant", detail) });
    }
    Ok(())
}

/// Reads a text for the place `id`.
///
/// # Errors
/// None where there is no such place; else why it cannot stand there.
pub fn read(id: &str, text: &str) -> Result<OwnText, Option<Refusal>> {
    let (_, shipped) = shipped::find(id).ok_or(None)?;
    OwnText::read(shipped, text).map_err(Some)
}
