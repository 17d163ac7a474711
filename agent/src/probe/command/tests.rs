use super::*;

#[derive(clap::Parser)]
struct Cli {
    #[command(flatten)]
    args: ProbeArgs,
}

fn args(line: &str) -> Result<ProbeArgs, clap::Error> {
    use clap::Parser;
    Cli::try_parse_from(std::iter::once("probe").chain(line.split(' '))).map(|cli| cli.args)
}

async fn output(line: &str) -> (anyhow::Result<bool>, String) {
    let mut out = Vec::new();
    let result = probe_to(&args(line).unwrap(), &mut out).await;
    (result, String::from_utf8(out).unwrap())
}

#[test]
fn a_bare_host_means_icmp_and_options_overrule_the_url() {
    let spec = |line| spec_of(&args(line).unwrap()).map(|s| s.to_string()).map_err(|e| e.to_string());
    assert_eq!(spec("10.1.2.3").unwrap(), "icmp://10.1.2.3");
    assert_eq!(spec("2001:db8::1 --ttl 3").unwrap(), "icmp://[2001:db8::1]?ttl=3");
    assert_eq!(spec("branch.example --df --size 1400").unwrap(), "icmp://branch.example?size=1400&df=1");
    assert_eq!(spec("icmp://10.1.2.3?ttl=9&dscp=1 --ttl 3").unwrap(), "icmp://10.1.2.3?ttl=3&dscp=1");
    assert_eq!(spec("tcp://10.1.2.3:443 --dscp 46").unwrap(), "tcp://10.1.2.3:443?dscp=46");
    assert!(spec("tcp://10.1.2.3:443 --df").unwrap_err().contains("ICMP targets only"));
    assert!(spec("dns://10.1.2.3/a --ttl 3").unwrap_err().contains("not for HTTP or DNS"));
    assert!(spec("10.1.2.300").unwrap_err().contains("'10.1.2.300' is neither"));
}

#[test]
fn wrong_values_are_refused_by_name() {
    for (line, part) in [
        ("h --interval 5", "'5' is not a time"),
        ("h --interval 61s", "'61s' is not a time"),
        ("h --timeout 1ms", "'1ms' is not a time"),
        ("h --ttl 0", "--ttl"),
        ("h --dscp 64", "--dscp"),
        ("h --size 31", "--size"),
    ] {
        let error = args(line).unwrap_err().to_string();
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_each_answer_and_a_summary() {
    let (result, text) = output("127.0.0.1 --count 3 --interval 20ms").await;
    assert!(result.unwrap());
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("Probing 127.0.0.1 through a ") && lines[0].ends_with(" ICMPv4 socket"),
        "{text}"
    );
    assert!(
        lines[1].trim_start().starts_with("1  answered in 0.") || lines[1].contains("answered in"),
        "{text}"
    );
    assert!(text.contains("127.0.0.1: 3 sent, 3 answered, 0.0 % lost"), "{text}");
    assert!(lines[5].starts_with("round trip min/avg/max/jitter: "), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_one_object() {
    let (result, text) = output("::1 --count 2 --interval 20ms --json").await;
    assert!(result.unwrap());
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((report["sent"].as_u64(), report["lost"].as_u64()), (Some(2), Some(0)));
    assert_eq!(report["samples"].as_array().map(Vec::len), Some(2));
    assert!(report["rtt"]["min_us"].as_u64().unwrap() > 0);
    assert!(report["samples"][0]["sent_at"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_at_all_is_no_success() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (result, text) = output(&format!("tcp://127.0.0.1:{port} --count 2 --interval 50ms")).await;
    assert!(!result.unwrap());
    assert!(text.contains("lost: the far end refused") && text.contains("100.0 % lost"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_is_an_error() {
    let (result, _) = output("no-such-host.invalid --count 1").await;
    assert!(result.unwrap_err().to_string().contains("'no-such-host.invalid' does not resolve"));
}
