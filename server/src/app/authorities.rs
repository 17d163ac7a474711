//! The rotation of the authority, for whoever runs the server: nobody is cut off by it unawares.

use linewatch_shared::time::UnixMs;
use serde::Serialize;
use serde_json::json;

use super::{Action, AppError, audit};
use crate::db::{Db, DbError, Priority};
use crate::store::agents;
use crate::tls::{Authorities, Authority};

/// Agents who would be cut off are named up to so many.
const NAMED_MAX: i64 = 20;

/// An authority that is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// Whether it signs the server's own certificate.
    pub shown: bool,
    /// Whether it signs agents' certificates.
    pub issuing: bool,
    /// Until when it is valid, RFC 3339.
    pub ends_at: Option<String>,
    /// How many agents have said that they trust it.
    pub trusted_by: i64,
    /// How many agents show a certificate that it signed.
    pub certificates: i64,
}

/// All that are trusted, what is shown first.
///
/// # Errors
/// The database's.
pub async fn list(db: &Db, authorities: &Authorities) -> Result<Vec<Listed>, DbError> {
    let set = authorities.now();
    db.read(move |tx| {
        let is = |one: &Authority, other: &Authority| one.fingerprint() == other.fingerprint();
        let mut listed = Vec::new();
        for known in &set.trusted {
            let (trusted_by, certificates) = agents::trust_in(tx, known.fingerprint())?;
            listed.push(Listed {
                fingerprint: hex::encode(known.fingerprint()),
                shown: is(known, &set.shown),
                issuing: is(known, &set.issuing),
                ends_at: known.ends_at().map(UnixMs::to_rfc3339),
                trusted_by,
                certificates,
            });
        }
        Ok(listed)
    })
    .await
}

/// Makes the next authority, which agents hear of with their next hello.
///
/// # Errors
/// When there is one already.
pub async fn rotate(db: &Db, authorities: &Authorities, by: &str, now: UnixMs) -> Result<(), AppError> {
    authorities.rotate(now)?;
    note(db, authorities, Action::AuthorityRotated, by, &[], now).await
}

/// Lets the next authority sign for agents. Both are trusted: nobody is cut off.
///
/// # Errors
/// When there is none.
pub async fn switch(db: &Db, authorities: &Authorities, by: &str, now: UnixMs) -> Result<(), AppError> {
    authorities.switch(now)?;
    note(db, authorities, Action::AuthoritySwitched, by, &[], now).await
}

/// Trusts the authority before no more; answers whom that cuts off, which is nobody unless it is forced.
///
/// # Errors
/// [`AppError::Refused`] with the names of agents who do not trust the next one yet, or show a certificate of the one
/// before.
pub async fn retire(
    db: &Db,
    authorities: &Authorities,
    force: bool,
    by: &str,
    now: UnixMs,
) -> Result<Vec<String>, AppError> {
    let next = authorities.now().issuing.fingerprint();
    let cut_off = db.read(move |tx| agents::left_behind(tx, next, NAMED_MAX)).await?;
    if !cut_off.is_empty() && !force {
        let more = if cut_off.len() as i64 == NAMED_MAX { " and more" } else { "" };
        return Err(AppError::Refused(format!(
            "these agents would be cut off: {}{more}; wait until they have been here, revoke them, or use --force and enrol them again",
            cut_off.join(", ")
        )));
    }
    authorities.retire(now)?;
    note(db, authorities, Action::AuthorityRetired, by, &cut_off, now).await?;
    Ok(cut_off)
}

async fn note(
    db: &Db,
    authorities: &Authorities,
    action: Action,
    by: &str,
    cut_off: &[String],
    now: UnixMs,
) -> Result<(), AppError> {
    let set = authorities.now();
    let subject = hex::encode(set.next().unwrap_or(&set.shown).fingerprint());
    let (by, detail) = (by.to_owned(), (!cut_off.is_empty()).then(|| json!({ "cut_off": cut_off })));
    let write = move |tx: &mut crate::db::Tx<'_>| audit(tx, now.0, &by, action, &subject, detail.as_ref());
    Ok(db.write(Priority::Api, write).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::agents::ensure;
    use crate::db::testing::both;
    use crate::store::agent_certificates::{self, Signed};

    const NOW: UnixMs = UnixMs(1_790_000_000_000);

    #[tokio::test(flavor = "multi_thread")]
    async fn retiring_names_whom_it_would_cut_off() {
        both(|db| async move {
            let folder = tempfile::tempdir().unwrap();
            let ours = Authorities::load_or_create(folder.path(), NOW).unwrap();
            rotate(&db, &ours, "head", NOW).await.unwrap();
            let (first, next) = (ours.now().shown.fingerprint(), ours.now().next().unwrap().fingerprint());
            // Two of four have followed; one knows of it and has an old certificate; one was away all the time.
            let agents = [
                ("a", vec![first, next], next),
                ("b", vec![next], next),
                ("c", vec![first, next], first),
                ("d", vec![first], first),
            ];
            for (n, (name, trusts, authority)) in agents.into_iter().enumerate() {
                db.write(Priority::Api, move |tx| {
                    let id = ensure(tx, name, NOW)?;
                    agents::let_in(tx, id, NOW)?;
                    let fingerprint = [n as u8; 32];
                    let signed = Signed { fingerprint, key: fingerprint, authority, expires_at: NOW };
                    agent_certificates::insert(tx, id, &signed, None, NOW)?;
                    agent_certificates::confirm(tx, fingerprint, fingerprint, NOW)?;
                    agents::save_trusts(tx, id, &agents::trusts_text(&trusts))?;
                    Ok::<_, AppError>(())
                })
                .await
                .unwrap();
            }
            let retire = async |force| retire(&db, &ours, force, "head", NOW).await;
            switch(&db, &ours, "head", NOW).await.unwrap();
            let refused = retire(false).await.unwrap_err().to_string();
            assert!(refused.contains("cut off: c, d;"), "{refused}");
            let listed = list(&db, &ours).await.unwrap();
            let counts: Vec<_> = listed
                .iter()
                .map(|one| (one.shown, one.issuing, one.trusted_by, one.certificates))
                .collect();
            assert_eq!(counts, [(true, false, 3, 2), (false, true, 3, 2)]);
            crate::app::agents::revoke(&db, "d", "head", NOW).await.unwrap();
            assert_eq!(retire(true).await.unwrap(), ["c"]);
            assert_eq!(ours.now().fingerprints(), [next]);
            let told = "SELECT COUNT(*) FROM audit WHERE action IN ('authority rotated', 'authority switched', 'authority retired')";
            assert_eq!(crate::db::testing::int(&db, told).await.unwrap(), 3);
        })
        .await;
    }
}
