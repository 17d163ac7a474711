//! Services that keep incidents.

use serde_json::json;

use super::*;

fn pagerduty(sent: &Sent, before: &[Sent]) -> (u16, String) {
    let event = sent.json();
    let invalid = |why: &str| {
        (
            400,
            json!({"status": "invalid event", "message": "Event object is invalid", "errors": [why]})
                .to_string(),
        )
    };
    let payload = &event["payload"];
    match () {
        () if event["routing_key"] != "hush" => invalid("Invalid routing key"),
        () if !matches!(event["event_action"].as_str(), Some("trigger" | "resolve")) => {
            invalid("event_action")
        }
        () if event["dedup_key"].as_str().is_none_or(|key| key.len() > 255) => invalid("dedup_key"),
        () if payload["summary"]
            .as_str()
            .is_none_or(|text| text.is_empty() || text.chars().count() > 1024) =>
        {
            invalid("'payload.summary' is missing or blank")
        }
        () if payload["source"].as_str().is_none_or(str::is_empty) => {
            invalid("'payload.source' is missing or blank")
        }
        () if !matches!(payload["severity"].as_str(), Some("critical" | "error" | "warning" | "info")) => {
            invalid("'payload.severity' is invalid")
        }
        () if before.len() >= 10 => (429, String::new()),
        () => {
            let key = &event["dedup_key"];
            (202, json!({"status": "success", "message": "Event processed", "dedup_key": key}).to_string())
        }
    }
}

#[tokio::test]
async fn pagerduty_events() {
    let double = Double::start(pagerduty).await;
    let text = "[channels.pd]\nkind = \"pagerduty\"\nurl = \"{url}/v2/enqueue\"\nrouting_key = \"hush\"\n";
    let ways = outlets(text, &double);
    let marks = ["warn_50", "warn_80", "missed", "met_late", "corrected"];
    for mark in marks {
        send(&ways, "pd", &[alert(mark)]).await.unwrap();
    }
    let events: Vec<Value> = double.sent().iter().map(Sent::json).collect();
    let of =
        |name: &str| events.iter().map(|event| event[name].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(of("event_action"), ["trigger", "trigger", "trigger", "resolve", "resolve"]);
    assert!(of("dedup_key").windows(2).all(|pair| pair[0] == pair[1]), "one promise is one incident");
    let severities: Vec<&str> = events.iter().map(|e| e["payload"]["severity"].as_str().unwrap()).collect();
    assert_eq!(severities, ["info", "warning", "critical", "info", "info"]);
    for _ in 0..5 {
        send(&ways, "pd", &[alert("missed")]).await.unwrap();
    }
    let failed = send(&ways, "pd", &[alert("missed")]).await.unwrap_err();
    assert_eq!((failed.kind, failed.retry_after_ms), (FailureKind::Busy, Some(60_000)), "{failed}");
    let wrong = outlets(&text.replace("hush", "other"), &double);
    let failed = send(&wrong, "pd", &[alert("missed")]).await.unwrap_err();
    assert_eq!((failed.kind, failed.reason.contains("Invalid routing key")), (FailureKind::Permanent, true));
    let garbage = failure(&double, &ways, "pd", Mood::Says(202, None, "accepted?")).await;
    assert_eq!(garbage.kind, FailureKind::Temporary);
    let day = Letter::Day(Box::default());
    let _: &DayLetter = match &day {
        Letter::Day(day) => day,
        Letter::Alert(_) => unreachable!(),
    };
    assert_eq!(send(&ways, "pd", &[day]).await.unwrap_err().kind, FailureKind::Permanent);
    common_failures(&double, text, "pd").await;
}

fn alertmanager(sent: &Sent, _: &[Sent]) -> (u16, String) {
    let authorised = sent.headers.get("authorization").is_some_and(|value| value == "Bearer hush");
    let alerts = sent.json();
    let at = |alert: &Value, name: &str| UnixMs::parse_rfc3339(alert[name].as_str().unwrap_or_default()).ok();
    let wrong = |alert: &Value| {
        let named = alert["labels"]["alertname"].as_str().is_some_and(|name| !name.is_empty());
        let texts = alert["labels"].as_object().is_some_and(|labels| labels.values().all(Value::is_string));
        !named || !texts || at(alert, "endsAt") < at(alert, "startsAt")
    };
    match alerts.as_array() {
        _ if !authorised => (401, "unauthorized".to_owned()),
        _ if sent.uri.path() != "/api/v2/alerts" => (404, "not found".to_owned()),
        Some(alerts) if !alerts.iter().any(wrong) => (200, String::new()),
        _ => (400, "\"start time must be before end time\"".to_owned()),
    }
}

#[tokio::test]
async fn an_alertmanager_is_sent_alerts() {
    let double = Double::start(alertmanager).await;
    let text = "[channels.am]\nkind = \"alertmanager\"\nurl = \"{url}\"\ntoken = \"hush\"\n";
    let ways = outlets(text, &double);
    for mark in ["warn_80", "missed", "met_late"] {
        send(&ways, "am", &[alert(mark)]).await.unwrap();
    }
    let alerts: Vec<Value> = double.sent().iter().map(|sent| sent.json()[0].clone()).collect();
    assert!(alerts.windows(2).all(|pair| pair[0]["labels"] == pair[1]["labels"]), "one promise is one alert");
    let over = |alert: &Value| UnixMs::parse_rfc3339(alert["endsAt"].as_str().unwrap()).unwrap() <= NOW;
    assert_eq!(alerts.iter().map(over).collect::<Vec<_>>(), [false, false, true]);
    let wrong = outlets(&text.replace("hush", "other"), &double);
    assert_eq!(send(&wrong, "am", &[alert("missed")]).await.unwrap_err().kind, FailureKind::Permanent);
    let refused = failure(&double, &ways, "am", Mood::Says(400, None, "\"no alertname\"")).await;
    assert!(refused.kind == FailureKind::Permanent && refused.reason.contains("no alertname"), "{refused}");
    common_failures(&double, text, "am").await;
}

#[test]
fn what_ends_an_incident_goes_where_incidents_are_kept() {
    let text = "[channels.pd]\nkind = \"pagerduty\"\nrouting_key = \"k\"\nmarks = [\"missed\"]\ntiers = [\"AAA\"]\n\
                [channels.duty]\nkind = \"slack\"\nurl = \"https://h/x\"\n\
                [channels.last]\nkind = \"sms\"\nurl = \"https://h/x\"\nwhen = \"fallback\"\nnumbers = [\"10001\", \"+8610002\"]\n\
                body = '{\"to\":\"{number}\",\"text\":\"{text}\"}'\n";
    let settings = crate::config::Settings::parse(text, "s.toml", vec![]).unwrap();
    let ways: Vec<Way> = settings.channels.iter().map(Way::of).collect();
    let takes = |mark: &str, tier: &str| {
        let Letter::Alert(alert) = alert(mark) else { unreachable!() };
        let alert = Alert { tier: tier.to_owned(), ..*alert };
        ways.iter().filter(|way| way.takes(&alert)).map(|way| way.channel).collect::<Vec<_>>()
    };
    assert_eq!(takes("missed", "AAA"), ["slack", "pagerduty"]);
    assert_eq!(takes("warn_80", "AAA"), ["slack"]);
    assert_eq!(takes("missed", "A"), ["slack"]);
    assert_eq!(takes("met_late", "AAA"), ["pagerduty"]);
    assert_eq!(takes("corrected", "AAA"), ["slack", "pagerduty"]);
    assert_eq!(ways[1].destinations, ["last/10001", "last/+8610002"]);
}
