//! Lines of one node that go down together: one cause, told once to each manager; one word to all customers.

use super::super::upstream::{self, BulkFeedback, BulkFeedbackView, CHILDREN_MAX, UpstreamView};
use super::*;
use crate::db::testing::{both, int};

const ON_NODE: &str = "code,customer,upstream\nL1,bank,node-1\nL2,bank,node-1\nL3,mill,node-1\n";
const MILL: &str = "code,name,tier,manager,manager_email\nmill,Sample Mill,AAA,Manager A,a@example.com\n";

async fn on_one_node(db: Db) -> Fixture {
    let f = Fixture::new(db).await;
    let packs = Arc::new(PackSet::load(None).unwrap());
    for file in [ON_NODE, MILL] {
        import::bytes(&f.db, &packs, file.as_bytes(), false, TEN - 60 * MINUTE_MS).await.unwrap();
    }
    f
}

/// Word to the customers of a node, and its ids.
fn word(at: i64) -> BulkFeedback {
    BulkFeedback {
        node: "node-1".to_owned(),
        cause: None,
        occurred_at: minute(at),
        note: Some("a card is being replaced".to_owned()),
        by: "noc".to_owned(),
        ids: (0..CHILDREN_MAX).map(|_| Uuid::now_v7()).collect(),
    }
}

impl Fixture {
    async fn tell_all(&self, new: BulkFeedback) -> Result<BulkFeedbackView, DeskError> {
        let desk = self.desk.clone();
        let now = new.occurred_at;
        self.db.write(Priority::Api, move |tx| upstream::feedback(&desk, tx, &new, now)).await
    }

    async fn node(&self, now: UnixMs) -> Result<UpstreamView, DeskError> {
        let desk = self.desk.clone();
        self.db.read(move |tx| upstream::read(&desk, tx, "node-1", now)).await
    }

    async fn alerts_of(&self, kind: &str) -> Vec<String> {
        let keys = self.texts("SELECT key FROM outbox ORDER BY n").await;
        keys.into_iter().filter(|key| key.contains(&format!("/{kind}/"))).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_cause_speaks_once_and_each_customer_s_feedback_stays_owed() {
    both(|db| async move {
        let f = on_one_node(db).await;
        let first = f.report("L1", minute(0), minute(0)).await.unwrap().fault;
        let second = f.report("L2", minute(2), minute(2)).await.unwrap().fault;
        let third = f.report("L3", minute(6), minute(6)).await.unwrap().fault;
        let cause = f.fault(third, minute(7)).await.cause.unwrap();
        assert_eq!((cause.id, cause.lines), (first.to_string(), 3));
        assert_eq!(cause.children, [first, second, third].map(|id| id.to_string()));
        let node = f.node(minute(7)).await.unwrap();
        assert_eq!((node.causes.len(), node.faults.len()), (1, 3));
        for at in [70, 100, 130] {
            while f.engine(minute(at)).await.due > 0 {}
        }
        let restoration = f.alerts_of("restoration").await;
        let expected = ["warn_50", "warn_80", "missed"]
            .map(|mark| format!("{first}/restoration/first/{mark}/0/email/a@example.com"));
        assert_eq!(restoration, expected, "three lines, one manager, one chain of alerts");
        let feedback = f.alerts_of("feedback").await;
        let of =
            |customer: &str| feedback.iter().filter(|key| key.contains(&format!("/{customer}/"))).count();
        assert_eq!((of("bank"), of("mill")), (1, 1), "{feedback:#?}");
        let clocks = "SELECT COUNT(*) FROM deadline WHERE kind = 'restoration' AND state = 'missed'";
        assert_eq!(int(&f.db, clocks).await.unwrap(), 3, "every line keeps its own clock");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_word_is_given_to_all_customers_of_the_cause() {
    both(|db| async move {
        let f = on_one_node(db).await;
        let first = f.report("L1", minute(0), minute(0)).await.unwrap().fault;
        let second = f.report("L2", minute(2), minute(2)).await.unwrap().fault;
        f.report("L3", minute(4), minute(4)).await.unwrap();
        let told = f.tell_all(word(20)).await.unwrap();
        assert_eq!((told.told.len(), told.left_out.len()), (3, 0));
        for id in [first, second] {
            let fault = f.fault(id, minute(21)).await;
            let fact = fault.facts.last().unwrap();
            assert_eq!(
                (fact.kind.as_str(), &fact.fields["note"]),
                ("feedback", &"a card is being replaced".into())
            );
            assert_eq!(fault.fault.feedback.unwrap().due_at, minute(50).to_rfc3339());
        }
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fact WHERE kind = 'feedback'").await.unwrap(), 3);
        // Who is restored and was told is left alone.
        f.step(first, StepKind::Restored, minute(30), minute(30)).await.unwrap();
        f.step(first, StepKind::Feedback { reached: true }, minute(31), minute(31)).await.unwrap();
        let told = f.tell_all(word(40)).await.unwrap();
        assert_eq!((told.told.len(), told.left_out[0].fault.as_str()), (2, first.to_string().as_str()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_fault_or_two_far_apart_have_no_common_cause() {
    both(|db| async move {
        let f = on_one_node(db).await;
        let lone = f.report("L1", minute(0), minute(0)).await.unwrap().fault;
        let later = f.report("L2", minute(6), minute(6)).await.unwrap().fault;
        for id in [lone, later] {
            assert!(f.fault(id, minute(7)).await.cause.is_none());
        }
        assert!(f.node(minute(7)).await.unwrap().causes.is_empty());
        let nothing = f.tell_all(word(8)).await.unwrap_err();
        assert!(matches!(nothing, DeskError::Impossible { .. }), "{nothing}");
        let nowhere = f.tell_all(BulkFeedback { node: "node-9".to_owned(), ..word(8) }).await.unwrap_err();
        assert!(matches!(nowhere, DeskError::NoUpstream(_)), "{nowhere}");
        assert_eq!(int(&f.db, "SELECT COUNT(*) FROM fact WHERE kind = 'feedback'").await.unwrap(), 0);
    })
    .await;
}
