//! The paper of a visit report.

use std::collections::HashMap;

use linewatch_shared::rules::{Form, Pack, SHIPPED};
use serde_json::json;
use uuid::Uuid;

use super::visit::{Images, render};
use super::words::Lang;
use crate::app::visits::{
    AnswerView, FormOrName, PromisedView, ReportForm, VisitDetail, VisitPart, VisitSaid,
};

/// A grey JPEG, 8 × 8.
const JPEG: &str = "ffd8ffe000104a46494600010100000100010000ffdb0043001010101010101010101010101010101010101010101010\
    1010101010101010101010101010101010101010101010101010101010101010101010101010101010ffc0000b080008\
    000801011100ffc40014000100000000000000000000000000000000ffc4001410010000000000000000000000000000\
    0000ffda0008010100003f003fffd9";
/// A grey PNG, 2 × 2.
const PNG: &str = "89504e470d0a1a0a0000000d494844520000000200000002080000000057dd52f80000000e49444154789c63f8cfc0c0\
    f01f00060001ff785cb6810000000049454e44ae426082";

fn form() -> Form {
    let (_, text) = SHIPPED.iter().find(|(name, _)| name.contains("field-work")).unwrap();
    let pack = Pack::parse(text, "field-work.toml").unwrap();
    pack.forms.iter().find(|form| form.name == "line-visit").unwrap().clone()
}

fn part(sha256: &str, role: &'static str, media: &'static str, whole: bool) -> VisitPart {
    VisitPart {
        sha256: sha256.to_owned(),
        role,
        media,
        bytes: 100,
        held: 0,
        whole,
        why: None,
        caption: "机柜 the rack 𬭛".to_owned(),
        taken_at: Some("2026-09-21T02:00:00Z".to_owned()),
        place: None,
    }
}

fn answer(field: &str, value: serde_json::Value, amiss: bool) -> AnswerView {
    AnswerView { field: field.to_owned(), value, amiss }
}

fn detail(parts: Vec<VisitPart>) -> VisitDetail {
    VisitDetail {
        id: Uuid::from_u128(1),
        at: "2026-09-21T02:00:00Z".to_owned(),
        recorded_at: "2026-09-21T03:00:00Z".to_owned(),
        by: Some("technician-1".to_owned()),
        agent: "site-1".to_owned(),
        customer_name: "示例银行 Sample Bank".to_owned(),
        time_zone: "Asia/Shanghai".to_owned(),
        matter: None,
        why: None,
        complete: parts.iter().all(|part| part.whole),
        visit: VisitSaid {
            customer: "bank".to_owned(),
            site: "HQ".to_owned(),
            line: Some("L1".to_owned()),
            fault: None,
            round: None,
            class: None,
            mode: None,
            met: "Sample Person".to_owned(),
            purpose: "splice".to_owned(),
            findings: "two\nlines 😀".to_owned(),
            needs: "a second line".to_owned(),
            promises: String::new(),
            promised: vec![PromisedView {
                title: "a drawing".to_owned(),
                until: "2026-10-01T02:00:00Z".to_owned(),
            }],
            points: Vec::new(),
            answers: vec![
                answer("wrist_strap", json!(true), false),
                answer("medium", json!("fibre"), false),
                answer("optical_power", json!(-27.5), true),
                answer("unheard_of", json!("kept"), false),
            ],
            satisfied: Some(true),
            left_clean: None,
            signed_by: Some("Sample Signer".to_owned()),
            report: None,
        },
        form: Some(ReportForm {
            pack: "field-work".to_owned(),
            version: "2026.1".to_owned(),
            form: FormOrName::Form(Box::new(form())),
        }),
        parts,
    }
}

fn images() -> Images {
    let bytes = |text: &str| hex::decode(text).unwrap();
    HashMap::from([("aa".to_owned(), bytes(JPEG)), ("bb".to_owned(), bytes(PNG))])
}

fn count(pdf: &[u8], what: &[u8]) -> usize {
    pdf.windows(what.len()).filter(|window| *window == what).count()
}

#[test]
fn photos_and_the_signature_stand_in_the_paper_and_equal_reports_are_equal() {
    let view = detail(vec![
        part("aa", "photo", "image/jpeg", true),
        part("cc", "photo", "image/jpeg", false),
        part("bb", "signature", "image/png", true),
    ]);
    let photo = hex::decode(JPEG).unwrap();
    for lang in [Lang::Zh, Lang::En] {
        let pdf = render(&view, &images(), lang).unwrap();
        assert!(pdf.starts_with(b"%PDF-"));
        assert_eq!(pdf, render(&view, &images(), lang).unwrap());
        assert_eq!(count(&pdf, &photo), 1, "the photo, as it came");
        let without = render(&view, &Images::new(), lang).unwrap();
        assert_eq!(count(&without, &photo), 0);
    }
}

#[test]
fn a_broken_photo_never_keeps_the_rest_from_being_read() {
    let parts = vec![part("aa", "photo", "image/jpeg", true), part("bb", "signature", "image/png", true)];
    let whole = images();
    for (name, cut) in [("aa", 20), ("bb", 20), ("bb", 50), ("bb", 60)] {
        let mut broken = whole.clone();
        broken.get_mut(name).unwrap().truncate(cut);
        let pdf = render(&detail(parts.clone()), &broken, Lang::En).unwrap();
        assert!(pdf.starts_with(b"%PDF-"), "{name} {cut}");
    }
    // One that says that it has more pixels than anybody has memory for.
    let mut huge = whole;
    huge.get_mut("bb").unwrap()[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    assert!(render(&detail(parts), &huge, Lang::En).is_ok());
}

#[test]
fn forty_photos_and_long_texts_take_as_many_pages_as_they_need() {
    let parts = (0..40).map(|_| part("aa", "photo", "image/jpeg", true)).collect();
    let mut view = detail(parts);
    view.visit.findings = "一二三四五六七八九十\n".repeat(300);
    let pdf = render(&view, &images(), Lang::Zh).unwrap();
    assert_eq!(count(&pdf, &hex::decode(JPEG).unwrap()), 1, "one image, however often it is shown");
}
