//! Who stands in for owners who are away: of each item the deputy of its customer, as with alerts.

use std::collections::BTreeMap;

use linewatch_shared::time::UnixMs;

use super::OwnersList;
use crate::db::{DbError, Tx};
use crate::store::people;

/// The most customers of one owner whose deputies are looked up.
const CUSTOMERS_MAX: i64 = 20_000;

/// Says of each owner who is away until when, and of each of that owner's items who stands in. What belongs to a customer of
/// somebody else's, or to one whose deputy is away too, stays with its owner alone.
pub(super) fn name_deputies(tx: &mut Tx<'_>, owners: &mut [OwnersList], now: UnixMs) -> Result<(), DbError> {
    let mut is_away: BTreeMap<String, bool> = BTreeMap::new();
    for list in owners.iter_mut().filter(|list| !list.owner.is_empty()) {
        let Some(until) = people::away_until(tx, &list.owner, now)? else { continue };
        list.away_until = Some(until.to_rfc3339());
        let deputies = people::deputies(tx, &list.owner, CUSTOMERS_MAX)?;
        for item in &mut list.items {
            let Some(deputy) = deputies.get(&item.customer) else { continue };
            if !is_away.contains_key(deputy) {
                is_away.insert(deputy.clone(), people::is_away(tx, deputy, now)?);
            }
            item.deputy = (is_away.get(deputy) == Some(&false)).then(|| deputy.clone());
        }
    }
    Ok(())
}
