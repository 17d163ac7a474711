use super::*;

fn ok(url: &str) -> ProbeSpec {
    url.parse().unwrap_or_else(|e| panic!("{url}: {e}"))
}

fn error_of(url: &str) -> String {
    url.parse::<ProbeSpec>().map(|spec| panic!("{url} was accepted as {spec:?}")).unwrap_err().to_string()
}

#[test]
fn icmp_takes_addresses_names_and_options() {
    let ProbeSpec::Icmp { host, options, timeout_ms } =
        ok("icmp://[2001:db8::1]?ttl=64&dscp=46&size=1400&df=1&timeout=900ms")
    else {
        panic!("not icmp")
    };
    assert_eq!(host, Host::Ip("2001:db8::1".parse().unwrap()));
    assert_eq!(
        options,
        PacketOptions { ttl: Some(64), dscp: Some(46), size_bytes: Some(1400), df: Some(true) }
    );
    assert_eq!(timeout_ms, Some(900));
    let plain = ok("icmp://10.1.2.3");
    assert_eq!(
        plain,
        ProbeSpec::Icmp {
            host: Host::Ip([10, 1, 2, 3].into()),
            options: PacketOptions::default(),
            timeout_ms: None
        }
    );
    let named = ok("ICMP://Branch-7.Example.com.");
    assert!(matches!(named, ProbeSpec::Icmp { host: Host::Name(ref n), .. } if n == "branch-7.example.com"));
}

#[test]
fn tcp_http_and_dns() {
    assert!(matches!(ok("tcp://host:443"), ProbeSpec::Tcp { port: 443, .. }));
    assert!(matches!(
        ok("tcp://[::1]:443?timeout=2s"),
        ProbeSpec::Tcp { port: 443, timeout_ms: Some(2000), .. }
    ));
    let url = "https://example.com:8443/health?lw_status=1&ttl=nonsense";
    assert_eq!(ok(url), ProbeSpec::Http { url: url.to_owned() });
    let ProbeSpec::Dns { server, port, name, record, .. } = ok("dns://10.1.2.3:5353/Example.com?type=AAAA")
    else {
        panic!("not dns")
    };
    assert_eq!(
        (server, port, name.as_str(), record),
        (Host::Ip([10, 1, 2, 3].into()), 5353, "example.com", DnsRecord::Aaaa)
    );
    assert!(matches!(
        ok("dns://10.1.2.3/example.com"),
        ProbeSpec::Dns { port: 53, record: DnsRecord::A, .. }
    ));
}

#[test]
fn the_canonical_text_parses_to_the_same_spec() {
    for url in [
        "icmp://10.1.2.3",
        "icmp://[2001:db8::1]?ttl=64&dscp=46&size=1400&df=0&timeout=900ms",
        "tcp://host:443?ttl=3&timeout=50ms",
        "http://example.com/?a=b",
        "dns://[::1]:5353/example.com?type=AAAA&timeout=2000ms",
        "dns://10.0.0.1/a.b",
    ] {
        let spec = ok(url);
        assert_eq!(spec.to_string(), url);
        assert_eq!(ok(&spec.to_string()), spec);
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<ProbeSpec>(&json).unwrap(), spec);
    }
}

#[test]
fn each_mistake_is_named() {
    for (url, part) in [
        ("10.1.2.3", "no scheme"),
        ("ping://10.1.2.3", "'ping' is not a probe scheme"),
        ("icmp://", "no host"),
        ("icmp://10.1.2", "'10.1.2' is neither"),
        ("icmp://10.1.2.300", "'10.1.2.300' is neither"),
        ("icmp://-x.example", "neither an IP address nor a host name"),
        ("icmp://10.1.2.3:7", "takes no port"),
        ("icmp://10.1.2.3/x", "takes no path, found '/x'"),
        ("icmp://2001:db8::1", "put it in brackets"),
        ("icmp://[2001:db8::g]", "not an IPv6 address in brackets"),
        ("icmp://[::1", "not an IPv6 address in brackets"),
        ("icmp://10.1.2.3?ttl=0", "ttl='0' is wrong: write a number from 1 to 255"),
        ("icmp://10.1.2.3?ttl=+5", "ttl='+5'"),
        ("icmp://10.1.2.3?dscp=64", "dscp='64'"),
        ("icmp://10.1.2.3?size=31", "size='31'"),
        ("icmp://10.1.2.3?df=yes", "df='yes' is wrong: write 1 or 0"),
        ("icmp://10.1.2.3?timeout=5", "timeout='5'"),
        ("icmp://10.1.2.3?timeout=99999999999s", "timeout="),
        ("icmp://10.1.2.3?timeout=61s", "timeout='61s'"),
        ("icmp://10.1.2.3?tll=5", "no option 'tll': it takes ttl, dscp, size, df, timeout"),
        ("icmp://10.1.2.3?ttl=5&ttl=6", "'ttl' is given twice"),
        ("tcp://host", "needs a port"),
        ("tcp://host:0", "'0' is not a port"),
        ("tcp://host:70000", "'70000' is not a port"),
        ("tcp://host:443?size=99", "no option 'size'"),
        ("http://user:secret@host/", "user or password"),
        ("https:///x", "no host"),
        ("http://host:99999/", "not a port"),
        ("dns://10.1.2.3", "needs the name"),
        ("dns://10.1.2.3/a..b", "neither"),
        ("dns://10.1.2.3/a?type=MX", "write A or AAAA"),
        ("icmp://a b", "space or a control character"),
        ("icmp://host#x", "fragment"),
    ] {
        let error = error_of(url);
        assert!(error.contains(part), "{url}: {error:?} does not say {part:?}");
    }
    let long = format!("icmp://{}", "a".repeat(3_000));
    assert_eq!(long.parse::<ProbeSpec>(), Err(ProbeUrlError::TooLong));
}
