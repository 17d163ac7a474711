//! Who a receiver is at a moment: people and their addresses, looked up once in a transaction.

use std::collections::BTreeMap;

use linewatch_shared::rules::Receiver;
use linewatch_shared::time::UnixMs;

use super::About;
use crate::app::desk::Desk;
use crate::db::{DbError, Tx};
use crate::store::people::{self, Addressee};
use crate::store::rota;

/// The most people whose address is looked up.
const ADDRESSES_MAX: i64 = 20_000;

/// What was looked up.
#[derive(Debug, Default)]
pub(super) struct Receivers {
    on_duty: Option<Vec<Addressee>>,
    managers: BTreeMap<String, Addressee>,
    addresses: Option<BTreeMap<String, String>>,
}

impl Receivers {
    /// The customer's account manager, or the deputy while he is away.
    pub(super) fn manager(
        &mut self,
        tx: &mut Tx<'_>,
        customer: &str,
        now: UnixMs,
    ) -> Result<Addressee, DbError> {
        if let Some(known) = self.managers.get(customer) {
            return Ok(known.clone());
        }
        let found = people::addressee(tx, customer, now)?;
        self.managers.insert(customer.to_owned(), found.clone());
        Ok(found)
    }

    fn on_duty(&mut self, tx: &mut Tx<'_>, now: UnixMs) -> Result<Vec<Addressee>, DbError> {
        if self.on_duty.is_none() {
            self.on_duty = Some(rota::on_duty(tx, now)?);
        }
        Ok(self.on_duty.clone().unwrap_or_default())
    }

    fn owner(&mut self, tx: &mut Tx<'_>, about: &About<'_>, now: UnixMs) -> Result<Addressee, DbError> {
        if about.owner.is_empty() {
            return self.manager(tx, about.customer, now);
        }
        if self.addresses.is_none() {
            self.addresses = Some(people::addresses(tx, ADDRESSES_MAX)?);
        }
        let email = self.addresses.as_ref().and_then(|known| known.get(about.owner)).cloned();
        match email {
            Some(email) => Ok(Addressee { name: about.owner.to_owned(), email }),
            None => self.manager(tx, about.customer, now),
        }
    }

    /// Everybody who is meant, each address once, as what it is named first. Only an account manager may be without an
    /// address: that nobody can be told must be seen.
    pub(super) fn of(
        &mut self,
        desk: &Desk,
        tx: &mut Tx<'_>,
        about: &About<'_>,
        wanted: &[Receiver],
        now: UnixMs,
    ) -> Result<Vec<(Receiver, Addressee)>, DbError> {
        let mut found: Vec<(Receiver, Addressee)> = Vec::new();
        let plain = |email: &String| Addressee { name: String::new(), email: email.clone() };
        for receiver in wanted {
            let people = match receiver {
                Receiver::Manager => vec![self.manager(tx, about.customer, now)?],
                Receiver::Owner => vec![self.owner(tx, about, now)?],
                Receiver::Duty => self.on_duty(tx, now)?,
                Receiver::Supervisor => desk.supervisors.iter().map(plain).collect(),
                Receiver::Noc => {
                    Some(&desk.noc_email).filter(|email| !email.is_empty()).map(plain).into_iter().collect()
                }
            };
            for person in people {
                if !found.iter().any(|(_, known)| known.email == person.email) {
                    found.push((*receiver, person));
                }
            }
        }
        Ok(found)
    }
}
