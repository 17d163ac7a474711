//! `linewatch-server contractor`: companies that maintain for us.

use clap::Subcommand;

use super::admin::table;
use super::report::WHO;
use super::{Desk, out};
use crate::app::contractors::{self, Said};
use crate::app::desk::DeskError;
use crate::db::{DbError, Priority};
use crate::store;
use crate::store::packs::PackCache;

/// Contractors read from the database at a time.
const AT_ONCE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum ContractorCommand {
    /// Add a contractor, or change one: what is left out stays as it is.
    Add {
        /// The code, as in the column `contractor` of customers and lines.
        code: String,
        /// The name.
        #[arg(long)]
        name: Option<String>,
        /// The contract's first day, such as 2026-01-01.
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// The contract's last day; its technicians cannot sign in after it. Empty: no end is agreed.
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        /// The pack whose assessment applies.
        #[arg(long)]
        pack: Option<String>,
        /// The part of the fee that hangs on the assessment, such as 8%. Empty: the pack's.
        #[arg(long, value_name = "PERCENT")]
        fee_part: Option<String>,
        /// Whom to call.
        #[arg(long, value_name = "NAME")]
        contact_name: Option<String>,
        /// Where.
        #[arg(long, value_name = "NUMBER")]
        contact_phone: Option<String>,
    },
    /// List the contractors.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(super) async fn run(desk: &Desk, command: ContractorCommand) -> anyhow::Result<()> {
    match command {
        ContractorCommand::Add { code, name, from, until, pack, fee_part, contact_name, contact_phone } => {
            let said = Said {
                code,
                name,
                contract_from: from,
                contract_until: until,
                contact_name,
                contact_phone,
                pack,
                fee_part,
            };
            add(desk, said).await
        }
        ContractorCommand::List { json } => list(desk, json).await,
    }
}

async fn add(desk: &Desk, said: Said) -> anyhow::Result<()> {
    let (now, packs) = (desk.now(), PackCache::default());
    let code = said.code.clone();
    let put: Result<_, DeskError> =
        desk.db.write(Priority::Api, move |tx| contractors::put(&packs, tx, &said, WHO, now)).await;
    let (_, new) = put?;
    out::line(format_args!("{} {code}", if new { "added" } else { "changed" }));
    Ok(())
}

async fn list(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let mut all: Vec<store::contractors::Contractor> = Vec::new();
    loop {
        let after = all.last().map(|contractor| contractor.code.clone()).unwrap_or_default();
        let page: Result<Vec<_>, DbError> =
            desk.db.read(move |tx| store::contractors::list(tx, &after, AT_ONCE)).await;
        let page = page?;
        let more = page.len() as i64 == AT_ONCE;
        all.extend(page);
        if !more {
            break;
        }
    }
    if json {
        let shown = all.iter().map(|contractor| {
            serde_json::json!({
                "code": contractor.code, "name": contractor.name, "contract_from": contractor.contract_from,
                "contract_until": contractor.contract_until, "pack": contractor.pack,
                "fee_part_ppm": contractor.fee_part_ppm,
            })
        });
        return out::json(&shown.collect::<Vec<_>>());
    }
    let rows = all.into_iter().map(|contractor| {
        let until = contractor.contract_until.unwrap_or_default();
        vec![contractor.code, contractor.name, contractor.contract_from, until, contractor.pack]
    });
    table(&["code", "name", "from", "until", "pack"], rows);
    Ok(())
}
