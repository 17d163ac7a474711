//! What the server is to watch, written into its own tables: a proxy, hosts behind it, items into which values are handed.

use anyhow::{Context, Result};

use super::{ITEMS, Programs};
use crate::harness::{Cluster, run};

/// The name of the database in the cluster.
pub(super) const DATABASE: &str = "zabbix";
/// The name of the proxy.
pub(super) const PROXY: &str = "bench-proxy";
/// The item of the first host that shows whether the proxy knows its items.
pub(super) const READY: &str = "ready";
/// What the server does not start without; the shipped templates, which nothing here uses, take a minute.
const BASICS: [&str; 6] = ["role", "usrgrp", "users", "users_groups", "hstgrp", "config"];
/// Far above what comes with it.
const FIRST_ID: usize = 1_000_000;

/// The name of the `n`th line's host.
pub(super) fn host(line: usize) -> String {
    format!("LINE-{line:06}")
}

/// The number of an item of a line.
pub(super) const fn item_id(line: usize, item: usize) -> usize {
    FIRST_ID + line * ITEMS.len() + item
}

/// Makes the database, as the package's manual says, and fills it.
pub(super) fn make(cluster: &Cluster, programs: &Programs, lines: usize) -> Result<()> {
    cluster.sql("postgres", &format!("CREATE DATABASE {DATABASE}"))?;
    cluster.sql(DATABASE, &unpacked(programs, "schema.sql.gz")?)?;
    let data = unpacked(programs, "data.sql.gz")?;
    let basics = data.lines().filter(|line| {
        let table = line.strip_prefix("INSERT INTO ").and_then(|rest| rest.split(' ').next());
        table.is_some_and(|table| BASICS.contains(&table))
    });
    let basics: Vec<_> = basics.collect();
    cluster.sql(DATABASE, &basics.join("\n"))?;
    cluster.sql(DATABASE, &watched(lines))
}

fn unpacked(programs: &Programs, name: &str) -> Result<String> {
    let file = programs.sql(name);
    run("zcat".as_ref(), &[file.as_os_str()], "")?.ok().with_context(|| file.display().to_string())
}

/// 5: an active proxy; 2: values are handed in; 3: whole numbers.
fn watched(lines: usize) -> String {
    let items = ITEMS.len();
    let keys = ITEMS.map(|key| format!("'{key}'")).join(", ");
    let ready = item_id(lines, 0);
    let last_line = lines - 1;
    format!(
        "INSERT INTO hosts (hostid, host, name, status) VALUES ({FIRST_ID} - 1, '{PROXY}', '{PROXY}', 5);
         INSERT INTO hosts (hostid, proxy_hostid, host, name, status)
             SELECT {FIRST_ID} + n, {FIRST_ID} - 1, 'LINE-' || LPAD(n::text, 6, '0'), 'LINE-' || LPAD(n::text, 6, '0'), 0
             FROM GENERATE_SERIES(0, {last_line}) AS n;
         INSERT INTO items (itemid, type, hostid, name, key_, value_type)
             SELECT {FIRST_ID} + n * {items} + i, 2, {FIRST_ID} + n, (ARRAY[{keys}])[i + 1], (ARRAY[{keys}])[i + 1], 3
             FROM GENERATE_SERIES(0, {last_line}) AS n, GENERATE_SERIES(0, {items} - 1) AS i;
         INSERT INTO items (itemid, type, hostid, name, key_, value_type)
             VALUES ({ready}, 2, {FIRST_ID}, '{READY}', '{READY}', 3);
         INSERT INTO item_rtdata (itemid) SELECT itemid FROM items;
         ANALYZE"
    )
}
