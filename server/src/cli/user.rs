//! `user …`: who may sign in, with what.

use std::io::Read;

use anyhow::{Context, bail};

use super::admin::{plural, table};
use super::{Desk, UserCommand, out};
use crate::app::tokens::{self, NewToken};
use crate::app::users::{self, COMMAND};
use crate::app::{identities, scopes, second_factor, sessions};
use crate::auth::password::PASSWORD_BYTES_MAX;
use crate::store::scope::Given;

pub(super) async fn run(desk: &Desk, command: UserCommand) -> anyhow::Result<()> {
    let (db, now) = (&desk.db, desk.now());
    match command {
        UserCommand::Add { name, role, contractor } => {
            let secret = read_password()?;
            users::add_of(db, &name, (role, contractor), &secret, (COMMAND, now)).await?;
            out::line(format_args!("added {name} ({})", role.name()));
        }
        UserCommand::Token { name, scope, expires, label } => {
            let new = NewToken { label, scope, lasts_ms: Some(expires) };
            out::line(tokens::make(db, &name, new, COMMAND, now).await?);
        }
        UserCommand::Tokens { name, json } => list_tokens(desk, &name, json).await?,
        UserCommand::RevokeToken { name, id } => {
            tokens::revoke(db, &name, &id, COMMAND, now).await?;
            out::line(format_args!("revoked the token {id} of {name}"));
        }
        UserCommand::SignOut { name } => {
            let ended = sessions::end_all(db, &name, COMMAND, now).await?;
            out::line(format_args!("ended {} of {name}", plural(ended as usize, "session")));
        }
        UserCommand::ResetSecondFactor { name } => {
            second_factor::reset(db, &name, COMMAND, now).await?;
            out::line(format_args!("{name} signs in without a second factor"));
        }
        UserCommand::Link { name, subject } => {
            let Some(oidc) = &desk.settings.auth.oidc else {
                bail!("there is no provider: the configuration has no [auth.oidc]");
            };
            identities::link(db, (&oidc.issuer, &subject), &name, COMMAND, now).await?;
            out::line(format_args!("{name} signs in by single sign-on as {subject} of {}", oidc.issuer));
        }
        UserCommand::Unlink { name } => {
            identities::unlink(db, &name, COMMAND, now).await?;
            out::line(format_args!("{name} does not sign in by single sign-on any more"));
        }
        UserCommand::Scope { name, region, customer, person, none, json } => {
            let given = Given {
                persons: person.into_iter().collect(),
                regions: region.into_iter().collect(),
                customers: customer.into_iter().collect(),
            };
            if none || given != Given::default() {
                scopes::give(db, &name, given, COMMAND, now).await?;
            }
            show_given(desk, &name, json).await?;
        }
        UserCommand::Disable { name } => {
            users::disable(db, &name, COMMAND, now).await?;
            out::line(format_args!("disabled {name}"));
        }
        UserCommand::Reset { name } => {
            users::reset(db, &name, &read_password()?, COMMAND, now).await?;
            out::line(format_args!("{name} has a new password"));
        }
        UserCommand::List { json } => list(desk, json).await?,
    }
    Ok(())
}

async fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let all = users::list(&desk.db, desk.now()).await?;
    if json {
        return out::json(&all);
    }
    let rows = all.into_iter().map(|user| {
        let state = if user.disabled { "disabled" } else { "" };
        let factor = if user.second_factor { "second factor" } else { "" };
        let identity = if user.single_sign_on { "single sign-on" } else { "" };
        let contractor = user.contractor.unwrap_or_default();
        let given = given_text(&user.given);
        vec![
            user.name,
            user.role.name().into(),
            user.tokens.to_string(),
            contractor,
            given,
            factor.into(),
            identity.into(),
            state.into(),
        ]
    });
    table(&["name", "role", "tokens", "contractor", "given", "", "", ""], rows);
    Ok(())
}

async fn show_given(desk: &Desk, name: &str, json: bool) -> anyhow::Result<()> {
    let given = scopes::given(&desk.db, name, desk.now()).await?;
    if json {
        return out::json(&given);
    }
    let text = given_text(&given);
    out::line(format_args!("{name}: {}", if text.is_empty() { "nothing" } else { &text }));
    Ok(())
}

/// What a user was given to see, in one line.
fn given_text(given: &Given) -> String {
    let kinds = [("person", &given.persons), ("region", &given.regions), ("customer", &given.customers)];
    let all =
        kinds.into_iter().flat_map(|(kind, names)| names.iter().map(move |name| format!("{kind} {name}")));
    all.collect::<Vec<_>>().join(", ")
}

async fn list_tokens(desk: &Desk, name: &str, json: bool) -> anyhow::Result<()> {
    let all = tokens::list(&desk.db, name, desk.now()).await?;
    if json {
        return out::json(&all);
    }
    let rows = all.into_iter().map(|token| {
        let ends = token.expires_at.unwrap_or_else(|| "when revoked".to_owned());
        let used = token.used_on.unwrap_or_else(|| "never".to_owned());
        vec![token.id, token.scope.name().into(), ends, used, token.label]
    });
    table(&["id", "scope", "ends", "last used", "label"], rows);
    Ok(())
}

/// The first line of standard input.
fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    let limit = PASSWORD_BYTES_MAX as u64 + 2;
    std::io::stdin()
        .lock()
        .take(limit)
        .read_to_string(&mut text)
        .context("the password on standard input")?;
    let password = text.lines().next().unwrap_or("");
    if password.is_empty() {
        bail!("no password: give it on standard input");
    }
    Ok(password.to_owned())
}
