//! An SMS gateway by its template.

use serde_json::json;

use super::*;

fn gateway(sent: &Sent, _: &[Sent]) -> (u16, String) {
    let authorised = sent.headers.get("authorization").is_some_and(|value| value == "Bearer hush");
    let body = sent.json();
    let answer = match () {
        () if !authorised => return (401, String::new()),
        () if sent.method != Method::POST || body["to"] != "+8610001" => json!({"result": {"code": 1004}}),
        () if body["text"].as_str().is_none_or(str::is_empty) => json!({"result": {"code": 1005}}),
        () => json!({"result": {"code": 0}}),
    };
    (200, answer.to_string())
}

const TEXT: &str = "[channels.sms]\nkind = \"sms\"\nurl = \"{url}/send\"\ntoken = \"hush\"\nlang = \"zh\"\n\
    numbers = [\"+8610001\", \"10002\"]\nbody = '{\"to\":\"{number}\",\"text\":\"{text}\"}'\nsuccess = \"/result/code=0\"\n";

#[tokio::test]
async fn an_sms_gateway() {
    let double = Double::start(gateway).await;
    let ways = outlets(TEXT, &double);
    send(&ways, "sms/+8610001", &[alert("missed")]).await.unwrap();
    let sent = double.last();
    assert!(
        sent.json()["text"].as_str().unwrap().contains("样例银行 <at user_id=\"all\">"),
        "JSON keeps quotes"
    );
    assert_eq!(sent.headers["x-idempotency-key"], "<m1@linewatch>");
    let refused = send(&ways, "sms/10002", &[alert("missed")]).await.unwrap_err();
    assert!(refused.kind == FailureKind::Temporary && refused.reason.contains("1004"), "{refused}");
    for says in ["", "accepted", "{\"result\":{}}"] {
        assert_eq!(
            failure(&double, &ways, "sms/+8610001", Mood::Says(200, None, says)).await.kind,
            FailureKind::Temporary
        );
    }
    common_failures(&double, TEXT, "sms/+8610001").await;
}

#[tokio::test]
async fn a_form_is_escaped_as_forms_are() {
    let double =
        Double::start(|sent, _| (if sent.uri.path() == "/send" { 200 } else { 404 }, String::new())).await;
    let text = "[channels.sms]\nkind = \"sms\"\nurl = \"{url}/send?key=hush&to={number}\"\nform = \"form\"\n\
                numbers = [\"+8610001\"]\nbody = \"msg={text}&type=1\"\nlang = \"zh\"\n";
    send(&outlets(text, &double), "sms/+8610001", &[alert("missed")]).await.unwrap();
    let sent = double.last();
    assert_eq!(sent.query("to").unwrap(), "+8610001");
    assert_eq!(sent.headers["content-type"], "application/x-www-form-urlencoded");
    let form = reqwest::Url::parse(&format!("http://h/?{}", sent.body)).unwrap();
    let fields: Vec<(String, String)> = form.query_pairs().into_owned().collect();
    assert_eq!((fields.len(), fields[1].1.as_str()), (2, "1"), "{fields:?}");
    assert!(fields[0].1.contains("&all</at>"), "{fields:?}");
}
