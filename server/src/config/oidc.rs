//! `[auth.oidc]`: single sign-on by a provider of OpenID Connect.

use std::path::PathBuf;

use super::Secret;
use super::read::{not_empty, readable};
use super::source::Source;
use crate::auth::Role;

/// What is asked for where the configuration says nothing else.
const SCOPES: [&str; 2] = ["openid", "profile"];
/// Roles by how much they may do: who is in several groups gets the first of these.
const ROLES: [Role; 4] = [Role::Admin, Role::Noc, Role::Manager, Role::Technician];

/// `[auth.oidc]`.
#[derive(Clone, Debug)]
pub struct Oidc {
    /// `issuer`: the provider's address, as its tokens say it.
    pub issuer: String,
    /// `client_id`: what the provider calls this server.
    pub client_id: String,
    /// `client_secret` or `client_secret_file`; a client without one proves itself by PKCE alone.
    pub client_secret: Option<Secret>,
    /// `label`: what stands on the button.
    pub label: Option<String>,
    /// `scopes`, default `openid` and `profile`.
    pub scopes: Vec<String>,
    /// `name_claim`, default `preferred_username`: what a new user is called here.
    pub name_claim: String,
    /// `groups_claim`, default `groups`: in which groups somebody is.
    pub groups_claim: String,
    /// `[auth.oidc.roles]`: the groups of each role, the role that may do most first. Empty: nobody is let in who was not
    /// linked.
    pub roles: Vec<(Role, Vec<String>)>,
    /// `acr`: what the provider says of a sign-in that had a second factor; linewatch asks for none then.
    pub acr: Vec<String>,
    /// `ca_file`: PEM file of the authorities to trust in place of the system's.
    pub ca_file: Option<PathBuf>,
}

impl Oidc {
    /// The role that these groups give.
    #[must_use]
    pub fn role_of(&self, groups: &[String]) -> Option<Role> {
        let given = |wanted: &Vec<String>| wanted.iter().any(|group| groups.contains(group));
        self.roles.iter().find(|(_, wanted)| given(wanted)).map(|(role, _)| *role)
    }
}

pub(super) fn oidc(s: &mut Source) -> Option<Oidc> {
    let issuer = s.parsed("auth.oidc.issuer", issuer);
    let client_id = s.parsed("auth.oidc.client_id", not_empty);
    let client_secret = s.secret("auth.oidc.client_secret");
    let label = s.parsed("auth.oidc.label", not_empty);
    let scopes = s.list("auth.oidc.scopes").unwrap_or_else(|| SCOPES.map(str::to_owned).into());
    let name_claim = s.parsed("auth.oidc.name_claim", not_empty);
    let groups_claim = s.parsed("auth.oidc.groups_claim", not_empty);
    let roles = ROLES.into_iter().filter_map(|role| {
        Some((role, s.list(&format!("auth.oidc.roles.{}", role.name()))?))
            .filter(|(_, groups)| !groups.is_empty())
    });
    let roles = roles.collect();
    let acr = s.list("auth.oidc.acr").unwrap_or_default();
    let ca_file = s.parsed("auth.oidc.ca_file", readable);
    let issuer = issuer?;
    if !scopes.iter().any(|scope| scope == "openid") {
        s.mistake("auth.oidc.scopes", "\"openid\" has to be among them");
    }
    let Some(client_id) = client_id else {
        s.mistake("auth.oidc.client_id", "is missing: the provider knows this server by it");
        return None;
    };
    Some(Oidc {
        issuer,
        client_id,
        client_secret,
        label,
        scopes,
        name_claim: name_claim.unwrap_or_else(|| "preferred_username".to_owned()),
        groups_claim: groups_claim.unwrap_or_else(|| "groups".to_owned()),
        roles,
        acr,
        ca_file,
    })
}

/// What a provider says is believed because of who says it: that is known by HTTPS alone.
fn issuer(text: &str) -> Result<String, String> {
    if is_safe(text) {
        return Ok(text.to_owned());
    }
    Err(format!("\"{text}\" is no address that begins with https://; http:// does for this machine alone"))
}

/// Whether an address of a provider is reached by HTTPS, or on this machine.
#[must_use]
pub fn is_safe(text: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(text) else { return false };
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    match url.scheme() {
        "https" => !host.is_empty(),
        "http" => is_here,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::auth::Role;
    use crate::config::{Oidc, Settings};

    fn parsed(text: &str) -> Result<Option<Oidc>, Vec<String>> {
        let read = Settings::parse(text, "s.toml", vec![]);
        read.map(|settings| settings.auth.oidc).map_err(|m| m.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_provider_is_read_with_its_roles() {
        let text = "[auth.oidc]\nissuer = \"https://login.example/realms/a\"\nclient_id = \"linewatch\"\n\
            [auth.oidc.roles]\ntechnician = [\"field\", \"noc\"]\nadmin = [\"root\"]\n";
        let oidc = parsed(text).unwrap().unwrap();
        assert_eq!((oidc.name_claim.as_str(), oidc.groups_claim.as_str()), ("preferred_username", "groups"));
        assert_eq!(oidc.scopes, ["openid", "profile"]);
        let role =
            |groups: &[&str]| oidc.role_of(&groups.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>());
        assert_eq!(role(&["noc", "root"]), Some(Role::Admin), "the one that may do most");
        assert_eq!((role(&["field"]), role(&["Field"]), role(&[])), (Some(Role::Technician), None, None));
        assert!(parsed("").unwrap().is_none());
    }

    #[test]
    fn mistakes_have_places() {
        for (text, said) in [
            ("issuer = \"http://login.example\"\nclient_id = \"a\"", "https://"),
            ("issuer = \"https://login.example\"", "client_id"),
            ("issuer = \"https://a.example\"\nclient_id = \"a\"\nscopes = [\"profile\"]", "openid"),
            ("issuer = \"https://a.example\"\nclient_id = \"a\"\nca_file = \"/nowhere\"", "/nowhere"),
            ("issuer = \"https://a.example\"\nclient_id = \"a\"\n[auth.oidc.roles]\nboss = [\"a\"]", "boss"),
        ] {
            let mistakes = parsed(&format!("[auth.oidc]\n{text}\n")).unwrap_err();
            assert!(mistakes.iter().any(|m| m.contains("s.toml:") && m.contains(said)), "{mistakes:?}");
        }
        assert!(
            parsed("[auth.oidc]\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"a\"\n").unwrap().is_some()
        );
    }
}
