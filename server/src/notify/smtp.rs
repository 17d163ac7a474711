//! Hands mails to the mail server: a bounded set of kept connections, one conversation each.
//!
//! The conversation is led step by step, because what a refusal means depends on the step: at the
//! recipient or the content it is about this message, anywhere else about the server or our
//! configuration, which a person will mend while the message waits.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use lettre::{Address, Message};
use linewatch_shared::time::MonoMs;

use super::failure::Failure;
use crate::config::Smtp;
use crate::config::SmtpTls;

/// Connections kept open for the next mail.
const IDLE_CONNECTIONS_MAX: usize = 16;
/// How long a kept connection is trusted; servers close idle ones after minutes.
const IDLE_MS_MAX: i64 = 30_000;
/// How long connecting, encrypting and signing in may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The mail settings make no transport.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// `smtp.from` is not an address.
    #[error("smtp.from: {0}")]
    From(String),
    /// The file of authorities cannot be read or has none.
    #[error("smtp.ca_file {path}: {reason}")]
    CaFile {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("smtp.tls: {0}")]
    Tls(String),
}

/// The way to one mail server.
pub struct Mailer {
    settings: Smtp,
    from: Mailbox,
    tls: Option<TlsParameters>,
    hello_name: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, MonoMs)>>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// How far a failed conversation got.
enum Stop {
    /// A connection that was kept turned out dead before anything was said on it.
    Stale(Failure),
    /// Everything else.
    Failed(Failure),
}

impl Mailer {
    /// Prepares the way; connects to nothing yet.
    ///
    /// # Errors
    /// What in the settings cannot work.
    pub fn new(settings: &Smtp) -> Result<Self, SmtpError> {
        let from = settings.from.parse().map_err(|e| SmtpError::From(format!("{e}")))?;
        let tls = match settings.tls {
            SmtpTls::None => None,
            SmtpTls::StartTls | SmtpTls::Tls => Some(tls_parameters(settings)?),
        };
        Ok(Self {
            settings: settings.clone(),
            from,
            tls,
            hello_name: ClientId::default(),
            idle: Mutex::default(),
        })
    }

    /// The sender.
    #[must_use]
    pub const fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands one mail over; `Ok` means that the server answered 250 to its content.
    ///
    /// # Errors
    /// Whether and how to try again.
    pub async fn send(&self, to: &Address, mail: &Message, now: MonoMs) -> Result<(), Failure> {
        if let Some(kept) = self.take_idle(now) {
            match self.converse(kept, to, mail, now, true).await {
                Ok(()) => return Ok(()),
                Err(Stop::Failed(failure)) => return Err(failure),
                Err(Stop::Stale(_)) => {}
            }
        }
        let fresh = tokio::time::timeout(CONNECT_TIMEOUT, self.connect()).await;
        let fresh = fresh
            .unwrap_or_else(|_| Err(Failure::unreachable("no answer while connecting to the mail server")))?;
        match self.converse(fresh, to, mail, now, false).await {
            Ok(()) => Ok(()),
            Err(Stop::Failed(failure) | Stop::Stale(failure)) => Err(failure),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let wrong = |e: lettre::transport::smtp::Error| Failure::unreachable(&explain("connecting", &e));
        let server = (self.settings.host.as_str(), self.settings.port);
        let wrapped = self.tls.clone().filter(|_| self.settings.tls == SmtpTls::Tls);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            server,
            Some(CONNECT_TIMEOUT),
            &self.hello_name,
            wrapped,
            None,
        );
        let mut connection = connecting.await.map_err(wrong)?;
        if let (SmtpTls::StartTls, Some(tls)) = (self.settings.tls, self.tls.clone()) {
            connection.starttls(tls, &self.hello_name).await.map_err(wrong)?;
        }
        if let (Some(user), Some(password)) = (&self.settings.user, &self.settings.password) {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            connection
                .auth(DEFAULT_MECHANISMS, &credentials)
                .await
                .map_err(|e| Failure::unreachable(&explain("signing in", &e)))?;
        }
        Ok(connection)
    }

    async fn converse(
        &self,
        mut connection: AsyncSmtpConnection,
        to: &Address,
        mail: &Message,
        now: MonoMs,
        kept: bool,
    ) -> Result<(), Stop> {
        let result = self.steps(&mut connection, to, mail, kept).await;
        match &result {
            Ok(()) => self.keep(connection, now),
            // A refusal leaves the connection usable, but beginning anew is simple and always right.
            Err(_) => drop(tokio::time::timeout(Duration::from_millis(200), connection.abort()).await),
        }
        result
    }

    async fn steps(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: &Address,
        mail: &Message,
        kept: bool,
    ) -> Result<(), Stop> {
        let mut options = Vec::new();
        if !AsRef::<str>::as_ref(to).is_ascii() || !AsRef::<str>::as_ref(&self.from.email).is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Stop::Failed(Failure::permanent("the mail server takes ASCII addresses only")));
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let answer = connection.command(Mail::new(Some(self.from.email.clone()), options)).await;
        match expect(250, "the sender", answer) {
            Err(Answer::Broken(reason)) if kept => {
                return Err(Stop::Stale(Failure::unreachable(&reason)));
            }
            Err(answer) => return Err(Stop::Failed(answer.about_us())),
            Ok(()) => {}
        }
        let answer = connection.command(Rcpt::new(to.clone(), Vec::new())).await;
        expect_any(&[250, 251], "the recipient", answer).map_err(Answer::about_message)?;
        let answer = connection.command(Data).await;
        expect(354, "the message", answer).map_err(Answer::about_message)?;
        let answer = match Content::of(mail.formatted()) {
            Ok(content) => connection.command(content).await,
            Err(bytes) => connection.message(&bytes).await,
        };
        expect(250, "the message's content", answer).map_err(Answer::about_message)?;
        Ok(())
    }

    /// The connection used last: the others may grow old and be dropped.
    fn take_idle(&self, now: MonoMs) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| now.0 - since.0 <= IDLE_MS_MAX);
        idle.pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection, now: MonoMs) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX && !connection.has_broken() {
            idle.push((connection, now));
        }
    }
}

/// A mail's content as it goes out, its end included: written at once. The library writes the two one after the other, and
/// the kernel then keeps the end back until the content is acknowledged, which the other side is in no hurry to do (40 ms).
struct Content(String);

impl Content {
    /// From a mail as it is formatted, each line of it ended with CRLF; what is no text is given back.
    fn of(mail: Vec<u8>) -> Result<Self, Vec<u8>> {
        let text = String::from_utf8(mail).map_err(std::string::FromUtf8Error::into_bytes)?;
        // A line that begins with a dot gets a second one, so that only the last one ends the mail (RFC 5321, 4.5.2).
        let first = if text.starts_with('.') { "." } else { "" };
        let end = if text.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" };
        Ok(Self(format!("{first}{}{end}", text.replace("\r\n.", "\r\n.."))))
    }
}

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with an answer.
enum Answer {
    /// A code of 400 to 499, or one that has no place here.
    Later(String),
    /// A code of 500 to 599.
    Never(String),
    /// No answer at all.
    Broken(String),
}

impl Answer {
    fn about_message(self) -> Stop {
        Stop::Failed(match self {
            Self::Later(reason) => Failure::temporary(&reason),
            Self::Never(reason) => Failure::permanent(&reason),
            Self::Broken(reason) => Failure::broken(&reason),
        })
    }

    fn about_us(self) -> Failure {
        match self {
            Self::Later(reason) | Self::Never(reason) => Failure::temporary(&reason),
            Self::Broken(reason) => Failure::unreachable(&reason),
        }
    }
}

fn expect(
    code: u16,
    what: &str,
    answer: Result<Response, lettre::transport::smtp::Error>,
) -> Result<(), Answer> {
    expect_any(&[code], what, answer)
}

fn expect_any(
    codes: &[u16],
    what: &str,
    answer: Result<Response, lettre::transport::smtp::Error>,
) -> Result<(), Answer> {
    match answer {
        Ok(response) if codes.iter().any(|code| response.has_code(*code)) => Ok(()),
        Ok(response) => {
            let text = response.first_line().unwrap_or_default();
            Err(Answer::Later(format!("unexpected answer to {what}: {} {text}", response.code())))
        }
        Err(e) if e.is_permanent() => Err(Answer::Never(explain(what, &e))),
        Err(e) if e.is_transient() => Err(Answer::Later(explain(what, &e))),
        Err(e) => Err(Answer::Broken(explain(what, &e))),
    }
}

fn explain(what: &str, e: &lettre::transport::smtp::Error) -> String {
    let cause = std::error::Error::source(e).map(ToString::to_string);
    match (e.status(), cause) {
        (Some(code), Some(text)) => format!("{what}: {code} {text}"),
        (Some(code), None) => format!("{what}: {code}"),
        _ => format!("{what}: {e}"),
    }
}

fn tls_parameters(settings: &Smtp) -> Result<TlsParameters, SmtpError> {
    let mut builder = TlsParametersBuilder::new(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let wrong = |reason: String| SmtpError::CaFile { path: path.display().to_string(), reason };
        let pem = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|e| wrong(e.to_string()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build().map_err(|e| SmtpError::Tls(e.to_string()))
}

#[cfg(test)]
mod tests;
