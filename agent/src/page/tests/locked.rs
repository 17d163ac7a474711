//! A device that the server has revoked: nothing is shown, nobody signs in, nothing is taken in.

use super::*;

#[tokio::test]
async fn a_locked_device_shows_and_takes_in_nothing() {
    let desk = Desk::new().await;
    assert_eq!(desk.call("GET", "/api/work", json!(null)).await.0, 200);
    desk.journal.write(|tx| crate::journal::lock(tx, NOW)).await.unwrap();
    for path in ["/api/work", "/api/drafts", "/api/saved", "/api/doctor"] {
        let (status, answer) = desk.call("GET", path, json!(null)).await;
        assert_eq!((status, answer["code"].as_str()), (403, Some("locked")), "{path}: {answer}");
    }
    let session = desk.get("/api/session").await;
    assert_eq!((&session["device"]["locked"], &session["people"]), (&json!(true), &json!([])));
    let signing_in = json!({ "user": "technician-1", "password": PASSWORD });
    let (status, answer) = desk.call("POST", "/api/session", signing_in).await;
    assert_eq!((status, answer["code"].as_str()), (403, Some("locked")), "{answer}");
    let (status, answer) = desk.call("POST", "/api/drafts", json!({})).await;
    assert_eq!((status, answer["code"].as_str()), (403, Some("locked")), "{answer}");
    desk.journal.write(crate::journal::unlock).await.unwrap();
    assert_eq!(desk.call("GET", "/api/work", json!(null)).await.0, 200, "what was there is there");
}
