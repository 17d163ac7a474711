//! The small page behind the link in an alert, without signing in: what it is about, and one button. Looking changes
//! nothing, for mail programs and scanners look at links by themselves; pressing the button takes the alert.

use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use linewatch_shared::time::UnixMs;

use super::small_page::{escaped, html};
use crate::app::App;
use crate::app::alerting::take::{Link, by_link, look};
use crate::config::AlertLang;
use crate::db::{DbError, Priority};
use crate::notify::Letter;
use crate::notify::lexicon::Lexicon;
use crate::store::alerts::Linked;
use crate::tls::Peer;

/// The page: for anybody who has the link.
pub fn page() -> Router<Arc<App>> {
    Router::new().route("/a/{token}", get(show).post(take))
}

/// Longer than any link that is made here.
const TOKEN_BYTES_MAX: usize = 64;
const TITLE: &str = "告警 Alert";
const UNKNOWN: &str = "此链接无效。 This link leads nowhere.";
const EXPIRED: &str = "此链接已过期，请登录看板处理。 This link has expired; sign in to the board.";
const BUSY: &str = "尝试过多，请稍后再试。 Too many attempts; please try again later.";
const FAILED: &str = "暂时无法处理，请稍后再试。 This does not work right now; please try again later.";

async fn show(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(token): Path<String>,
) -> Response {
    let Some(guard) = Guess::begin(&app, &peer, &token) else {
        return said(StatusCode::TOO_MANY_REQUESTS, BUSY);
    };
    let (key, now, looked) = (app.take_key.clone(), app.now(), token.clone());
    let found: Result<Link, DbError> = app.db.read(move |tx| look(tx, &key, &looked, now)).await;
    guard.answer(found.map(|link| (link, false)), now).await
}

async fn take(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(token): Path<String>,
) -> Response {
    let Some(guard) = Guess::begin(&app, &peer, &token) else {
        return said(StatusCode::TOO_MANY_REQUESTS, BUSY);
    };
    let (key, now, taken) = (app.take_key.clone(), app.now(), token.clone());
    let done: Result<(Link, bool), DbError> =
        app.db.write(Priority::Api, move |tx| by_link(tx, &key, &taken, now)).await;
    guard.answer(done, now).await
}

/// One look at a link: those that lead nowhere count against the address, as failed sign-ins do.
struct Guess<'a> {
    app: &'a App,
    peer: &'a Peer,
    token: &'a str,
}

impl<'a> Guess<'a> {
    fn begin(app: &'a App, peer: &'a Peer, token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        app.throttle.begin(token, peer.address.ip(), app.clock.mono()).ok()?;
        Some(Self { app, peer, token })
    }

    async fn answer(self, found: Result<(Link, bool), DbError>, now: UnixMs) -> Response {
        let Ok((link, fresh)) = found else { return said(StatusCode::SERVICE_UNAVAILABLE, FAILED) };
        if link != Link::Unknown {
            self.app.throttle.succeeded(self.token, self.peer.address.ip());
        }
        match link {
            Link::Unknown => said(StatusCode::NOT_FOUND, UNKNOWN),
            Link::Expired => said(StatusCode::GONE, EXPIRED),
            Link::Open(linked) => {
                let about = about(self.app, &linked, now).await;
                let who = escaped(&linked.person);
                let form = format!(
                    "{about}<p>{who}</p><form method=\"post\"><button>由我处理 I take this</button></form>"
                );
                html(StatusCode::OK, TITLE, &form)
            }
            Link::Taken(linked, by, at) => {
                let (by, at) = (escaped(&by), at.to_rfc3339());
                let words = if fresh {
                    format!(
                        "已登记：{by} 负责处理，不再升级。 Noted: {by} takes this; it goes no further up."
                    )
                } else {
                    format!("{by} 已于 {at} 接手。 {by} took this at {at}.")
                };
                let about = about(self.app, &linked, now).await;
                html(StatusCode::OK, TITLE, &format!("{about}<p>{words}</p>"))
            }
        }
    }
}

/// What the message's subject said, and the way to the board, where one signs in.
async fn about(app: &App, linked: &Linked, now: UnixMs) -> String {
    let lexicon: Result<Lexicon, DbError> = app.db.read(Lexicon::read).await;
    let (Ok(letter), Ok(lexicon)) = (Letter::read(&linked.alert), lexicon) else {
        return String::new();
    };
    let text = lexicon.writer(AlertLang::Both).letter(&letter, now);
    let link = match &letter {
        Letter::Alert(alert) => format!("<p><a href=\"{}\">看板 Board</a></p>", escaped(&alert.link)),
        Letter::Day(_) => String::new(),
    };
    format!("<h1>{}</h1>{link}", escaped(&text.subject))
}

fn said(status: StatusCode, words: &str) -> Response {
    let mut response = html(status, TITLE, &format!("<p>{words}</p>"));
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("900"));
    }
    response.into_response()
}
