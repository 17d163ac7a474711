//! What mails say.

use linewatch_shared::rules::Label;
use linewatch_shared::time::{MINUTE_MS, UnixMs};
use uuid::Uuid;

use super::alert::{Alert, Done, Telling};
use super::letter::Letter;
use super::lexicon::Writers;
use super::page::Text;
use super::text::{Together, Writer};
use crate::config::AlertLang;

const KINDS: [&str; 7] =
    ["restoration", "feedback", "repair", "callback", "supervisor", "interruption", "availability"];
const MARKS: [&str; 5] = ["warn_50", "warn_80", "missed", "met_late", "corrected"];

fn due() -> UnixMs {
    UnixMs::parse_rfc3339("2026-11-22T06:30:00Z").unwrap()
}

fn alert(kind: &str, mark: &str) -> Alert {
    Alert {
        key: "key".into(),
        fault: Uuid::from_u128(0xabc),
        line: "L-001".into(),
        site: "Sample site".into(),
        customer: "C001".into(),
        customer_name: "示例银行".into(),
        tier: "AAA".into(),
        tier_label: Label { zh: "金牌".into(), en: "Gold".into() },
        kind: kind.into(),
        mark: mark.into(),
        at: due() - 24 * MINUTE_MS,
        late: false,
        due_at: due(),
        started_at: due() - 120 * MINUTE_MS,
        state: "acknowledged".into(),
        reported: true,
        done: vec![Done {
            at: due() - 100 * MINUTE_MS,
            kind: "acknowledged".into(),
            by: "noc-1".into(),
            text: "splice <team> & van".into(),
        }],
        manager: "manager-1".into(),
        time_zone: "Asia/Shanghai".into(),
        link: "https://desk.example/?fault=1&x=2".into(),
        matter: None,
        upstream: None,
        telling: Telling::default(),
    }
}

fn write(lang: AlertLang, alert: &Alert, now: UnixMs) -> Text {
    Writer::new(lang).unwrap().one(alert, now)
}

#[test]
fn a_warning_in_english_says_everything() {
    let text = write(AlertLang::En, &alert("restoration", "warn_80"), due() - 24 * MINUTE_MS);
    assert_eq!(text.subject, "[AAA Gold] 示例银行 L-001: restoration due 14:30, 24 min left (80 % used)");
    let expected = "\
80 % of the time promised for restoring service is used. It is due 2026-11-22 14:30 (Asia/Shanghai, UTC+08:00); 24 min left.

Customer: 示例银行 (C001)
Line: L-001
Site: Sample site
Tier: AAA Gold
State: acknowledged
Fault since: 2026-11-22 12:30 (Asia/Shanghai, UTC+08:00)
Due: 2026-11-22 14:30 (Asia/Shanghai, UTC+08:00); 24 min left
Reported by the customer: yes
Fault: 00000000-0000-0000-0000-000000000abc

Done so far:
- 12:50 acknowledged, noc-1: splice <team> & van

Open the fault: https://desk.example/?fault=1&x=2

You receive this as the account manager (manager-1).

";
    assert_eq!(text.plain, expected);
}

#[test]
fn a_miss_in_chinese() {
    let text = write(AlertLang::Zh, &alert("restoration", "missed"), due() + 65 * MINUTE_MS);
    assert_eq!(text.subject, "【AAA 金牌】示例银行 L-001：抢通已超时，应于 14:30 完成");
    let lead =
        "业务应于 2026-11-22 14:30 (Asia/Shanghai, UTC+08:00) 前抢通，至今未抢通，已超时 1 小时 5 分钟。";
    assert_eq!(text.plain.lines().next().unwrap(), lead);
    assert!(text.plain.contains("- 12:50 受理, noc-1"), "{}", text.plain);
}

#[test]
fn both_languages_come_chinese_first() {
    let text = write(AlertLang::Both, &alert("feedback", "missed"), due());
    let (zh, en) = text.subject.split_once(" / ").unwrap();
    assert!(zh.contains("反馈已超时") && en.contains("feedback missed"), "{}", text.subject);
    assert!(text.plain.find("处理经过").unwrap() < text.plain.find("Done so far").unwrap());
}

#[test]
fn every_kind_and_mark_has_words_of_its_own_and_late_ones_sound_late() {
    for lang in [AlertLang::Zh, AlertLang::En] {
        let mut seen = std::collections::BTreeSet::new();
        for kind in KINDS {
            let spans = ["interruption", "availability"].contains(&kind);
            for mark in MARKS.into_iter().filter(|mark| !spans || *mark != "met_late") {
                for late in [false, true] {
                    let alert = Alert { late, ..alert(kind, mark) };
                    let text = write(lang, &alert, due());
                    let lead = text.plain.lines().next().unwrap().to_owned();
                    let whole = format!("{}{}{}", text.subject, text.plain, text.html);
                    assert!(!whole.contains("{ $") && !whole.contains("other-notice"), "{whole}");
                    let news = format!("{kind} {mark}");
                    assert!(!lead.contains(&news), "{news} has no words");
                    let late_words = ["learnt late", "迟到信息"].iter().any(|w| text.subject.contains(w));
                    assert_eq!(late_words, late && mark != "corrected", "{}", text.subject);
                    if mark != "corrected" || !late {
                        assert!(seen.insert((text.subject, lead)), "{kind} {mark} {late} is not its own");
                    }
                }
            }
        }
    }
}

#[test]
fn a_mark_that_is_not_known_is_still_told() {
    let text = write(AlertLang::En, &alert("visit", "escalated"), due());
    assert!(text.subject.contains("visit escalated, due 14:30"), "{}", text.subject);
}

#[test]
fn html_is_escaped_and_control_characters_are_gone() {
    let mut alert = alert("repair", "missed");
    alert.customer_name = "<script>alert(1)</script>\r\nBcc: x@desk.example\u{202e}".into();
    alert.link = "javascript:alert(1)".into();
    let text = write(AlertLang::Both, &alert, due());
    assert!(!text.html.contains("<script>") && text.html.contains("&lt;script&gt;"), "{}", text.html);
    assert!(text.html.contains("splice &lt;team&gt; &amp; van"));
    assert!(!text.subject.contains(['\r', '\n', '\u{202e}']), "{:?}", text.subject);
    assert!(!text.html.contains("javascript:") && !text.plain.contains("javascript:"));
}

#[test]
fn a_digest_lists_every_alert() {
    let alerts: Vec<Alert> = (0..40)
        .map(|n| Alert {
            line: format!("L-{n:03}"),
            fault: Uuid::from_u128(n),
            ..alert("restoration", "warn_50")
        })
        .collect();
    let text = Writer::new(AlertLang::En).unwrap().digest(
        &alerts.into_iter().map(|alert| Letter::Alert(Box::new(alert))).collect::<Vec<_>>(),
        Together::OverLimit(30),
        due(),
    );
    assert_eq!(text.subject, "40 alerts about 40 faults");
    for n in 0..40 {
        assert!(text.plain.contains(&format!("L-{n:03} restoration due")), "{n}");
        assert!(text.html.contains(&Uuid::from_u128(n).to_string()), "{n}");
    }
}

#[test]
fn an_address_may_have_a_language_of_its_own() {
    let own = std::collections::BTreeMap::from([("en@example.com".to_owned(), AlertLang::En)]);
    let writers = Writers::new(AlertLang::Zh, &own).unwrap();
    let subject = |address: &str| writers.of(address).one(&alert("restoration", "missed"), due()).subject;
    assert!(subject("en@example.com").contains("restoration missed"), "{}", subject("en@example.com"));
    assert!(!subject("zh@example.com").contains("restoration"), "{}", subject("zh@example.com"));
}

#[test]
fn a_storm_says_what_its_alerts_have_in_common() {
    let node = Alert { upstream: Some(("olt-1".into(), 7)), ..alert("restoration", "missed") };
    let letters = [node.clone(), Alert { fault: Uuid::from_u128(2), line: "L-002".into(), ..node }];
    let letters = letters.map(|alert| Letter::Alert(Box::new(alert)));
    let text = Writer::new(AlertLang::En).unwrap().digest(&letters, Together::Storm, due());
    assert_eq!(text.subject, "olt-1: 2 alerts about 2 faults");
    assert!(text.plain.starts_with("olt-1: these 2 alerts have their cause in common"), "{}", text.plain);
    assert!(text.plain.contains("L-001") && text.plain.contains("L-002"));
}
