//! What the desk itself does in a year: complaints and requests, visits and patrols, planned work. It comes by the
//! desk's own calls, so in the order in which it happens; how late it is typed in, and between which arrivals, differs.

use linewatch_server::app::desk::planned::NewWork;
use linewatch_server::app::desk::step::NewStep;
use linewatch_server::app::matters::duties::NewDuty;
use linewatch_server::app::matters::open::NewMatter;
use linewatch_server::app::matters::step::NewMatterStep;
use linewatch_shared::matter::{MatterStep, Opening};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::sla::Window;
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use uuid::Uuid;

use super::complaint;
use super::life::{Scale, customer_code, line_code, node_of};
use crate::harness::Seed;

/// So many faults come to one complaint or request.
const FAULTS_PER_COMPLAINT: u64 = 4;
/// Of a hundred faults, around how many work on the line is planned.
const PLANNED_PERCENT: u64 = 6;
/// Promises in working days reach no further than the official calendar, which ends with the year.
pub(super) const WORKING_DAYS_KEPT_MS: i64 = 32 * DAY_MS;

/// Something that is done at the desk.
#[derive(Clone, Debug)]
pub struct Deed {
    /// When.
    pub at: UnixMs,
    /// What.
    pub what: What,
}

/// What is done at the desk.
#[derive(Clone, Debug)]
pub enum What {
    /// A supervisor decides about a fault.
    Decide(Box<NewStep>),
    /// Some customers move up a tier; what began before stays under its old limits.
    Upgrade,
    /// A complaint or a request is taken in.
    Open(Box<NewMatter>),
    /// A step of it.
    Step(Box<NewMatterStep>),
    /// Work is planned.
    Plan(Box<NewWork>),
    /// The customers are told of it.
    Announce(Uuid),
    /// It is called off.
    CallOff(Uuid),
    /// Visits or patrols are owed from now on.
    Give(Box<NewDuty>),
    /// Something is done about a customer's round, defect or promise: the first one, or the last, that it fits.
    On(On),
}

/// A step of a matter that the rules have opened, so that nobody knows its id beforehand.
#[derive(Clone, Debug)]
pub struct On {
    /// Whose.
    pub customer: String,
    /// What it is.
    pub kind: MatterKind,
    /// The newest instead of the oldest.
    pub newest: bool,
    /// The step's id.
    pub id: Uuid,
    /// What is done.
    pub act: Act,
}

/// What is done about it.
#[derive(Clone, Debug)]
pub enum Act {
    /// A step as it stands.
    Step(MatterStep),
    /// The round is made: so many points of its checklist are not well, and something is promised or not.
    Made {
        /// How many points, at most.
        wrong: usize,
        /// Until when.
        promised: Option<UnixMs>,
    },
}

impl What {
    /// Whether it cannot be typed in later than it happens.
    const fn is_urgent(&self) -> bool {
        matches!(self, Self::Upgrade | Self::CallOff(_))
    }
}

/// Writes the year's deeds down.
pub(super) struct Deeds {
    pub seed: Seed,
    pub list: Vec<Deed>,
    /// After which promises in working days reach beyond the calendar.
    pub working_days_until: UnixMs,
}

impl Deeds {
    /// A year of them; `faults` are the lines and starts of what fails.
    pub(super) fn of(
        scale: Scale,
        (begins, ends): (UnixMs, UnixMs),
        faults: &[(u64, UnixMs)],
        seed: Seed,
    ) -> Vec<Deed> {
        let working_days_until = ends - WORKING_DAYS_KEPT_MS - super::life::AROUND_MS;
        let mut deeds = Self { seed, list: Vec::new(), working_days_until };
        deeds.add(begins + 200 * DAY_MS, What::Upgrade);
        for customer in 0..scale.customers {
            deeds.rounds(customer, begins, ends);
        }
        let span_ms = ends.since(begins) - 12 * DAY_MS;
        for n in 0..scale.faults / FAULTS_PER_COMPLAINT {
            let customer = deeds.seed.below(scale.customers);
            // The first ones fall around the year's two ends.
            let around = [begins + super::life::AROUND_MS, ends - super::life::AROUND_MS];
            let at = match around.get(n as usize) {
                Some(midnight) => *midnight - deeds.minutes(120),
                None => begins + deeds.seed.below(span_ms as u64) as i64,
            };
            complaint::life(&mut deeds, customer, at);
        }
        for (line, at) in faults {
            if deeds.chance(PLANNED_PERCENT) {
                deeds.planned_work(*line, *at);
            }
        }
        deeds.list.sort_by_key(|deed| deed.at);
        deeds.list
    }

    pub(super) fn add(&mut self, at: UnixMs, what: What) {
        self.list.push(Deed { at, what });
    }

    pub(super) fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.seed.draw(), self.seed.draw())
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.seed.below(100) < percent
    }

    pub(super) fn minutes(&mut self, most: i64) -> i64 {
        (1 + self.seed.below(most.unsigned_abs()) as i64) * 60_000
    }

    pub(super) fn step(&mut self, matter: Uuid, at: UnixMs, step: MatterStep) {
        let id = self.id();
        let by = "noc".to_owned();
        let step = NewMatterStep { id, matter, step, promises: Vec::new(), occurred_at: at, by };
        self.add(at, What::Step(Box::new(step)));
    }

    pub(super) fn open(&mut self, opening: Opening, at: UnixMs) -> Uuid {
        let id = self.id();
        let new = NewMatter { id, opening, pack: None, opened_at: at, by: "noc".to_owned() };
        self.add(at, What::Open(Box::new(new)));
        id
    }

    /// What is owed to some customers in turn, and what is made of it.
    fn rounds(&mut self, customer: u64, begins: UnixMs, ends: UnixMs) {
        let code = customer_code(customer);
        let (visits, patrols) = (customer.is_multiple_of(2), customer.is_multiple_of(5));
        let give = |pack: &str, cadence: &str, site: &str| {
            let (pack, cadence, site) = (pack.to_owned(), cadence.to_owned(), site.to_owned());
            What::Give(Box::new(NewDuty { pack, cadence, customer: code.clone(), site, since: begins }))
        };
        if visits {
            let cadence = if customer.is_multiple_of(4) { "monthly" } else { "two-monthly" };
            self.add(begins, give("key-account", cadence, ""));
        }
        if patrols {
            let cadence = ["half-monthly", "quarterly", "weekly"][(customer / 5) as usize % 3];
            self.add(begins, give("power-distribution", cadence, "HQ"));
        }
        let mut at = begins + self.minutes(20 * 24 * 60);
        while at < self.working_days_until.min(ends) {
            if visits && self.chance(80) {
                self.visit(&code, at);
            }
            if patrols && self.chance(80) {
                self.patrol(&code, at);
            }
            at = at + 9 * DAY_MS + self.minutes(22 * 24 * 60);
        }
    }

    fn on(&mut self, customer: &str, kind: MatterKind, newest: bool, at: UnixMs, act: Act) {
        let on = On { customer: customer.to_owned(), kind, newest, id: self.id(), act };
        self.add(at, What::On(on));
    }

    fn visit(&mut self, customer: &str, at: UnixMs) {
        let newest = self.chance(70);
        let planned = MatterStep::Planned { at: at + DAY_MS, agreed_by: None };
        self.on(customer, MatterKind::Visit, newest, at, Act::Step(planned));
        let made_at = at + DAY_MS + self.minutes(300);
        let promised = if self.chance(30) { Some(made_at + 3 * DAY_MS) } else { None };
        self.on(customer, MatterKind::Visit, newest, made_at, Act::Made { wrong: 0, promised });
        let reviewed = MatterStep::Reviewed { ok: self.chance(85) };
        let reviewed_at = made_at + self.minutes(6 * 24 * 60);
        self.on(customer, MatterKind::Visit, newest, reviewed_at, Act::Step(reviewed));
        if promised.is_some() {
            let kept = MatterStep::Resolved { how: "as promised".to_owned() };
            let kept_at = made_at + self.minutes(4 * 24 * 60);
            self.on(customer, MatterKind::Promise, false, kept_at, Act::Step(kept));
        }
    }

    fn patrol(&mut self, customer: &str, at: UnixMs) {
        let newest = self.chance(85);
        let wrong = if self.chance(40) { 1 + self.seed.below(2) as usize } else { 0 };
        self.on(customer, MatterKind::Patrol, newest, at, Act::Made { wrong, promised: None });
        let reviewed_at = at + self.minutes(7 * 24 * 60);
        self.on(
            customer,
            MatterKind::Patrol,
            newest,
            reviewed_at,
            Act::Step(MatterStep::Reviewed { ok: true }),
        );
        for _ in 0..wrong {
            let mended_at = at + self.minutes(12 * 24 * 60);
            let notice = MatterStep::Noticed { to: "sample caretaker".to_owned() };
            let mended = MatterStep::Resolved { how: "replaced".to_owned() };
            let inspected = MatterStep::Inspected { ok: self.chance(85) };
            for (after_ms, step) in [(0, notice), (HOUR_MS, mended), (5 * HOUR_MS, inspected)] {
                self.on(customer, MatterKind::Defect, false, mended_at + after_ms, Act::Step(step));
            }
        }
    }

    /// Work on a line, or on the node that it hangs on, around the time at which something fails there.
    fn planned_work(&mut self, line: u64, at: UnixMs) {
        let from = at - self.minutes(90);
        let to = from + self.minutes(300);
        let in_time = self.chance(85);
        let applied_at = from - if in_time { 3 * DAY_MS } else { HOUR_MS };
        let id = self.id();
        let on_node = self.chance(25);
        let work = NewWork {
            window: Window { id, from, to, applied_at, announced_at: None },
            reason: "sample cut-over".to_owned(),
            lines: if on_node { std::collections::BTreeSet::new() } else { [line_code(line)].into() },
            upstream: on_node.then(|| node_of(line)),
            by: "noc".to_owned(),
        };
        self.add(applied_at, What::Plan(Box::new(work)));
        if self.chance(85) {
            self.add(from - HOUR_MS / 2, What::Announce(id));
        }
        if self.chance(10) {
            self.add(from - HOUR_MS / 4, What::CallOff(id));
        }
    }
}

/// When each deed is typed in: at once, or at the end of its week, as far as later ones do not need it before.
#[must_use]
pub fn typed_in(deeds: &[Deed], begins: UnixMs, at_once: bool) -> Vec<(UnixMs, Deed)> {
    let mut no_later = UnixMs::MAX;
    let mut typed: Vec<(UnixMs, Deed)> = Vec::with_capacity(deeds.len());
    for deed in deeds.iter().rev() {
        let week_ends = deed.at - deed.at.since(begins).rem_euclid(7 * DAY_MS) + 7 * DAY_MS;
        let now = if at_once || deed.what.is_urgent() { deed.at } else { week_ends.min(no_later) };
        if deed.what.is_urgent() {
            no_later = deed.at;
        }
        typed.push((now, deed.clone()));
    }
    typed.reverse();
    typed
}
