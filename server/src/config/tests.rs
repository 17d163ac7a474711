use super::*;

fn mistakes(text: &str, env: &[(&str, &str)]) -> Vec<String> {
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    match Settings::parse(text, "s.toml", env) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn an_empty_file_is_the_defaults() {
    let s = Settings::parse("", "s.toml", vec![]).unwrap();
    assert_eq!(s.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(s.sync.listen.to_string(), "127.0.0.1:8443");
    assert_eq!(s.db_url, DbUrl::Sqlite("/var/lib/linewatch-server/linewatch.db".into()));
    assert!(s.smtp.is_none() && s.webhook.is_none());
    assert_eq!(s.silence_grace_ms, 90_000);
    assert_eq!((s.auth.lasting.max_ms, s.auth.lasting.idle_ms), (43_200_000, 7_200_000));
}

#[test]
fn every_mistake_has_its_place() {
    let text = "data_dir = true\nwat = 1\n[http]\nlisten = \"here\"\nliste = \"x\"\n[log]\nformat = \"xml\"\n\
                [silence]\ngrace = \"90\"\n[nope]\nx = 1\n[smtp]\nhost = \"mail\"\nport = 0\n";
    let found = mistakes(text, &[]);
    let starts = [
        "s.toml:1:12: data_dir: ",
        "s.toml:2:1: wat: unknown key",
        "s.toml:4:10: http.listen: \"here\" is not an address",
        "s.toml:5:1: http.liste: unknown key; known in [http]: listen, max_connections, trusted_proxies",
        "s.toml:7:10: log.format: \"xml\" is not one of: text, json",
        "s.toml:9:9: silence.grace: \"90\" is not a duration",
        "s.toml:10:2: nope: unknown section",
        "s.toml:14:8: smtp.port: \"0\" is not a port",
    ];
    for start in starts {
        assert!(found.iter().any(|m| m.starts_with(start)), "{start} is not in {found:#?}");
    }
    assert!(found.iter().any(|m| m.contains("smtp.from: is missing")), "{found:#?}");
    assert_eq!(found.len(), starts.len() + 1, "{found:#?}");
}

#[test]
fn broken_toml_is_one_mistake_with_its_place() {
    let found = mistakes("[http\nlisten = 1", &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("s.toml:1:6: "), "{found:?}");
}

#[test]
fn the_environment_beats_the_file() {
    let env = [
        ("LINEWATCH_HTTP__LISTEN", "127.0.0.1:1"),
        ("LINEWATCH_SYNC__NAMES", "a.example, 10.0.0.1"),
        ("LINEWATCH_DATA_DIR", "/d"),
        ("LINEWATCH_TEST_PG", "off"),
        ("LINEWATCH_UI__LISTEN", "belongs to the agent"),
    ];
    let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let s = Settings::parse("[http]\nlisten = \"127.0.0.1:2\"", "s.toml", env).unwrap();
    assert_eq!(s.http.listen.port(), 1);
    assert_eq!(s.sync.names, ["a.example", "10.0.0.1"]);
    assert_eq!(s.db_url, DbUrl::Sqlite("/d/linewatch.db".into()));
    let found = mistakes("", &[("LINEWATCH_HTTP__LISTEN", "x"), ("LINEWATCH_HTTP__LISTN", "x")]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|m| m.starts_with("environment: LINEWATCH_HTTP__LIST")), "{found:?}");
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "hush\n").unwrap();
    let text = format!("[webhook]\nurl = \"http://h/x\"\nsecret_file = {file:?}");
    let s = Settings::parse(&text, "s.toml", vec![]).unwrap();
    let secret = s.webhook.as_ref().unwrap().secret.clone().unwrap();
    assert_eq!(secret.reveal(), "hush");
    assert!(!format!("{s:?}").contains("hush"));
    let both = format!("{text}\nsecret = \"x\"");
    assert!(mistakes(&both, &[])[0].contains("either"), "{:?}", mistakes(&both, &[]));
    let gone = "[webhook]\nurl = \"http://h/x\"\nsecret_file = \"/nonexistent\"";
    assert!(mistakes(gone, &[])[0].starts_with("s.toml:3:15: webhook.secret_file: "));
}

#[test]
fn addresses_have_languages_and_mistakes_are_told() {
    let text = "[desk]\nnoc_email = \"noc@example.com\"\n[alerts]\nlang_of = [\"a@example.com=en\"]\n";
    let s = Settings::parse(text, "s.toml", vec![]).unwrap();
    assert_eq!(s.alert_lang_of.get("a@example.com"), Some(&AlertLang::En));
    assert_eq!(s.noc_email.as_deref(), Some("noc@example.com"));
    let found = mistakes(&text.replace("=en", "=fr").replace("noc@", "noc at "), &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().any(|m| m.contains("alerts.lang_of: \"a@example.com=fr\"")), "{found:?}");
}

#[test]
fn channels_are_read_and_their_mistakes_have_places() {
    let good = "[channels.a]\nkind = \"slack\"\nurl = \"https://h/hush\"\nfallback = \"b-2\"\nlang = \"zh\"\n\
                [channels.b-2]\nkind = \"sms\"\nurl = \"https://h/x\"\nnumbers = [\"10001\"]\nbody = '{\"t\":\"{text}{number}\"}'\n\
                [smtp]\nhost = \"h\"\nfrom = \"a@b.example\"\nfallback = \"a\"\n";
    let settings = Settings::parse(good, "s.toml", vec![]).unwrap();
    assert_eq!(
        settings.channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>(),
        ["a", "b-2"]
    );
    assert!(!format!("{settings:?}").contains("hush"), "an address with a key is shown");
    let env = vec![("LINEWATCH_CHANNELS__A__URL".to_owned(), "http://other/".to_owned())];
    assert!(Settings::parse(good, "s.toml", env).is_ok());
    let bad = "[channels.a]\nkind = \"pigeon\"\n[channels.b]\nkind = \"slack\"\nurl = \"hush\"\nkolour = 1\n\
               [channels.c]\nkind = \"slack\"\nurl = \"http://h\"\nfallback = \"d\"\nmarks = [\"late\"]\n\
               [channels.d]\nkind = \"slack\"\nurl = \"http://h\"\nfallback = \"c\"\n\
               [channels.e]\nkind = \"sms\"\nurl = \"http://h\"\nnumbers = [\"one\"]\nbody = \"hello\"\n\
               [channels.f]\nkind = \"slack\"\nurl = \"http://h\"\nfallback = \"zz\"\n\
               [smtp]\nhost = \"h\"\nfrom = \"a@b.example\"\nfallback = \"zz\"\n[channels]\nx = 1\n";
    let found = mistakes(bad, &[]);
    let expected = [
        "s.toml:2:8: channels.a.kind: \"pigeon\" is not one of: wecom_robot",
        "channels.b.url: must begin with http://",
        "s.toml:6:1: channels.b.kolour: unknown key; known in [channels.b]: ",
        "channels.c.marks: \"late\" is not one of",
        "channels.c.fallback: goes round in a circle",
        "channels.e.numbers: must be 1 to 20 numbers",
        "channels.e.body: has no {number}",
        "channels.e.body: is no JSON",
        "channels.f.fallback: there is no channel \"zz\"; known: c, d, e, f",
        "smtp.fallback: there is no [channels.zz]",
    ];
    for part in expected {
        assert!(found.iter().any(|mistake| mistake.contains(part)), "{part} is not in {found:#?}");
    }
    assert!(found.iter().all(|mistake| !mistake.contains("hush")), "{found:#?}");
}
