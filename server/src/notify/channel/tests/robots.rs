//! Robots of chat groups, and WeCom's app.

use serde_json::json;

use super::*;

fn wecom_robot(sent: &Sent, before: &[Sent]) -> (u16, String) {
    let content = sent.json()["text"]["content"].as_str().unwrap_or_default().to_owned();
    let answer = match () {
        () if sent.query("key").as_deref() != Some("hush") => {
            json!({"errcode": 93000, "errmsg": "invalid webhook url"})
        }
        () if sent.json()["msgtype"] != "text" => json!({"errcode": 40008, "errmsg": "invalid message type"}),
        () if content.is_empty() || content.len() > 2048 => {
            json!({"errcode": 40058, "errmsg": "content exceed max length 2048"})
        }
        () if before.len() >= 20 => json!({"errcode": 45009, "errmsg": "api freq out of limit"}),
        () => json!({"errcode": 0, "errmsg": "ok"}),
    };
    (200, answer.to_string())
}

#[tokio::test]
async fn a_wecom_robot() {
    let double = Double::start(wecom_robot).await;
    let text = "[channels.duty]\nkind = \"wecom_robot\"\nurl = \"{url}/cgi-bin/webhook/send?key=hush\"\nlang = \"zh\"\n";
    let ways = outlets(text, &double);
    let many: Vec<Letter> = (0..50).map(|_| alert("missed")).collect();
    send(&ways, "duty", &[alert("missed")]).await.unwrap();
    assert!(double.last().json()["text"]["content"].as_str().unwrap().contains("样例银行"));
    // A digest that is far too long is cut, and taken.
    send(&ways, "duty", &many).await.unwrap();
    for _ in 0..18 {
        send(&ways, "duty", &[alert("warn_80")]).await.unwrap();
    }
    let failed = send(&ways, "duty", &[alert("missed")]).await.unwrap_err();
    assert_eq!((failed.kind, failed.retry_after_ms), (FailureKind::Busy, Some(60_000)), "{failed}");
    let wrong = outlets(&text.replace("hush", "wrong"), &double);
    assert_eq!(send(&wrong, "duty", &[alert("missed")]).await.unwrap_err().kind, FailureKind::Permanent);
    for (says, kind) in [
        ("{\"errcode\":-1,\"errmsg\":\"system busy\"}", FailureKind::Temporary),
        ("<html>a proxy's page</html>", FailureKind::Temporary),
        ("{\"errcode\":\"0\"}", FailureKind::Temporary),
    ] {
        assert_eq!(failure(&double, &ways, "duty", Mood::Says(200, None, says)).await.kind, kind, "{says}");
    }
    common_failures(&double, text, "duty").await;
}

fn wecom_app(sent: &Sent, before: &[Sent]) -> (u16, String) {
    let asked = |sent: &&Sent| sent.uri.path() == "/cgi-bin/gettoken";
    if sent.uri.path() == "/cgi-bin/gettoken" {
        let good = sent.query("corpid").as_deref() == Some("corp")
            && sent.query("corpsecret").as_deref() == Some("hush");
        let token = format!("token-{}", before.iter().filter(asked).count() + 1);
        let answer = json!({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": 7200});
        let wrong = json!({"errcode": 40001, "errmsg": "invalid credential"});
        return (200, if good { answer } else { wrong }.to_string());
    }
    // The service took the first token away before its time.
    let answer = match sent.query("access_token").as_deref() {
        Some("token-1") if before.iter().filter(|one| !asked(one)).count() >= 2 => {
            json!({"errcode": 42001, "errmsg": "access_token expired"})
        }
        Some("token-1" | "token-2") if sent.json()["touser"] == "nobody" => {
            json!({"errcode": 81013, "errmsg": "user & party & tag all invalid"})
        }
        Some("token-1" | "token-2") => json!({"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": "m"}),
        _ => json!({"errcode": 40014, "errmsg": "invalid access_token"}),
    };
    (200, answer.to_string())
}

#[tokio::test]
async fn a_wecom_app_asks_for_a_token_once_and_again_when_it_is_refused() {
    let double = Double::start(wecom_app).await;
    let text = "[channels.app]\nkind = \"wecom_app\"\nurl = \"{url}\"\ncorp_id = \"corp\"\nagent_id = 1000002\n\
                secret = \"hush\"\nto = \"a|b\"\n";
    let ways = outlets(text, &double);
    for _ in 0..3 {
        send(&ways, "app", &[alert("missed")]).await.unwrap();
    }
    let paths: Vec<String> = double.sent().iter().map(|sent| sent.uri.path().to_owned()).collect();
    let (token, message) = ("/cgi-bin/gettoken", "/cgi-bin/message/send");
    assert_eq!(paths, [token, message, message, message, token, message]);
    let body = double.last().json();
    assert_eq!((&body["agentid"], &body["touser"]), (&json!(1_000_002), &json!("a|b")));
    assert_eq!(body["enable_duplicate_check"], 1);
    let nobody = outlets(&text.replace("a|b", "nobody"), &double);
    assert_eq!(send(&nobody, "app", &[alert("missed")]).await.unwrap_err().kind, FailureKind::Permanent);
    let wrong = outlets(&text.replace("hush", "wrong"), &double);
    assert_eq!(send(&wrong, "app", &[alert("missed")]).await.unwrap_err().kind, FailureKind::Permanent);
    common_failures(&double, text, "app").await;
}

fn dingtalk(sent: &Sent, before: &[Sent]) -> (u16, String) {
    let at_ms = sent.query("timestamp").unwrap_or_default();
    let fresh = at_ms.parse().is_ok_and(|at: i64| (at - NOW.0).abs() < 3_600_000);
    let signed = sent.query("sign") == Some(dingtalk::signature("hush-secret", &at_ms));
    let answer = match () {
        () if sent.query("access_token").as_deref() != Some("hush") => {
            json!({"errcode": 300_001, "errmsg": "token is not exist"})
        }
        () if !fresh || !signed => json!({"errcode": 310_000, "errmsg": "sign not match"}),
        () if sent.json()["text"]["content"].as_str().unwrap().len() > 20_000 => {
            json!({"errcode": 460_101, "errmsg": "message too long"})
        }
        () if before.len() >= 20 => {
            json!({"errcode": 130_101, "errmsg": "send too fast, exceed 20 times per minute"})
        }
        () => json!({"errcode": 0, "errmsg": "ok"}),
    };
    (200, answer.to_string())
}

#[tokio::test]
async fn a_dingtalk_robot() {
    let double = Double::start(dingtalk).await;
    let text = "[channels.ding]\nkind = \"dingtalk_robot\"\nurl = \"{url}/robot/send?access_token=hush\"\nsecret = \"hush-secret\"\n";
    let ways = outlets(text, &double);
    for _ in 0..20 {
        send(&ways, "ding", &[alert("missed")]).await.unwrap();
    }
    assert_eq!(double.last().json()["at"]["isAtAll"], false);
    let failed = send(&ways, "ding", &[alert("missed")]).await.unwrap_err();
    assert_eq!(
        (failed.kind, failed.retry_after_ms),
        (FailureKind::Busy, Some(600_000)),
        "locked for ten minutes"
    );
    for wrong in [text.replace("hush-secret", "other"), text.replace("token=hush", "token=other")] {
        let failed = send(&outlets(&wrong, &double), "ding", &[alert("missed")]).await.unwrap_err();
        assert_eq!(failed.kind, FailureKind::Permanent, "{failed}");
    }
    let busy = Mood::Says(200, None, "{\"errcode\":-1,\"errmsg\":\"系统繁忙\"}");
    assert_eq!(failure(&double, &ways, "ding", busy).await.kind, FailureKind::Temporary);
    common_failures(&double, text, "ding").await;
}

#[test]
fn signatures_are_the_known_ones() {
    // printf '1772417220000\nhush' | openssl dgst -sha256 -hmac hush -binary | base64
    assert_eq!(dingtalk::signature("hush", "1772417220000"), "daazCfxjMajDFpzV4o8T7ROhhXmSIE9zaCmz0ugX/pg=");
    // printf '' | openssl dgst -sha256 -hmac $'1772417220\nhush' -binary | base64
    assert_eq!(feishu::signature("hush", "1772417220"), "VpMGIZnVbgyxLksSd7Cu9jEwk1ylIZp2TtIuIv+9E+o=");
}

fn feishu(sent: &Sent, before: &[Sent]) -> (u16, String) {
    let body = sent.json();
    let at_s = body["timestamp"].as_str().unwrap_or_default();
    let fresh = at_s.parse().is_ok_and(|at: i64| (at - NOW.0 / 1000).abs() < 3_600);
    match () {
        () if sent.uri.path() != "/open-apis/bot/v2/hook/hush" => {
            (400, json!({"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}).to_string())
        }
        () if body["msg_type"] != "text" => (400, json!({"code": 9499, "msg": "Bad Request", "data": {}}).to_string()),
        () if !fresh || body["sign"] != feishu::signature("hush-secret", at_s).as_str() => {
            (200, json!({"code": 19021, "msg": "sign match fail or timestamp is not within one hour from current time"}).to_string())
        }
        () if before.len() >= 5 => (400, json!({"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]"}).to_string()),
        () => (200, json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}).to_string()),
    }
}

#[tokio::test]
async fn a_feishu_robot() {
    let double = Double::start(feishu).await;
    let text = "[channels.fs]\nkind = \"feishu_robot\"\nurl = \"{url}/open-apis/bot/v2/hook/hush\"\nsecret = \"hush-secret\"\n";
    let ways = outlets(text, &double);
    for _ in 0..5 {
        send(&ways, "fs", &[alert("missed")]).await.unwrap();
    }
    let said = double.last().json()["content"]["text"].as_str().unwrap().to_owned();
    assert!(said.contains("样例银行") && !said.contains("<at"), "a name calls nobody: {said}");
    let failed = send(&ways, "fs", &[alert("missed")]).await.unwrap_err();
    assert_eq!((failed.kind, failed.retry_after_ms), (FailureKind::Busy, Some(20_000)), "{failed}");
    for wrong in [text.replace("hush-secret", "other"), text.replace("hook/hush", "hook/other")] {
        let failed = send(&outlets(&wrong, &double), "fs", &[alert("missed")]).await.unwrap_err();
        assert_eq!(failed.kind, FailureKind::Permanent, "{failed}");
    }
    for says in
        ["{\"code\":19024,\"msg\":\"Key Words Not Found\"}", "{\"code\":19022,\"msg\":\"Ip Not Allowed\"}"]
    {
        let failed = failure(&double, &ways, "fs", Mood::Says(200, None, says)).await;
        assert_eq!(failed.kind, FailureKind::Permanent, "{failed}");
    }
    assert_eq!(failure(&double, &ways, "fs", Mood::Says(200, None, "ok")).await.kind, FailureKind::Temporary);
    common_failures(&double, text, "fs").await;
}

fn slack(sent: &Sent, before: &[Sent]) -> (u16, String) {
    let text = sent.json()["text"].as_str().unwrap_or_default().to_owned();
    match () {
        () if sent.uri.path() != "/services/T0/B0/hush" => (404, "no_service".to_owned()),
        () if text.is_empty() => (400, "no_text".to_owned()),
        () if text.contains('<') => (400, "invalid_payload".to_owned()),
        () if before.len() > 3 => (410, "channel_is_archived".to_owned()),
        () => (200, "ok".to_owned()),
    }
}

#[tokio::test]
async fn a_slack_webhook() {
    let double = Double::start(slack).await;
    let text = "[channels.slack]\nkind = \"slack\"\nurl = \"{url}/services/T0/B0/hush\"\nlang = \"en\"\n";
    let ways = outlets(text, &double);
    send(&ways, "slack", &[alert("missed")]).await.unwrap();
    assert!(double.last().json()["text"].as_str().unwrap().contains("&lt;at user_id"));
    send(&ways, "slack", &[alert("missed"), alert("warn_80")]).await.unwrap();
    let wrong = outlets(&text.replace("B0/hush", "B0/other"), &double);
    let failed = send(&wrong, "slack", &[alert("missed")]).await.unwrap_err();
    assert_eq!(
        (failed.kind, failed.reason.contains("no_service")),
        (FailureKind::Permanent, true),
        "{failed}"
    );
    for _ in 0..2 {
        let _ = send(&ways, "slack", &[alert("missed")]).await;
    }
    let failed = send(&ways, "slack", &[alert("missed")]).await.unwrap_err();
    assert_eq!((failed.kind, failed.reason.contains("archived")), (FailureKind::Permanent, true), "{failed}");
    assert_eq!(
        failure(&double, &ways, "slack", Mood::Says(200, None, "<html>")).await.kind,
        FailureKind::Temporary
    );
    common_failures(&double, text, "slack").await;
}
