//! What is looked up while a report is made, and to which groups a fault, a matter or a line belongs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono_tz::Tz;
use linewatch_shared::matter::Matter;
use linewatch_shared::rules::{Label, Pack};
use linewatch_shared::sla::{Fault, PackVersion, Terms};
use linewatch_shared::time::UnixMs;

use super::group::{Group, Keys};
use super::measure::Span;
use super::period::Period;
use super::service::looks_at_time;
use crate::app::quality::SampleRules;
use crate::db::{DbError, Tx};
use crate::store::contractors::{self, Maintained};
use crate::store::report::{self, CustomerPlace};
use crate::store::scope::{self, Scope};
use crate::store::service_time::ServedTerms;

/// What is looked up while a report is made: packs with their time zones, and customers.
#[derive(Debug)]
pub struct Book {
    packs: HashMap<(String, String), Place>,
    places: Arc<Places>,
    /// From the earliest beginning of the period in any zone to its latest end.
    widest: Span,
    /// Where only one group is counted: which.
    only: Option<(Group, String)>,
    /// Where samples and the hotline are counted too: how samples are drawn, and when the period is read.
    samples: Option<(SampleRules, UnixMs)>,
    /// Where only these customers are counted: their codes.
    seen: Option<BTreeSet<String>>,
}

/// Whom customers and lines belong to.
#[derive(Clone, Debug, Default)]
pub struct Places {
    customers: BTreeMap<String, CustomerPlace>,
    contractors: BTreeMap<String, String>,
    maintained: Maintained,
}

impl Places {
    /// Of everything.
    ///
    /// # Errors
    /// The database's.
    pub fn read(tx: &mut Tx<'_>) -> Result<Self, DbError> {
        Ok(Self {
            customers: report::customers(tx)?,
            contractors: contractors::names(tx)?,
            maintained: contractors::maintained(tx)?,
        })
    }

    /// Who maintained a line at a moment; empty for our own. The first known terms also hold backwards.
    fn contractor_of_line(&self, line: &str, at: UnixMs) -> String {
        let Some(terms) = self.maintained.lines.get(line) else { return String::new() };
        let in_force = terms.partition_point(|(from, _)| *from <= at).saturating_sub(1);
        terms.get(in_force).and_then(|(_, contractor)| contractor.clone()).unwrap_or_default()
    }

    /// Who sees to a matter: who maintained its line when it was opened; without a line, who maintains all lines of its site,
    /// else the customer as a whole.
    fn contractor_of_matter(&self, matter: &Matter) -> String {
        if let Some(line) = &matter.line {
            return self.contractor_of_line(line, matter.opened_at);
        }
        let place = matter.site.as_ref().map(|site| (matter.customer.clone(), site.clone()));
        let of_site = place.and_then(|place| self.maintained.sites.get(&place));
        of_site.or_else(|| self.maintained.customers.get(&matter.customer)).cloned().unwrap_or_default()
    }
}

/// A version of a pack, and what the period is in its time zone.
#[derive(Debug)]
pub struct Place {
    valid_from: UnixMs,
    /// The version.
    pub pack: Arc<Pack>,
    /// The period.
    pub span: Span,
}

impl Book {
    /// For a period, read at a moment.
    #[must_use]
    pub fn new(period: Period, versions: &[PackVersion], places: Arc<Places>, now: UnixMs) -> Self {
        let span = |zone: Tz| {
            let (from, to) = period.bounds(zone);
            Span { from, to, until: to.min(now) }
        };
        let mut packs = HashMap::new();
        for version in versions {
            let pack = Arc::clone(&version.pack);
            let key = (pack.name.clone(), pack.version.clone());
            packs.insert(key, Place { valid_from: version.valid_from, span: span(pack.time_zone), pack });
        }
        let spans: Vec<Span> = packs.values().map(|place| place.span).collect();
        let widest = spans.into_iter().reduce(|a, b| Span {
            from: a.from.min(b.from),
            to: a.to.max(b.to),
            until: a.until.max(b.until),
        });
        Self {
            packs,
            places,
            widest: widest.unwrap_or_else(|| span(chrono_tz::UTC)),
            only: None,
            samples: None,
            seen: None,
        }
    }

    /// The same, where only one group is counted.
    #[must_use]
    pub fn of_only(mut self, group: Group, key: String) -> Self {
        self.only = Some((group, key));
        self
    }

    /// The same, where only what is seen is counted; samples and the hotline are about the whole desk.
    ///
    /// # Errors
    /// The database's.
    pub fn of_seen(mut self, tx: &mut Tx<'_>, scope: &Scope) -> Result<Self, DbError> {
        self.seen = scope::customers(tx, scope)?;
        if self.seen.is_some() {
            self.samples = None;
        }
        Ok(self)
    }

    /// Whether what is of a customer is counted.
    #[must_use]
    pub fn sees(&self, customer: &str) -> bool {
        self.seen.as_ref().is_none_or(|seen| seen.contains(customer))
    }

    /// The same, where samples of closed work and the hotline are counted too.
    #[must_use]
    pub fn with_samples(mut self, rules: SampleRules, now: UnixMs) -> Self {
        self.samples = Some((rules, now));
        self
    }

    /// How samples are drawn, where they are counted, and when the period is read: by then its days and months are over.
    #[must_use]
    pub const fn samples(&self) -> Option<(SampleRules, UnixMs)> {
        self.samples
    }

    /// Whether what has these keys is counted.
    #[must_use]
    pub fn wants(&self, keys: &Keys) -> bool {
        self.sees(&keys.customer)
            && self.only.as_ref().is_none_or(|(group, key)| keys.of(*group).contains(key))
    }

    /// The customer, where only one is counted.
    #[must_use]
    pub fn only_customer(&self) -> Option<&str> {
        let only = self.only.as_ref().filter(|(group, _)| *group == Group::Customer);
        only.map(|(_, code)| code.as_str())
    }

    /// From the earliest beginning of the period in any zone to its latest end.
    #[must_use]
    pub const fn widest(&self) -> &Span {
        &self.widest
    }

    /// The zones of the packs, with what the period is in each, by the zone's name.
    #[must_use]
    pub fn zones(&self) -> BTreeMap<&'static str, Span> {
        self.packs.values().map(|place| (place.pack.time_zone.name(), place.span)).collect()
    }

    fn place(&self, terms: &Terms) -> Option<&Place> {
        self.packs.get(&(terms.pack.clone(), terms.version.clone()))
    }

    /// The pack version that a fault began under.
    #[must_use]
    pub fn pack(&self, terms: &Terms) -> Option<&Pack> {
        self.place(terms).map(|place| place.pack.as_ref())
    }

    /// The period in the time zone of the fault's pack.
    #[must_use]
    pub fn span(&self, terms: &Terms) -> &Span {
        self.place(terms).map_or(&self.widest, |place| &place.span)
    }

    /// The version of a pack in force at a moment, or when the period is read where that is earlier; else the first.
    #[must_use]
    pub fn in_force(&self, pack: &str, at: UnixMs) -> Option<&Place> {
        let of_pack = || self.packs.values().filter(|place| place.pack.name == pack);
        let in_force = of_pack().filter(|place| place.valid_from <= at.min(place.span.until));
        in_force
            .max_by_key(|place| place.valid_from)
            .or_else(|| of_pack().min_by_key(|place| place.valid_from))
    }

    /// The time zone of a pack.
    #[must_use]
    pub fn zone(&self, pack: &str) -> Tz {
        self.in_force(pack, UnixMs::MAX).map_or(chrono_tz::UTC, |place| place.pack.time_zone)
    }

    /// Whether any pack promises availability, or has it assessed.
    #[must_use]
    pub fn looks_at_time(&self) -> bool {
        self.packs.values().any(|place| looks_at_time(&place.pack))
    }

    /// The groups of a line under some terms.
    #[must_use]
    pub fn keys_of_line(&self, code: &str, terms: &ServedTerms) -> Keys {
        let customer = self.places.customers.get(&terms.customer);
        Keys {
            tier: format!("{}/{}", terms.pack, terms.tier),
            customer: terms.customer.clone(),
            manager: customer.map(|customer| customer.manager.clone()).unwrap_or_default(),
            technician: None,
            contractor: terms.contractor.clone().unwrap_or_default(),
            region: customer.map(|customer| customer.region.clone()).unwrap_or_default(),
            causes: Vec::new(),
            class: None,
            line: code.to_owned(),
        }
    }

    /// The groups of a fault.
    #[must_use]
    pub fn keys(&self, fault: &Fault, restored_by: Option<&str>) -> Keys {
        let terms = &fault.terms;
        let customer = self.places.customers.get(&terms.customer);
        let paused = fault.pauses.iter().map(|pause| &pause.cause);
        let exempted = fault.exemption.iter().map(|exemption| &exemption.cause);
        let mut causes: Vec<String> =
            paused.chain(exempted).map(|cause| format!("{}/{cause}", terms.pack)).collect();
        causes.sort_unstable();
        causes.dedup();
        Keys {
            tier: format!("{}/{}", terms.pack, terms.tier.name),
            customer: terms.customer.clone(),
            manager: customer.map(|customer| customer.manager.clone()).unwrap_or_default(),
            technician: Some(restored_by.unwrap_or_default().to_owned()),
            contractor: self.places.contractor_of_line(&fault.line, fault.started_at),
            region: customer.map(|customer| customer.region.clone()).unwrap_or_default(),
            causes,
            class: None,
            line: fault.line.clone(),
        }
    }

    /// The groups of a matter.
    #[must_use]
    pub fn keys_of_matter(&self, matter: &Matter, done_by: Option<&str>) -> Keys {
        let customer = self.places.customers.get(&matter.customer);
        let (pack, _) = &matter.pack;
        Keys {
            tier: String::new(),
            customer: matter.customer.clone(),
            manager: customer.map(|customer| customer.manager.clone()).unwrap_or_default(),
            technician: Some(done_by.unwrap_or_default().to_owned()),
            contractor: self.places.contractor_of_matter(matter),
            region: customer.map(|customer| customer.region.clone()).unwrap_or_default(),
            causes: matter.exemption.iter().map(|exemption| format!("{pack}/{}", exemption.cause)).collect(),
            class: Some(format!("{pack}/{}", matter.class)),
            line: matter.line.clone().unwrap_or_default(),
        }
    }

    /// The groups of a matter that was drawn for checking. Its tier is that of the customer today: a matter has none of
    /// its own.
    #[must_use]
    pub fn keys_of_checked(&self, matter: &Matter, done_by: Option<&str>) -> Keys {
        let customer = self.places.customers.get(&matter.customer);
        let tier = customer.map(|customer| customer.tier.clone()).unwrap_or_default();
        Keys { tier, class: None, causes: Vec::new(), ..self.keys_of_matter(matter, done_by) }
    }

    /// The period in the time zone of the matter's pack.
    #[must_use]
    pub fn span_of_matter(&self, matter: &Matter) -> &Span {
        self.packs.get(&matter.pack).map_or(&self.widest, |place| &place.span)
    }

    /// A group's name for people; of a tier, a cause or a customer, whose key is not one.
    #[must_use]
    pub fn label(&self, group: Group, key: &str) -> Label {
        let found = match group {
            Group::Customer => self
                .places
                .customers
                .get(key)
                .map(|customer| Label { zh: customer.name.clone(), en: customer.name.clone() }),
            Group::Tier | Group::Cause | Group::Class => key.split_once('/').and_then(|(pack, name)| {
                // The last version that has it, so that one name stands for all.
                let mut versions: Vec<&Pack> =
                    self.packs.values().map(|place| place.pack.as_ref()).filter(|p| p.name == pack).collect();
                versions.sort_by(|a, b| b.version.cmp(&a.version));
                versions.into_iter().find_map(|pack| label_in(pack, group, name))
            }),
            Group::Contractor => {
                self.places.contractors.get(key).map(|name| Label { zh: name.clone(), en: name.clone() })
            }
            Group::Manager | Group::Technician | Group::Region | Group::Line => None,
        };
        found.unwrap_or_else(|| Label { zh: key.to_owned(), en: key.to_owned() })
    }
}

fn label_in(pack: &Pack, group: Group, name: &str) -> Option<Label> {
    if group == Group::Tier {
        return pack.tier(name).map(|tier| tier.label.clone());
    }
    if group == Group::Class {
        let class = pack.classes.iter().find(|class| class.name == name).map(|class| &class.label);
        let cadence =
            || pack.cadences.iter().find(|cadence| cadence.name == name).map(|cadence| &cadence.label);
        return class.or_else(cadence).cloned();
    }
    let mut causes = pack.pause_causes.iter().chain(&pack.exempt_causes);
    causes.find(|cause| cause.name == name).map(|cause| cause.label.clone())
}
