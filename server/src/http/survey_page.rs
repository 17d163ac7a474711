//! The small page on which a customer answers a survey, without signing in: the link is the key.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use linewatch_shared::rules::Label;

use super::faults::short;
use super::small_page::{escaped, html};
use crate::app::App;
use crate::app::desk::DeskError;
use crate::app::surveys::{self, BEST, NewAnswer, answer, hash_of};
use crate::db::{DbError, Priority};
use crate::store::surveys::{Invite, invite_of};

/// The page to which a link leads: for anybody who has the link.
pub fn page() -> Router<Arc<App>> {
    Router::new().route("/survey/{secret}", get(show).post(take))
}

async fn show(State(app): State<Arc<App>>, Path(secret): Path<String>) -> Response {
    let hash = hash_of(&secret);
    let found: Result<Option<Invite>, DbError> = app.db.read(move |tx| invite_of(tx, hash)).await;
    match found {
        Ok(Some(invite)) if invite.answered_at.is_some() => said(StatusCode::OK, ANSWERED),
        Ok(Some(invite)) if app.now() > invite.survey.closes_at => said(StatusCode::GONE, CLOSED),
        Ok(Some(invite)) => match surveys::questions(&invite.survey) {
            Ok(questions) => html(StatusCode::OK, TITLE, &form(&invite.survey.title, &questions)),
            Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, FAILED),
        },
        Ok(None) => said(StatusCode::NOT_FOUND, UNKNOWN),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, FAILED),
    }
}

/// The form's fields: `q1`, `q2` … and `comment`.
async fn take(
    State(app): State<Arc<App>>,
    Path(secret): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let mut scores: Vec<(usize, u8)> = Vec::new();
    let mut comment = String::new();
    for (name, value) in fields {
        match (name.strip_prefix('q').and_then(|n| n.parse().ok()), value.parse()) {
            (Some(number), Ok(score)) => scores.push((number, score)),
            _ if name == "comment" => comment = value,
            _ => return said(StatusCode::BAD_REQUEST, INCOMPLETE),
        }
    }
    scores.sort_unstable();
    let numbered = scores.iter().zip(1..).all(|((number, _), expected)| *number == expected);
    let Ok(comment) = short("comment", comment) else { return said(StatusCode::BAD_REQUEST, INCOMPLETE) };
    if !numbered {
        return said(StatusCode::BAD_REQUEST, INCOMPLETE);
    }
    let new = NewAnswer { secret, scores: scores.into_iter().map(|(_, score)| score).collect(), comment };
    let (desk, now) = (app.desk.clone(), app.now());
    match app.db.write(Priority::Api, move |tx| answer(&desk, tx, &new, now)).await {
        Ok(()) => said(StatusCode::OK, THANKS),
        Err(DeskError::Impossible { .. }) => said(StatusCode::CONFLICT, ANSWERED),
        Err(DeskError::Invalid { .. }) => said(StatusCode::BAD_REQUEST, INCOMPLETE),
        Err(DeskError::NoSurvey(_)) => said(StatusCode::NOT_FOUND, UNKNOWN),
        Err(_) => said(StatusCode::SERVICE_UNAVAILABLE, FAILED),
    }
}

const TITLE: &str = "调查 Survey";
const THANKS: &str = "谢谢您的答复。 Thank you for your answer.";
const ANSWERED: &str = "已收到您的答复，或调查已结束。 This survey was answered already, or is closed.";
const CLOSED: &str = "调查已结束。 This survey is closed.";
const UNKNOWN: &str = "此链接无效。 This link leads nowhere.";
const INCOMPLETE: &str = "请返回并回答每一个问题。 Please go back and answer every question.";
const FAILED: &str = "暂时无法处理，请稍后再试。 This does not work right now; please try again later.";

fn said(status: StatusCode, words: &str) -> Response {
    html(status, TITLE, &format!("<p>{words}</p>"))
}

fn form(title: &str, questions: &[Label]) -> String {
    let mut form = format!("<h1>{}</h1><form method=\"post\">", escaped(title));
    for (number, label) in (1..).zip(questions) {
        let words = format!("{} {}", escaped(&label.zh), escaped(&label.en));
        let choice = |score| {
            let input = format!("<input type=\"radio\" name=\"q{number}\" value=\"{score}\" required>");
            format!("<label>{input}{score} </label>")
        };
        let choices: String = (1..=BEST).map(choice).collect();
        form.extend(["<fieldset><legend>", &words, "</legend>", &choices, "</fieldset>"]);
    }
    form.push_str(
        "<p>1 = 很不满意 very dissatisfied, 5 = 非常满意 very satisfied</p>\
         <p><label>您的意见 Your remarks<br><textarea name=\"comment\" rows=\"5\" cols=\"60\" maxlength=\"2000\">\
         </textarea></label></p><button>提交 Send</button></form>",
    );
    form
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_shown_and_not_run() {
        let label = Label { zh: "<script>x</script>".to_owned(), en: "\"&".to_owned() };
        let page = form("<b>", &[label]);
        assert!(
            page.contains("&lt;script&gt;x&lt;/script&gt; &quot;&amp;") && page.contains("<h1>&lt;b&gt;")
        );
        assert_eq!(page.matches("name=\"q1\"").count(), 5);
    }
}
