//! Texts of a desk's own: what may stand where, and that each is seen where it should be.

use linewatch_shared::time::UnixMs;

use super::lexicon::Lexicon;
use super::own_text::{OwnText, read};
use super::sample::Scene;
use super::shipped;
use super::text::Writer;
use super::words::Lang;
use crate::config::AlertLang;
use crate::store::alert_texts::Kept;

const NOW: UnixMs = UnixMs(1_800_000_000_000);

fn kept(lang: Lang, id: &str, text: &str) -> Kept {
    Kept { lang: lang.name().into(), id: id.into(), text: text.into(), by: "admin".into(), at: NOW }
}

fn writer(lang: Lang, kept: &[Kept]) -> Writer {
    Lexicon::new(1, kept).unwrap().writer(match lang {
        Lang::Zh => AlertLang::Zh,
        Lang::En => AlertLang::En,
    })
}

fn scene(id: &str) -> Scene {
    Scene::new("https://desk.example", "Asia/Shanghai", NOW).showing(id)
}

#[test]
fn each_text_is_seen_in_its_sample_with_every_variable_that_it_may_have() {
    assert!(shipped::all().len() > 200, "{}", shipped::all().len());
    for lang in Lang::ALL {
        for text in shipped::all() {
            let variables: Vec<String> = text.variables.iter().map(|name| format!("{{ ${name} }}")).collect();
            let mine = kept(lang, &text.id, &format!("§{}§ {}", text.id, variables.join(" | ")));
            let mut own = vec![mine];
            if let Some(part) = text.id.strip_prefix("learnt-late.") {
                own.push(kept(lang, &format!("restoration-missed.{part}"), "plain"));
            }
            let seen = scene(&text.id).write(&writer(lang, &own), NOW);
            let whole = format!("{}\n{}", seen.subject, seen.plain);
            assert!(whole.contains(&format!("§{}§", text.id)), "{} is nowhere in {whole}", text.id);
            assert!(!whole.contains("{$"), "{} is not given what it may have: {whole}", text.id);
            assert_eq!(seen.subject.lines().count(), 1, "{}", seen.subject);
        }
    }
}

#[test]
fn a_shipped_text_may_stand_in_its_own_place_and_says_the_same() {
    for lang in Lang::ALL {
        for text in shipped::all() {
            let own = [kept(lang, &text.id, text.text(lang))];
            let read = OwnText::read(text, text.text(lang));
            assert!(read.is_ok(), "{}: {read:?}: {}", text.id, text.text(lang));
            let write = |own: &[Kept]| scene(&text.id).write(&writer(lang, own), NOW);
            assert_eq!(write(&own), write(&[]), "{}", text.id);
            assert!(!text.section(lang).is_empty(), "{}", text.id);
        }
    }
}

#[test]
fn what_may_not_stand_there_says_why() {
    let deep = "{ $late -> *[no] ".repeat(30) + "x" + &"}".repeat(30);
    let what = "restoration-missed.what";
    let cases = [
        (what, "", "blank", "reset it"),
        (what, "{ \" \" }{ $late ->\n [yes] x\n *[no] {\"\"}\n}", "blank", "says nothing"),
        (what, "restored { due }", "no_variable", "{ $due }"),
        (what, "due { $dues }", "unknown_variable", "$due, $due_short"),
        (what, "{ $name }", "unknown_variable", "is not given $name"),
        ("label-take", "{ $due }", "unknown_variable", "it has none"),
        (what, "one\ntwo", "not_one_line", "one line"),
        (what, "{ $late ->\n [yes] one\n two\n *[no] three\n}", "not_one_line", "one line"),
        (what, "{ $late -> [yes] x\n *[no] y\n}", "syntax", "a line of its own"),
        (what, "over {", "syntax", "line 1, character 7: after { comes a variable"),
        (what, "over }", "syntax", "without its {"),
        (what, "{ $late ->\n [yes] late\n [no] in time\n}", "syntax", "a star"),
        (what, "{ $late ->\n [ja] late\n *[no] in time\n}", "unknown_variant", "never \"ja\""),
        (what, "{ NUMBER($due) }", "no_variable", "NUMBER"),
        (what, "{ subject }", "no_variable", "$subject"),
        (what, "{ -brand }", "no_variable", "brand"),
        (what, "{ \"\\u000A\" }Bcc: x", "hidden_character", "cannot be seen"),
        (what, "a\u{202e}b", "hidden_character", "U+202E"),
        (what, "a\tb", "hidden_character", "U+0009"),
        ("restoration-missed.lead", "a\n.more = b", "more_than_one", "dot"),
        ("restoration-missed.lead", &"x".repeat(2_001), "too_long", "2000 are possible"),
        (what, &"线".repeat(601), "too_long", "600 are possible"),
        (what, &deep, "syntax", "line 1"),
        (what, &"{ $due }".repeat(41), "too_many_parts", "40"),
    ];
    for (id, text, reason, said) in cases {
        let refusal = read(id, text).unwrap_err().unwrap();
        assert_eq!(refusal.reason, reason, "{text}: {refusal}");
        assert!(refusal.detail.contains(said), "{text}: {refusal}");
    }
    assert_eq!(read("restoration-missed", "x").unwrap_err(), None);
}

#[test]
fn no_line_of_a_text_becomes_another_message() {
    let text = "first\n\nsubject = gone\n# a comment\n-term = x";
    let own = [kept(Lang::En, "restoration-missed.lead", text)];
    let seen = scene("restoration-missed.lead").write(&writer(Lang::En, &own), NOW);
    assert!(seen.subject.contains("[AAA Gold]"), "{}", seen.subject);
    assert!(seen.plain.starts_with("first\n\nsubject = gone\n# a comment\n-term = x\n"), "{}", seen.plain);
    assert!(seen.html.contains("first<br>\n<br>\nsubject = gone"), "{}", seen.html);
}

#[test]
fn what_was_learnt_late_never_sounds_like_news() {
    let plain = [kept(Lang::En, "restoration-missed.what", "Missed! { $customer }")];
    let mut scene = scene("restoration-missed.what");
    let subject = |scene: &Scene, own: &[Kept]| scene.write(&writer(Lang::En, own), NOW).subject;
    assert!(subject(&scene, &plain).contains("SAMPLE-1: Missed! 样例客户"), "{}", subject(&scene, &plain));
    scene.alert.late = true;
    assert!(
        subject(&scene, &plain).contains("SAMPLE-1: learnt late: Missed!"),
        "{}",
        subject(&scene, &plain)
    );
    let told =
        [kept(Lang::En, "restoration-missed.what", "{ $late ->\n [yes] Was missed\n *[no] Missed!\n}")];
    assert!(subject(&scene, &told).ends_with("SAMPLE-1: Was missed"), "{}", subject(&scene, &told));
}

#[test]
fn a_kept_text_that_does_not_fit_any_more_gives_way_to_the_shipped_one() {
    let own = [kept(Lang::En, "restoration-missed.what", "{ $gone }"), kept(Lang::En, "gone.what", "x")];
    let write = |own: &[Kept]| scene("restoration-missed.what").write(&writer(Lang::En, own), NOW);
    assert_eq!(write(&own), write(&[]));
}
