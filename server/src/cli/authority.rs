//! The authority that agents trust, and how it is replaced without touching each laptop.

use clap::Subcommand;

use super::admin::table;
use super::{Desk, out};
use crate::app::authorities;
use crate::app::users::COMMAND;

#[derive(Debug, Subcommand)]
pub(super) enum AuthorityCommand {
    /// List the authorities that are trusted, and how many agents have followed.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make the next authority: agents hear of it with their next contact, and trust both from then on.
    Rotate,
    /// Let the next authority sign agents' certificates; they get new ones with their next contact. Nobody is cut off.
    Switch,
    /// Trust the authority before no more. Refused while that would cut an agent off.
    Retire {
        /// Cut off whoever has not followed; these have to be enrolled again.
        #[arg(long)]
        force: bool,
    },
}

pub(super) async fn authority(desk: &Desk, command: AuthorityCommand) -> anyhow::Result<()> {
    let ours = desk.authorities()?;
    match command {
        AuthorityCommand::List { json } => {
            let all = authorities::list(&desk.db, &ours).await?;
            if json {
                return out::json(&all);
            }
            let rows = all.into_iter().map(|one| {
                let does = match (one.shown, one.issuing) {
                    (true, true) => "in use",
                    (true, false) => "shown",
                    (false, true) => "signs for agents",
                    (false, false) => "next",
                };
                let ends_at = one.ends_at.unwrap_or_default();
                let (trusted_by, certificates) = (one.trusted_by.to_string(), one.certificates.to_string());
                vec![one.fingerprint, does.into(), ends_at, trusted_by, certificates]
            });
            table(&["fingerprint", "", "until", "agents that trust it", "certificates"], rows);
        }
        AuthorityCommand::Rotate => {
            authorities::rotate(&desk.db, &ours, COMMAND, desk.now()).await?;
            out::line("made the next authority; agents hear of it with their next contact");
        }
        AuthorityCommand::Switch => {
            authorities::switch(&desk.db, &ours, COMMAND, desk.now()).await?;
            out::line(
                "the next authority signs for agents; they get new certificates with their next contact",
            );
        }
        AuthorityCommand::Retire { force } => {
            let cut_off = authorities::retire(&desk.db, &ours, force, COMMAND, desk.now()).await?;
            out::line("retired the authority before");
            if !cut_off.is_empty() {
                out::line(format_args!("cut off: {}", cut_off.join(", ")));
            }
        }
    }
    Ok(())
}
