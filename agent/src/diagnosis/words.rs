//! What findings mean, in plain words, in both languages.

use linewatch_shared::facts::Finding;
use linewatch_shared::rules::Label;

/// A figure of a finding.
fn figure<'a>(finding: &'a Finding, name: &str) -> &'a str {
    finding.figures.iter().find(|(known, _)| known == name).map_or("?", |(_, value)| value.as_str())
}

/// Microseconds as milliseconds.
fn ms(us: &str) -> String {
    us.parse::<f64>().map_or_else(|_| us.to_owned(), |us| format!("{:.1}", us / 1_000.0))
}

/// The finding in words.
#[must_use]
pub fn text(finding: &Finding) -> Label {
    let of = |name: &str| figure(finding, name);
    let (answered, rtt) = (of("answered"), ms(of("rtt_us")));
    let (en, zh) = match (finding.check.as_str(), finding.code.as_str()) {
        ("link", "up") => (
            format!("the cable at {} is in, {} Mbit/s", of("interface"), of("speed_mbit_s")),
            format!("{} 网线已连接，{} Mbit/s", of("interface"), of("speed_mbit_s")),
        ),
        ("link", "half_duplex") => (
            format!("{} runs in half duplex: check cable and port settings", of("interface")),
            format!("{} 为半双工：请检查网线和端口设置", of("interface")),
        ),
        ("link", "no_carrier") => (
            format!("no signal at {}: check the cable and the port at both ends", of("interface")),
            format!("{} 无信号：请检查两端的网线和端口", of("interface")),
        ),
        ("link", "own") => ("the target is this device itself".to_owned(), "目标为本机".to_owned()),
        ("link", _) => (
            "this device has no way to the line: check cable, address and gateway".to_owned(),
            "本机没有到该线路的路由：请检查网线、地址和网关".to_owned(),
        ),
        ("gateway", "none") => ("no gateway lies on the way".to_owned(), "途中没有网关".to_owned()),
        (check, "answers") => (
            format!("the {} answers, {rtt} ms", en_name(check)),
            format!("{}应答正常，{rtt} 毫秒", zh_name(check)),
        ),
        (check, "losses") => (
            format!("the {} answered {answered} probes only, {rtt} ms", en_name(check)),
            format!("{}仅应答 {answered}，{rtt} 毫秒", zh_name(check)),
        ),
        ("gateway", "silent") => (
            "the gateway does not answer: it may be down, or set up not to".to_owned(),
            "网关无应答：可能已中断，或设置为不应答".to_owned(),
        ),
        ("path" | "mtu", "silent") => (
            format!("nothing on the way answered ({})", finding.check),
            format!("途中没有应答（{}）", finding.check),
        ),
        (check, "silent") => (
            format!("the {} does not answer ({answered})", en_name(check)),
            format!("{}无应答（{answered}）", zh_name(check)),
        ),
        (check, "not_sent") => (
            format!("probes to the {} did not leave this device", en_name(check)),
            format!("发往{}的探测未能发出", zh_name(check)),
        ),
        ("outside", _) => (
            "no outside host is configured: [probe] anchors".to_owned(),
            "未配置外部参照主机：[probe] anchors".to_owned(),
        ),
        ("dns", "resolves" | "slow") => (
            format!("{} resolves to {} in {} ms", of("name"), of("address"), of("took_ms")),
            format!("{} 解析为 {}，用时 {} 毫秒", of("name"), of("address"), of("took_ms")),
        ),
        ("dns", "no_answer") => (
            format!("the name servers do not answer ({})", of("servers")),
            format!("域名服务器无应答（{}）", of("servers")),
        ),
        ("dns", "unknown_name") => (
            format!(
                "{} does not resolve: check the name and the name servers ({})",
                of("name"),
                of("servers")
            ),
            format!("{} 无法解析：请检查域名和域名服务器（{}）", of("name"), of("servers")),
        ),
        ("dns", _) => (
            "the line is reached by address, no name is needed".to_owned(),
            "按地址探测，无需域名".to_owned(),
        ),
        ("path", "reaches") => (format!("the way: {}", of("hops")), format!("路径：{}", of("hops"))),
        ("path", "ends") => (
            format!("the way is seen up to {}: {}", of("last"), of("hops")),
            format!("路径可见至 {}：{}", of("last"), of("hops")),
        ),
        ("mtu", "usual") => {
            ("packets of 1500 bytes pass whole".to_owned(), "1500 字节的报文可完整通过".to_owned())
        }
        ("mtu", "smaller") => (
            format!("only packets of up to {} bytes pass whole", of("bytes")),
            format!("仅 {} 字节以内的报文可完整通过", of("bytes")),
        ),
        ("throughput", "flows" | "full" | "errors") => flows(finding),
        _ => ("could not be looked at here".to_owned(), "此处无法检查".to_owned()),
    };
    Label { zh, en }
}

fn flows(finding: &Finding) -> (String, String) {
    let of = |name: &str| figure(finding, name);
    let (rx, tx, errors) = (of("rx_kbit_s"), of("tx_kbit_s"), of("errors"));
    let (en, zh) = match finding.code.as_str() {
        "full" => ("; the interface is full", "；接口已接近满载"),
        "errors" => {
            ("; the interface counts errors: check cable and port", "；接口有错误计数：请检查网线和端口")
        }
        _ => ("", ""),
    };
    (
        format!("{rx} kbit/s in, {tx} kbit/s out, {errors} errors{en}"),
        format!("收 {rx} kbit/s，发 {tx} kbit/s，错误 {errors}{zh}"),
    )
}

fn en_name(check: &str) -> &str {
    match check {
        "far_end" => "far end",
        "outside" => "outside host",
        other => other,
    }
}

fn zh_name(check: &str) -> &str {
    match check {
        "gateway" => "网关",
        "far_end" => "对端",
        "outside" => "外部主机",
        other => other,
    }
}
