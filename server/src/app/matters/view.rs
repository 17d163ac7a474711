//! Matters as people read them.

use linewatch_shared::matter::{Matter, MatterEvent, Signature, Standing, deadlines};
use linewatch_shared::rules::Label;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;
use serde::Serialize;
use uuid::Uuid;

use super::acceptance::AcceptanceView;
use super::alerts::label;
use crate::app::alerting::{self, view::AlertView};
use crate::app::desk::{Desk, DeskError};
use crate::db::{DbError, Tx};
use crate::store::matters::{self, StoredMatterFact, WantedMatters};

/// A matter with its promises, as of the reading.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MatterView {
    /// Its id.
    pub id: Uuid,
    /// `complaint`, `request`, `defect`, `promise`, `visit` or `patrol`.
    pub kind: &'static str,
    /// Its class, or the cadence that it is a round of.
    pub class: String,
    /// The class' name in both languages.
    #[schema(value_type = Option<Object>)]
    pub class_label: Option<Label>,
    /// The customer's code.
    pub customer: String,
    /// The line's code, where it is about one.
    pub line: Option<String>,
    /// The site, where it is about one.
    pub site: Option<String>,
    /// What it is about.
    pub title: String,
    /// `open`, `answered`, `resolved`, `closed`, `closed_unconfirmed` or `cancelled`.
    pub state: &'static str,
    /// Who answers for it.
    pub owner: String,
    /// Who took it in.
    pub first_receiver: String,
    /// The pack and its version.
    pub pack: String,
    /// The pack's version.
    pub pack_version: String,
    /// When it was opened.
    pub opened_at: String,
    /// When the work was done.
    pub resolved_at: Option<String>,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// The level of authority that it needs.
    pub level: u32,
    /// How often its promised time was put off.
    pub postponed: u32,
    /// Complaints that repeat it.
    pub repeats: Vec<Uuid>,
    /// Where it comes from.
    pub about: Option<Uuid>,
    /// The piece of equipment, where it is about one.
    pub equipment: Option<Uuid>,
    /// The permit to work that the work takes, where it takes one.
    pub permit: Option<String>,
    /// When work at the site began.
    pub begun_at: Option<String>,
    /// The reference under which a round's report is filed.
    pub report: Option<String>,
    /// When a round is planned for.
    pub planned_at: Option<String>,
    /// Who signed, of an acceptance.
    pub signatures: Vec<SignatureView>,
    /// How the acceptance stands, where it is one.
    pub acceptance: Option<AcceptanceView>,
    /// Points of the checklist that were found wrong.
    pub failed_points: Vec<String>,
    /// Whether it is out of the figures.
    pub exempted: bool,
    /// What was, and is, owed.
    pub deadlines: Vec<MatterDeadline>,
}

/// A signature under an acceptance.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct SignatureView {
    /// `ours` or `customer`.
    pub side: &'static str,
    /// Who.
    pub signer: String,
    /// When.
    pub at: String,
}

fn signatures(matter: &Matter) -> Vec<SignatureView> {
    let all = matter.acceptance.iter().flat_map(|accepting| &accepting.signatures);
    let view = |Signature { side, signer, at }: &Signature| SignatureView {
        side: side.name(),
        signer: signer.clone(),
        at: at.to_rfc3339(),
    };
    all.map(view).collect()
}

/// A promise of a matter.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MatterDeadline {
    /// `answer`, `routing`, `resolution`, `progress`, `callback`, `visit`, `patrol` or `review`.
    pub kind: &'static str,
    /// Which one of its kind.
    pub period: String,
    /// Since when.
    pub started_at: String,
    /// By when.
    pub due_at: String,
    /// `running`, `paused`, `met`, `missed` or `cancelled`.
    pub state: &'static str,
    /// When it was kept, in time or late.
    pub met_at: Option<String>,
    /// What is left (ms), while it is open.
    pub remaining_ms: Option<i64>,
    /// Earlier verdicts: `verdict`, the moment `at` which it speaks of, and when it was `learnt_at`.
    pub history: Vec<MatterVerdict>,
}

/// A verdict that once was.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MatterVerdict {
    /// The verdict.
    pub verdict: &'static str,
    /// The moment that it speaks of.
    pub at: String,
    /// When it was learnt.
    pub learnt_at: String,
}

/// A matter with all that happened.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MatterDetail {
    /// The matter.
    #[serde(flatten)]
    pub matter: MatterView,
    /// What happened, in order.
    pub facts: Vec<MatterFactView>,
    /// The kinds of step that fit now.
    pub possible: Vec<&'static str>,
    /// Its alerts, oldest first: who was told, and who has taken it.
    pub alerts: Vec<AlertView>,
}

/// Something that happened to a matter.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct MatterFactView {
    /// Its id.
    pub id: Uuid,
    /// `opened`, or the step's kind.
    pub kind: &'static str,
    /// When it happened.
    pub occurred_at: String,
    /// When it was learnt.
    pub recorded_at: String,
    /// Who wrote it down.
    pub by: String,
    /// Why it had no effect, where it had none.
    pub misfit: Option<String>,
    /// What it says.
    #[schema(value_type = Object)]
    pub detail: MatterEvent,
}

/// A matter as of a moment.
#[must_use]
pub fn view(versions: &[PackVersion], standing: &Standing, now: UnixMs) -> MatterView {
    let Matter { pack: (pack, version), .. } = &standing.matter;
    let known = versions.iter().find(|known| known.pack.name == *pack && known.pack.version == *version);
    let matter = standing.matter.clone();
    MatterView {
        id: matter.id,
        kind: matter.kind.name(),
        class_label: known.and_then(|known| label(&known.pack, &matter)),
        state: matter.state.name(),
        pack: pack.clone(),
        pack_version: version.clone(),
        opened_at: matter.opened_at.to_rfc3339(),
        resolved_at: matter.resolved_at.map(UnixMs::to_rfc3339),
        closed_at: matter.closed_at.map(UnixMs::to_rfc3339),
        planned_at: matter.planned_at.map(UnixMs::to_rfc3339),
        exempted: matter.exemption.is_some(),
        deadlines: promises(standing, now),
        signatures: signatures(&matter),
        acceptance: AcceptanceView::of(&matter, now),
        class: matter.class,
        customer: matter.customer,
        line: matter.line,
        site: matter.site,
        title: matter.title,
        owner: matter.owner,
        first_receiver: matter.first_receiver,
        level: matter.level,
        postponed: matter.postponed,
        repeats: matter.repeats,
        about: matter.about,
        equipment: matter.equipment,
        permit: matter.permit,
        begun_at: matter.begun_at.map(UnixMs::to_rfc3339),
        report: matter.papers.report,
        failed_points: matter.failed_points,
    }
}

fn promises(standing: &Standing, now: UnixMs) -> Vec<MatterDeadline> {
    let list = deadlines(&standing.matter, now);
    list.iter()
        .map(|deadline| {
            let status = deadline.status(now);
            let entry = standing.ledger.entry(deadline.kind, deadline.period);
            let history = entry.map(|entry| entry.history.as_slice()).unwrap_or_default();
            MatterDeadline {
                kind: deadline.kind.name(),
                period: deadline.period.to_string(),
                started_at: deadline.started_at.to_rfc3339(),
                due_at: deadline.due_at.to_rfc3339(),
                state: status.name(),
                met_at: status.met_at().map(UnixMs::to_rfc3339),
                remaining_ms: status.is_open().then(|| deadline.remaining_ms(now)),
                history: history
                    .iter()
                    .map(|past| MatterVerdict {
                        verdict: past.verdict.name(),
                        at: past.at.to_rfc3339(),
                        learnt_at: past.learnt_at.to_rfc3339(),
                    })
                    .collect(),
            }
        })
        .collect()
}

/// One matter with all that happened.
///
/// # Errors
/// When there is none.
pub fn detail(desk: &Desk, tx: &mut Tx<'_>, id: Uuid, now: UnixMs) -> Result<MatterDetail, DeskError> {
    let standing = matters::one(tx, id)?.ok_or(DeskError::NoMatter(id))?;
    let mut stored = matters::facts(tx, id)?;
    stored.sort_by_key(|stored| stored.fact.fold_order());
    let fact = |stored: StoredMatterFact| MatterFactView {
        id: stored.fact.id,
        kind: stored.fact.event.name(),
        occurred_at: stored.fact.occurred_at.to_rfc3339(),
        recorded_at: stored.recorded_at.to_rfc3339(),
        by: stored.by,
        misfit: standing.matter.misfit(stored.fact.id).map(str::to_owned),
        detail: stored.fact.event,
    };
    let facts = stored.into_iter().map(fact).collect();
    let versions = desk.packs.versions(tx)?;
    let possible = standing.matter.possible(now);
    let alerts = alerting::view::of_subject(tx, id, true, now)?;
    Ok(MatterDetail { matter: view(&versions, &standing, now), facts, possible, alerts })
}

/// A matter with its place in the list: when it was opened, and its id.
pub type Placed = ((i64, Uuid), MatterView);

/// A page of matters, the newest first.
///
/// # Errors
/// The database's.
pub fn list(
    desk: &Desk,
    tx: &mut Tx<'_>,
    wanted: &WantedMatters,
    limit: i64,
    now: UnixMs,
) -> Result<Vec<Placed>, DbError> {
    let versions = desk.packs.versions(tx)?;
    let found = matters::list(tx, wanted, limit)?;
    let place = |standing: &Standing| (standing.matter.opened_at.0, standing.matter.id);
    Ok(found.iter().map(|standing| (place(standing), view(&versions, standing, now))).collect())
}
