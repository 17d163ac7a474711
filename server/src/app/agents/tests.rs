use std::sync::Arc;

use linewatch_shared::enrol_token::EnrolToken;
use linewatch_shared::time::{DAY_MS, MINUTE_MS};
use linewatch_shared::wire::{Enroll, Prove, proof_message};
use rcgen::{CertificateParams, KeyPair, SigningKey};
use rustls_pki_types::CertificateDer;

use super::enrolment::EnrolledAgent;
use super::identity::Showing;
use super::renewal::{self, LIFE_MS};
use super::seal::AgentKey;
use super::*;
use crate::app::users;
use crate::db::testing::both;
use crate::tls::{Authority, Shown};

const NOW: UnixMs = UnixMs(1_790_000_000_000);

const KEY: AgentKey = AgentKey::new([3; 32]);

fn showing(certificate: Shown) -> Showing {
    Showing { certificate, generation: None }
}

fn csr() -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
}

fn shown(enrolled: &EnrolledAgent) -> Shown {
    let der = x509_parser::pem::parse_x509_pem(enrolled.certificate_pem.as_bytes()).unwrap().1.contents;
    Shown::of(&CertificateDer::from(der)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_once_and_for_a_day() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::load_or_create(folder.path(), NOW).unwrap());
        let token = async |name: &str| token(&db, name, &authority, users::COMMAND, NOW).await.unwrap();
        let secret_of = |text: &str| EnrolToken::parse(text).unwrap().secret;
        let text = token("site-1").await;
        assert_eq!(EnrolToken::parse(&text).unwrap().authority_sha256, authority.fingerprint());
        let secret = secret_of(&text);
        let enrol = async |secret: [u8; 32], csr_der, at| {
            let asked = Enroll { secret: secret.to_vec(), csr_der, version: "1".into(), level: 2 };
            super::enrol(&db, Arc::clone(&authority), asked, LIFE_MS, at).await
        };
        let known = async |enrolled: &EnrolledAgent| {
            identify(&db, &KEY, &showing(shown(enrolled)), NOW).await.unwrap()
        };
        assert!(matches!(enrol([0; 32], csr(), NOW).await, Err(EnrolError::Unknown)));
        // A bad request does not bind the token.
        assert!(matches!(enrol(secret, vec![1], NOW).await, Err(EnrolError::App(_))));
        let own = csr();
        let lost = enrol(secret, own.clone(), NOW).await.unwrap();
        assert_eq!(list(&db, None, 10).await.unwrap()[0].state, "known", "not let in before it confirms");
        let enrolled = enrol(secret, own.clone(), NOW).await.unwrap();
        assert_eq!((enrolled.name.as_str(), enrolled.id), ("site-1", lost.id));
        assert!(matches!(enrol(secret, csr(), NOW).await, Err(EnrolError::Used)), "another key");
        assert_eq!(known(&lost).await, None, "the answer that was lost counts no more");
        for _ in 0..2 {
            let identity = known(&enrolled).await.unwrap();
            assert_eq!((identity.id, identity.revoked), (enrolled.id, false));
        }
        assert!(matches!(enrol(secret, own, NOW).await, Err(EnrolError::Used)), "spent");
        let late = secret_of(&token("site-1").await);
        assert!(matches!(enrol(late, csr(), NOW + TOKEN_MS).await, Err(EnrolError::Expired)));
        let twice = secret_of(&token("site-2").await);
        let (x, y) = tokio::join!(enrol(twice, csr(), NOW), enrol(twice, csr(), NOW));
        assert!(x.is_ok() != y.is_ok(), "one of two at once gets in: {x:?} {y:?}");

        let asked = enrol(late, csr(), NOW).await.unwrap();
        revoke(&db, "site-1", users::COMMAND, NOW).await.unwrap();
        assert!(known(&enrolled).await.unwrap().revoked);
        assert_eq!(known(&asked).await, None, "what was asked for before the revocation lets nobody in");
        assert!(matches!(enrol(late, csr(), NOW).await, Err(EnrolError::Unknown)));
        let again = enrol(secret_of(&token("site-1").await), csr(), NOW).await.unwrap();
        assert_eq!(again.id, enrolled.id);
        assert!(known(&enrolled).await.unwrap().revoked, "until the new certificate is shown");
        assert!(!known(&again).await.unwrap().revoked);
        assert_eq!(known(&enrolled).await, None);
        assert_eq!(list(&db, None, 10).await.unwrap()[0].state, "enrolled");
        assert!(revoke(&db, "nobody", users::COMMAND, NOW).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_from_before_is_known_and_its_key_learnt() {
    both(|db| async move {
        let id = db
            .write(Priority::Api, |tx| {
                let id = ensure(tx, "old", NOW)?;
                agents::let_in(tx, id, NOW)?;
                let sql = "INSERT INTO agent_certificate (fingerprint, agent, issued_at_ms, confirmed_at_ms) VALUES ($1, $2, 0, 0)";
                tx.execute(sql, &[[7_u8; 32].into(), id.into()])?;
                Ok::<_, AppError>(id)
            })
            .await
            .unwrap();
        let shown = Shown { fingerprint: [7; 32], key: [8; 32], ends_at: NOW + 1 };
        assert_eq!(identify(&db, &KEY, &showing(shown), NOW).await.unwrap().unwrap().id, id);
        let key = db.read(move |tx| agent_certificates::key_of(tx, id)).await.unwrap();
        assert_eq!(key, Some([8; 32]));
    })
    .await;
}

/// An agent that is let in, and its key.
async fn let_in(db: &Db, authority: &Arc<Authority>, name: &str, level: u16) -> (EnrolledAgent, KeyPair) {
    let text = token(db, name, authority, users::COMMAND, NOW).await.unwrap();
    let key = KeyPair::generate().unwrap();
    let csr_der = request(&key);
    let secret = EnrolToken::parse(&text).unwrap().secret.to_vec();
    let asked = Enroll { secret, csr_der, version: "1".into(), level };
    let enrolled = enrol(db, Arc::clone(authority), asked, LIFE_MS, NOW).await.unwrap();
    identify(db, &KEY, &showing(shown(&enrolled)), NOW).await.unwrap().unwrap();
    (enrolled, key)
}

fn request(key: &KeyPair) -> Vec<u8> {
    CertificateParams::default().serialize_request(key).unwrap().der().to_vec()
}

fn shown_pem(pem: &str) -> Shown {
    let der = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents;
    Shown::of(&CertificateDer::from(der)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_for_the_same_key_and_the_old_one_counts_until_the_new_one_is_shown() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::load_or_create(folder.path(), NOW).unwrap());
        let (old_program, _) = let_in(&db, &authority, "old", 1).await;
        assert!(shown(&old_program).ends_at > NOW + 9 * 365 * DAY_MS, "it cannot renew");
        assert_eq!(old_program.renew_at, None);
        let (first, key) = let_in(&db, &authority, "site-1", 2).await;
        assert_eq!(shown(&first).ends_at, NOW + LIFE_MS);
        assert_eq!(first.renew_at, Some(NOW + 20 * DAY_MS));

        let later = NOW + 20 * DAY_MS;
        let known = async |shown| identify(&db, &KEY, &showing(shown), later).await.unwrap();
        let agent = known(shown(&first)).await.unwrap();
        let renew = async |key: &KeyPair| {
            renewal::renew(&db, Arc::clone(&authority), agent.clone(), request(key), LIFE_MS, later).await
        };
        assert!(
            matches!(renew(&KeyPair::generate().unwrap()).await, Err(AppError::Refused(_))),
            "another key"
        );
        let lost = shown_pem(&renew(&key).await.unwrap().certificate_pem);
        let next = renew(&key).await.unwrap();
        let next_shown = shown_pem(&next.certificate_pem);
        assert_eq!((next_shown.ends_at, next.renew_at), (later + LIFE_MS, later + 20 * DAY_MS));
        assert!(known(shown(&first)).await.is_some(), "until the next one is shown");
        assert_eq!(known(lost).await, None, "its answer was lost, and it asked again");
        assert!(known(next_shown).await.is_some());
        assert_eq!(known(shown(&first)).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_proves_itself_once_by_a_challenge_and_nothing_else_does() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::load_or_create(folder.path(), NOW).unwrap());
        let seal = KEY;
        let (one, key) = let_in(&db, &authority, "site-1", 2).await;
        let (two, _) = let_in(&db, &authority, "site-2", 2).await;
        let weeks = NOW + 90 * DAY_MS;
        let nonce = |agent, at| renewal::challenge(&seal, agent, at).unwrap();
        let proof = |agent: Uuid, key: &KeyPair, nonce: &[u8]| {
            let csr_der = request(key);
            let signature = key.sign(&proof_message(agent, nonce, &csr_der)).unwrap();
            Prove { agent_id: agent, nonce: nonce.to_vec(), csr_der, signature }
        };
        let prove = async |proof: Prove, at| {
            renewal::prove(&db, Arc::clone(&authority), seal.clone(), proof, LIFE_MS, at).await.unwrap()
        };
        let stranger = KeyPair::generate().unwrap();
        let made = nonce(one.id, weeks);
        let good = proof(one.id, &key, &made);
        let refused = [
            ("another key", proof(one.id, &stranger, &made)),
            ("another agent by its id in the body", proof(two.id, &key, &nonce(two.id, weeks))),
            ("another agent's challenge", proof(one.id, &key, &nonce(two.id, weeks))),
            ("an unknown agent", proof(Uuid::from_u128(9), &key, &nonce(Uuid::from_u128(9), weeks))),
            ("no challenge of ours", proof(one.id, &key, &[0; 56])),
            ("a signature over something else", Prove { nonce: nonce(one.id, weeks), ..good.clone() }),
            ("another request", Prove { csr_der: request(&key), ..good.clone() }),
            ("too late", proof(one.id, &key, &nonce(one.id, weeks - 2 * MINUTE_MS - 1))),
        ];
        for (what, proof) in refused {
            assert_eq!(prove(proof, weeks).await, None, "{what}");
        }
        let older = proof(one.id, &key, &nonce(one.id, weeks - 1));
        let renewed = prove(good.clone(), weeks).await.unwrap();
        assert_eq!(prove(good, weeks).await, None, "a replay");
        assert_eq!(prove(older, weeks).await, None, "one that was made before it");
        let shown = shown_pem(&renewed.certificate_pem);
        assert_eq!(shown.ends_at, weeks + LIFE_MS);
        assert_eq!(identify(&db, &KEY, &showing(shown), weeks).await.unwrap().unwrap().id, one.id);

        revoke(&db, "site-1", users::COMMAND, weeks).await.unwrap();
        let after = weeks + MINUTE_MS;
        assert_eq!(prove(proof(one.id, &key, &nonce(one.id, after)), after).await, None, "revoked");
        let told: Vec<String> = db
            .read(|tx| {
                let rows = tx.query("SELECT action FROM audit WHERE subject = 'site-1' ORDER BY n", &[])?;
                rows.iter().map(|row| row.get(0)).collect::<Result<_, DbError>>()
            })
            .await
            .unwrap();
        let count = |action: &str| told.iter().filter(|told| *told == action).count();
        assert_eq!(count("proof of a key refused"), 9, "{told:?}");
        assert_eq!(count("certificate recovered"), 1);
    })
    .await;
}
