//! Matters on both databases.

use linewatch_shared::facts::Callback;
use linewatch_shared::matter::{MatterState, MatterStep, Opening, Papers};
use linewatch_shared::rules::MatterKind;
use linewatch_shared::time::{DAY_MS, HOUR_MS, UnixMs};
use uuid::Uuid;

use super::duties::{assign, begin_rounds};
use super::open::{NewMatter, open};
use super::round::round;
use super::step::{NewMatterStep, step};
use super::view::{self, MatterView};
use crate::app::desk::DeskError;
use crate::app::desk::tests::{Fixture, TEN};
use crate::config::AlertLang;
use crate::db::testing::both;
use crate::db::{DbError, Priority};
use crate::notify::Alert;
use crate::notify::text::Writer;
use crate::store::matters::WantedMatters;

impl Fixture {
    /// What the engine does about duties and matters.
    pub async fn rounds(&self, now: UnixMs) {
        let desk = self.desk.clone();
        let work = move |tx: &mut crate::db::Tx<'_>| -> Result<(), DbError> {
            assign(&desk, tx, "", now)?;
            begin_rounds(&desk, tx, now)?;
            round(&desk, tx, now).map(drop)
        };
        self.db.write(Priority::Engine, work).await.unwrap();
    }

    pub async fn matters(&self, kind: &str, now: UnixMs) -> Vec<MatterView> {
        let (desk, wanted) =
            (self.desk.clone(), WantedMatters { kind: kind.to_owned(), ..WantedMatters::default() });
        let found = self.db.read(move |tx| view::list(&desk, tx, &wanted, 100, now)).await.unwrap();
        found.into_iter().map(|(_, view)| view).collect()
    }

    /// A complaint of the bank's.
    pub async fn complaint(
        &self,
        class: &str,
        about: Option<Uuid>,
        at: UnixMs,
        now: UnixMs,
    ) -> Result<Uuid, DeskError> {
        let opening = Opening {
            kind: MatterKind::Complaint,
            class: class.to_owned(),
            customer: "bank".to_owned(),
            line: None,
            site: None,
            title: "no invoice".to_owned(),
            description: String::new(),
            reporter: "caller".to_owned(),
            owner: String::new(),
            first_receiver: "noc-1".to_owned(),
            unit: None,
            wanted_by: None,
            about,
            equipment: None,
        };
        let new =
            NewMatter { id: Uuid::now_v7(), opening, pack: None, opened_at: at, by: "noc-1".to_owned() };
        let desk = self.desk.clone();
        self.db.write(Priority::Api, move |tx| Ok(open(&desk, tx, &new, now)?.id)).await
    }

    pub async fn matter_step(
        &self,
        matter: Uuid,
        what: MatterStep,
        at: UnixMs,
        now: UnixMs,
    ) -> Result<MatterState, DeskError> {
        let new = NewMatterStep {
            id: Uuid::now_v7(),
            matter,
            step: what,
            promises: Vec::new(),
            occurred_at: at,
            by: "technician-1".to_owned(),
        };
        let desk = self.desk.clone();
        self.db.write(Priority::Api, move |tx| Ok(step(&desk, tx, &new, now)?.state)).await
    }
}

fn made() -> MatterStep {
    MatterStep::Made {
        mode: "face_to_face".to_owned(),
        met: "sample".to_owned(),
        points: Vec::new(),
        papers: Papers::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_s_visits_come_round_and_are_told_of_when_missed() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        for _ in 0..2 {
            f.rounds(TEN).await;
        }
        let visits = f.matters("visit", TEN).await;
        let owed: Vec<_> =
            visits.iter().map(|visit| (visit.customer.as_str(), visit.class.as_str())).collect();
        assert_eq!(owed.len(), 2, "one for each customer, once: {owed:?}");
        let bank = visits.iter().find(|visit| visit.customer == "bank").unwrap().clone();
        assert_eq!(
            (bank.owner.as_str(), bank.deadlines[0].due_at.clone()),
            ("Manager A", (TEN + 30 * DAY_MS).to_rfc3339())
        );
        // Made in time: the next is owed from then on.
        f.matter_step(bank.id, made(), TEN + 10 * DAY_MS, TEN + 10 * DAY_MS).await.unwrap();
        let visits = f.matters("visit", TEN + 10 * DAY_MS).await;
        let next =
            visits.iter().find(|visit| visit.customer == "bank" && visit.state == "open").unwrap().clone();
        assert_eq!(next.deadlines[0].due_at, (TEN + 40 * DAY_MS).to_rfc3339());
        // Missed: told once, and corrected when it turns out that it was made.
        for _ in 0..2 {
            f.rounds(TEN + 41 * DAY_MS).await;
        }
        let keys = || f.texts("SELECT key FROM outbox WHERE key LIKE '%/visit/%' ORDER BY n");
        let told = keys().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("/missed/0/email/a@example.com"), "{told:?}");
        f.matter_step(next.id, made(), TEN + 39 * DAY_MS, TEN + 42 * DAY_MS).await.unwrap();
        let told = keys().await;
        assert!(told.len() == 2 && told[1].contains("/corrected/1/"), "{told:?}");
        let visits = f.matters("visit", TEN + 42 * DAY_MS).await;
        let kept = visits.iter().find(|visit| visit.id == next.id).unwrap();
        assert_eq!((kept.state, kept.deadlines[0].state), ("closed", "met"));
        assert!(
            kept.deadlines[0].history.iter().any(|past| past.verdict == "missed"),
            "the old verdict stays"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_impossible_step_changes_nothing_and_says_what_is_possible() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        f.rounds(TEN).await;
        let visit = f.matters("visit", TEN).await[0].id;
        let refused = f.matter_step(visit, MatterStep::Reviewed { ok: true }, TEN, TEN).await.unwrap_err();
        let DeskError::Impossible { possible, .. } = refused else { panic!("{refused:?}") };
        assert!(possible.contains(&"made"), "{possible:?}");
        let ahead = f.matter_step(visit, made(), TEN + DAY_MS, TEN).await.unwrap_err();
        assert!(matches!(ahead, DeskError::Invalid { field: "occurred_at", .. }));
        let unknown = f.matter_step(Uuid::nil(), made(), TEN, TEN).await.unwrap_err();
        assert!(matches!(unknown, DeskError::NoMatter(_)));
        assert_eq!(
            f.texts("SELECT kind FROM matter_fact WHERE kind <> 'opened'").await,
            Vec::<String>::new()
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_is_told_and_what_is_major_goes_up_at_each_change() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let first = f.complaint("minor", None, TEN, TEN).await.unwrap();
        let sql = "SELECT alert FROM outbox WHERE key LIKE '%/outcome/%' OR key LIKE '%/changed/%' ORDER BY n";
        let told = async || -> Vec<(String, String, bool)> {
            let alerts = f.texts(sql).await;
            let alerts = alerts.iter().map(|text| serde_json::from_str::<Alert>(text).unwrap());
            alerts.map(|alert| (alert.mark, alert.kind, alert.late)).collect()
        };
        assert!(told().await.is_empty(), "minor");
        f.complaint("minor", Some(first), TEN + HOUR_MS, TEN + HOUR_MS).await.unwrap();
        let changed = |kind: &str, late| ("changed".to_owned(), kind.to_owned(), late);
        assert_eq!(told().await, [changed("repeated", false)], "it is major by that");
        let resolved = || MatterStep::Resolved { how: "sent".to_owned() };
        f.matter_step(first, resolved(), TEN + 2 * HOUR_MS, TEN + 5 * HOUR_MS).await.unwrap();
        let note = MatterStep::Note { text: "sample".to_owned() };
        f.matter_step(first, note, TEN + 5 * HOUR_MS, TEN + 5 * HOUR_MS).await.unwrap();
        let refused = f.matter_step(first, resolved(), TEN + 6 * HOUR_MS, TEN + 6 * HOUR_MS).await;
        assert!(refused.is_err(), "resolved already: no change");
        let signed = MatterStep::Signed { name: "sample".to_owned(), side: None };
        f.matter_step(first, signed, TEN + 6 * HOUR_MS, TEN + 6 * HOUR_MS).await.unwrap();
        let exempted = MatterStep::Exempted { cause: "force_majeure".to_owned(), grantor: "head".to_owned() };
        f.matter_step(first, exempted, TEN + 7 * HOUR_MS, TEN + 7 * HOUR_MS).await.unwrap();
        f.rounds(TEN + 8 * HOUR_MS).await;
        let outcome = ("outcome".to_owned(), "signed".to_owned(), false);
        let expected = [changed("repeated", false), changed("resolved", true), outcome, changed("signed", false)];
        assert_eq!(told().await, expected);
        let to = "SELECT destination FROM outbox WHERE key LIKE '%/outcome/%' OR key LIKE '%/changed/%' ORDER BY n";
        let (head, noc) = ("head@example.com", "noc@example.com");
        assert_eq!(f.texts(to).await, [head, head, noc, head]);
        let alert = serde_json::from_str(&f.texts(sql).await[1]).unwrap();
        let text = Writer::new(AlertLang::En).unwrap().one(&alert, TEN);
        assert_eq!(text.subject, "[major Major] Sample Bank no invoice: learnt late: solved");
        assert!(!text.plain.contains("Due") && text.plain.contains("reported upwards"), "{}", text.plain);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_a_supervisor_owes_reaches_the_supervisors() {
    both(|db| async move {
        let f = Fixture::new(db).await;
        let id = f.complaint("minor", None, TEN, TEN).await.unwrap();
        f.matter_step(id, MatterStep::Resolved { how: "sent".to_owned() }, TEN, TEN).await.unwrap();
        for hour in 1..=4 {
            let at = TEN + hour * HOUR_MS;
            f.matter_step(id, MatterStep::Callback(Callback::NotReached), at, at).await.unwrap();
        }
        f.rounds(TEN + 17 * HOUR_MS).await;
        let to = "SELECT destination FROM outbox WHERE key LIKE '%/supervisor/%' ORDER BY destination";
        assert_eq!(f.texts(to).await, ["a@example.com", "head@example.com"], "half of its day is spent");
        let close =
            MatterStep::ClosedUnconfirmed { reason: "moved".to_owned(), supervisor: "head".to_owned() };
        let state = f.matter_step(id, close, TEN + 18 * HOUR_MS, TEN + 18 * HOUR_MS).await.unwrap();
        assert_eq!(state, MatterState::ClosedUnconfirmed);
        let matter = f.matters("complaint", TEN + 18 * HOUR_MS).await.remove(0);
        let decision = matter.deadlines.iter().find(|deadline| deadline.kind == "supervisor").unwrap();
        assert_eq!(decision.state, "met");
    })
    .await;
}
