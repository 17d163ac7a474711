//! Complaints and visits in the figures of a month, on both databases.

use linewatch_shared::matter::{MatterStep, Opening};
use linewatch_shared::rules::MatterKind;

use super::*;
use crate::app::matters::open::{NewMatter, open};
use crate::app::matters::step::{NewMatterStep, step as matter_step};

impl Sample {
    async fn complaint(&self, customer: &str, class: &str, opened_at: UnixMs) -> Uuid {
        let opening = Opening {
            kind: MatterKind::Complaint,
            class: class.to_owned(),
            customer: customer.to_owned(),
            line: None,
            site: None,
            title: "sample complaint".to_owned(),
            description: String::new(),
            reporter: "sample caller".to_owned(),
            owner: String::new(),
            first_receiver: "noc".to_owned(),
            unit: None,
            wanted_by: None,
            about: None,
            equipment: None,
        };
        let new = NewMatter { id: Uuid::now_v7(), opening, pack: None, opened_at, by: "noc".to_owned() };
        let desk = self.desk.clone();
        let opened = self.db.write(Priority::Api, move |tx| open(&desk, tx, &new, opened_at)).await;
        opened.map_err(|e: DeskError| e.to_string()).unwrap().id
    }

    async fn matter_step(&self, matter: Uuid, at: UnixMs, step: MatterStep, learnt_at: UnixMs) {
        let new = NewMatterStep {
            id: Uuid::now_v7(),
            matter,
            step,
            promises: Vec::new(),
            occurred_at: at,
            by: "noc".to_owned(),
        };
        let desk = self.desk.clone();
        let taken = self.db.write(Priority::Api, move |tx| matter_step(&desk, tx, &new, learnt_at)).await;
        taken.map_err(|e: DeskError| e.to_string()).unwrap();
    }
}

fn resolved() -> MatterStep {
    serde_json::from_value(serde_json::json!({ "resolved": { "how": "done" } })).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn complaints_are_counted_by_class_and_open_to_their_rows() {
    both(|db| async move {
        let sample = Sample::new(db).await;
        sample.march().await;
        // Answered and resolved in time.
        let kept = sample.complaint("bank", "minor", at(0)).await;
        sample.matter_step(kept, at(10), MatterStep::Answered, at(10)).await;
        sample.matter_step(kept, at(120), resolved(), at(120)).await;
        // Answered late, never resolved.
        let missed = sample.complaint("mill", "minor", at(0)).await;
        sample.matter_step(missed, at(60), MatterStep::Answered, at(60)).await;
        let made = sample.report(MARCH, APRIL).await.unwrap();
        let total = |figure| made.report.total.get(figure);
        assert_eq!((total(Figure::Matters), total(Figure::Complaints), total(Figure::VisitsDone)), (2, 2, 0));
        assert_eq!((total(Figure::MatterAnswerKept), total(Figure::MatterAnswerMissed)), (1, 1));
        assert_eq!((total(Figure::ResolutionKept), total(Figure::ResolutionMissed)), (1, 1));
        // The faults' figures are what they were.
        assert_eq!((total(Figure::Faults), total(Figure::Missed)), (2, 14));
        let classes = made.report.of(Group::Class);
        assert_eq!(classes.len(), 1);
        assert_eq!((classes[0].key.as_str(), classes[0].label.en.as_str()), ("service-desk/minor", "Minor"));
        assert!(made.report.of(Group::Tier).iter().all(|entry| entry.figures.get(Figure::Matters) == 0));
        let packs = Arc::clone(&sample.desk.packs);
        let rows = move |tx: &mut crate::db::Tx<'_>| {
            let book = book(&packs, tx, (MARCH, super::RULES), APRIL)?;
            let asked = Asked {
                figure: Figure::ResolutionMissed,
                group: Some((Group::Class, "service-desk/minor".to_owned())),
            };
            rows::matters(tx, &book, &asked, None, 9)
        };
        let rows: Vec<_> = sample.db.read(rows).await.unwrap().into_iter().map(|(_, row)| row).collect();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].matter.clone(), rows[0].customer.as_str()), (Some(missed.to_string()), "mill"));
        // Resolved in time after all, as is learnt in May.
        let learnt_at = APRIL + 30 * 24 * HOUR_MS;
        sample.matter_step(missed, at(200), resolved(), learnt_at).await;
        let changed = sample.report(MARCH, learnt_at + HOUR_MS).await.unwrap();
        let version = changed.versions.last().unwrap();
        let change = version.changes.iter().find(|c| c.group == "customer" && c.figure == "resolution_kept");
        let change = change.unwrap();
        assert_eq!((change.key.as_str(), change.before, change.after), ("mill", 0, 1));
        assert_eq!(change.learnt_at, Some(learnt_at.to_rfc3339()));
    })
    .await;
}
