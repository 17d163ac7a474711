//! Sealing, and where keys come from, on real files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use super::source::put_under;
use super::*;

/// A data directory with room for a key beside it.
struct Place {
    _folder: tempfile::TempDir,
    data_dir: std::path::PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    Place { _folder: folder, data_dir }
}

fn said(result: Result<Vault, VaultError>) -> String {
    result.unwrap_err().to_string()
}

fn is_same(one: &Vault, other: &Vault) -> bool {
    let sealed = one.seal("test", b"words").unwrap();
    other.unseal("test", &sealed).is_ok_and(|plain| plain == b"words")
}

#[test]
fn what_is_sealed_opens_for_its_purpose_alone() {
    let vault = Vault::sample();
    for plain in [&b""[..], b"words", &[0; 70_000]] {
        let sealed = vault.seal("record", plain).unwrap();
        assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
        assert_eq!(vault.unseal("record", &sealed).unwrap(), plain);
        assert_ne!(sealed, vault.seal("record", plain).unwrap(), "the same twice does not look the same");
        assert!(vault.unseal("scope", &sealed).is_err());
        for at in [0, 1, 13, sealed.len() - 1] {
            let mut changed = sealed.clone();
            changed[at.min(sealed.len() - 1)] ^= 1;
            assert!(vault.unseal("record", &changed).is_err(), "byte {at}");
        }
        assert!(vault.unseal("record", &sealed[..sealed.len() - 1]).is_err());
    }
    assert!(vault.unseal("record", b"").is_err());
    let other = Vault::new(Key::random().unwrap(), Source::Passphrase).unwrap();
    assert!(!is_same(&vault, &other));
    assert_eq!(vault.veil("person", b"a"), vault.veil("person", b"a"));
    assert_ne!(vault.veil("person", b"a"), vault.veil("person", b"b"));
    assert_ne!(vault.veil("person", b"a"), other.veil("person", b"a"));
}

#[test]
fn keys_have_no_text_form() {
    let key = Key::new([0xab; KEY_BYTES]);
    let vault = Vault::new(key.clone(), Source::Passphrase).unwrap();
    let shown = format!("{key:?} {vault:?}");
    assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
}

#[test]
fn statements_seal_and_open() {
    let db = Connection::open_in_memory().unwrap();
    functions::attach(&db, &Vault::sample()).unwrap();
    db.execute_batch("CREATE TABLE t (a BLOB); INSERT INTO t VALUES (seal('text', 'p')), (seal(NULL, 'p'))")
        .unwrap();
    let read = |sql: &str| db.query_row(sql, [], |row| row.get::<_, Option<Vec<u8>>>(0));
    assert_eq!(read("SELECT unseal(a, 'p') FROM t WHERE rowid = 1").unwrap().unwrap(), b"text");
    assert_eq!(read("SELECT unseal(a, 'p') FROM t WHERE rowid = 2").unwrap(), None);
    let error = read("SELECT unseal(a, 'q') FROM t").unwrap_err().to_string();
    assert!(error.contains("does not open"), "{error}");
    assert!(read("SELECT seal(1, 'p')").is_err(), "numbers are not sealed by mistake");
    assert!(db.execute_batch("CREATE INDEX i ON t (unseal(a, 'p'))").is_err(), "nothing plain in an index");
}

#[test]
fn the_own_key_is_made_once_beside_the_data_and_for_its_owner_only() {
    let place = place();
    let config = VaultConfig::default();
    let vault = find(&place.data_dir, &config, false).unwrap();
    let path = own_key_path(&place.data_dir);
    assert_eq!(vault.source(), &Source::OwnKey(path.clone()));
    assert_eq!(path.parent(), place.data_dir.canonicalize().unwrap().parent(), "not among the data");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!vault.source().is_open_to_others());
    assert!(is_same(&vault, &find(&place.data_dir, &config, true).unwrap()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(vault.source().is_open_to_others());
}

#[test]
fn many_processes_at_once_make_one_key() {
    let place = place();
    let find = || find(&place.data_dir, &VaultConfig::default(), false).unwrap();
    let vaults: Vec<Vault> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(find)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(vaults.iter().all(|vault| is_same(vault, &vaults[0])));
}

#[test]
fn a_lost_key_is_never_replaced_where_there_is_sealed_data() {
    let place = place();
    let error = said(find(&place.data_dir, &VaultConfig::default(), true));
    for looked in ["key_file", "credential", "vault.toml", "data.key", "nothing has been changed"] {
        assert!(error.contains(looked), "{looked}: {error}");
    }
    assert!(!own_key_path(&place.data_dir).exists());
    let config = VaultConfig { key_file: Some("/nonexistent/key".into()), ..VaultConfig::default() };
    assert!(said(find(&place.data_dir, &config, false)).contains("key_file /nonexistent/key is not there"));
}

#[test]
fn the_first_source_that_is_there_counts() {
    let place = place();
    let folder = place.data_dir.parent().unwrap();
    let (file, credentials) = (folder.join("given.key"), folder.join("credentials"));
    fs::create_dir(&credentials).unwrap();
    fs::write(&file, [1; 32]).unwrap();
    let mut config = VaultConfig { credentials: Some(credentials.clone()), ..VaultConfig::default() };
    assert!(matches!(find(&place.data_dir, &config, false).unwrap().source(), Source::OwnKey(_)));
    fs::write(credentials.join("linewatch-agent.key"), format!("{}\n", "02".repeat(32))).unwrap();
    let vault = find(&place.data_dir, &config, true).unwrap();
    assert!(matches!(vault.source(), Source::Credential(_)));
    assert_eq!(vault.root().bytes(), &[2; 32], "hexadecimal digits with a line's end");
    config.key_file = Some(file.clone());
    let vault = find(&place.data_dir, &config, true).unwrap();
    assert_eq!((vault.source(), vault.root().bytes()), (&Source::KeyFile(file.clone()), &[1; 32]));
    for wrong in [&b""[..], &[1; 31], &[1; 33], &[b'g'; 64], &[b'a'; 70]] {
        fs::write(&file, wrong).unwrap();
        assert!(said(find(&place.data_dir, &config, true)).contains("does not hold a key"), "{wrong:?}");
    }
}

fn under(path: &Path) -> VaultConfig {
    VaultConfig { passphrase_file: Some(path.to_owned()), ..VaultConfig::default() }
}

#[test]
fn a_passphrase_wraps_the_key_and_another_one_wraps_it_anew() {
    let place = place();
    let file = place.data_dir.with_extension("passphrase");
    fs::write(&file, "short\n").unwrap();
    assert!(said(find(&place.data_dir, &under(&file), false)).contains("at least 8"));
    fs::write(&file, "sample passphrase\nwith a second line\n").unwrap();
    let vault = find(&place.data_dir, &under(&file), false).unwrap();
    assert_eq!(vault.source(), &Source::Passphrase);
    assert!(!own_key_path(&place.data_dir).exists());
    assert!(is_same(&vault, &find(&place.data_dir, &under(&file), true).unwrap()));

    put_under(&place.data_dir, &vault, "another passphrase", Cost::CHEAP).unwrap();
    let error = said(find(&place.data_dir, &under(&file), true));
    assert!(error.contains("passphrase is wrong"), "{error}");
    fs::write(&file, "another passphrase").unwrap();
    assert!(is_same(&vault, &find(&place.data_dir, &under(&file), true).unwrap()), "what was sealed opens");

    let toml = place.data_dir.join("vault.toml");
    let text = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, text.replace("memory_kib = 64", "memory_kib = 400000000")).unwrap();
    assert!(said(find(&place.data_dir, &under(&file), true)).contains("out of bounds"));
    fs::write(&toml, text.replace("version = 1", "version = 2")).unwrap();
    assert!(said(find(&place.data_dir, &under(&file), true)).contains("version 2 is not known"));
    fs::remove_file(&toml).unwrap();
    assert!(said(find(&place.data_dir, &under(&file), true)).contains("vault.toml"));
    assert!(!toml.exists(), "no new key is made for sealed data");
}

#[test]
fn the_own_key_goes_under_a_passphrase_and_is_wiped() {
    let place = place();
    let file = place.data_dir.with_extension("passphrase");
    fs::write(&file, "sample passphrase").unwrap();
    let own = find(&place.data_dir, &VaultConfig::default(), false).unwrap();
    let error = said(find(&place.data_dir, &under(&file), true));
    assert!(error.contains("linewatch-agent vault passphrase"), "{error}");
    put_under(&place.data_dir, &own, "sample passphrase", Cost::CHEAP).unwrap();
    assert!(!own_key_path(&place.data_dir).exists());
    assert!(is_same(&own, &find(&place.data_dir, &under(&file), true).unwrap()));
}
