//! What kind of call a route is: how long its body may be, and how many are worked on at the same time.

use linewatch_shared::wire::BATCH_BYTES_MAX;

/// The longest body of a call that needs no sign-in, or is about signing in.
const SMALL_BODY_BYTES_MAX: usize = 16 * 1024;
/// What is sent again and again is bounded by its handler, at most at this.
const BODY_BYTES_MAX: usize = BATCH_BYTES_MAX;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Looks up or writes a little.
    Plain,
    /// Open to those whom we do not know.
    Door,
    /// Takes a processor for a while: papers, exports, previews, photos drawn anew.
    Paper,
    /// An answer that goes on.
    Stream,
}

/// By the beginning of the route's template.
const DOORS: [&str; 4] = ["/api/v1/session", "/survey/", "/a/", "/sync/v1/enroll"];
const PAPERS: [&str; 7] = [
    "/api/v1/reports",
    "/api/v1/papers",
    "/api/v1/export",
    "/api/v1/assessments",
    "/api/v1/packs/preview",
    "/api/v1/visits/{id}/report.pdf",
    "/api/v1/visits/{id}/parts/",
];

impl Group {
    pub(super) fn of(route: &str) -> Self {
        let is_one = |of: &[&str]| of.iter().any(|beginning| route.starts_with(beginning));
        match route {
            "/api/v1/events" => Self::Stream,
            _ if is_one(&DOORS) => Self::Door,
            _ if is_one(&PAPERS) => Self::Paper,
            _ => Self::Plain,
        }
    }

    pub(super) const fn body_bytes_max(self) -> usize {
        match self {
            Self::Door => SMALL_BODY_BYTES_MAX,
            Self::Plain | Self::Paper | Self::Stream => BODY_BYTES_MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_of_the_kind_that_it_begins_as() {
        assert_eq!(Group::of("/api/v1/session/password"), Group::Door);
        assert_eq!(Group::of("/survey/{secret}"), Group::Door);
        assert_eq!(Group::of("/api/v1/visits/{id}"), Group::Plain);
        assert_eq!(Group::of("/api/v1/visits/{id}/report.pdf"), Group::Paper);
        assert_eq!(Group::of("/api/v1/events"), Group::Stream);
        assert_eq!(Group::of("/sync/v1/push"), Group::Plain);
    }
}
