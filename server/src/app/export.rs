//! Reference data as a file that `import` takes: what leaves is in the audit trail.

use linewatch_shared::time::UnixMs;
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::import::{self, Kind};
use super::{Action, AppError, audit};
use crate::db::{Db, DbError, Priority, Tx};
use crate::store::{customers, equipment, line_rows, sites};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// UTF-8 CSV.
    Csv,
    /// A workbook.
    Xlsx,
}

/// Reads a kind's name.
///
/// # Errors
/// When it is none.
pub fn parse_what(text: &str) -> Result<Kind, String> {
    let names = Kind::ALL.map(Kind::name).join(", ");
    Kind::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| format!("is not one of: {names}"))
}

/// Everything of a kind, as a file.
///
/// # Errors
/// The database's, or when it does not fit a sheet.
pub async fn file(db: &Db, kind: Kind, form: FileForm, by: &str, now: UnixMs) -> Result<Vec<u8>, AppError> {
    let by = by.to_owned();
    let rows = db
        .write(Priority::Api, move |tx| {
            let rows = match kind {
                Kind::Customers => customers(tx)?,
                Kind::Lines => lines(tx)?,
                Kind::Sites => sites(tx)?,
                Kind::Equipment => equipment(tx)?,
            };
            audit(
                tx,
                now.0,
                &by,
                Action::Exported,
                kind.name(),
                Some(&serde_json::json!({ "rows": rows.len() })),
            )?;
            Ok::<_, DbError>(rows)
        })
        .await?;
    let columns = kind.columns();
    match form {
        FileForm::Csv => csv(columns, &rows),
        FileForm::Xlsx => xlsx(columns, &rows).map_err(|error| AppError::Refused(error.to_string())),
    }
}

fn customers(tx: &mut Tx<'_>) -> Result<Vec<Vec<String>>, DbError> {
    let mut rows: Vec<Vec<String>> = customers::all(tx)?
        .into_iter()
        .map(|(code, row)| {
            let mut cells = vec![code, row.name, row.tier, row.pack];
            cells.extend(row.rest.into_iter().map(Option::unwrap_or_default));
            cells
        })
        .collect();
    rows.sort();
    Ok(rows)
}

fn lines(tx: &mut Tx<'_>) -> Result<Vec<Vec<String>>, DbError> {
    let text = Option::unwrap_or_default;
    let mut rows: Vec<Vec<String>> = line_rows::all(tx)?
        .into_iter()
        .map(|(code, row)| {
            let interval = linewatch_shared::rules::format_duration(row.interval_ms);
            let (site, service, tier) = (text(row.site), text(row.service), text(row.tier));
            let (agent, probe, upstream) = (text(row.agent), text(row.probe), text(row.upstream));
            let (in_service, contractor) = (text(row.in_service), text(row.contractor));
            vec![
                code,
                row.customer,
                site,
                service,
                tier,
                agent,
                probe,
                interval,
                upstream,
                in_service,
                contractor,
            ]
        })
        .collect();
    rows.sort();
    Ok(rows)
}

fn sites(tx: &mut Tx<'_>) -> Result<Vec<Vec<String>>, DbError> {
    let mut rows: Vec<Vec<String>> = sites::all(tx)?
        .into_iter()
        .map(|((customer, name), row)| {
            let fields = row.fields.into_iter().map(Option::unwrap_or_default);
            [customer, name].into_iter().chain(fields).collect()
        })
        .collect();
    rows.sort();
    Ok(rows)
}

/// Without reasons: they are for changes, and the history has them.
fn equipment(tx: &mut Tx<'_>) -> Result<Vec<Vec<String>>, DbError> {
    let text = Option::unwrap_or_default;
    let mut rows: Vec<Vec<String>> = equipment::all(tx)?
        .into_iter()
        .map(|piece| {
            let (installed_on, tested_on) = (text(piece.installed_on), text(piece.tested_on));
            let place = [piece.customer, piece.site_name, piece.label];
            place
                .into_iter()
                .chain([piece.kind, piece.grade, String::new(), installed_on, tested_on])
                .collect()
        })
        .collect();
    rows.sort();
    Ok(rows)
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it, which an import takes off.
fn guarded(text: &str) -> String {
    if text.starts_with(import::FORMULA_BEGINS) { format!("'{text}") } else { text.to_owned() }
}

fn csv(columns: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, AppError> {
    let failed = |error: String| AppError::Refused(error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).map_err(|error| failed(error.to_string()))?;
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| guarded(cell)))
            .map_err(|error| failed(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| failed(error.to_string()))
}

fn xlsx(columns: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let bold = Format::new().set_bold();
    for (at, column) in (0_u16..).zip(columns) {
        sheet.write_string_with_format(0, at, *column, &bold)?;
    }
    for (line, row) in (1_u32..).zip(rows) {
        for (at, cell) in (0_u16..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_string(line, at, cell)?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    book.save_to_buffer()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::desk::tests::{Fixture, TEN};
    use crate::app::import;
    use crate::app::packs::PackSet;
    use crate::db::testing::both;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_was_exported_goes_in_again_and_changes_nothing() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let sql = "UPDATE customer SET contact_phone = '+86 10 12345', name = '=1+1' WHERE code = 'bank'";
            f.db.write(Priority::Api, move |tx| tx.execute(sql, &[])).await.unwrap();
            let packs = Arc::new(PackSet::load(None).unwrap());
            let sites = "customer,name,access_hours\nbank,HQ,Mon-Fri 09:00-17:00\nmill,Mill,\n";
            let works = "code,name,tier,pack\nworks,Sample Works,important,power-distribution\n";
            let room = "customer,name\nworks,Room 1\n";
            let pieces = "customer,site,label,kind,condition,tested_on\nworks,Room 1,T1,transformer,class-1,2025-05-01\n\
                          works,Room 1,T2,transformer,retired,\n";
            for file in [sites, works, room, pieces] {
                import::bytes(&f.db, &packs, file.as_bytes(), false, TEN).await.unwrap();
            }
            for kind in Kind::ALL {
                for form in [FileForm::Csv, FileForm::Xlsx] {
                    let bytes = file(&f.db, kind, form, "admin", TEN).await.unwrap();
                    let done = import::bytes(&f.db, &packs, &bytes, false, TEN).await.unwrap();
                    assert_eq!((done.kind, done.changed, done.created), (kind, vec![], vec![]), "{form:?}");
                    assert!(done.unchanged >= 2);
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(
                        form == FileForm::Xlsx || kind != Kind::Customers || text.contains("'=1+1"),
                        "{text}"
                    );
                }
            }
            let audited = f.texts("SELECT subject FROM audit WHERE action = 'exported' ORDER BY n").await;
            let each = Kind::ALL.map(|kind| [kind.name(); 2]).concat();
            assert_eq!(audited, each);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_workbook_s_mistakes_have_their_row() {
        both(|db| async move {
            let f = Fixture::new(db).await;
            let packs = Arc::new(PackSet::load(None).unwrap());
            let rows = [["C1", "Sample", "AAA"], ["C2", "Sample", "no such tier"]];
            let rows: Vec<Vec<String>> = rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect();
            let bytes = xlsx(&["code", "name", "tier"], &rows).unwrap();
            let refused = import::bytes(&f.db, &packs, &bytes, false, TEN).await.unwrap_err();
            assert!(refused.to_string().starts_with("line 3, tier: "), "{refused}");
            let broken = import::bytes(&f.db, &packs, b"PK\x03\x04nonsense", false, TEN).await.unwrap_err();
            assert!(broken.to_string().contains("no XLSX workbook"), "{broken}");
        })
        .await;
    }
}
