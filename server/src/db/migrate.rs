//! Brings the database to the shape that this program needs. Every command does it first.
//!
//! All of it happens in one transaction under a lock, so that two programs starting together do it
//! once. A migration that was applied is never edited: its checksum is kept and compared.

use sha2::{Digest, Sha256};

use super::{Db, DbError, LockKey, Priority, Tx};

/// Every migration in order: its file name without `.sql`, and its text.
pub(super) const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_base", include_str!("../../migrations/0001_base.sql")),
    ("0002_faults", include_str!("../../migrations/0002_faults.sql")),
    ("0003_outbox", include_str!("../../migrations/0003_outbox.sql")),
    ("0004_matters", include_str!("../../migrations/0004_matters.sql")),
    ("0005_planned_work", include_str!("../../migrations/0005_planned_work.sql")),
    ("0006_services", include_str!("../../migrations/0006_services.sql")),
    ("0007_reports", include_str!("../../migrations/0007_reports.sql")),
    ("0008_people", include_str!("../../migrations/0008_people.sql")),
    ("0009_grades", include_str!("../../migrations/0009_grades.sql")),
    ("0010_surveys", include_str!("../../migrations/0010_surveys.sql")),
    ("0011_rota", include_str!("../../migrations/0011_rota.sql")),
    ("0012_sites", include_str!("../../migrations/0012_sites.sql")),
    ("0013_service_start", include_str!("../../migrations/0013_service_start.sql")),
    ("0014_service_end", include_str!("../../migrations/0014_service_end.sql")),
    ("0015_equipment", include_str!("../../migrations/0015_equipment.sql")),
    ("0016_agreements", include_str!("../../migrations/0016_agreements.sql")),
    ("0017_admission", include_str!("../../migrations/0017_admission.sql")),
    ("0018_risks", include_str!("../../migrations/0018_risks.sql")),
    ("0019_late_facts", include_str!("../../migrations/0019_late_facts.sql")),
    ("0020_quality", include_str!("../../migrations/0020_quality.sql")),
    ("0021_calls", include_str!("../../migrations/0021_calls.sql")),
    ("0022_contractors", include_str!("../../migrations/0022_contractors.sql")),
    ("0023_acceptance", include_str!("../../migrations/0023_acceptance.sql")),
    ("0024_papers", include_str!("../../migrations/0024_papers.sql")),
    ("0025_alerts", include_str!("../../migrations/0025_alerts.sql")),
    ("0026_visit_reports", include_str!("../../migrations/0026_visit_reports.sql")),
    ("0027_allowances", include_str!("../../migrations/0027_allowances.sql")),
    ("0028_plans", include_str!("../../migrations/0028_plans.sql")),
    ("0029_audit", include_str!("../../migrations/0029_audit.sql")),
    ("0030_untaken", include_str!("../../migrations/0030_untaken.sql")),
    ("0031_alert_texts", include_str!("../../migrations/0031_alert_texts.sql")),
    ("0032_uncounted", include_str!("../../migrations/0032_uncounted.sql")),
    ("0033_agent_people", include_str!("../../migrations/0033_agent_people.sql")),
    ("0034_visit_parts", include_str!("../../migrations/0034_visit_parts.sql")),
    ("0035_field_records", include_str!("../../migrations/0035_field_records.sql")),
    ("0036_agent_heads", include_str!("../../migrations/0036_agent_heads.sql")),
    ("0037_agent_customers", include_str!("../../migrations/0037_agent_customers.sql")),
    ("0038_sign_ins", include_str!("../../migrations/0038_sign_ins.sql")),
    ("0039_second_factor", include_str!("../../migrations/0039_second_factor.sql")),
    ("0040_audit_chain", include_str!("../../migrations/0040_audit_chain.sql")),
    ("0041_agent_certificates", include_str!("../../migrations/0041_agent_certificates.sql")),
    ("0042_agent_generations", include_str!("../../migrations/0042_agent_generations.sql")),
    ("0043_agent_trusts", include_str!("../../migrations/0043_agent_trusts.sql")),
    ("0044_user_scope", include_str!("../../migrations/0044_user_scope.sql")),
    ("0045_identities", include_str!("../../migrations/0045_identities.sql")),
    ("0046_lookups", include_str!("../../migrations/0046_lookups.sql")),
];

const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migration (\
    name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)";

pub(super) async fn run(
    db: &Db,
    migrations: &'static [(&'static str, &'static str)],
    at_ms: i64,
) -> Result<(), DbError> {
    // Reading first keeps a start with nothing to do free of the writer's lock.
    let current: Result<bool, DbError> = db.read(move |tx| Ok(pending(tx, migrations)?.is_empty())).await;
    match current {
        Ok(true) => return Ok(()),
        Err(e @ DbError::Migration { .. }) => return Err(e),
        // The table is not there yet, or there is something to do.
        Ok(false) | Err(_) => {}
    }
    db.write(Priority::Engine, move |tx| apply(tx, migrations, at_ms)).await
}

fn apply(
    tx: &mut Tx<'_>,
    migrations: &'static [(&'static str, &'static str)],
    at_ms: i64,
) -> Result<(), DbError> {
    tx.lock(&[LockKey::new("migrations", b"")])?;
    tx.script(CREATE)?;
    for (name, text) in pending(tx, migrations)? {
        tx.script(text).map_err(|e| DbError::Migration { name: name.into(), reason: e.to_string() })?;
        tx.execute(
            "INSERT INTO schema_migration (name, checksum, applied_at_ms) VALUES ($1, $2, $3)",
            &[name.into(), checksum(text).into(), at_ms.into()],
        )?;
    }
    Ok(())
}

/// What is still to be applied; an error when what was applied does not match.
fn pending(
    tx: &mut Tx<'_>,
    migrations: &'static [(&'static str, &'static str)],
) -> Result<Vec<(&'static str, &'static str)>, DbError> {
    let mut pending = migrations.to_vec();
    for row in tx.query("SELECT name, checksum FROM schema_migration ORDER BY name", &[])? {
        let (name, stored): (String, String) = (row.get(0)?, row.get(1)?);
        let Some(at) = pending.iter().position(|(n, _)| *n == name) else {
            let reason = "was applied by a newer linewatch-server than this one".to_owned();
            return Err(DbError::Migration { name, reason });
        };
        let (_, text) = pending.remove(at);
        if checksum(text) != stored {
            let reason = "was edited after it had been applied here; add a new migration instead".to_owned();
            return Err(DbError::Migration { name, reason });
        }
    }
    Ok(pending)
}

fn checksum(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing;

    const FIRST: &[(&str, &str)] = &[("0001_a", "CREATE TABLE a (id {blob} PRIMARY KEY)")];
    const EDITED: &[(&str, &str)] = &[("0001_a", "CREATE TABLE a (id {text} PRIMARY KEY)")];
    const SECOND: &[(&str, &str)] = &[
        ("0001_a", "CREATE TABLE a (id {blob} PRIMARY KEY)"),
        ("0002_b", "CREATE TABLE b (n {pk_auto}); CREATE TABLE c (n BIGINT)"),
    ];
    const BROKEN: &[(&str, &str)] = &[
        ("0001_a", "CREATE TABLE a (id {blob} PRIMARY KEY)"),
        ("0002_b", "CREATE TABLE b (n BIGINT); CREATE TABL c (n BIGINT)"),
    ];

    #[tokio::test(flavor = "multi_thread")]
    async fn each_migration_is_applied_once_and_never_edited() {
        testing::both_empty(|db| async move {
            run(&db, FIRST, 1).await.unwrap();
            run(&db, FIRST, 2).await.unwrap();
            let edited = run(&db, EDITED, 3).await.unwrap_err().to_string();
            assert!(edited.contains("0001_a") && edited.contains("edited"), "{edited}");
            let broken = run(&db, BROKEN, 3).await.unwrap_err().to_string();
            assert!(broken.contains("0002_b"), "{broken}");
            run(&db, SECOND, 4).await.unwrap();
            let older = run(&db, FIRST, 5).await.unwrap_err().to_string();
            assert!(older.contains("0002_b") && older.contains("newer"), "{older}");
            let applied: Vec<i64> = db
                .read(|tx| -> Result<_, DbError> {
                    let rows = tx.query("SELECT applied_at_ms FROM schema_migration ORDER BY name", &[])?;
                    rows.iter().map(|r| r.get(0)).collect()
                })
                .await
                .unwrap();
            assert_eq!(applied, [1, 4]);
        })
        .await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn programs_that_start_together_migrate_once() {
        testing::both_empty(|db| async move {
            let starts = (0..8).map(|_| run(&db, SECOND, 1));
            for started in futures::future::join_all(starts).await {
                started.unwrap();
            }
        })
        .await;
    }

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_str().unwrap().trim_end_matches(".sql").to_owned())
            .collect();
        files.sort();
        assert_eq!(files, MIGRATIONS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
