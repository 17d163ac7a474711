//! Alerts of nothing that ever happened, to see what texts come to. They are written by the [`Writer`] that writes real
//! ones. [`Scene::showing`] knows for each text where it is seen.

use linewatch_shared::rules::{Label, Receiver};
use linewatch_shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, UnixMs};
use uuid::Uuid;

use super::alert::{Alert, AlertMatter, Done, Telling};
use super::letter::Letter;
use super::page::Text;
use super::sample_day;
use super::text::{Together, Writer};

/// Promises of a fault or a line that there are alerts about.
pub const FAULT_KINDS: [&str; 7] =
    ["restoration", "feedback", "repair", "callback", "supervisor", "interruption", "availability"];
/// Promises of a matter.
pub const MATTER_KINDS: [&str; 10] = [
    "answer",
    "routing",
    "resolution",
    "progress",
    "callback",
    "visit",
    "patrol",
    "review",
    "permit",
    "supervisor",
];
/// What a matter may be.
pub const MATTERS: [&str; 6] = ["complaint", "request", "defect", "promise", "visit", "patrol"];
/// What an alert may be about its promise.
pub const MARKS: [&str; 7] = ["warn_50", "warn_80", "missed", "met_late", "corrected", "changed", "outcome"];
/// In which form alerts are told.
pub const FORMS: [&str; 7] = ["alert", "again", "night", "digest", "storm", "day", "desk_day"];

/// How many messages a minute the sample of a digest speaks of.
const LIMIT: usize = 30;

/// What is wanted of a sample; what is not said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// One of [`FAULT_KINDS`] or [`MATTER_KINDS`].
    pub kind: Option<String>,
    /// One of [`MARKS`].
    pub mark: Option<String>,
    /// One of [`MATTERS`]: the sample is about such a matter, and not about a fault.
    pub matter: Option<String>,
    /// One of [`FORMS`].
    pub form: Option<String>,
    /// Whether it was learnt late.
    pub late: Option<bool>,
}

/// A sample: one alert, and in which form it is told.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The alert.
    pub alert: Alert,
    /// One of [`FORMS`].
    pub form: String,
    /// How far off the promise's due time is, where that is to be shown; else as it fits the mark.
    left_ms: Option<i64>,
}

impl Scene {
    /// A restoration that was missed. Links begin with `base`.
    #[must_use]
    pub fn new(base: &str, time_zone: &str, now: UnixMs) -> Self {
        Self { alert: alert(base, time_zone, now), form: "alert".to_owned(), left_ms: None }
    }

    /// Arranged so that the text `id` is in it, as far as there is such a text.
    #[must_use]
    pub fn showing(mut self, id: &str) -> Self {
        let message = id.split_once('.').map_or(id, |(message, _)| message);
        let (first, rest) = message.split_once('-').unwrap_or((message, ""));
        match (first, rest) {
            ("matter", "complaint" | "request" | "defect" | "promise" | "visit" | "patrol") => {
                self.matter(rest, "resolution", "missed");
            }
            ("matter", mark) if mark.starts_with("state-") => {
                self.matter("complaint", "resolved", "outcome");
                mark["state-".len()..].clone_into(&mut self.alert.state);
            }
            ("matter", "changed") | ("for", "superior") => self.matter("complaint", "raised", "changed"),
            ("matter", mark) => self.matter("complaint", "resolution", full_mark(mark)),
            ("promise", kind) => self.matter("complaint", kind, "missed"),
            ("label", "matter" | "class" | "opened" | "number") => {
                self.matter("complaint", "resolution", "missed");
            }
            ("label", "upstream") | ("upstream", _) => {
                self.alert.upstream = Some(("SAMPLE-NODE".to_owned(), 3));
            }
            ("other", _) => "sample".clone_into(&mut self.alert.kind),
            ("again" | "digest" | "storm", _) => first.clone_into(&mut self.form),
            ("learnt", _) => self.alert.late = true,
            ("night", mark) => {
                "night".clone_into(&mut self.form);
                if mark == "cancelled" {
                    mark.clone_into(&mut self.alert.mark);
                }
            }
            ("owed", kind) => {
                "night".clone_into(&mut self.form);
                kind.clone_into(&mut self.alert.kind);
            }
            ("for", "first-receiver") => self.matter("complaint", "resolved", "outcome"),
            ("for", "nobody") => self.alert.manager.clear(),
            ("for", whom) => self.alert.telling.receiver = Some(receiver(whom)),
            ("nothing", _) => self.alert.done.clear(),
            ("reported", said) => self.alert.reported = said == "yes",
            ("state", state) => state.clone_into(&mut self.alert.state),
            ("done", kind) => self.alert.done.iter_mut().for_each(|done| kind.clone_into(&mut done.kind)),
            ("span", form) => self.left_ms = span(form),
            ("notice", _) | ("day", "lead-whole" | "not-mailed" | "away") => {
                "desk_day".clone_into(&mut self.form);
            }
            ("day", "between") => "night".clone_into(&mut self.form),
            ("day", _) => "day".clone_into(&mut self.form),
            (kind, mark) if FAULT_KINDS.contains(&kind) => {
                kind.clone_into(&mut self.alert.kind);
                full_mark(mark).clone_into(&mut self.alert.mark);
            }
            _ => {}
        }
        self
    }

    fn matter(&mut self, matter: &str, kind: &str, mark: &str) {
        self.alert.matter =
            Some(AlertMatter { kind: matter.to_owned(), title: "样例事项 Sample matter".to_owned() });
        "important".clone_into(&mut self.alert.tier);
        self.alert.tier_label = Label { zh: "重要".to_owned(), en: "Important".to_owned() };
        "answered".clone_into(&mut self.alert.state);
        kind.clone_into(&mut self.alert.kind);
        mark.clone_into(&mut self.alert.mark);
        self.alert.done.iter_mut().for_each(|done| "told".clone_into(&mut done.kind));
    }

    /// Changed to what is wanted.
    ///
    /// # Errors
    /// Which field cannot be so, and what is possible.
    pub fn with(mut self, wanted: &Wanted) -> Result<Self, (&'static str, Vec<&'static str>)> {
        if let Some(matter) = &wanted.matter {
            possible("matter", matter, &MATTERS)?;
            self.matter(matter, "resolution", "missed");
        }
        let of_matter = self.alert.matter.is_some();
        if let Some(kind) = &wanted.kind {
            possible("kind", kind, if of_matter { &MATTER_KINDS } else { &FAULT_KINDS })?;
            kind.clone_into(&mut self.alert.kind);
        }
        if let Some(mark) = &wanted.mark {
            let marks = if of_matter { &MARKS[..] } else { &MARKS[..5] };
            possible("mark", mark, marks)?;
            mark.clone_into(&mut self.alert.mark);
            match mark.as_str() {
                "changed" => "raised".clone_into(&mut self.alert.kind),
                "outcome" => "resolved".clone_into(&mut self.alert.kind),
                _ => {}
            }
        }
        if let Some(form) = &wanted.form {
            possible("form", form, &FORMS)?;
            form.clone_into(&mut self.form);
        }
        self.alert.late = wanted.late.unwrap_or(self.alert.late);
        Ok(self)
    }

    /// In words.
    #[must_use]
    pub fn write(&self, writer: &Writer, now: UnixMs) -> Text {
        let alert = self.told(now);
        let second = Alert { fault: Uuid::from_u128(2), line: "SAMPLE-2".to_owned(), ..alert.clone() };
        let both = || [alert.clone(), second.clone()].map(|alert| Letter::Alert(Box::new(alert)));
        match self.form.as_str() {
            "digest" => writer.digest(&both(), Together::OverLimit(LIMIT), now),
            "storm" => writer.digest(&both(), Together::Storm, now),
            "day" | "desk_day" => {
                let link = &self.alert.link;
                writer.day(&sample_day::letter(self.form == "desk_day", link, &self.alert.time_zone, now))
            }
            _ => writer.one(&alert, now),
        }
    }

    /// With its times as its mark would have them.
    fn told(&self, now: UnixMs) -> Alert {
        let mut alert = self.alert.clone();
        let (due_in_ms, at_in_ms) = match alert.mark.as_str() {
            "warn_50" => (60 * MINUTE_MS, 0),
            "warn_80" => (24 * MINUTE_MS, 0),
            "missed" => (-5 * MINUTE_MS, -5 * MINUTE_MS),
            "met_late" => (-35 * MINUTE_MS, 0),
            _ => (-2 * HOUR_MS, -MINUTE_MS),
        };
        // What is told late happened long before.
        let shift_ms = if alert.late { 6 * HOUR_MS } else { 0 };
        alert.due_at = UnixMs(now.0 - shift_ms + self.left_ms.unwrap_or(due_in_ms));
        alert.at = UnixMs(now.0 - shift_ms + at_in_ms);
        if self.form == "again" {
            alert.telling.rung = 1;
            alert.at = UnixMs(now.0 - 15 * MINUTE_MS);
        }
        if self.form == "night" {
            let marks: &[&str] = match alert.mark.as_str() {
                "cancelled" => &["warn_80", "cancelled"],
                _ => &["warn_80", "missed", "corrected", "met_late", "met"],
            };
            let hours = marks.iter().zip(1..);
            alert.telling.night = hours
                .map(|(mark, hour)| ((*mark).to_owned(), UnixMs(now.0 - (8 - hour) * HOUR_MS)))
                .collect();
        }
        alert
    }
}

fn possible(
    field: &'static str,
    said: &str,
    all: &[&'static str],
) -> Result<(), (&'static str, Vec<&'static str>)> {
    if all.contains(&said) { Ok(()) } else { Err((field, all.to_vec())) }
}

fn full_mark(mark: &str) -> &str {
    if mark == "warning" { "warn_80" } else { mark }
}

fn receiver(whom: &str) -> Receiver {
    match whom {
        "duty" => Receiver::Duty,
        "owner" => Receiver::Owner,
        "supervisor" => Receiver::Supervisor,
        "desk" => Receiver::Noc,
        _ => Receiver::Manager,
    }
}

fn span(form: &str) -> Option<i64> {
    let left_ms = match form {
        "days" => DAY_MS + 2 * HOUR_MS,
        "days-only" => 3 * DAY_MS,
        "hours" => 2 * HOUR_MS + 5 * MINUTE_MS,
        "hours-only" => 2 * HOUR_MS,
        "minutes" => 24 * MINUTE_MS,
        "seconds" => 45 * SECOND_MS,
        _ => return None,
    };
    Some(-left_ms)
}

fn alert(base: &str, time_zone: &str, now: UnixMs) -> Alert {
    let done = |hours: i64, kind: &str, text: &str| Done {
        at: UnixMs(now.0 - hours * HOUR_MS),
        kind: kind.to_owned(),
        by: "noc-sample".to_owned(),
        text: text.to_owned(),
    };
    Alert {
        key: "sample".to_owned(),
        fault: Uuid::from_u128(1),
        line: "SAMPLE-1".to_owned(),
        site: "样例现场 Sample site".to_owned(),
        customer: "SAMPLE".to_owned(),
        customer_name: "样例客户 Sample customer".to_owned(),
        tier: "AAA".to_owned(),
        tier_label: Label { zh: "金牌".to_owned(), en: "Gold".to_owned() },
        kind: "restoration".to_owned(),
        mark: "missed".to_owned(),
        at: now,
        late: false,
        due_at: now,
        started_at: UnixMs(now.0 - 2 * HOUR_MS),
        state: "dispatched".to_owned(),
        reported: true,
        done: vec![done(2, "acknowledged", ""), done(1, "dispatched", "样例 sample")],
        manager: "manager-sample".to_owned(),
        time_zone: time_zone.to_owned(),
        link: format!("{base}/#/faults/{}", Uuid::from_u128(1)),
        matter: None,
        upstream: None,
        telling: Telling {
            receiver: Some(Receiver::Manager),
            take: Some(format!("{base}/a/SAMPLE")),
            ..Telling::default()
        },
    }
}
