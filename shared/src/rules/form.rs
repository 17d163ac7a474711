//! Forms for reports: fields with their kinds, ranges and conditions, and whether answers fit them.

use serde::{Deserialize, Serialize};

use super::pack::Label;
use super::read::{name, named};
use super::reading::{self, Range, Reading};
use super::section::Section;

/// The most fields of a form.
pub const FIELDS_MAX: usize = 100;
/// The most choices of a field.
const CHOICES_MAX: usize = 40;
/// The longest answer, in characters.
pub const ANSWER_CHARS_MAX: usize = 4_000;

/// A form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Form {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// What it is for.
    pub for_: FormFor,
    /// The fields, in order.
    pub fields: Vec<Field>,
}

/// What a form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormFor {
    /// A report of a visit.
    Visit,
    /// A report of a patrol's round.
    Patrol,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The name in data.
    pub name: String,
    /// The name for people.
    pub label: Label,
    /// What it takes.
    pub kind: FieldKind,
    /// What a number is well within; in which unit it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// What can be chosen: names in data and for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<(String, Label)>,
    /// Whether the report is not whole without it.
    pub required: bool,
    /// It is asked only where an earlier field has this answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Condition>,
    /// A word of help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Label>,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// A line of text.
    Text,
    /// Several lines of text.
    Paragraph,
    /// A number.
    Number,
    /// One of its choices.
    Choice,
    /// Yes or no; no deserves a look.
    YesNo,
}

/// When a field is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The earlier field.
    pub field: String,
    /// One of these answers: a choice's name, or `yes` and `no`.
    pub is: Vec<String>,
}

/// An answer to a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The field's name.
    pub field: String,
    /// What was answered.
    pub value: AnswerValue,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerValue {
    /// A text, or a choice's name.
    Text(String),
    /// A number.
    Number(Reading),
    /// Yes or no.
    Flag(bool),
}

impl AnswerValue {
    fn as_condition(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Flag(true) => "yes",
            Self::Flag(false) => "no",
            Self::Number(_) => "",
        }
    }
}

/// What an answer lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// The field's name.
    pub field: String,
    /// What of it.
    pub why: Lacking,
}

/// What an answer lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lacking {
    /// It is not there, and has to be.
    Missing,
    /// It is no answer to such a field.
    Wrong,
    /// There is no such field, or it is not asked here.
    Unasked,
    /// It is longer than an answer may be.
    TooLong,
}

impl Form {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether a field is asked, given what was answered before it.
    #[must_use]
    pub fn is_asked(&self, field: &Field, answers: &[Answer]) -> bool {
        let Some(condition) = &field.when else { return true };
        let Some(on) = self.field(&condition.field) else { return false };
        let answer = answers.iter().find(|answer| answer.field == condition.field);
        self.is_asked(on, answers)
            && answer.is_some_and(|answer| condition.is.iter().any(|is| is == answer.value.as_condition()))
    }

    /// What the answers lack, in the form's order. A number out of its range lacks nothing: it is what was measured.
    #[must_use]
    pub fn lacks(&self, answers: &[Answer]) -> Vec<Lack> {
        let mut lacks = Vec::new();
        for field in &self.fields {
            let answer = answers.iter().find(|answer| answer.field == field.name);
            let why = match (self.is_asked(field, answers), answer) {
                (true, None) if field.required => Some(Lacking::Missing),
                (_, None) => None,
                (false, Some(_)) => Some(Lacking::Unasked),
                (true, Some(answer)) => field.lack(&answer.value),
            };
            lacks.extend(why.map(|why| Lack { field: field.name.clone(), why }));
        }
        let unknown = answers.iter().filter(|answer| self.field(&answer.field).is_none());
        lacks.extend(unknown.map(|answer| Lack { field: answer.field.clone(), why: Lacking::Unasked }));
        lacks
    }
}

impl Field {
    fn lack(&self, value: &AnswerValue) -> Option<Lacking> {
        match (self.kind, value) {
            (FieldKind::Text | FieldKind::Paragraph, AnswerValue::Text(text)) => {
                if text.trim().is_empty() && self.required {
                    Some(Lacking::Missing)
                } else {
                    (text.chars().count() > ANSWER_CHARS_MAX).then_some(Lacking::TooLong)
                }
            }
            (FieldKind::Choice, AnswerValue::Text(text)) => {
                (!self.choices.iter().any(|(known, _)| known == text)).then_some(Lacking::Wrong)
            }
            (FieldKind::Number, AnswerValue::Number(_)) | (FieldKind::YesNo, AnswerValue::Flag(_)) => None,
            _ => Some(Lacking::Wrong),
        }
    }

    /// Whether an answer deserves a look: a number out of its range, or a no.
    #[must_use]
    pub fn is_amiss(&self, value: &AnswerValue) -> bool {
        match value {
            AnswerValue::Number(reading) => self.range.as_ref().is_some_and(|range| !range.holds(*reading)),
            AnswerValue::Flag(flag) => !flag,
            AnswerValue::Text(_) => false,
        }
    }
}

/// Reads a pack's forms.
pub fn read(root: &Section<'_>) -> Vec<Form> {
    named(root, "form", |section, name| {
        section.missing("label");
        section.missing("for");
        section.missing("fields");
        let for_ = section.choice("for", &[("visit", FormFor::Visit), ("patrol", FormFor::Patrol)]);
        let sections = section.tables("fields");
        if sections.is_empty() || sections.len() > FIELDS_MAX {
            section.wrong("fields", format!("must hold 1 to {FIELDS_MAX} fields"));
        }
        let mut fields: Vec<Field> = Vec::new();
        for section in &sections {
            let field = read_field(section, &fields);
            section.finish();
            fields.extend(field);
        }
        Some(Form { name, label: section.label("label")?, for_: for_?, fields })
    })
}

fn read_field(section: &Section<'_>, before: &[Field]) -> Option<Field> {
    for key in ["name", "zh", "en", "kind"] {
        section.missing(key);
    }
    let name = name(section, "name");
    let text = |key| section.text(key).map(str::to_owned);
    let label = text("zh").zip(text("en")).map(|(zh, en)| Label { zh, en });
    let kind = section.choice(
        "kind",
        &[
            ("text", FieldKind::Text),
            ("paragraph", FieldKind::Paragraph),
            ("number", FieldKind::Number),
            ("choice", FieldKind::Choice),
            ("yes_no", FieldKind::YesNo),
        ],
    );
    let range = reading::read(section);
    if range.is_some() && kind.is_some_and(|kind| kind != FieldKind::Number) {
        section.wrong("unit", "only a number has one");
    }
    let choices = read_choices(section, kind);
    let when = read_condition(section, before);
    let required = section.flag("required").unwrap_or(false);
    let help = section.label("help");
    let name = name?;
    if before.iter().any(|known| known.name == name) {
        section.wrong("name", format!("the field \"{name}\" stands twice"));
    }
    Some(Field { name, label: label?, kind: kind?, range, choices, required, when, help })
}

fn read_choices(section: &Section<'_>, kind: Option<FieldKind>) -> Vec<(String, Label)> {
    let mut choices: Vec<(String, Label)> = Vec::new();
    for item in section.tables("choices") {
        item.missing("zh");
        item.missing("en");
        let text = |key| item.text(key).map(str::to_owned);
        let choice = name(&item, "name").zip(text("zh").zip(text("en")));
        item.finish();
        let Some((name, (zh, en))) = choice else { continue };
        if choices.iter().any(|(known, _)| *known == name) {
            item.wrong("name", format!("the choice \"{name}\" stands twice"));
        }
        choices.push((name, Label { zh, en }));
    }
    let is_choice = kind == Some(FieldKind::Choice);
    if is_choice && !(2..=CHOICES_MAX).contains(&choices.len()) {
        section
            .wrong("choices", format!("must hold 2 to {CHOICES_MAX} choices {{ name = …, zh = …, en = … }}"));
    }
    if !is_choice && !choices.is_empty() {
        section.wrong("choices", "only a field of kind \"choice\" has them");
    }
    choices
}

fn read_condition(section: &Section<'_>, before: &[Field]) -> Option<Condition> {
    let table = section.section("when")?;
    table.missing("field");
    table.missing("is");
    let field = table.text("field");
    let is = table.texts("is");
    table.finish();
    let (field, is) = (field?, is?);
    let Some(known) = before.iter().find(|known| known.name == field) else {
        section.wrong("when", format!("there is no field \"{field}\" before it"));
        return None;
    };
    for answer in &is {
        let fits = match known.kind {
            FieldKind::Choice => known.choices.iter().any(|(name, _)| name == answer),
            FieldKind::YesNo => ["yes", "no"].contains(answer),
            _ => false,
        };
        if !fits {
            section.wrong("when", format!("\"{answer}\" is no answer to the field \"{field}\""));
        }
    }
    Some(Condition { field: field.to_owned(), is: is.into_iter().map(str::to_owned).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Pack;

    const HEAD: &str = "[pack]\nname = \"p\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\n";
    const FORM: &str = r#"
[[form]]
name = "visit"
label = { zh = "走访", en = "Visit" }
for = "visit"
fields = [
    { name = "work", zh = "工作", en = "Work", kind = "choice", required = true, choices = [
        { name = "fibre", zh = "光缆", en = "Fibre" }, { name = "copper", zh = "铜缆", en = "Copper" } ] },
    { name = "power", zh = "光功率", en = "Optical power", kind = "number", unit = "dBm", at_least = -24, at_most = -8, required = true, when = { field = "work", is = ["fibre"] } },
    { name = "strap", zh = "腕带", en = "Wrist strap", kind = "yes_no" },
    { name = "words", zh = "说明", en = "Words", kind = "paragraph" },
]
"#;

    fn form() -> Form {
        Pack::parse(&format!("{HEAD}{FORM}"), "p.toml").unwrap().forms.remove(0)
    }

    fn answer(field: &str, value: AnswerValue) -> Answer {
        Answer { field: field.to_owned(), value }
    }

    fn lacks(answers: &[Answer]) -> Vec<(String, Lacking)> {
        form().lacks(answers).into_iter().map(|lack| (lack.field, lack.why)).collect()
    }

    #[test]
    fn what_is_asked_depends_on_what_was_answered() {
        let work = |name: &str| answer("work", AnswerValue::Text(name.to_owned()));
        let power = answer("power", AnswerValue::Number(Reading::new(-30.0).unwrap()));
        assert_eq!(lacks(&[]), [("work".to_owned(), Lacking::Missing)]);
        assert_eq!(lacks(&[work("fibre")]), [("power".to_owned(), Lacking::Missing)]);
        assert_eq!(lacks(&[work("copper")]), []);
        assert_eq!(lacks(&[work("copper"), power.clone()]), [("power".to_owned(), Lacking::Unasked)]);
        assert_eq!(lacks(&[work("fibre"), power.clone()]), [], "out of range is what was measured");
        assert!(form().field("power").unwrap().is_amiss(&power.value));
        assert_eq!(lacks(&[work("satellite")]), [("work".to_owned(), Lacking::Wrong)]);
        let flag = answer("words", AnswerValue::Flag(true));
        assert_eq!(lacks(&[work("copper"), flag]), [("words".to_owned(), Lacking::Wrong)]);
        let unknown = answer("colour", AnswerValue::Flag(true));
        assert_eq!(lacks(&[work("copper"), unknown]), [("colour".to_owned(), Lacking::Unasked)]);
        let long = answer("words", AnswerValue::Text("x".repeat(ANSWER_CHARS_MAX + 1)));
        assert_eq!(lacks(&[work("copper"), long]), [("words".to_owned(), Lacking::TooLong)]);
    }

    #[test]
    fn mistakes_in_a_form_are_named_with_their_place() {
        let cases = [
            ("kind = \"paragraph\"", "kind = \"essay\"", "form.visit.fields.kind: \"essay\" is not one of"),
            (
                "name = \"strap\"",
                "name = \"work\"",
                "form.visit.fields.name: the field \"work\" stands twice",
            ),
            ("is = [\"fibre\"]", "is = [\"radio\"]", "\"radio\" is no answer to the field \"work\""),
            ("field = \"work\", is", "field = \"words\", is", "there is no field \"words\" before it"),
            ("unit = \"dBm\", ", "", "needs a unit"),
            ("for = \"visit\"\n", "", "form.visit.for: is missing"),
            ("kind = \"yes_no\"", "kind = \"yes_no\", unit = \"m\"", "only a number has one"),
        ];
        for (from, to, expected) in cases {
            let text = format!("{HEAD}{FORM}").replacen(from, to, 1);
            let mistakes = Pack::parse(&text, "p.toml").unwrap_err();
            let all: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            assert!(all.iter().any(|one| one.contains(expected)), "{to:?} gave {all:?}, not {expected:?}");
        }
    }
}
