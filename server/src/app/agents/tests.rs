use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::db::testing::both;

const NOW: UnixMs = UnixMs(1_790_000_000_000);

fn csr() -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().serialize_request(&key).unwrap().der().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_works_once_and_for_a_day() {
    both(|db| async move {
        let folder = tempfile::tempdir().unwrap();
        let authority = Arc::new(Authority::load_or_create(folder.path(), NOW).unwrap());
        let secret_of = |text: &str| EnrolToken::parse(text).unwrap().secret;
        let text = token(&db, "site-1", &authority, users::COMMAND, NOW).await.unwrap();
        assert_eq!(EnrolToken::parse(&text).unwrap().authority_sha256, authority.fingerprint());
        let secret = secret_of(&text);
        let enrol = async |secret: [u8; 32], csr, at| {
            super::enrol(&db, Arc::clone(&authority), &secret, csr, "1".into(), at).await
        };
        assert!(matches!(enrol([0; 32], csr(), NOW).await, Err(EnrolError::Unknown)));
        // A bad request does not spend the token.
        assert!(matches!(enrol(secret, vec![1], NOW).await, Err(EnrolError::App(_))));
        let enrolled = enrol(secret, csr(), NOW).await.unwrap();
        assert_eq!(enrolled.name, "site-1");
        assert!(matches!(enrol(secret, csr(), NOW).await, Err(EnrolError::Used)));
        let late = secret_of(&token(&db, "site-1", &authority, users::COMMAND, NOW).await.unwrap());
        assert!(matches!(enrol(late, csr(), NOW + TOKEN_MS).await, Err(EnrolError::Expired)));
        let twice = secret_of(&token(&db, "site-2", &authority, users::COMMAND, NOW).await.unwrap());
        let (x, y) = tokio::join!(enrol(twice, csr(), NOW), enrol(twice, csr(), NOW));
        assert!(x.is_ok() != y.is_ok(), "one of two at once gets in: {x:?} {y:?}");
        let der = x509_parser::pem::parse_x509_pem(enrolled.certificate_pem.as_bytes()).unwrap().1.contents;
        let print: [u8; 32] = Sha256::digest(&der).into();
        let known = identify(&db, print).await.unwrap().unwrap();
        assert_eq!((known.id, known.revoked), (enrolled.id, false));
        revoke(&db, "site-1", users::COMMAND, NOW).await.unwrap();
        assert!(identify(&db, print).await.unwrap().unwrap().revoked);
        assert!(matches!(enrol(late, csr(), NOW).await, Err(EnrolError::Unknown)));
        let again = secret_of(&token(&db, "site-1", &authority, users::COMMAND, NOW).await.unwrap());
        assert_eq!(enrol(again, csr(), NOW).await.unwrap().id, enrolled.id);
        assert_eq!(identify(&db, print).await.unwrap(), None);
        assert_eq!(list(&db, None, 10).await.unwrap()[0].state, "enrolled");
        assert!(revoke(&db, "nobody", users::COMMAND, NOW).await.is_err());
    })
    .await;
}
