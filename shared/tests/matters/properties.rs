//! What must hold for every matter, told by chance.

use std::sync::LazyLock;

use linewatch_shared::facts::Callback;
use linewatch_shared::matter::{
    MatterEvent, MatterFact, MatterStep, Opening, Standing, advance, deadlines, fold,
};
use linewatch_shared::rules::{MatterKind, Pack, SHIPPED};
use linewatch_shared::sla::{Deadline, Ledger, Status};
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use proptest::prelude::*;
use uuid::Uuid;

const START: UnixMs = UnixMs(1_772_416_800_000);

static PACK: LazyLock<Pack> = LazyLock::new(|| {
    let (file, text) = SHIPPED.iter().find(|(name, _)| *name == "service-desk.toml").unwrap();
    Pack::parse(text, file).unwrap()
});

fn step() -> impl Strategy<Value = MatterStep> {
    let text = String::new;
    let to = |class: &str, supervisor: Option<&str>| MatterStep::Reclassed {
        class: class.to_owned(),
        reason: text(),
        supervisor: supervisor.map(str::to_owned),
        until: None,
    };
    prop_oneof![
        2 => Just(MatterStep::Answered),
        1 => Just(MatterStep::Agreed { until: START + HOUR_MS }),
        1 => Just(MatterStep::Routed { unit: text() }),
        3 => Just(MatterStep::Told { reached: true }),
        1 => Just(MatterStep::Postponed { until: START + 3 * DAY_MS, reason: text(), supervisor: None }),
        1 => Just(MatterStep::Postponed { until: START + 5 * DAY_MS, reason: text(), supervisor: Some(text()) }),
        1 => Just(to("major", None)),
        1 => Just(to("important", None)),
        1 => Just(to("invalid", None)),
        1 => Just(to("invalid", Some("head"))),
        1 => Just(MatterStep::Raised { level: 3, reason: text() }),
        1 => Just(MatterStep::Repeated { complaint: Uuid::nil() }),
        3 => Just(MatterStep::Resolved { how: text() }),
        1 => Just(MatterStep::Callback(Callback::NotReached)),
        2 => Just(MatterStep::Callback(Callback::Satisfied)),
        2 => Just(MatterStep::Callback(Callback::Unsatisfied)),
        1 => Just(MatterStep::Signed { name: text(), side: None }),
        2 => Just(MatterStep::Paused {
            cause: "customer_hold".to_owned(),
            reason: text(),
            until: START + 30 * HOUR_MS,
            grantor: text(),
        }),
        1 => Just(MatterStep::Resumed),
    ]
}

/// An opening and steps over ten days, several in one instant now and then.
fn facts() -> impl Strategy<Value = Vec<MatterFact>> {
    let class = prop_oneof![Just("minor"), Just("important"), Just("major")];
    (class, proptest::collection::vec((0_i64..240, step()), 0..20)).prop_map(|(class, steps)| {
        let opening = Opening {
            kind: MatterKind::Complaint,
            class: class.to_owned(),
            customer: String::new(),
            line: None,
            site: None,
            title: String::new(),
            description: String::new(),
            reporter: String::new(),
            owner: String::new(),
            first_receiver: String::new(),
            unit: Some(String::new()),
            wanted_by: None,
            about: None,
            equipment: None,
        };
        let opened = MatterEvent::Opened(Box::new(opening));
        let mut facts = vec![MatterFact { id: Uuid::from_u128(1), occurred_at: START, event: opened }];
        facts.extend(steps.into_iter().zip(2..).map(|((hours, step), id)| MatterFact {
            id: Uuid::from_u128(id),
            occurred_at: START + hours * HOUR_MS,
            event: MatterEvent::Step(step),
        }));
        facts
    })
}

fn is_missed(deadline: &Deadline, now: UnixMs) -> bool {
    matches!(deadline.status(now), Status::Missed { .. })
}

fn looks_back(fact: &MatterFact) -> bool {
    matches!(
        fact.event,
        MatterEvent::Step(
            MatterStep::Reclassed { .. }
                | MatterStep::Repeated { .. }
                | MatterStep::Callback(Callback::Unsatisfied)
        )
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn order_and_repetition_do_not_matter(facts in facts(), seed in any::<u64>()) {
        let expected = fold(facts.clone(), &PACK).unwrap().unwrap();
        let mut shuffled: Vec<MatterFact> = facts.iter().chain(&facts).cloned().collect();
        shuffled.sort_by_key(|fact| fact.id.as_u128().wrapping_mul(u128::from(seed | 1)) % 1_009);
        prop_assert_eq!(fold(shuffled, &PACK).unwrap().unwrap(), expected);
    }

    #[test]
    fn every_effect_is_told_once_and_no_miss_falls_into_a_pause(facts in facts()) {
        let mut facts = facts;
        facts.sort_by_key(MatterFact::fold_order);
        let mut ledger = Ledger::default();
        let mut keys = Vec::new();
        for (n, fact) in facts.iter().enumerate() {
            let matter = fold(facts[..=n].to_vec(), &PACK).unwrap().unwrap();
            let now = fact.occurred_at;
            for deadline in deadlines(&matter, now) {
                if matches!(deadline.status(now), Status::Missed { .. }) {
                    let paused = |pause: &linewatch_shared::sla::Interval| pause.from < deadline.due_at && pause.contains(deadline.due_at);
                    prop_assert!(!deadline.pauses.iter().any(paused));
                }
                prop_assert!(deadline.due_at >= deadline.started_at);
                prop_assert!(deadline.marks.iter().all(|(_, at)| *at <= deadline.due_at));
            }
            let mut standing = Standing { matter, ledger };
            keys.extend(advance(&mut standing, now).into_iter().map(|effect| effect.key.to_string()));
            prop_assert_eq!(advance(&mut standing, now), []);
            ledger = standing.ledger;
        }
        let told = keys.len();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), told, "an effect's key is unique");
    }

    #[test]
    fn a_miss_is_undone_only_by_what_happened_before_its_due_time(facts in facts(), seed in any::<u64>()) {
        let mut arrivals = facts;
        arrivals[1..].sort_by_key(|fact| fact.id.as_u128().wrapping_mul(u128::from(seed | 1)) % 1_009);
        let now = START + 300 * HOUR_MS;
        let mut missed: Vec<Deadline> = Vec::new();
        for (n, fact) in arrivals.iter().enumerate() {
            let matter = fold(arrivals[..=n].to_vec(), &PACK).unwrap().unwrap();
            let list = deadlines(&matter, now);
            // Another class, or a customer who is not satisfied, later on may turn out not to fit.
            let later = arrivals[..n].iter().any(|other| other.occurred_at >= fact.occurred_at && looks_back(other));
            for was in missed.iter().filter(|was| !later && fact.occurred_at > was.due_at) {
                let is = list.iter().find(|is| (is.kind, is.period) == (was.kind, was.period));
                let stays = is.is_some_and(|is| is.due_at == was.due_at && is_missed(is, now));
                prop_assert!(stays, "{was:?} became {is:?} by {fact:?}");
            }
            missed = list.into_iter().filter(|deadline| is_missed(deadline, now)).collect();
        }
    }

    #[test]
    fn what_is_closed_owes_nothing(facts in facts()) {
        let matter = fold(facts, &PACK).unwrap().unwrap();
        if !matter.state.is_live() {
            prop_assert!(matter.owed.iter().all(|owed| owed.ended.is_some()));
        }
        prop_assert!(!matter.possible(START + 300 * HOUR_MS).is_empty());
    }
}
