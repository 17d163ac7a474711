//! What the shipped packs say.

use super::pack::Pack;
use super::{Availability, CENTI, Figure, SHIPPED, WHOLE_PPM};
use crate::time::HOUR_MS;

fn shipped(file: &str) -> Pack {
    let text = SHIPPED.iter().find(|(name, _)| *name == file).unwrap().1;
    Pack::parse(text, file).unwrap()
}

/// Every number in a shipped pack says where it comes from.
#[test]
fn every_number_says_whether_it_is_the_sources_or_ours() {
    for (file, text) in SHIPPED {
        for (number, line) in (1..).zip(text.lines()) {
            let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else {
                continue;
            };
            let (value, comment) = value.split_once('#').unwrap_or((value, ""));
            let is_limit = value.chars().any(|c| c.is_ascii_digit())
                && !matches!(
                    key.trim(),
                    "name" | "version" | "label" | "figure" | "tier" | "service" | "{ name"
                );
            let said = comment.contains("[source") || comment.contains("[default");
            assert!(!is_limit || said, "{file}:{number}: {line}");
        }
    }
}

/// The score falls into a grade; a hard cap overrides it; at least half a year's history.
#[test]
fn grading() {
    let grading = shipped("key-account.toml").grading.unwrap();
    let half_a_year = 182 * 24 * HOUR_MS;
    let scores = |points: [u32; 5]| {
        grading.indicators.iter().zip(points).map(|(i, points)| (i.name.clone(), points * CENTI)).collect()
    };
    let grade = |points, caps: &[&str]| {
        let caps: Vec<String> = caps.iter().map(|cap| (*cap).to_owned()).collect();
        grading.grade(&scores(points), &caps, half_a_year).unwrap()
    };
    for (points, expected) in [
        ([40, 15, 20, 10, 0], "gold"),
        ([40, 15, 20, 9, 0], "good"),
        ([20, 10, 20, 0, 0], "ordinary"),
        ([0, 0, 0, 0, 0], "plain"),
    ] {
        assert_eq!(grade(points, &[]).grade, expected, "{points:?}");
    }
    let clipped = grade([99, 0, 0, 0, 0], &[]);
    assert_eq!(
        (clipped.total_centi, clipped.grade.as_str()),
        (40 * CENTI, "plain"),
        "no more than the weight"
    );
    let capped = grade([40, 15, 20, 10, 15], &["bad_record"]);
    assert_eq!((capped.by_score.as_str(), capped.grade.as_str()), ("gold", "plain"));
    assert_eq!(capped.capped_by, ["bad_record"]);
    assert_eq!(capped.tier.as_deref(), Some("plain"));
    let refused = |scores: &std::collections::BTreeMap<String, u32>, caps: &[String], history_ms| {
        grading.grade(scores, caps, history_ms).unwrap_err()
    };
    let full = scores([1, 1, 1, 1, 1]);
    assert!(refused(&full, &[], half_a_year - 1).contains("182 days"));
    assert!(refused(&full, &["rude".to_owned()], half_a_year).contains("\"rude\" is no cap"));
    let mut part = full.clone();
    part.remove("growth");
    assert!(refused(&part, &[], half_a_year).contains("\"growth\" has no score"));
    part.insert("grwth".to_owned(), 1);
    assert!(refused(&part, &[], half_a_year).contains("\"grwth\" is no indicator"));
}

/// Availability of 99 % by the year; a tenth of the fee hangs on the assessment.
#[test]
fn availability_and_the_assessment() {
    let pack = shipped("power-distribution.toml");
    let availability = pack.availability.unwrap();
    let year_ms = 365 * 24 * HOUR_MS;
    assert_eq!(availability.allowance_ms(year_ms), year_ms / 100);
    assert_eq!(Availability::of(0, year_ms), WHOLE_PPM);
    assert_eq!(Availability::of(year_ms / 100, year_ms), 990_000);
    assert_eq!(Availability::of(year_ms / 100 + 1, year_ms), 989_999, "never rounded up");
    assert_eq!(Availability::of(2 * year_ms, year_ms), 0);
    let assessment = pack.assessment.unwrap();
    let assess = |figures: &[(Figure, u32)]| assessment.assess(&figures.iter().copied().collect());
    let all = [
        (Figure::Availability, 980_000),
        (Figure::RestoredInTime, 1_000_000),
        (Figure::PatrolsInTime, 900_000),
        (Figure::DefectsInTime, 500_000),
        (Figure::CallbacksSatisfied, 980_000),
    ];
    let assessed = assess(&all);
    let points: Vec<u32> = assessed.points_centi.iter().filter_map(|(_, points)| *points).collect();
    assert_eq!(points, [1_500, 2_500, 1_000, 0, 1_000]);
    assert_eq!((assessed.reached_ppm, assessed.withheld_ppm), (600_000, 40_000));
    let part = assess(&all[..2]);
    assert_eq!(part.points_centi[2], ("patrols".to_owned(), None), "nothing was owed");
    assert_eq!(part.reached_ppm, 40 * WHOLE_PPM / 55);
    assert_eq!(assess(&[]).withheld_ppm, 0);
}
