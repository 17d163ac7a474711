//! Single sign-on by OpenID Connect: the code flow with PKCE. The browser is sent to the provider and comes back with a
//! code, for which the provider tells this server who somebody is. What is remembered in between is sealed into a cookie,
//! so that no other browser goes on with it and nothing has to be kept here.

mod about;
#[cfg(test)]
pub(crate) mod testing;
mod token;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use linewatch_shared::time::{Clock, MINUTE_MS, MonoMs, SECOND_MS, UnixMs};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

use self::about::{About, Asking};
use self::token::{Expected, Wrong};
use crate::app::AppError;
use crate::auth::credential;
use crate::auth::seal::SecretsKey;
use crate::config::Oidc;

/// How long somebody may take at the provider.
pub const ATTEMPT_MS: i64 = 10 * MINUTE_MS;
/// How long what the provider says of itself is believed.
const ABOUT_MS: i64 = 10 * MINUTE_MS;
/// A key that is not known is asked for again, but not more often.
const ABOUT_AGAIN_MS: i64 = 10 * SECOND_MS;
/// A provider that gave no usable answer is not asked again sooner.
const FAILED_MS: i64 = 5 * SECOND_MS;
/// What attempts are sealed for.
const PURPOSE: &str = "single sign-on";
/// Groups of somebody that are looked at.
const GROUPS_MAX: usize = 1_000;

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// No answer, or none that is of use; the operator has to look.
    #[error("the provider of single sign-on cannot be asked: {0}")]
    Unusable(String),
    /// What came does not prove who somebody is.
    #[error("the provider's answer does not prove who you are: {0}")]
    Unproved(String),
}

/// A sign-in under way.
#[derive(Serialize, Deserialize)]
pub struct Attempt {
    state: String,
    nonce: String,
    /// The secret of PKCE.
    verifier: String,
    ends_at_ms: i64,
    /// Whether it is for a screen on the wall.
    pub screen: bool,
    /// Who is signed in and gets this identity; none where it is a sign-in.
    pub links: Option<String>,
}

impl Attempt {
    /// A fresh one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(screen: bool, links: Option<String>, now: UnixMs) -> Result<Self, AppError> {
        let secret = || credential::fresh().map(|(secret, _)| secret);
        let (state, nonce, verifier) = (secret()?, secret()?, secret()?);
        Ok(Self { state, nonce, verifier, ends_at_ms: (now + ATTEMPT_MS).0, screen, links })
    }

    /// As the browser keeps it.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn seal(&self, key: &SecretsKey) -> Result<String, AppError> {
        let plain = serde_json::to_vec(self).map_err(|e| AppError::Refused(e.to_string()))?;
        Ok(URL_SAFE_NO_PAD.encode(key.seal(PURPOSE, &plain)?))
    }

    /// What a browser kept, where it belongs to the answer with this `state` and its time is not over.
    #[must_use]
    pub fn open(key: &SecretsKey, kept: &str, state: &str, now: UnixMs) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(kept).ok()?;
        let attempt: Self = serde_json::from_slice(&key.open(PURPOSE, &sealed)?).ok()?;
        let is_its = bool::from(attempt.state.as_bytes().ct_eq(state.as_bytes()));
        (is_its && now.0 < attempt.ends_at_ms).then_some(attempt)
    }

    /// What it is called where it is counted.
    #[must_use]
    pub fn id(&self) -> String {
        credential::id_of(&credential::hash_of(&self.state))
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

/// Who somebody is, as the provider says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who says it.
    pub issuer: String,
    /// What it never calls anybody else.
    pub subject: String,
    /// What a new user may be called; anybody may be called so at another time.
    pub name: Option<String>,
    /// In which groups.
    pub groups: Vec<String>,
    /// Whether a second factor was asked for over there.
    pub has_factor: bool,
}

/// The provider of the configuration.
pub struct Provider {
    rules: Oidc,
    asking: Asking,
    redirect: String,
    /// When it was asked last, and what it said; none where it gave no usable answer.
    known: Mutex<Option<(MonoMs, Option<About>)>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.rules.issuer).finish_non_exhaustive()
    }
}

impl Provider {
    /// The provider, for a server that people reach at `link_base`. Nothing is asked yet.
    ///
    /// # Errors
    /// When `ca_file` has no certificates.
    pub fn new(rules: Oidc, link_base: &str) -> Result<Self, AppError> {
        let asking = Asking::new(rules.ca_file.as_deref())?;
        Ok(Self { rules, asking, redirect: format!("{link_base}/signed-in"), known: Mutex::default() })
    }

    /// The configuration.
    #[must_use]
    pub fn rules(&self) -> &Oidc {
        &self.rules
    }

    /// Where the browser goes.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn location(&self, attempt: &Attempt, clock: &dyn Clock) -> Result<Url, OidcError> {
        let about = self.about(clock.mono(), ABOUT_MS).await?;
        let mut url = about.authorization;
        let scopes = self.rules.scopes.join(" ");
        let challenge = attempt.challenge();
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &self.rules.client_id),
            ("redirect_uri", &self.redirect),
            ("scope", &scopes),
            ("state", &attempt.state),
            ("nonce", &attempt.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let acr = self.rules.acr.join(" ");
        if !acr.is_empty() {
            pairs.push(("acr_values", &acr));
        }
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(url)
    }

    /// Who came back with a code. `issuer` is who the browser says it comes from, where it says so.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn redeem(
        &self,
        attempt: &Attempt,
        (code, issuer): (&str, Option<&str>),
        clock: &dyn Clock,
    ) -> Result<Told, OidcError> {
        let about = self.about(clock.mono(), ABOUT_MS).await?;
        // Another provider's code is not shown to this one.
        if issuer.map_or(about.says_issuer, |issuer| issuer != self.rules.issuer) {
            return Err(OidcError::Unproved("the code is another provider's".to_owned()));
        }
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect),
            ("code_verifier", &attempt.verifier),
        ];
        let answer = self.asking.token(&about, &self.rules, &form).await?;
        let claims = self.claims(about, &answer.id_token, &attempt.nonce, clock).await?;
        self.told(claims, &answer.access_token).await
    }

    /// The claims of a token. Its key may be younger than what is known of the provider.
    async fn claims(
        &self,
        about: About,
        id_token: &str,
        nonce: &str,
        clock: &dyn Clock,
    ) -> Result<(Map<String, Value>, About), OidcError> {
        let Oidc { issuer, client_id, .. } = &self.rules;
        let expected = Expected { issuer, client_id, nonce };
        let unproved = |wrong: Wrong| OidcError::Unproved(wrong.to_string());
        match token::check(id_token, &about.keys, &expected, clock.now()) {
            Err(Wrong::Key) => {
                let about = self.about(clock.mono(), ABOUT_AGAIN_MS).await?;
                let claims = token::check(id_token, &about.keys, &expected, clock.now()).map_err(unproved)?;
                Ok((claims, about))
            }
            checked => Ok((checked.map_err(unproved)?, about)),
        }
    }

    async fn told(
        &self,
        (mut claims, about): (Map<String, Value>, About),
        access_token: &str,
    ) -> Result<Told, OidcError> {
        let rules = &self.rules;
        let subject = text_of(&claims, "sub").unwrap_or_default();
        let lacks = |claim: &str| !claims.contains_key(claim);
        let wanted = lacks(&rules.name_claim) || lacks(&rules.groups_claim);
        if let (Some(endpoint), true, false) = (&about.userinfo, wanted, rules.roles.is_empty()) {
            let more = self.asking.user_info(endpoint, access_token).await?;
            if text_of(&more, "sub").as_ref() != Some(&subject) {
                return Err(OidcError::Unproved("its user information is about somebody else".to_owned()));
            }
            for claim in [&rules.name_claim, &rules.groups_claim] {
                if let (Some(value), false) = (more.get(claim), claims.contains_key(claim)) {
                    claims.insert(claim.clone(), value.clone());
                }
            }
        }
        Ok(Told {
            issuer: rules.issuer.clone(),
            name: text_of(&claims, &rules.name_claim),
            groups: texts_of(&claims, &rules.groups_claim),
            has_factor: text_of(&claims, "acr").is_some_and(|acr| rules.acr.contains(&acr)),
            subject,
        })
    }

    /// What the provider says of itself, not older than `max_age_ms`; several who ask at once ask it once.
    async fn about(&self, now: MonoMs, max_age_ms: i64) -> Result<About, OidcError> {
        let mut known = self.known.lock().await;
        match &*known {
            Some((at, Some(about))) if now.0 - at.0 < max_age_ms => return Ok(about.clone()),
            // Whoever waited here does not wait for the same silence once more.
            Some((at, None)) if now.0 - at.0 < FAILED_MS => {
                return Err(OidcError::Unusable("it gave no usable answer a moment ago".to_owned()));
            }
            _ => {}
        }
        let about = self.asking.about(&self.rules.issuer).await;
        *known = Some((now, about.as_ref().ok().cloned()));
        about
    }
}

fn text_of(claims: &Map<String, Value>, claim: &str) -> Option<String> {
    claims.get(claim).and_then(Value::as_str).map(str::to_owned)
}

/// A list, or the one that there is.
fn texts_of(claims: &Map<String, Value>, claim: &str) -> Vec<String> {
    match claims.get(claim) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(all)) => {
            all.iter().filter_map(Value::as_str).take(GROUPS_MAX).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}
