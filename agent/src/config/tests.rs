//! Configurations as people write them.

use super::*;

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(Path::new("agent.toml"), text, environment).map_err(|error| error.to_string())
}

#[test]
fn one_line_is_enough() {
    let config = parse("data_dir = \"/var/lib/linewatch-agent\"", &[]).unwrap();
    assert_eq!(config.data_dir, Path::new("/var/lib/linewatch-agent"));
    assert_eq!(config.ui.listen.to_string(), "127.0.0.1:8090");
    assert_eq!(config.log, Log::default());
    assert!(config.probe.anchors.is_empty());
}

#[test]
fn mistakes_are_told_with_their_line() {
    let cases = [
        ("data_dir = \"/d\"\nspeed = 1\n", "agent.toml:2: unknown field `speed`"),
        ("data_dir = \"/d\"\n\n[ui]\nlisten = \"here\"\n", "agent.toml:4: "),
        (
            "data_dir = \"/d\"\n[ui]\nlisten = \"0.0.0.0:8090\"",
            "agent.toml:3: ui.listen: 0.0.0.0 is not a loopback",
        ),
        ("data_dir = \"/d\"\n[probe]\nanchors = [\"ftp://x\"]", "agent.toml:3: probe.anchors: ftp://x: "),
        ("data_dir = \"/d\"\n[probe]\nslower_on_battery = 0", "agent.toml:3: probe.slower_on_battery: 1 "),
        ("data_dir = \"/d\"\n[log]\nlevel = \"info,a=b=c\"", "agent.toml:3: log.level: "),
        ("data_dir = \"/d\"\n[log]\nformat = \"xml\"", "agent.toml:3: unknown variant `xml`"),
        ("[ui]\n", "missing field `data_dir`"),
        ("data_dir = ", "agent.toml:1: "),
    ];
    for (text, expected) in cases {
        let error = parse(text, &[]).unwrap_err();
        assert!(error.contains(expected), "{text:?} gave {error:?}, not {expected:?}");
    }
}

#[test]
fn the_environment_lies_over_the_file() {
    let environment = [
        ("LINEWATCH_DATA_DIR", "/other"),
        ("LINEWATCH_UI__LISTEN", "[::1]:9000"),
        ("LINEWATCH_PROBE__ANCHORS", "[\"icmp://192.0.2.1\"]"),
        ("LINEWATCH_DEMO", "ignored: not a key"),
        ("HOME", "/root"),
    ];
    let config = parse("data_dir = \"/d\"", &environment[..1]).unwrap();
    assert_eq!(config.data_dir, Path::new("/other"));
    let config = parse("", &environment).unwrap_err();
    assert!(config.contains("LINEWATCH_UI__LISTEN"), "an address is not an array: {config}");
    let environment = [("LINEWATCH_UI__LISTEN", "127.0.0.2:1"), environment[2], environment[0]];
    let config = parse("", &environment).unwrap();
    assert_eq!(config.ui.listen.to_string(), "127.0.0.2:1");
    assert_eq!(config.probe.anchors, ["icmp://192.0.2.1"]);
    let environment = [("LINEWATCH_VAULT__PASSPHRASE", "true"), ("LINEWATCH_VAULT__PASSPHRASE_FILE", "/p")];
    let vault = parse("data_dir = \"/d\"", &environment).unwrap().vault;
    assert_eq!((vault.passphrase, vault.passphrase_file), (true, Some("/p".into())));
    let error = parse("data_dir = \"/d\"", &[("LINEWATCH_UI__COLOUR", "red")]).unwrap_err();
    assert_eq!(error, "LINEWATCH_UI__COLOUR: unknown field `colour`, expected `listen`");
}
