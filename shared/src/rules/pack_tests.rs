use super::pack::*;
use crate::calendar::Calendars;
use crate::rules::{ClosedBy, Every, SHIPPED};
use crate::time::HOUR_MS;
use crate::time::UnixMs;

#[test]
fn shipped_packs_are_right() {
    for (file, text) in SHIPPED {
        let pack = Pack::parse(text, file).unwrap();
        assert_eq!(format!("{}.toml", pack.name), *file);
    }
    let pack = Pack::parse(SHIPPED[0].1, "group-line.toml").unwrap();
    let hours: Vec<i64> = pack.tiers.iter().map(|tier| tier.restore_within_ms / HOUR_MS).collect();
    assert_eq!(hours, [2, 4, 6, 8]);
}

fn mistakes(text: &str) -> Vec<String> {
    Pack::parse(text, "p.toml").unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let text = r#"[pack]
name = "p"
version = "1"
time_zone = "Mars/Olympus"
colour = "red"

[[tier]]
name = "AAA"
restore_within = "2 hours"
feedback_evry = "30m"

[[tier]]
name = "AAA"
restore_within = "2h"
warn_at = [0.8, 0.5]
"#;
    let found = mistakes(text);
    let expected = [
        "p.toml:4:13: pack.time_zone: \"Mars/Olympus\" is not a time zone such as Asia/Shanghai",
        "p.toml:5:1: pack.colour: unknown key",
        "p.toml:9:18: tier.AAA.restore_within: \"2 hours\" is not a duration",
        "p.toml:10:1: tier.AAA.feedback_evry: unknown key",
        "p.toml:13:8: tier.AAA.name: duplicate tier \"AAA\"",
        "p.toml:15:11: tier.AAA.warn_at: must be at most 8 rising numbers",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} / {expected}");
    }
}

const HEAD: &str = "[pack]\nname = \"p\"\nversion = \"1\"\ntime_zone = \"Asia/Shanghai\"\n";

#[test]
fn a_pack_of_classes_needs_no_tiers() {
    let class =
        "[[class]]\nmatter = \"complaint\"\nname = \"minor\"\nlabel = { zh = \"轻\", en = \"Minor\" }\n";
    let pack = Pack::parse(&format!("{HEAD}{class}"), "p.toml").unwrap();
    assert_eq!(pack.classes[0].closed_by, ClosedBy::Customer);
    assert!(pack.is_for("C1", "group-line"), "a pack without tiers is for everyone");
    let own = HEAD.to_owned() + "customers = [\"C2\"]\n" + class;
    let own = Pack::parse(&own, "p.toml").unwrap();
    assert_eq!([own.is_for("C1", "x"), own.is_for("C2", "x"), own.is_for("C1", "p")], [false, true, true]);
    let lines = Pack::parse(SHIPPED[0].1, "group-line.toml").unwrap();
    assert_eq!([lines.is_for("C1", "group-line"), lines.is_for("C1", "p")], [true, false]);
}

#[test]
fn a_tiers_visits_are_a_cadence() {
    let pack = Pack::parse(SHIPPED[0].1, "group-line.toml").unwrap();
    let visits: Vec<(&str, Every)> = pack.cadences.iter().map(|c| (c.tiers[0].as_str(), c.every)).collect();
    let days = |count: i64| Every::Span(count * 24 * HOUR_MS);
    let expected = [("AAA", days(30)), ("AA", days(60)), ("A", days(90)), ("standard", days(180))];
    assert_eq!(visits, expected);
}

#[test]
fn mistakes_of_classes_and_cadences_are_named_with_their_place() {
    let text = HEAD.to_owned()
        + r#"calendar = "mars"
[postponing]
times = -1
[[level]]
name = "desk"
label = { zh = "台", en = "Desk" }
[[checklist]]
name = "round"
label = { zh = "巡", en = "Round" }
items = [{ name = "a", zh = "甲", en = "A" }, { name = "a", zh = "乙" }]
[[class]]
matter = "complaint"
name = "minor"
label = { zh = "轻", en = "Minor" }
answer_within = "3 wd"
repeat_becomes = "major"
level = 2
[[class]]
matter = "complaint"
name = "minor"
label = { zh = "轻", en = "Minor" }
callback_within = "1d"
closed_by = "work"
[[class]]
matter = "defect"
name = "minor"
label = { zh = "轻", en = "Minor" }
supervisor_only = "no"
[[class]]
matter = "visit"
name = "v"
label = { zh = "访", en = "V" }
[[cadence]]
matter = "patrol"
name = "quarterly"
label = { zh = "季", en = "Quarterly" }
every = "fortnight"
checklist = "rounds"
"#;
    let found = Pack::parse_with(&text, "p.toml", Calendars::shipped()).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let expected = [
        "p.toml:5:12: pack.calendar: \"mars\" is not one of: 24x7, cn",
        "p.toml:6:1: postponing.at_most: is missing",
        "p.toml:7:9: postponing.times: must be a whole number from 0 to 100",
        "p.toml:14:46: checklist.round.items.en: is missing",
        "p.toml:19:17: class.complaint.minor.answer_within: \"3 wd\" is not a limit",
        "p.toml:20:18: class.complaint.minor.repeat_becomes: there is no class \"major\" of a complaint",
        "p.toml:21:9: class.complaint.minor.level: must be a whole number from 1 to 1",
        "p.toml:24:8: class.complaint.minor.name: duplicate class \"minor\"",
        "p.toml:26:19: class.complaint.minor.callback_within: is owed only where the customer closes",
        "p.toml:32:19: class.defect.minor.supervisor_only: must be true or false",
        "p.toml:34:10: class.visit.v.matter: visits and patrols come round",
        "p.toml:41:9: cadence.patrol.quarterly.every: \"fortnight\" is neither a duration nor one of: half_day",
        "p.toml:42:13: cadence.patrol.quarterly.checklist: there is no [[checklist]] \"rounds\"",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} / {expected}");
    }
}

#[test]
fn a_calendar_that_is_elsewhere_counts_nothing_here() {
    let tier =
        "calendar = \"mars\"\n[[tier]]\nname = \"T\"\nrestore_within = \"2h\"\nrepair_within = \"3wd\"\n";
    let pack = Pack::parse(&format!("{HEAD}{tier}"), "p.toml").unwrap();
    let repair = pack.tiers[0].repair_within().unwrap();
    assert_eq!(repair.to_string(), "3wd");
    assert!(pack.countable(repair, UnixMs(0)).unwrap_err().contains("\"mars\""));
    let bad = format!("{HEAD}[[tier]]\nname = \"T\"\nrestore_within = \"2wd\"\nfeedback_every = \"1bh\"\n");
    let found = mistakes(&bad);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().all(|mistake| mistake.contains("runs round the clock")), "{found:#?}");
}

#[test]
fn a_file_that_is_not_toml_says_where() {
    assert!(mistakes("[pack]\nname = \n")[0].starts_with("p.toml:2:"));
    assert_eq!(mistakes("").len(), 2);
}

/// Limits are a matrix of tier and service, with a wildcard on either side: the most exact cell wins, key by key.
#[test]
fn the_most_exact_cell_wins() {
    let text = SHIPPED.iter().find(|(file, _)| *file == "gov-enterprise.toml").unwrap().1;
    let pack = Pack::parse(text, "gov-enterprise.toml").unwrap();
    let limits = |tier: &str, service: &str| {
        let tier = pack.tier_for(tier, service).unwrap();
        format!("{} {}", tier.answer_within.unwrap(), tier.restore_within())
    };
    for (tier, service, expected) in [
        ("group", "sdh", "15m 4h"),
        ("group", " SDH专线", "15m 4h"),
        ("provincial", "Frame Relay", "30m 6h"),
        ("local-C", "mpls-vpn", "1h 1d"),
        ("local-A", "lan", "4bh 1wd"),
        ("local-C", "lan", "1wd 3wd"),
        ("group", "pbx", "4bh 1wd"),
        ("group", "something else", "1wd 3wd"),
        ("provincial", "", "1wd 3wd"),
    ] {
        assert_eq!(limits(tier, service), expected, "{tier} × {service}");
    }
    assert_eq!(pack.tier_for("group", "pbx").unwrap().feedback_every_ms, Some(HOUR_MS / 2), "the tier's own");
    assert_eq!(pack.tier_for("AAA", "sdh"), None);
    let own = Pack::parse(
        &format!(
            "{HEAD}[[service]]\nname = \"s\"\nlabel = {{ zh = \"服\", en = \"S\" }}\n\
             [[tier]]\nname = \"T\"\nrestore_within = \"2h\"\nfeedback_every = \"30m\"\n\
             [[cell]]\ntier = \"*\"\nservice = \"*\"\nfinish_within = \"9h\"\nrepair_within = \"9d\"\nfeedback_every = \"9m\"\n\
             [[cell]]\ntier = \"T\"\nservice = \"*\"\nfinish_within = \"3h\"\ncallback_within = \"3h\"\n\
             [[cell]]\ntier = \"*\"\nservice = \"s\"\nfinish_within = \"4h\"\nanswer_within = \"4m\"\n\
             [[cell]]\ntier = \"T\"\nservice = \"s\"\nanswer_within = \"5m\"\n"
        ),
        "p.toml",
    )
    .unwrap();
    let shown = |service: &str| {
        let tier = own.tier_for("T", service).unwrap();
        let answer = tier.answer_within.map_or("-".to_owned(), |limit| limit.to_string());
        let (repair, callback) = (tier.repair_within().unwrap(), tier.callback_within().unwrap());
        let feedback = tier.feedback_every_ms.unwrap() / 60_000;
        format!("{answer} {} {repair} {callback} {feedback}m", tier.restore_within())
    };
    assert_eq!(shown("other"), "- 3h 9d 3h 30m");
    assert_eq!(shown("s"), "5m 4h 9d 3h 30m");
}

#[test]
fn mistakes_of_cells_are_named_with_their_place() {
    let text = HEAD.to_owned()
        + "[[tier]]\nname = \"T\"\n[[cell]]\ntier = \"U\"\nservice = \"*\"\n[[cell]]\ntier = \"T\"\nservice = \"s\"\n\
           finish_within = \"1 day\"\n[[cell]]\ntier = \"*\"\nservice = \"*\"\nanswer = \"1h\"\n[[cell]]\ntier = \"*\"\nservice = \"*\"\n";
    let expected = [
        "p.toml:5:1: tier.T.restore_within: is missing",
        "p.toml:8:8: cell.tier: there is no [[tier]] \"U\" in this pack; \"*\" is every one",
        "p.toml:12:11: cell.service: there is no [[service]] \"s\" in this pack",
        "p.toml:13:17: cell.finish_within: \"1 day\" is not a limit",
        "p.toml:17:1: cell(*,*).answer: unknown key",
        "p.toml:19:8: cell(*,*).tier: this cell stands twice",
    ];
    let found = mistakes(&text);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} / {expected}");
    }
}

#[test]
fn mistakes_of_grading_and_assessment_are_named_with_their_place() {
    let label = "label = { zh = \"名\", en = \"Name\" }\n";
    let text = format!(
        "{HEAD}[[tier]]\nname = \"T\"\nrestore_within = \"2h\"\n\
         [[indicator]]\nname = \"i\"\n{label}weight = 0\n\
         [[indicator]]\nname = \"j\"\n{label}weight = 10\n\
         [[grade]]\nname = \"a\"\n{label}at_least = 5\ntier = \"U\"\n\
         [[grade]]\nname = \"b\"\n{label}at_least = 11\n\
         [[cap]]\nname = \"c\"\n{label}grade = \"z\"\n\
         [availability]\nat_least = \"99.12345%\"\n\
         [plans]\nby = \"02-29\"\nclass = \"gift\"\nopen_before = \"400d\"\n\
         [at_risk]\ncomplaints = -1\nlook_back = \"2000d\"\nrepeat_faults_short = \"never\"\n\
         [[assessed]]\nname = \"x\"\n{label}figure = \"beauty\"\nweight = 1\nfull_at = \"80%\"\nzero_at = \"90%\"\n"
    );
    let found = mistakes(&text);
    for expected in [
        "indicator.i.weight: must be a whole number from 1 to 10000",
        "grade.a.tier: there is no tier \"U\" in this pack",
        "grade.b.at_least: must be a whole number from 0 to 10",
        "grade: grades stand from the best to the last",
        "cap.c.grade: there is no [[grade]] \"z\" in this pack",
        "availability.at_least: must be a percentage",
        "plans.by: \"02-29\" is no month and day of every year, such as 01-31",
        "plans.class: there is no [[class]] of promises \"gift\" in this pack",
        "plans.open_before: is at most 366d",
        "at_risk.complaints: must be a whole number from 0 to 10000",
        "at_risk.look_back: is at most three years",
        "at_risk.repeat_faults_short: must be a whole number from 0 to 10000",
        "assessed.x.figure: \"beauty\" is not one of: restored_in_time",
        "assessed.x.zero_at: lies below full_at",
        "assessed: needs an [assessment]",
    ] {
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{expected} in {found:#?}");
    }
    assert_eq!(found.len(), 15, "{found:#?}");
    assert!(found.iter().all(|mistake| mistake.starts_with("p.toml:")), "{found:#?}");
}

#[test]
fn mistakes_of_equipment_and_checklists_are_named_with_their_place() {
    let label = "label = { zh = \"名\", en = \"Name\" }\n";
    let list = format!("[[checklist]]\nname = \"l\"\n{label}");
    let item = "[[checklist.items]]\nname = \"p\"\nzh = \"点\"\nen = \"Point\"\n";
    let cadence = |keys: &str| {
        format!(
            "[[cadence]]\nmatter = \"patrol\"\nname = \"c\"\n{label}every = \"year\"\nchecklist = \"l\"\n{keys}"
        )
    };
    let whole = format!(
        "{HEAD}{list}{item}[[equipment]]\nname = \"k\"\n{label}[[condition]]\nname = \"good\"\n{label}{}",
        cadence("equipment = [\"k\"]\n")
    );
    let pack = Pack::parse(&whole, "p.toml").unwrap();
    assert_eq!(pack.checklists[0].items[0].0, "p", "a list of tables is as good as one within a line");
    assert_eq!(pack.cadences[0].equipment, ["k"]);
    let text = format!(
        "{HEAD}{list}{item}colour = 1\n{item}[[equipment]]\nname = \"k\"\n{label}{}",
        cadence("equipment = [\"m\"]\nreport = 1\n")
    );
    let found = mistakes(&text);
    for expected in [
        "checklist.l.items.colour: unknown key",
        "checklist.l.items.name: the point \"p\" stands twice",
        "equipment: has no grades of condition",
        "cadence.patrol.c.equipment: there is no [[equipment]] \"m\" in this pack",
        "cadence.patrol.c.report: must be true or false",
    ] {
        assert!(found.iter().any(|mistake| mistake.contains(expected)), "{expected} in {found:#?}");
    }
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn mistakes_of_acceptances_and_readings_are_named_with_their_place() {
    let text = HEAD.to_owned()
        + r#"[[checklist]]
name = "handover"
label = { zh = "验", en = "Handover" }
items = [
    { name = "power", zh = "光", en = "Power", unit = "dBm", at_least = -8, at_most = -24.5 },
    { name = "loss", zh = "损", en = "Loss", at_most = 3 },
    { name = "trip", zh = "延", en = "Trip", unit = "ms", at_most = "40" },
]
[[cadence]]
matter = "visit"
name = "line"
label = { zh = "访", en = "Visit" }
every = "month"
[[acceptance]]
name = "line"
label = { zh = "验", en = "Acceptance" }
for = "circuit"
checklist = "hand-over"
[[acceptance]]
name = "site"
label = { zh = "验", en = "Acceptance" }
for = "site"
within = "5wd"
promised_from = "acceptance"
signatures = ["ours"]
"#;
    let found = Pack::parse_with(&text, "p.toml", Calendars::shipped()).unwrap_err();
    let found: Vec<String> =
        found.iter().map(|mistake| mistake.to_string().split_once(": ").unwrap().1.to_owned()).collect();
    let expected = [
        "checklist.handover.items.at_least: is more than at_most",
        "checklist.handover.items.at_most: needs a unit",
        "checklist.handover.items.at_most: must be a number",
        "acceptance.line.within: is missing",
        "acceptance.line.name: there is a [[cadence]] of visits called \"line\" already",
        "acceptance.line.for: \"circuit\" is not one of: line, site",
        "acceptance.line.checklist: there is no [[checklist]] \"hand-over\"",
        "acceptance.site.promised_from: is for lines",
        "acceptance.site.signatures: unknown key",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}");
    }
}
