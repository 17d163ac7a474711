//! For how long a line served whom under which rules: what its time with service is held against.

use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use linewatch_shared::time::UnixMs;

use crate::store::acceptance::ServesSince;
use crate::store::service_time::{ServedLine, ServedTerms};

/// A time in which a line served one customer under one pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// From when.
    pub from: UnixMs,
    /// Until when; `UnixMs::MAX` while it goes on.
    pub to: UnixMs,
    /// The last terms of that time.
    pub terms: ServedTerms,
}

/// What ends a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Another customer or pack: a promise goes on while others maintain the line.
    Customer,
    /// Another contractor too.
    Contractor,
}

impl Of {
    fn is_same(self, a: &ServedTerms, b: &ServedTerms) -> bool {
        let customer = a.customer == b.customer && a.pack == b.pack && a.promised == b.promised;
        customer && (self == Self::Customer || a.contractor == b.contractor)
    }
}

impl Stretch {
    /// What of it lies between two moments; none where nothing does.
    #[must_use]
    pub fn within(&self, from: UnixMs, to: UnixMs) -> Option<(UnixMs, UnixMs)> {
        let span = (self.from.max(from), self.to.min(to));
        (span.0 < span.1).then_some(span)
    }
}

/// The stretches of a line, rising. It serves since the day that is written down; else, where it is to be accepted, since it
/// was; else since it was first written down, or since its first outage, where that is earlier: what was interrupted was in
/// service.
pub fn stretches(
    line: &ServedLine,
    first_outage: Option<UnixMs>,
    zone_of: impl Fn(&str) -> Tz,
    of: Of,
) -> Vec<Stretch> {
    let Some(first) = line.terms.first() else { return Vec::new() };
    let written = first_outage.map_or(first.valid_from, |outage| first.valid_from.min(outage));
    let day = line.in_service.as_deref().and_then(|day| {
        let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()?;
        Some(day_start(day, zone_of(&first.pack)))
    });
    let since = match (day, line.accepted) {
        (Some(day), _) => day,
        (None, ServesSince { accepted_at: Some(at), .. }) => at,
        (None, ServesSince { has_acceptance: true, .. }) => return Vec::new(),
        (None, _) => written,
    };
    let mut list: Vec<Stretch> = Vec::new();
    let ends = line.terms.iter().skip(1).map(|next| next.valid_from).chain([UnixMs::MAX]);
    for (terms, to) in line.terms.iter().zip(ends) {
        let last = list.last_mut().filter(|last| of.is_same(&last.terms, terms));
        if let Some(last) = last {
            *last = Stretch { from: last.from, to, terms: terms.clone() };
        } else {
            let from = list.last().map_or(since, |last| last.to);
            list.push(Stretch { from, to, terms: terms.clone() });
        }
    }
    for stretch in &mut list {
        stretch.from = stretch.from.max(since);
    }
    // Before its customer was admitted, and once its service has ended, nothing is held against anybody.
    list.retain(|stretch| stretch.terms.promised && stretch.from < stretch.to);
    list
}

/// The first moment of a day in a zone.
pub(in crate::app) fn day_start(day: NaiveDate, zone: Tz) -> UnixMs {
    let midnight = day.and_time(NaiveTime::MIN);
    // A zone that skips the midnight has its first moment within the hours after it.
    let start =
        (0..24).find_map(|hour| zone.from_local_datetime(&(midnight + TimeDelta::hours(hour))).earliest());
    UnixMs(start.unwrap_or_else(|| zone.from_utc_datetime(&midnight)).timestamp_millis())
}

#[cfg(test)]
mod tests {
    use linewatch_shared::time::HOUR_MS;

    use super::*;

    fn terms(valid_from: i64, customer: &str, tier: &str) -> ServedTerms {
        ServedTerms {
            valid_from: UnixMs(valid_from),
            customer: customer.to_owned(),
            pack: "pack".to_owned(),
            tier: tier.to_owned(),
            promised: true,
            contractor: None,
        }
    }

    fn spans(line: &ServedLine, first_outage: Option<i64>) -> Vec<(i64, i64, String)> {
        let found = stretches(line, first_outage.map(UnixMs), |_| chrono_tz::Asia::Shanghai, Of::Customer);
        found.into_iter().map(|s| (s.from.0, s.to.0, s.terms.customer + "/" + &s.terms.tier)).collect()
    }

    #[test]
    fn a_line_serves_a_customer_until_another_and_a_tier_breaks_nothing() {
        let mut line = ServedLine {
            code: "L1".to_owned(),
            in_service: None,
            accepted: ServesSince::default(),
            terms: vec![terms(100, "a", "AAA"), terms(200, "a", "AA"), terms(300, "b", "AA")],
        };
        let end = UnixMs::MAX.0;
        assert_eq!(spans(&line, None), [(100, 300, "a/AA".to_owned()), (300, end, "b/AA".to_owned())]);
        assert_eq!(spans(&line, Some(50))[0].0, 50);
        let ended = ServedTerms { promised: false, ..terms(400, "b", "AA") };
        line.terms.push(ended);
        assert_eq!(spans(&line, None)[1..], [(300, 400, "b/AA".to_owned())]);
        line.terms.pop();
        line.accepted = ServesSince { accepted_at: None, has_acceptance: true };
        assert_eq!(spans(&line, Some(50)), [], "not accepted yet");
        line.accepted.accepted_at = Some(UnixMs(250));
        assert_eq!(spans(&line, Some(50)), [(250, 300, "a/AA".to_owned()), (300, end, "b/AA".to_owned())]);
        // The day that is written down counts, whatever was seen before it.
        line.in_service = Some("1970-01-02".to_owned());
        let since = 16 * HOUR_MS;
        assert_eq!(spans(&line, Some(50)), [(since, end, "b/AA".to_owned())]);
    }
}
