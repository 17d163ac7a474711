//! Reads one table of a TOML file key by key, collecting every mistake instead of stopping at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml_edit::{Document, Item, TableLike};

use super::{Label, Limit, Mistake, Reading, line_and_column, parse_duration, parse_limit};

/// The longest list of texts in a file.
const TEXTS_MAX: usize = 1_000;

/// Reads TOML; a file that is none has one mistake, with its place.
pub fn document<'a>(text: &'a str, file_name: &str) -> Result<Document<&'a str>, Vec<Mistake>> {
    Document::parse(text).map_err(|error| {
        let (line, column) = error.span().map_or((0, 0), |span| line_and_column(text, span.start));
        let reason = error.message().to_owned();
        vec![Mistake { file: file_name.to_owned(), line, column, key: String::new(), reason }]
    })
}

/// The file being read, and the mistakes found so far.
pub struct File<'a> {
    name: &'a str,
    text: &'a str,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> File<'a> {
    pub fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, mistakes: RefCell::default() }
    }

    pub fn mistake(&self, span: Option<Range<usize>>, key: &str, reason: impl Into<String>) {
        let (line, column) = span.map_or((0, 0), |span| line_and_column(self.text, span.start));
        let (file, key) = (self.name.to_owned(), key.to_owned());
        self.mistakes.borrow_mut().push(Mistake { file, line, column, key, reason: reason.into() });
    }

    /// All mistakes, in the order of the file.
    pub fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        // What is looked at twice is told once.
        mistakes.dedup();
        mistakes
    }
}

/// One table. Keys that nobody asked for are mistakes when it is finished.
pub struct Section<'a> {
    file: &'a File<'a>,
    table: &'a dyn TableLike,
    /// Where the table itself stands, for what is missing in it.
    span: Option<Range<usize>>,
    path: String,
    known: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    pub fn new(file: &'a File<'a>, table: &'a dyn TableLike, span: Option<Range<usize>>, path: &str) -> Self {
        Self { file, table, span, path: path.to_owned(), known: RefCell::default() }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names the section once its own name is known, so that mistakes read `tier.AAA.…`.
    pub fn rename(&mut self, path: String) {
        self.path = path;
    }

    fn item(&self, key: &'static str) -> Option<&'a Item> {
        self.known.borrow_mut().insert(key);
        self.table.get(key)
    }

    fn full(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Records a mistake at a key's value.
    pub fn wrong(&self, key: &'static str, reason: impl Into<String>) {
        let span = self.table.get(key).and_then(Item::span).or_else(|| self.span.clone());
        self.file.mistake(span, &self.full(key), reason);
    }

    /// Records that a required key is absent.
    pub fn missing(&self, key: &'static str) {
        if self.table.get(key).is_none() {
            self.file.mistake(self.span.clone(), &self.full(key), "is missing");
        }
    }

    /// An optional text.
    pub fn text(&self, key: &'static str) -> Option<&'a str> {
        let item = self.item(key)?;
        let text = item.as_str();
        match text {
            None => self.wrong(key, "must be a text in quotes"),
            Some(text) if text.trim().is_empty() => self.wrong(key, "must not be empty"),
            Some(_) => return text,
        }
        None
    }

    /// An optional duration in milliseconds.
    pub fn duration(&self, key: &'static str) -> Option<i64> {
        let text = self.text(key)?;
        parse_duration(text).map_err(|error| self.wrong(key, error.to_string())).ok()
    }

    /// An optional limit: round the clock, in working days, or in business hours.
    pub fn limit(&self, key: &'static str) -> Option<Limit> {
        let text = self.text(key)?;
        parse_limit(text).map_err(|error| self.wrong(key, error.to_string())).ok()
    }

    /// An optional list of texts.
    pub fn texts(&self, key: &'static str) -> Option<Vec<&'a str>> {
        let item = self.item(key)?;
        let texts = item.as_array().and_then(|array| array.iter().map(toml_edit::Value::as_str).collect());
        let texts: Option<Vec<&str>> = texts.filter(|texts: &Vec<&str>| texts.len() <= TEXTS_MAX);
        if texts.is_none() {
            self.wrong(key, format!("must be a list of at most {TEXTS_MAX} texts, such as [\"a\", \"b\"]"));
        }
        texts
    }

    /// An optional list of durations in milliseconds.
    pub fn durations(&self, key: &'static str) -> Option<Vec<i64>> {
        let texts = self.texts(key)?;
        let durations: Result<Vec<i64>, _> = texts.into_iter().map(parse_duration).collect();
        durations.map_err(|error| self.wrong(key, error.to_string())).ok()
    }

    /// An optional yes or no.
    pub fn flag(&self, key: &'static str) -> Option<bool> {
        let flag = self.item(key)?.as_bool();
        if flag.is_none() {
            self.wrong(key, "must be true or false");
        }
        flag
    }

    /// An optional whole number within bounds.
    pub fn whole(&self, key: &'static str, within: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let number = self.item(key)?.as_integer().filter(|number| within.contains(number));
        if number.is_none() {
            self.wrong(key, format!("must be a whole number from {} to {}", within.start(), within.end()));
        }
        number
    }

    /// Whether the key says "off" in place of a number.
    pub fn is_off(&self, key: &'static str) -> bool {
        self.item(key).and_then(Item::as_str) == Some("off")
    }

    /// Whether the key is there.
    pub fn has(&self, key: &'static str) -> bool {
        self.item(key).is_some()
    }

    /// Whether the key is there, with a text.
    pub fn is_text(&self, key: &'static str) -> bool {
        self.item(key).is_some_and(Item::is_str)
    }

    /// An optional whole number above zero.
    pub fn count(&self, key: &'static str) -> Option<u32> {
        let item = self.item(key)?;
        let count = item.as_integer().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
        if count.is_none() {
            self.wrong(key, "must be a whole number above 0");
        }
        count
    }

    /// An optional number with at most three decimals that count.
    pub fn number(&self, key: &'static str) -> Option<Reading> {
        let item = self.item(key)?;
        let number = item.as_float().or_else(|| item.as_integer().map(|whole| whole as f64));
        let reading = number.and_then(Reading::new);
        if reading.is_none() {
            self.wrong(key, "must be a number, such as -24.5");
        }
        reading
    }

    /// An optional percentage, such as `"99%"` or `"99.95%"`, in millionths.
    pub fn percent(&self, key: &'static str) -> Option<u32> {
        let text = self.text(key)?;
        let ppm = text.strip_suffix('%').and_then(|number| {
            let (whole, part) = number.split_once('.').unwrap_or((number, ""));
            let digits = |text: &str| text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
            if whole.is_empty() || !digits(whole) || !digits(part) {
                return None;
            }
            let part: u32 = format!("{part:0<4}").parse().ok()?;
            Some(whole.parse::<u32>().ok()? * 10_000 + part).filter(|ppm| *ppm <= 1_000_000)
        });
        if ppm.is_none() {
            self.wrong(key, "must be a percentage with at most four decimals, such as \"99%\" or \"99.95%\"");
        }
        ppm
    }

    /// An optional list of parts of a whole, rising, in thousandths.
    pub fn permilles(&self, key: &'static str) -> Option<Vec<u16>> {
        let item = self.item(key)?;
        let read = || -> Option<Vec<u16>> {
            let parts: Option<Vec<u16>> =
                item.as_array()?.iter().map(|value| permille(value.as_float()?)).collect();
            parts.filter(|parts| parts.len() <= MARKS_MAX && parts.windows(2).all(|pair| pair[0] < pair[1]))
        };
        let parts = read();
        if parts.is_none() {
            self.wrong(key, "must be at most 8 rising numbers between 0 and 1, such as [0.5, 0.8]");
        }
        parts
    }

    /// An optional label in both languages.
    pub fn label(&self, key: &'static str) -> Option<Label> {
        let item = self.item(key)?;
        let label = item.as_table_like().and_then(|table| {
            let text =
                |language| table.get(language)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
            (table.len() == 2).then_some(())?;
            Some(Label { zh: text("zh")?, en: text("en")? })
        });
        if label.is_none() {
            self.wrong(key, "must be { zh = \"…\", en = \"…\" }");
        }
        label
    }

    /// An optional choice among names.
    pub fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        let choice = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if choice.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.wrong(key, format!("\"{text}\" is not one of: {}", names.join(", ")));
        }
        choice
    }

    /// A list of tables, `[[key]]`.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let Some(tables) = item.as_array_of_tables() else {
            self.wrong(key, format!("must be written as [[{key}]]"));
            return Vec::new();
        };
        tables.iter().map(|table| Section::new(self.file, table, table.span(), &self.full(key))).collect()
    }

    /// A list of tables within a line, `key = [{ … }, { … }]`.
    pub fn inline_sections(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(item) = self.item(key) else { return Vec::new() };
        let tables: Option<Vec<&'a toml_edit::InlineTable>> =
            item.as_array().and_then(|array| array.iter().map(toml_edit::Value::as_inline_table).collect());
        let Some(tables) = tables else {
            self.wrong(key, "must be a list of { … }");
            return Vec::new();
        };
        let path = self.full(key);
        tables.into_iter().map(|table| Section::new(self.file, table, table.span(), &path)).collect()
    }

    /// A list of tables in either form, `[[key]]` or `key = [{ … }, { … }]`.
    pub fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        if self.item(key).is_some_and(toml_edit::Item::is_array_of_tables) {
            return self.sections(key);
        }
        self.inline_sections(key)
    }

    /// A table, `[key]`.
    pub fn section(&self, key: &'static str) -> Option<Section<'a>> {
        let item = self.item(key)?;
        let table = item.as_table_like();
        if table.is_none() {
            self.wrong(key, format!("must be a table, [{key}]"));
        }
        Some(Section::new(self.file, table?, item.span(), &self.full(key)))
    }

    /// Every key that was not asked for is a mistake.
    pub fn finish(&self) {
        let known = self.known.borrow();
        for (key, item) in self.table.iter() {
            if !known.contains(key) {
                let span =
                    self.table.get_key_value(key).and_then(|(key, _)| key.span()).or_else(|| item.span());
                let names: Vec<&str> = known.iter().copied().collect();
                let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
                self.file.mistake(span, &path, format!("unknown key; known here: {}", names.join(", ")));
            }
        }
    }
}

/// The most warning marks of one limit.
const MARKS_MAX: usize = 8;

fn permille(part: f64) -> Option<u16> {
    let permille = (part * 1_000.0).round();
    (permille > 0.0 && permille < 1_000.0).then_some(permille as u16)
}
