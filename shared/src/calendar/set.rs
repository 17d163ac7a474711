//! The calendars at hand, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Calendar, ROUND_THE_CLOCK};
use crate::rules::Mistake;

/// The calendars that linewatch ships: file name and text.
const SHIPPED: &[(&str, &str)] = &[("cn.toml", include_str!("../../calendars/cn.toml"))];

/// Calendars by name; round the clock is always among them.
#[derive(Clone, Debug)]
pub struct Calendars {
    by_name: BTreeMap<String, Arc<Calendar>>,
}

impl Default for Calendars {
    fn default() -> Self {
        Self::shipped().clone()
    }
}

impl Calendars {
    /// The shipped ones.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static ALL: LazyLock<Calendars> = LazyLock::new(|| {
            let mut all = Calendars { by_name: BTreeMap::new() };
            all.by_name.insert(ROUND_THE_CLOCK.to_owned(), Arc::new(Calendar::round_the_clock()));
            for (file, text) in SHIPPED {
                // A test holds that none of them has a mistake.
                if let Ok(calendar) = Calendar::parse(text, file) {
                    all.by_name.insert(calendar.name().to_owned(), Arc::new(calendar));
                }
            }
            all
        });
        &ALL
    }

    /// Adds a calendar from a file, in the place of one of the same name.
    ///
    /// # Errors
    /// With every mistake of the file.
    pub fn add(&mut self, text: &str, file_name: &str) -> Result<(), Vec<Mistake>> {
        let calendar = Calendar::parse(text, file_name)?;
        self.by_name.insert(calendar.name().to_owned(), Arc::new(calendar));
        Ok(())
    }

    /// The calendar of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Calendar>> {
        self.by_name.get(name)
    }

    /// Their names, for messages.
    #[must_use]
    pub fn names(&self) -> String {
        self.by_name.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipped_calendars_are_right() {
        for (file, text) in SHIPPED {
            assert_eq!(format!("{}.toml", Calendar::parse(text, file).unwrap().name()), *file);
        }
        assert_eq!(Calendars::shipped().names(), "24x7, cn");
    }
}
