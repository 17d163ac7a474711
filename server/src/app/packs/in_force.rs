//! Which version of a pack holds at a moment. Versions that are in force no more stay stored for what began under
//! them; nothing new is ever looked for in those.

use std::collections::BTreeSet;
use std::sync::Arc;

use linewatch_shared::rules::Pack;
use linewatch_shared::sla::PackVersion;
use linewatch_shared::time::UnixMs;

/// The version of a pack that was in force at a moment; the first known one also holds backwards.
pub(in crate::app) fn in_force<'a>(
    versions: &'a [PackVersion],
    name: &str,
    at: UnixMs,
) -> Option<&'a Arc<Pack>> {
    let of_pack = || versions.iter().filter(|version| version.pack.name == name);
    of_pack()
        .filter(|version| version.valid_from <= at)
        .max_by_key(|version| version.valid_from)
        .or_else(|| of_pack().min_by_key(|version| version.valid_from))
        .map(|version| &version.pack)
}

/// Every pack in the version that was in force at a moment, in the order of their names.
pub(in crate::app) fn packs_in_force(versions: &[PackVersion], at: UnixMs) -> Vec<&Arc<Pack>> {
    let names: BTreeSet<&str> = versions.iter().map(|version| version.pack.name.as_str()).collect();
    names.into_iter().filter_map(|name| in_force(versions, name, at)).collect()
}

/// The same with the pack of that name before the others.
pub(in crate::app) fn packs_in_force_from<'a>(
    versions: &'a [PackVersion],
    first: &str,
    at: UnixMs,
) -> Vec<&'a Arc<Pack>> {
    let mut packs = packs_in_force(versions, at);
    packs.sort_by_key(|pack| pack.name != first);
    packs
}
