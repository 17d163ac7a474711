//! A desk that has been at work for two years, made in a minute or two. A thousand faults live their lives through the
//! server's own use cases; the rows that it wrote of them are then copied, each copy further back in time and on other lines.
//! The faults that are open, and all that is due, it finds itself again.

mod copies;
mod desk;
mod moved;

use std::path::Path;

use anyhow::{Result, ensure};
use linewatch_shared::time::{DAY_MS, UnixMs};

pub use desk::{ClosedDesk, LargeDesk};

/// Lines whose faults are lived and not copied.
const LIVED: usize = 1_000;
/// Over which the faults are spread.
const SPAN_MS: i64 = 730 * DAY_MS;
/// Lines of one customer, of one node, and of one agent.
const LINES_OF_CUSTOMER: usize = 20;
const LINES_OF_AGENT: usize = 10;

/// How large a desk is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Lines: thousands of them.
    pub lines: usize,
    /// Faults of each, over two years and over now.
    pub faults_of_line: usize,
}

impl Size {
    /// How many faults are over.
    #[must_use]
    pub const fn faults(self) -> usize {
        self.lines * self.faults_of_line
    }
}

/// The code of a line.
#[must_use]
pub fn line(n: usize) -> String {
    format!("L-{n:06}")
}

/// The code of a customer.
#[must_use]
pub fn customer(n: usize) -> String {
    format!("C-{n:05}")
}

/// The name of an agent.
#[must_use]
pub fn agent(n: usize) -> String {
    format!("agent-{n:05}")
}

/// Customers and lines, for an import.
#[must_use]
pub fn tables(lines: usize) -> [String; 2] {
    let mut customers = vec!["code,name,tier,region,manager,contact_name,contact_phone".to_owned()];
    for n in 0..lines.div_ceil(LINES_OF_CUSTOMER) {
        // What is copied from a customer has its tier: a thousand lines further on it is the same.
        let tier = ["AAA", "AA", "A", "standard", "standard"][n % 5];
        let region = ["东区", "南区", "西区", "北区", "中区"][n % 5];
        customers.push(format!(
            "{},示例客户 (sample) {n},{tier},{region},manager-{},sample desk,000",
            customer(n),
            n / 5
        ));
    }
    let of_line = |n: usize| {
        let (owner, agent) = (customer(n / LINES_OF_CUSTOMER), agent(n / LINES_OF_AGENT));
        format!("{},{owner},hall {n},internet,{agent},N-{:05}", line(n), n / LINES_OF_CUSTOMER)
    };
    let head = "code,customer,site,service,agent,upstream".to_owned();
    [
        customers.join("\n"),
        std::iter::once(head).chain((0..lines).map(of_line)).collect::<Vec<_>>().join("\n"),
    ]
}

/// Makes one at `path`, where there is no database yet, as of a moment.
///
/// # Errors
/// When the server refuses anything.
pub async fn make(path: &Path, size: Size, now: UnixMs) -> Result<LargeDesk> {
    ensure!(size.lines.is_multiple_of(LIVED), "{} lines are not thousands", size.lines);
    let last_day = now - 2 * DAY_MS;
    let known_at = last_day - SPAN_MS - 30 * DAY_MS;
    let mut desk = LargeDesk::open(path, known_at).await?;
    for table in tables(size.lines) {
        desk.import(&table, known_at).await?;
    }
    desk.live(LIVED, last_day).await?;
    let closed = desk.close();
    copies::spread(path, size)?;
    let desk = closed.open().await?;
    desk.look_at_allowances(now).await?;
    Ok(desk)
}
