//! The command line. Exit codes: 0 done, 1 refused or failed (one clear line on standard error), 2
//! wrong usage.

mod admin;
mod admission;
mod agreement;
mod alert;
mod assessment;
mod audit;
mod authority;
mod calls;
mod check;
mod contractor;
mod customer;
mod out;
mod papers;
mod report;
mod serve;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use linewatch_shared::time::{Clock, UnixMs};

use crate::app::AppError;
use crate::app::packs::{self, PackSet};
use crate::auth::{Role, TokenScope};
use crate::boot::make_data_dir;
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::db::Db;
use crate::tls::Authorities;

/// Tracks restoration deadlines, feedback and callbacks owed, and alerts account managers.
#[derive(Debug, Parser)]
#[command(name = "linewatch-server", version, propagate_version = true)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = "/etc/linewatch/server.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until it is asked to end (SIGTERM or Ctrl-C).
    Serve,
    /// Check the configuration and the packs; list every mistake.
    Check {
        /// A pack that is not in force: say which open promises it would move, and from when to when.
        #[arg(long, value_name = "FILE")]
        preview: Option<PathBuf>,
        /// Print the preview as JSON.
        #[arg(long, requires = "preview")]
        json: bool,
    },
    /// Import customers, lines, sites or equipment from a CSV or XLSX file: all of it, or nothing.
    Import {
        /// The file: UTF-8 CSV or a workbook's first sheet, with a header line.
        file: PathBuf,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Export customers, lines, sites or equipment to a file that `import` takes.
    Export {
        /// What: customers, lines, sites or equipment.
        #[arg(value_parser = crate::app::export::parse_what)]
        what: crate::app::import::Kind,
        /// The new file; `.xlsx` makes a workbook, anything else UTF-8 CSV.
        file: PathBuf,
    },
    /// Import the telephone system's export: how many calls were answered, and how soon.
    Calls(calls::CallsArgs),
    /// Users: who may sign in.
    #[command(subcommand)]
    User(UserCommand),
    /// Customers: the end of their service, and erasure.
    #[command(subcommand)]
    Customer(customer::CustomerCommand),
    /// Admission: which new customers wait for a superior's decision, and the decision.
    #[command(subcommand)]
    Admission(admission::AdmissionCommand),
    /// Agreements of confidentiality: who may see contact data.
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    /// Alerts: the desk's own words for them, and what they come to.
    #[command(subcommand)]
    Alert(alert::AlertCommand),
    /// Agents: who may sync.
    #[command(subcommand)]
    Agent(AgentCommand),
    /// The audit trail: whether it is whole, and what leaves of it.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The authority that agents trust, and its rotation.
    #[command(subcommand)]
    Authority(authority::AuthorityCommand),
    /// Contractors: companies that maintain for us.
    #[command(subcommand)]
    Contractor(contractor::ContractorCommand),
    /// Copy the embedded database, while it is in use, to a new file, and check the copy.
    Backup {
        /// The new file.
        file: PathBuf,
        /// Check a copy that is there already, from end to end, instead of making one.
        #[arg(long)]
        verify: bool,
    },
    /// Report the figures of a month, quarter or year.
    Report(report::ReportArgs),
    /// The papers of the monthly service-quality meeting.
    Papers(papers::PapersArgs),
    /// Assess the service of a year: what its figures leave of the fee.
    Assessment(assessment::AssessmentArgs),
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add a user; the password is read from standard input.
    Add {
        /// The name to sign in with.
        name: String,
        /// noc, manager, technician or admin.
        #[arg(long, value_parser = parse_role)]
        role: Role,
        /// Of a technician: the contractor, whose lines and matters are all that is shown.
        #[arg(long, value_name = "CODE")]
        contractor: Option<String>,
    },
    /// List the users.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print a new API token for a user, and nothing else.
    Token {
        /// The user.
        name: String,
        /// read, or write: everything that the user's role may do.
        #[arg(long, value_parser = parse_scope, default_value = "write")]
        scope: TokenScope,
        /// For how long it is valid, such as 30d; at most 366d.
        #[arg(long, value_name = "TIME", value_parser = parse_lasts, default_value = "90d")]
        expires: i64,
        /// What it is for, in a word.
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List a user's API tokens: what they are called, what for, until when, last used on which day.
    Tokens {
        /// The user.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke one of a user's API tokens.
    RevokeToken {
        /// The user.
        name: String,
        /// What `user tokens` calls it.
        id: String,
    },
    /// Sign a user out everywhere, screens on the wall too; API tokens stay.
    SignOut {
        /// The user.
        name: String,
    },
    /// Take a user's second factor away, for somebody who lost it; sessions end.
    ResetSecondFactor {
        /// The user.
        name: String,
    },
    /// Let a user sign in by single sign-on: says whose the identity with this subject is, at the provider of [auth.oidc].
    Link {
        /// The user.
        name: String,
        /// What the provider never calls anybody else: the claim `sub`.
        subject: String,
    },
    /// Take a user's identity of single sign-on away; sessions end.
    Unlink {
        /// The user.
        name: String,
    },
    /// Show, or change, what a user sees beside the customers of the own tasks and laptops. What is given replaces what was
    /// given before. One of the monitoring centre who was given regions or customers sees those alone.
    Scope {
        /// The user.
        name: String,
        /// Every customer of this region; may be given several times.
        #[arg(long, value_name = "REGION")]
        region: Vec<String>,
        /// The customer with this code; may be given several times.
        #[arg(long, value_name = "CODE")]
        customer: Vec<String>,
        /// The name under which customers have the user as manager or deputy; may be given several times.
        #[arg(long, value_name = "NAME")]
        person: Vec<String>,
        /// Take away all that was given.
        #[arg(long, conflicts_with_all = ["region", "customer", "person"])]
        none: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End a user's access: sign-ins, sessions and tokens.
    Disable {
        /// The user.
        name: String,
    },
    /// Give a user a new password, read from standard input; sessions and tokens end.
    Reset {
        /// The user.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum AgentCommand {
    /// Print an enrolment token for an agent, and nothing else: valid once, for 24 hours.
    Token {
        /// The agent's name; it need not be known yet.
        name: String,
    },
    /// List the agents.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Keep an agent out.
    Revoke {
        /// The agent.
        name: String,
    },
    /// End the quarantine of an agent of which there were two, and take in what was kept aside.
    Release {
        /// The agent.
        name: String,
        /// Leave what was kept aside where it is, for good.
        #[arg(long)]
        discard: bool,
    },
    /// Show, or change, which customers an agent sees beside its own lines: a laptop in the field.
    Customers {
        /// The agent.
        name: String,
        /// Show it this customer too; may be given several times.
        #[arg(long, value_name = "CODE")]
        add: Vec<String>,
        /// Show it this customer no more; may be given several times.
        #[arg(long, value_name = "CODE")]
        remove: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show, or change, who may sign in on an agent's own page.
    People {
        /// The agent.
        name: String,
        /// Let this user in too; may be given several times.
        #[arg(long, value_name = "USER")]
        add: Vec<String>,
        /// Let this user in no more; may be given several times.
        #[arg(long, value_name = "USER")]
        remove: Vec<String>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

fn parse_scope(text: &str) -> Result<TokenScope, String> {
    TokenScope::parse(text).ok_or_else(|| "read or write".to_owned())
}

fn parse_lasts(text: &str) -> Result<i64, String> {
    linewatch_shared::rules::parse_duration(text).map_err(|e| e.to_string())
}

fn parse_role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "one of noc, manager, technician, admin".to_owned())
}

/// Runs the command line of this process.
pub async fn run() -> ExitCode {
    // Prints usage and leaves with 2 by itself.
    let cli = Cli::parse();
    match dispatch(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            for line in describe(&e).lines() {
                out::error(line);
            }
            ExitCode::from(1)
        }
    }
}

/// Causes, joined on one line; several mistakes stay several lines.
fn describe(e: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in e.chain() {
        let text = cause.to_string();
        // Transparent errors say the same as their source.
        if !parts.last().is_some_and(|last| last.contains(&text)) {
            parts.push(text);
        }
    }
    parts.join(": ")
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    if matches!(cli.command, Command::Version) {
        out::line(format_args!("linewatch-server {}", env!("CARGO_PKG_VERSION")));
        return Ok(());
    }
    if let Command::Check { preview, json } = cli.command {
        check::check(&cli.config, preview.is_none(), SystemClock::start().now())?;
        return match preview {
            Some(file) => check::preview(&cli.config, &file, json).await,
            None => Ok(()),
        };
    }
    if let Command::Backup { file, verify: true } = &cli.command {
        return admin::verify(file);
    }
    let settings = Settings::load(&cli.config).map_err(AppError::Mistakes)?;
    if matches!(cli.command, Command::Serve) {
        return serve::run(settings).await;
    }
    let desk = Desk::open(settings).await?;
    match cli.command {
        Command::Import { file, dry_run, json } => admin::import(&desk, &file, dry_run, json).await,
        Command::Export { what, file } => admin::export(&desk, what, &file).await,
        Command::User(command) => user::run(&desk, command).await,
        Command::Customer(command) => customer::run(&desk, command).await,
        Command::Admission(command) => admission::run(&desk, command).await,
        Command::Agreement(command) => agreement::run(&desk, command).await,
        Command::Alert(command) => alert::run(&desk, command).await,
        Command::Agent(command) => admin::agent(&desk, command).await,
        Command::Audit(command) => audit::run(&desk, command).await,
        Command::Authority(command) => authority::authority(&desk, command).await,
        Command::Contractor(command) => contractor::run(&desk, command).await,
        Command::Backup { file, .. } => admin::backup(&desk, file).await,
        Command::Calls(args) => calls::run(&desk, args).await,
        Command::Report(args) => report::run(&desk, args).await,
        Command::Papers(args) => papers::run(&desk, args).await,
        Command::Assessment(args) => assessment::run(&desk, args).await,
        Command::Serve | Command::Check { .. } | Command::Version => Ok(()),
    }
}

/// What every command works with: the database, migrated, and the packs, read and stored.
struct Desk {
    settings: Settings,
    db: Db,
    packs: Arc<PackSet>,
    clock: SystemClock,
}

impl Desk {
    async fn open(settings: Settings) -> anyhow::Result<Self> {
        make_data_dir(&settings)?;
        let clock = SystemClock::start();
        let packs = PackSet::load(settings.packs_dir.as_deref()).map_err(AppError::Mistakes)?;
        let packs = Arc::new(packs);
        let db = Db::open(&settings.db_url, clock.now().0).await?;
        packs::store(&db, &packs, clock.now().0).await?;
        Ok(Self { settings, db, packs, clock })
    }

    fn now(&self) -> UnixMs {
        self.clock.now()
    }

    fn authorities(&self) -> anyhow::Result<Authorities> {
        Ok(Authorities::load_or_create(&self.settings.data_dir.join("tls"), self.now())?)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
