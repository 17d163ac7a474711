//! Nobody sees or changes what is not theirs: each route of the API, as it is declared, by each kind of caller, on both
//! databases. A new route fails here until it is said how it is called.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use futures::StreamExt;
use linewatch_shared::time::DAY_MS;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::Access;
use super::confidential::Withheld;
use super::scope_desk_tests::{CALLERS, CANARY, CANARY_PHONE, OTHER, Walk, must};
use super::testing::{START, TestAnswer};
use super::viewer;
use crate::app::scopes;
use crate::auth::Role;
use crate::db::testing::both;
use crate::store::scope::{Given, Scope};

/// Whose things a call names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The other side's.
    Others,
    /// Nobody's: there is nothing of that name.
    Nobodys,
}

/// A call of a route: with the other side's names in its place, or with such that name nothing.
struct Call<'a> {
    walk: &'a Walk,
    whose: Whose,
}

impl Call<'_> {
    fn id(&self, what: &str) -> String {
        match self.whose {
            Whose::Others => self.walk.ids[what].clone(),
            Whose::Nobodys => Uuid::from_u128(0xABCD).to_string(),
        }
    }

    fn code(&self, of_other: &str) -> String {
        match self.whose {
            Whose::Others => of_other.to_owned(),
            Whose::Nobodys => "nobody-9".to_owned(),
        }
    }

    /// The path of a route below `/api/v1`, with what it has to be asked.
    fn path(&self, method: &Method, template: &str) -> String {
        let first = template.split('/').nth(1).unwrap_or_default();
        let mut path = template.to_owned();
        let code = match first {
            "lines" if template.ends_with("/acceptance") => self.code("zulu-2"),
            "lines" => self.code("zulu-1"),
            "customers" if template.contains("/plans/") => self.code("zulu-key"),
            "customers" if template.ends_with("/admission") => self.code("zulu-new"),
            "customers" => self.code("zulu"),
            _ => self.code("K2"),
        };
        let id = match first {
            "faults" => self.id("fault"),
            "matters" => self.id("matter"),
            "sites" if template.ends_with("/equipment") => self.id("room"),
            "sites" if template.ends_with("/acceptance") => self.id("gate"),
            "sites" => self.id("site"),
            "equipment" => self.id("equipment"),
            "planned-work" => self.id("work"),
            "visits" => self.id("visit"),
            "conflicts" => self.id("conflict"),
            "risks" => self.id("risk"),
            "grade-proposals" => self.id("proposal"),
            // Anybody may know that it is asked; who was asked is another thing.
            "surveys" => self.walk.ids["survey"].clone(),
            _ => Uuid::from_u128(0xABCD).to_string(),
        };
        let (key, part) = match self.whose {
            Whose::Others => (self.walk.ids["alert"].clone(), self.walk.ids["part"].clone()),
            Whose::Nobodys => ("no%2Fsuch%2Falert".to_owned(), "0".repeat(64)),
        };
        let name = self.code(OTHER);
        for (parameter, value) in [
            ("{code}", code.as_str()),
            ("{id}", &id),
            ("{key}", &key),
            ("{name}", &name),
            ("{sha256}", &part),
            ("{year}", "2026"),
            ("{n}", "1"),
            ("{month}", "2026-09"),
            ("{period}", "2026"),
            ("{kind}", "year"),
            ("{lang}", "en"),
            ("{what}", "customers"),
        ] {
            path = path.replace(parameter, value);
        }
        assert!(!path.contains('{'), "say here what stands in {template}");
        match (method, template) {
            (&Method::GET, "/managers/{name}/diary") => {
                let (from, until) = (START - 10 * DAY_MS, START + 40 * DAY_MS);
                format!("{path}?from={}&until={}", from.to_rfc3339(), until.to_rfc3339())
            }
            (&Method::GET, "/reports/{kind}/{period}") => format!("{path}?group=customer"),
            (&Method::GET, "/reports/{kind}/{period}/rows") => format!("{path}?figure=faults"),
            (&Method::GET, "/assessments/{period}") => format!("{path}?customer={}", self.code("zulu-power")),
            _ => path,
        }
    }

    /// What is sent to a route that is not refused before its body is read.
    fn body(&self, method: &Method, template: &str) -> Option<Value> {
        let soon = (START + 20 * DAY_MS).to_rfc3339();
        let customer = self.code("zulu");
        let body = match (method.as_str(), template) {
            ("GET" | "DELETE", _) | ("POST", "/alerts/{key}/acknowledgement") => return None,
            ("PUT", "/session/password") => json!({ "present": "wrong one", "new": "another one" }),
            ("POST", "/faults") => json!({ "line": self.code("zulu-1"), "channel": "hotline" }),
            ("POST", "/faults/{id}/facts") => json!({ "kind": "acknowledged" }),
            ("POST", "/matters") => json!({ "kind": "request", "class": "ordinary", "customer": customer,
                "pack": "service-desk", "title": "x", "owner": "ann" }),
            ("POST", "/matters/{id}/facts") => json!({ "kind": "answered" }),
            ("POST", "/lines/{code}/acceptance" | "/sites/{id}/acceptance") => json!({ "owner": "ann" }),
            ("POST", "/sites") => json!({ "customer": customer, "name": "Hall 9", "access_contact": "x" }),
            ("POST", "/sites/{id}/equipment") => {
                json!({ "label": "T9", "kind": "transformer", "condition": "class-1" })
            }
            ("POST", "/equipment/{id}/condition") => json!({ "condition": "class-3", "reason": "x" }),
            ("POST", "/duties") => json!({ "pack": "power-distribution", "cadence": "seasonal",
                "customer": self.code("zulu-power"), "site": "Other Room" }),
            ("POST", "/conflicts/{id}/settled") => json!({ "note": "x" }),
            ("POST", "/leaks") => json!({ "what": "x", "customers": [customer] }),
            ("POST", "/grade-proposals") => {
                json!({ "customer": self.code("zulu-key"), "scores": { "revenue": 10, "growth": 10, "payment": 10, "duration": 5,
                    "prospects": 10 } })
            }
            ("POST", "/customers") => json!({ "code": "nobody-9", "name": "New", "tier": "no-such-tier" }),
            ("POST", "/customers/{code}/admission") => json!({ "admitted": true }),
            ("POST", "/customers/{code}/risks") => json!({ "reason": "x" }),
            ("PUT", "/customers/{code}/plans/{year}") => {
                json!({ "goals": "x", "measures": [{ "what": "x", "by": soon }] })
            }
            // Of one's own account: each proof is one's own, and a wrong one too many would be answered otherwise.
            (
                "POST",
                "/customers/{code}/plans/{year}/approval"
                | "/customers/{code}/plans/{year}/measures/{n}/opening"
                | "/account/identity"
                | "/account/second-factor"
                | "/account/second-factor/confirm"
                | "/account/second-factor/off"
                | "/account/recovery-codes",
            ) => json!({}),
            ("PUT", "/customers/{code}/service-end" | "/lines/{code}/service-end") => {
                json!({ "ends_at": soon })
            }
            ("POST", "/account/tokens") => {
                json!({ "password": "wrong one", "label": "x", "scope": "read", "days": 1 })
            }
            ("POST", "/surveys") => json!({ "title": "", "questions": [], "closes_at": soon }),
            ("POST", "/surveys/{id}/invites") => json!({ "customers": [customer] }),
            ("POST", "/absences") => json!({ "person": "ann", "from": soon, "until": soon }),
            ("PUT", "/rota/{month}") => json!({ "shifts": [] }),
            _ => panic!("say here what is sent to {method} {template}"),
        };
        Some(body)
    }

    async fn send(&self, user: &str, method: &Method, template: &str) -> TestAnswer {
        let path = self.path(method, template);
        self.walk.call(user, method.clone(), &path, self.body(method, template)).await
    }

    /// The answer without what the call itself has named.
    fn told(&self, answer: &TestAnswer) -> String {
        let codes = [
            "zulu",
            "zulu-1",
            "zulu-2",
            "zulu-3",
            "zulu-key",
            "zulu-gov",
            "zulu-power",
            "zulu-new",
            "K2",
            OTHER,
        ];
        let ids = self.walk.ids.values().map(|id| id.replace("%2F", "/"));
        let of_others = codes.into_iter().map(str::to_owned).chain(ids);
        let of_nobody = [
            "nobody-9".to_owned(),
            Uuid::from_u128(0xABCD).to_string(),
            "no/such/alert".to_owned(),
            "0".repeat(64),
        ];
        let mut named: Vec<String> = of_others.chain(of_nobody).collect();
        named.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let text = named.iter().fold(answer.text.clone(), |text, name| text.replace(name, "THAT"));
        format!("{} {text}", answer.status.as_u16())
    }
}

fn shows_the_other_side(text: &str) -> bool {
    text.to_lowercase().contains(CANARY) || text.contains(CANARY_PHONE)
}

/// Streams do not end: `viewer_tests` looks at them.
const STREAM: &str = "/events";

#[tokio::test(flavor = "multi_thread")]
async fn no_route_shows_or_changes_what_is_not_the_callers() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        let before = walk.rows().await;
        let mut wrong = Vec::new();
        for (method, template, access) in &walk.desk.declared {
            if *access == Access::Public || template == STREAM {
                continue;
            }
            for user in CALLERS {
                let others = Call { walk: &walk, whose: Whose::Others };
                if matches!(access, Access::Whole(_)) {
                    // Refused before anything of it is read.
                    let path = others.path(method, template);
                    let answer = walk.call(user, method.clone(), &path, None).await;
                    if answer.status != StatusCode::FORBIDDEN {
                        wrong.push(format!("{user} {method} {template}: {}", answer.status));
                    }
                    continue;
                }
                let answer = others.send(user, method, template).await;
                let nobodys = Call { walk: &walk, whose: Whose::Nobodys };
                let of_nobody = nobodys.send(user, method, template).await;
                let (told, expected) = (others.told(&answer), nobodys.told(&of_nobody));
                // Nothing of the other side was named, so that nothing of it may be there.
                let leaks = shows_the_other_side(&of_nobody.text);
                if told != expected || leaks || answer.status.is_server_error() {
                    wrong.push(format!("{user} {method} {template}:\n   {told}\n   {expected}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} calls:\n{}", wrong.len(), wrong.join("\n"));
        let after = walk.rows().await;
        for (table, rows) in before {
            assert_eq!(rows, after[&table], "{table} has changed");
        }
    })
    .await;
}

/// Lists that are narrowed by a wish: what is not seen is not found by naming it.
const WISHES: [&str; 9] = [
    "/faults?customer=zulu",
    "/faults?line=zulu-1",
    "/faults?region=zulu-land",
    "/matters?customer=zulu",
    "/lines?customer=zulu",
    "/lines?q=zulu",
    "/customers?q=zulu",
    "/sites?customer=zulu",
    "/duties?customer=zulu-power",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_finds_nothing_of_the_others() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        for path in WISHES {
            let all = must(walk.admin(Method::GET, path, None).await);
            assert!(
                all.json["items"].as_array().is_some_and(|items| !items.is_empty()),
                "{path}: {}",
                all.text
            );
            for user in CALLERS {
                let found = walk.call(user, Method::GET, path, None).await;
                let nothing = found.status == StatusCode::FORBIDDEN || found.json["items"] == json!([]);
                assert!(nothing, "{user} {path}: {}", found.text);
            }
        }
    })
    .await;
}

/// The walk would show nothing where there is nothing: each list and page holds the other side for those who see it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_see_the_other_side_sees_it() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        let call = Call { walk: &walk, whose: Whose::Others };
        for (method, template, access) in &walk.desk.declared {
            let narrowed = matches!(access, Access::Scoped(_) | Access::Maintained(_));
            if method != Method::GET || !narrowed || template == STREAM {
                continue;
            }
            let path = call.path(method, template);
            let is_file = template.contains("/parts/") || template.contains(".pdf");
            let all = must(walk.admin(Method::GET, &path, None).await);
            assert!(is_file || shows_the_other_side(&all.text), "{template}: {}", all.text);
            if access.allows(Role::Manager) {
                let own = walk.call(OTHER, Method::GET, &path, None).await;
                let shown = own.status == StatusCode::OK && (is_file || shows_the_other_side(&own.text));
                assert!(shown, "{template}: {}", own.text);
            }
        }
        for user in CALLERS {
            let faults = must(walk.call(user, Method::GET, "/faults", None).await).json;
            assert_eq!(faults["items"][0]["line"], "alpha-1", "{user}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_and_taken_away_counts_from_the_next_call_on() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        let path = format!("/faults/{}", walk.ids["fault"]);
        let status = async |user| walk.call(user, Method::GET, &path, None).await.status;
        let give = async |given: Given| scopes::give(&walk.desk.app.db, "tom", given, "admin", START).await;
        assert_eq!(status("tom").await, StatusCode::NOT_FOUND);
        let zulu = || ["zulu".to_owned()].into();
        for given in [
            Given { customers: zulu(), ..Given::default() },
            Given { regions: ["zulu-land".to_owned()].into(), ..Given::default() },
            Given { persons: ["zulu-deputy".to_owned()].into(), ..Given::default() },
        ] {
            give(given).await.unwrap();
            assert_eq!(status("tom").await, StatusCode::OK);
            give(Given::default()).await.unwrap();
            assert_eq!(status("tom").await, StatusCode::NOT_FOUND);
        }
        // An open task at the customer, until it is done.
        let task = json!({ "kind": "request", "class": "ordinary", "customer": "zulu", "title": "look",
            "pack": "service-desk", "owner": "tom" });
        let task = must(walk.admin(Method::POST, "/matters", Some(task)).await).json;
        assert_eq!(status("tom").await, StatusCode::OK);
        let steps = format!("/matters/{}/facts", task["id"].as_str().unwrap());
        let cancelled = json!({ "kind": "cancelled", "reason": "not wanted any more" });
        must(walk.admin(Method::POST, &steps, Some(cancelled)).await);
        assert_eq!(status("tom").await, StatusCode::NOT_FOUND);
        for (given, what) in [
            (Given { customers: ["nobody".to_owned()].into(), ..Given::default() }, "no customer"),
            (Given { regions: [String::new()].into(), ..Given::default() }, "characters"),
        ] {
            let refused = give(given).await.unwrap_err().to_string();
            assert!(refused.contains(what), "{refused}");
        }
    })
    .await;
}

/// What happens on the board is told to those who see it.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_narrowed_alike() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        let own = |name: &str| Scope::Own(name.to_owned());
        for (scope, expected) in [
            (Scope::Everything, (true, true)),
            (own("ann"), (true, false)),
            (own(OTHER), (false, true)),
            (Scope::Contractor("K1".to_owned()), (true, false)),
        ] {
            let app = Arc::clone(&walk.desk.app);
            let response = viewer::open(app, scope.clone(), Withheld::default(), Some(0), None);
            let mut stream = response.into_body().into_data_stream();
            let mut text = String::new();
            while !text.contains("event: tick") {
                let bytes = tokio::time::timeout(Duration::from_secs(20), stream.next()).await.unwrap();
                text.push_str(std::str::from_utf8(&bytes.unwrap().unwrap()).unwrap());
            }
            assert_eq!((text.contains("alpha-1"), shows_the_other_side(&text)), expected, "{scope:?}");
        }
    })
    .await;
}

/// Each reading of contacts is noted with its route and whose they were: a list once, and not for each row.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_contacts_in_a_list_is_on_record_once() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        for _ in 0..3 {
            must(walk.call(OTHER, Method::GET, "/customers?limit=500", None).await);
        }
        let path = format!("/audit?who={OTHER}&action=contact%20read");
        let noted = must(walk.admin(Method::GET, &path, None).await).json["items"].clone();
        let of_list = |item: &&Value| item["detail"]["route"] == "/customers";
        let noted: Vec<&Value> = noted.as_array().unwrap().iter().filter(of_list).collect();
        assert_eq!(noted.len(), 1, "{noted:?}");
        let customers = noted[0]["detail"]["customers"].as_array().unwrap();
        assert!(
            customers.len() >= 4 && customers.iter().all(|code| code.as_str().unwrap().starts_with(CANARY))
        );
    })
    .await;
}

/// A key that somebody else has used is another key.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_repeated_to_nobody_else() {
    both(|db| async move {
        let walk = Walk::new(db).await;
        let body = json!({ "line": "zulu-1", "channel": "hotline" });
        let send = async |user: &str| walk.keyed(user, "/faults", "the-same-key", &body).await;
        assert_eq!(send(OTHER).await.status, StatusCode::OK);
        let other = send("ann").await;
        assert_eq!((other.status, &other.json["code"]), (StatusCode::NOT_FOUND, &json!("unknown_line")));
    })
    .await;
}
