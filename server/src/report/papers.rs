//! The meeting's papers in every form: as tables for spreadsheets, as an agenda for people. Equal papers give equal bytes.

mod lists;
mod paper;
mod tables;
mod words;

use super::{Form, RenderError, xlsx};
use crate::app::papers::content::PapersView;
use crate::report::words::Lang;
use tables::sections;

/// Writes papers in a form.
///
/// # Errors
/// When the form cannot hold them; CSV holds one table.
pub fn render(view: &PapersView, form: Form, lang: Lang) -> Result<Vec<u8>, RenderError> {
    match form {
        Form::Json => {
            let mut text = serde_json::to_vec_pretty(view).map_err(|e| RenderError::Write(e.to_string()))?;
            text.push(b'\n');
            Ok(text)
        }
        Form::Csv => Err(RenderError::TooLarge("papers are many tables: take XLSX".to_owned())),
        Form::Xlsx => {
            let year = view.papers.month.get(..4).and_then(|year| year.parse().ok()).unwrap_or(1_980);
            let tables: Vec<_> =
                sections(view, lang).into_iter().map(|section| section.table(lang)).collect();
            xlsx::workbook(&view.papers.month, year, &tables)
        }
        Form::Pdf => paper::render(view, lang),
    }
}
