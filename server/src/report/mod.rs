//! Reports in every format: JSON for programs, CSV and XLSX for spreadsheets, PDF for people. Equal figures give equal
//! bytes: no clock, no order of maps. Nothing here reads the database.

pub mod assessment;
mod columns;
pub mod csv;
pub mod font;
pub mod json;
mod page;
pub mod papers;
pub mod pdf;
pub mod table;
#[cfg(test)]
mod tests;
pub mod visit;
#[cfg(test)]
mod visit_tests;
mod visit_words;
pub mod words;
pub mod xlsx;

use crate::app::report::Published;
use crate::app::report::group::Group;
use words::Lang;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One grouping, for programs.
    #[default]
    Json,
    /// One grouping, for spreadsheets.
    Csv,
    /// Everything, for spreadsheets.
    Xlsx,
    /// Everything, for people.
    Pdf,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Xlsx, Self::Pdf];

    /// The name in the API, also of files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// Reads [`Form::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }

    /// The media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
        }
    }

    /// Whether it is text that a terminal can show.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Json | Self::Csv)
    }
}

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The font has no such character.
    #[error("the report's font has no character \"{character}\" (U+{:04X}), in \"{text}\"; take the XLSX or CSV form", u32::from(*character))]
    MissingGlyph {
        /// Which.
        character: char,
        /// Where it stands.
        text: String,
    },
    /// It does not fit the form.
    #[error("{0}")]
    TooLarge(String),
    /// The writer failed.
    #[error("the report cannot be written: {0}")]
    Write(String),
}

/// Writes a report in a form.
///
/// # Errors
/// When the form cannot hold it.
pub fn render(published: &Published, group: Group, form: Form, lang: Lang) -> Result<Vec<u8>, RenderError> {
    match form {
        Form::Json => {
            let mut text = serde_json::to_vec_pretty(&json::view(published, group))
                .map_err(|e| RenderError::Write(e.to_string()))?;
            text.push(b'\n');
            Ok(text)
        }
        Form::Csv => csv::render(&table::with_hotline(published, group, lang)),
        Form::Xlsx => xlsx::render(published, lang),
        Form::Pdf => pdf::render(published, lang),
    }
}
