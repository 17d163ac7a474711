//! Every form of one made-up report.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use chrono_tz::Asia::Shanghai;
use linewatch_shared::rules::Label;
use linewatch_shared::time::HOUR_MS;

use super::words::Lang;
use super::{Form, RenderError, render, table};
use crate::app::report::Published;
use crate::app::report::figure::{Figure, Figures};
use crate::app::report::group::{Group, Keys};
use crate::app::report::history::{Change, Version};
use crate::app::report::make::{Entry, Report};
use crate::app::report::measure::Span;
use crate::app::report::period::Period;
use crate::app::report::tally::LineYear;

const OCTOBER: Period = Period::Month(2026, 10);

fn figures() -> Figures {
    let mut figures = Figures::default();
    figures.add(Figure::Faults, 3);
    figures.add(Figure::RestorationKept, 2);
    figures.add(Figure::RestorationMissed, 1);
    figures.add(Figure::InterruptionMs, 27 * HOUR_MS + 90_000);
    figures.add(Figure::InterruptionOver, 1);
    figures
}

fn entry(key: &str, name: &str) -> Entry {
    let label = Label { zh: name.to_owned(), en: name.to_owned() };
    Entry { key: key.to_owned(), label, figures: figures(), place: None, year: None, availability: None }
}

fn published(customer: &str) -> Published {
    let (from, to) = OCTOBER.bounds(Shanghai);
    let mut line = entry("=LINE-1", "=LINE-1");
    line.place = Some(Keys {
        tier: "group-line/AAA".to_owned(),
        customer: "C1".to_owned(),
        manager: "示例经理".to_owned(),
        technician: None,
        contractor: String::new(),
        region: String::new(),
        causes: Vec::new(),
        class: None,
        line: "=LINE-1".to_owned(),
    });
    line.year = Some(LineYear {
        faults: 3,
        faults_limit: Some(4),
        interruption_ms: 27 * HOUR_MS,
        interruption_limit_ms: Some(6 * HOUR_MS),
    });
    let groups = BTreeMap::from([
        (Group::Tier, vec![entry("group-line/AAA", "金牌")]),
        (Group::Customer, vec![entry("C1", customer)]),
        (Group::Manager, vec![entry("示例经理", "示例经理")]),
        (Group::Technician, vec![entry("tech-1", "tech-1")]),
        (Group::Contractor, vec![entry("K1", "示例代维")]),
        (Group::Region, vec![entry("", "")]),
        (Group::Cause, Vec::new()),
        (Group::Class, vec![entry("service-desk/minor", "轻微")]),
        (Group::Line, vec![line]),
    ]);
    let report = Report {
        period: OCTOBER,
        zones: BTreeMap::from([("Asia/Shanghai", Span { from, to, until: to })]),
        complete: true,
        until: to,
        total: figures(),
        exempt: Figures::default(),
        groups,
    };
    let change = Change {
        group: "total".to_owned(),
        key: String::new(),
        figure: "restoration_missed".to_owned(),
        before: 2,
        after: 1,
        learnt_at: Some("2026-11-20T02:00:00.000Z".to_owned()),
    };
    let version = Version { made_at: to.to_rfc3339(), sha256: "ab".repeat(32), changes: vec![change] };
    Published { report, sha256: "ab".repeat(32), versions: vec![version] }
}

#[test]
fn equal_figures_give_equal_bytes_in_every_form() {
    for form in Form::ALL {
        for lang in [Lang::Zh, Lang::En] {
            let made = |customer| render(&published(customer), Group::Customer, form, lang).unwrap();
            assert_eq!(made("示例银行"), made("示例银行"), "{}", form.name());
            assert_ne!(made("示例银行"), made("示例工厂"), "{}", form.name());
        }
    }
}

#[test]
fn a_workbook_has_real_types_and_a_sheet_for_each_grouping() {
    let bytes = render(&published("示例银行"), Group::Tier, Form::Xlsx, Lang::Zh).unwrap();
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let names = book.sheet_names();
    let expected = [
        "总览",
        "按服务等级",
        "按集团客户",
        "按客户经理",
        "按维护员",
        "按代维单位",
        "按区域",
        "按原因",
        "按事项类别",
        "按专线",
        "数据变更",
    ];
    assert_eq!(names, expected);
    let sheet = book.worksheet_range("按集团客户").unwrap();
    let header: Vec<String> = sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
    let cell = |row: usize, name: &str| {
        let column = header.iter().position(|title| title == name).unwrap();
        sheet.get((row, column)).cloned().unwrap()
    };
    assert_eq!(cell(1, "客户"), Data::String("合计".to_owned()));
    assert_eq!(cell(2, "名称"), Data::String("示例银行".to_owned()));
    assert_eq!(cell(2, "故障数"), Data::Float(3.0));
    assert_eq!(cell(2, "恢复及时率"), Data::Float(0.667));
    let Data::DateTime(span) = cell(2, "中断时长") else { panic!("{:?}", cell(2, "中断时长")) };
    assert!(span.is_duration() && (span.as_f64() * 24.0 - 27.025).abs() < 1e-9, "{span:?}");
    assert_eq!(cell(2, "回访满意率"), Data::Empty);
    let lines = book.worksheet_range("按专线").unwrap();
    // A text that begins like a formula is a text.
    assert_eq!(lines.get((2, 0)), Some(&Data::String("=LINE-1".to_owned())));
    assert!(book.worksheet_formula("按专线").unwrap().is_empty());
    assert_eq!(book.worksheet_range("数据变更").unwrap().get((1, 4)), Some(&Data::Float(2.0)));
}

#[test]
fn a_pdf_names_the_character_that_it_lacks() {
    let error = render(&published("示例𬭛公司"), Group::Tier, Form::Pdf, Lang::Zh).unwrap_err();
    assert!(matches!(&error, RenderError::MissingGlyph { character: '𬭛', .. }), "{error}");
    assert!(render(&published("示例𬭛公司"), Group::Tier, Form::Xlsx, Lang::Zh).is_ok());
    let pdf = render(&published("示例银行\n分行"), Group::Tier, Form::Pdf, Lang::Zh).unwrap();
    assert!(pdf.starts_with(b"%PDF-"));
}

#[test]
fn json_says_what_each_figure_is_and_where_its_rows_are() {
    let bytes = render(&published("示例银行"), Group::Line, Form::Json, Lang::En).unwrap();
    let view: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(view["total"]["faults"], 3);
    assert_eq!(view["ratios"]["restoration_rate"], 667);
    assert_eq!(view["groups"][0]["year"]["faults_limit"], 4);
    assert_eq!(view["figures"].as_array().unwrap().len(), Figure::COUNT);
    assert_eq!(view["figures"][0]["rows"], "/api/v1/reports/month/2026-10/rows?figure=faults");
    assert_eq!(view["versions"][0]["changes"][0]["after"], 1);
}

#[test]
fn times_and_shares_are_written_for_people() {
    assert_eq!(table::clock_text(27 * HOUR_MS + 90_999), "27:01:30");
    assert_eq!(table::share_text(1_000), "100.0 %");
    assert_eq!(table::share_text(7), "0.7 %");
}
