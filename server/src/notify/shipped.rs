//! The texts that the program is shipped with, one by one: where each stands, what it says, which variables it is given.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use fluent_syntax::ast::{
    Entry, Expression, Identifier, InlineExpression, Message, Pattern, PatternElement, Resource,
};
use fluent_syntax::parser;
use fluent_syntax::serializer;

use super::sample::FAULT_KINDS;
use super::words::Lang;

/// What every headline (`.what` and `.lead` of a kind and a mark) is given, beside what the shipped text uses.
const OF_HEADLINES: [&str; 9] =
    ["line", "customer", "site", "tier", "due", "due_short", "at", "balance", "late"];
/// Marks of such messages.
const MARKS: [&str; 6] = ["warning", "missed", "met_late", "corrected", "changed", "outcome"];

/// One text, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    /// `message` or `message.attribute`.
    pub id: String,
    /// What it may be made of, by name.
    pub variables: BTreeSet<String>,
    /// Whether it is a paragraph, which may have lines; others stay on one.
    pub is_paragraph: bool,
    /// Whether it says by itself that something was learnt late.
    pub tells_late: bool,
    zh: Version,
    en: Version,
}

/// A text in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Version {
    section: String,
    text: String,
    uses: BTreeSet<String>,
}

impl Shipped {
    const fn version(&self, lang: Lang) -> &Version {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }

    /// As Fluent writes it, without its name.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &str {
        &self.version(lang).text
    }

    /// The heading under which it stands.
    #[must_use]
    pub fn section(&self, lang: Lang) -> &str {
        &self.version(lang).section
    }

    /// The variables that the shipped text uses.
    #[must_use]
    pub fn uses(&self, lang: Lang) -> &BTreeSet<String> {
        &self.version(lang).uses
    }
}

/// Every text, in the order of the English file.
pub fn all() -> &'static [Shipped] {
    static ALL: LazyLock<Vec<Shipped>> = LazyLock::new(read);
    &ALL
}

/// One text, and its place in the order.
#[must_use]
pub fn find(id: &str) -> Option<(usize, &'static Shipped)> {
    static PLACES: LazyLock<BTreeMap<&'static str, usize>> =
        LazyLock::new(|| all().iter().enumerate().map(|(place, text)| (text.id.as_str(), place)).collect());
    let place = *PLACES.get(id)?;
    all().get(place).map(|text| (place, text))
}

fn read() -> Vec<Shipped> {
    let mut zh: BTreeMap<String, Version> = versions(Lang::Zh).into_iter().collect();
    let en = versions(Lang::En);
    // Both parts of a message are given the same.
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (id, version) in zh.iter().chain(en.iter().map(|(id, version)| (id, version))) {
        given.entry(message(id).to_owned()).or_default().extend(version.uses.iter().cloned());
    }
    let shipped = |(id, en): (String, Version)| {
        let zh = zh.remove(&id).unwrap_or_default();
        let mut variables = given.get(message(&id)).cloned().unwrap_or_default();
        if is_headline(&id) {
            variables.extend(OF_HEADLINES.map(str::to_owned));
        }
        let tells_late = [&zh, &en].iter().any(|version| version.uses.contains("late"));
        Shipped { is_paragraph: is_paragraph(&id), tells_late, variables, zh, en, id }
    };
    en.into_iter().map(shipped).collect()
}

fn message(id: &str) -> &str {
    id.split_once('.').map_or(id, |(message, _)| message)
}

/// Of the messages that [`super::text`] gives the variables of headlines.
fn is_headline(id: &str) -> bool {
    let Some((message, _)) = id.split_once('.') else { return false };
    let named = message.split_once('-').is_some_and(|(kind, mark)| {
        (kind == "matter" || FAULT_KINDS.contains(&kind)) && MARKS.contains(&mark)
    });
    named || message == "other-notice"
}

fn is_paragraph(id: &str) -> bool {
    [".lead", "-lead", "-lead-whole"].iter().any(|end| id.ends_with(end)) || id.starts_with("for-")
}

/// The texts of one language in the order of its file. That the file can be read is tested.
fn versions(lang: Lang) -> Vec<(String, Version)> {
    let resource = parser::parse(lang.ftl()).unwrap_or_else(|(resource, _)| resource);
    let mut section = String::new();
    let mut versions = Vec::new();
    for entry in &resource.body {
        match entry {
            Entry::GroupComment(comment) => section = comment.content.join(" "),
            Entry::Message(message) => {
                let attributes = message.attributes.iter();
                let parts =
                    attributes.map(|part| (format!("{}.{}", message.id.name, part.id.name), &part.value));
                let value = message.value.iter().map(|value| (message.id.name.to_owned(), value));
                for (id, pattern) in value.chain(parts) {
                    let mut uses = BTreeSet::new();
                    variables(pattern, &mut uses);
                    versions.push((id, Version { section: section.clone(), text: written(pattern), uses }));
                }
            }
            _ => {}
        }
    }
    versions
}

/// The variables of a pattern.
fn variables(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        let (Expression::Inline(of) | Expression::Select { selector: of, .. }) = expression;
        if let InlineExpression::VariableReference { id } = of {
            found.insert(id.name.to_owned());
        }
        if let Expression::Select { variants, .. } = expression {
            for variant in variants {
                variables(&variant.value, found);
            }
        }
    }
}

/// A pattern as a person writes it.
fn written(pattern: &Pattern<&str>) -> String {
    const NAME: &str = "t";
    let message = Message {
        id: Identifier { name: NAME },
        value: Some(pattern.clone()),
        attributes: Vec::new(),
        comment: None,
    };
    let text = serializer::serialize(&Resource { body: vec![Entry::Message(message)] });
    let text = text.strip_prefix(NAME).and_then(|rest| rest.trim_start().strip_prefix('=')).unwrap_or(&text);
    let lines = text.trim().lines();
    lines.map(|line| line.strip_prefix("    ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
