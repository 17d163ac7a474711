//! Each shipped pack's story, told through the API of a real server, with limits of seconds: it ends as the rulebook
//! says.

mod desk;
mod gov_enterprise;
mod group_line;
mod key_account;
mod power_distribution;
mod quick;
mod service_desk;
