//! A visit report on paper: what was said, the form's answers with their ranges, photos, the signature. Equal reports with
//! equal photos give equal bytes. A photo that cannot be shown is said to be so; it never keeps the rest from being read.

use std::collections::HashMap;

use krilla::image::Image;
use linewatch_shared::rules::{Field, FieldKind, Range};
use linewatch_shared::time::UnixMs;
use serde_json::Value;

use super::RenderError;
use super::columns::{INNER, Layout};
use super::page::{Align, BLACK, GREY, LINE, MARGIN, Pages, RED};
use super::pdf::{TEXT_SIZE, TITLE_SIZE, header, heading, row};
use super::table::moment_text;
use super::visit_words as w;
use super::words::{Lang, Words};
use crate::app::visits::{AnswerView, FormOrName, VisitDetail, VisitPart};

/// The distance between lines of a text.
const LEADING: f32 = 12.0;
/// The most lines of one paragraph; a longer one is cut visibly, and whole in the other forms.
const LINES_MAX: usize = 400;
/// The room of a name before its value.
const NAME_WIDTH: f32 = 130.0;
/// Photos side by side, and the room of each.
const PHOTOS_PER_ROW: usize = 3;
const PHOTO_HEIGHT: f32 = 180.0;
const GAP: f32 = 10.0;
/// The room of a heading.
const HEADING: f32 = 40.0;
/// A longer text gets lines of its own.
const CELL_CHARS_MAX: usize = 60;
/// The room of a signature.
const SIGNATURE: (f32, f32) = (220.0, 80.0);
/// An image with more pixels is not unpacked.
const PIXELS_MAX: u64 = 40_000_000;

/// The bytes of a report's images that are there, by the hash in hex.
pub type Images = HashMap<String, Vec<u8>>;

/// Writes a report.
///
/// # Errors
/// When there are too many pages, or the writer fails.
pub fn render(view: &VisitDetail, images: &Images, lang: Lang) -> Result<Vec<u8>, RenderError> {
    match write(view, images, lang) {
        // An image that only shows to be broken when it is unpacked.
        Err(RenderError::Write(_)) if !images.is_empty() => write(view, &Images::new(), lang),
        done => done,
    }
}

fn write(view: &VisitDetail, images: &Images, lang: Lang) -> Result<Vec<u8>, RenderError> {
    let mut pages = Pages::new()?;
    let title = pages.spelled(&format!("{} {}", lang.pick(w::TITLE), view.customer_name));
    pages.skip(TITLE_SIZE);
    pages.text((MARGIN, pages.y()), INNER, Align::Left, (TITLE_SIZE, BLACK), &title)?;
    pages.skip(14.0);
    facts(&mut pages, view, lang)?;
    form(&mut pages, view, lang)?;
    points(&mut pages, view, lang)?;
    let said = &view.visit;
    for (name, text) in [(w::FINDINGS, &said.findings), (w::NEEDS, &said.needs)] {
        if !text.trim().is_empty() {
            heading(&mut pages, lang.pick(name))?;
            paragraph(&mut pages, MARGIN, text)?;
        }
    }
    promises(&mut pages, view, lang)?;
    photos(&mut pages, view, images, lang)?;
    signature(&mut pages, view, images, lang)?;
    let foot = pages.spelled(&format!("{title}    {}", view.id));
    pages.finish(&title, lang.name(), &foot)
}

/// Where, when, who.
fn facts(pages: &mut Pages, view: &VisitDetail, lang: Lang) -> Result<(), RenderError> {
    let said = &view.visit;
    let flag = |flag: Option<bool>| flag.map(|flag| yes_no(flag, lang).to_owned()).unwrap_or_default();
    let by = view.by.as_ref().map_or_else(|| view.agent.clone(), |by| format!("{by} ({})", view.agent));
    let fault = said.fault.map(|id| id.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for (name, value) in [
        (w::CUSTOMER, format!("{} ({})", view.customer_name, said.customer)),
        (w::SITE, said.site.clone()),
        (w::LINE, text(&said.line)),
        (w::FAULT, fault),
        (w::WHEN, format!("{}  {}", moment(&view.at, &view.time_zone), view.time_zone)),
        (w::WRITTEN_BY, by),
        (w::MET, said.met.clone()),
        (w::PURPOSE, said.purpose.clone()),
        (w::SATISFIED, flag(said.satisfied)),
        (w::LEFT_CLEAN, flag(said.left_clean)),
        (w::FILED, text(&said.report)),
    ] {
        if value.trim().is_empty() {
            continue;
        }
        if !pages.fits(LEADING) {
            pages.turn()?;
        }
        let y = pages.y() + LEADING;
        pages.text((MARGIN, y), NAME_WIDTH, Align::Left, (TEXT_SIZE, GREY), lang.pick(name))?;
        paragraph(pages, MARGIN + NAME_WIDTH, &value)?;
    }
    Ok(())
}

const fn yes_no(flag: bool, lang: Lang) -> &'static str {
    lang.pick(if flag { w::YES } else { w::NO })
}

fn moment(at: &str, zone: &str) -> String {
    UnixMs::parse_rfc3339(at).map(|at| moment_text(at, zone)).unwrap_or_default()
}

/// Text from `x` to the right margin, on as many lines and pages as it takes.
fn paragraph(pages: &mut Pages, x: f32, text: &str) -> Result<(), RenderError> {
    let width = MARGIN + INNER - x;
    for part in text.trim().lines() {
        let spelled = pages.spelled(part);
        for line in pages.wrapped(&spelled, TEXT_SIZE, width, LINES_MAX)? {
            if !pages.fits(LEADING) {
                pages.turn()?;
            }
            pages.skip(LEADING);
            pages.text((x, pages.y()), width, Align::Left, (TEXT_SIZE, BLACK), &line)?;
        }
    }
    Ok(())
}

fn layout(columns: &[(Words, f32)], lang: Lang) -> Layout {
    columns.iter().map(|(name, part)| (lang.pick(*name).to_owned(), INNER * part, Align::Left)).collect()
}

/// The form's answers, with units and ranges; what is out of its range is marked, by more than its colour.
fn form(pages: &mut Pages, view: &VisitDetail, lang: Lang) -> Result<(), RenderError> {
    if view.visit.answers.is_empty() {
        return Ok(());
    }
    let known = view.form.as_ref().map(|form| &form.form);
    let title = match known {
        Some(FormOrName::Form(form)) => lang.label(&form.label).to_owned(),
        Some(FormOrName::Name { name }) => name.clone(),
        None => String::new(),
    };
    let title = pages.spelled(&title);
    heading(pages, &title)?;
    let columns = layout(&[(w::FIELD, 0.35), (w::ANSWER, 0.45), (w::RANGE, 0.2)], lang);
    header(pages, &columns)?;
    for answer in &view.visit.answers {
        let field = match known {
            Some(FormOrName::Form(form)) => form.field(&answer.field),
            _ => None,
        };
        let name = field.map_or(answer.field.as_str(), |field| lang.label(&field.label));
        let is_paragraph = field.is_some_and(|field| field.kind == FieldKind::Paragraph);
        let long = |text: &&str| is_paragraph || text.chars().count() > CELL_CHARS_MAX;
        if let Some(text) = answer.value.as_str().filter(long) {
            let name = pages.spelled(name);
            row(pages, &columns, &[(name, GREY)])?;
            paragraph(pages, MARGIN + GAP, text)?;
            pages.skip(4.0);
            continue;
        }
        let range = field.and_then(|field| field.range.as_ref()).map(range_text).unwrap_or_default();
        let ink = if answer.amiss { RED } else { BLACK };
        let cells = [
            (pages.spelled(name), GREY),
            (pages.spelled(&answered(answer, field, lang)), ink),
            (pages.spelled(&range), GREY),
        ];
        row(pages, &columns, &cells)?;
    }
    Ok(())
}

fn answered(answer: &AnswerView, field: Option<&Field>, lang: Lang) -> String {
    let unit = field.and_then(|field| field.range.as_ref()).map_or("", |range| range.unit.as_str());
    let text = match &answer.value {
        Value::Bool(flag) => yes_no(*flag, lang).to_owned(),
        Value::Number(number) => format!("{} {unit}", number.as_f64().unwrap_or_default()),
        Value::String(text) => {
            let chosen = field.and_then(|field| field.choices.iter().find(|(name, _)| name == text));
            chosen.map_or_else(|| text.clone(), |(_, label)| lang.label(label).to_owned())
        }
        _ => String::new(),
    };
    match (&answer.value, answer.amiss) {
        (Value::Number(_), true) => format!("{text} ({})", lang.pick(w::OUT_OF_RANGE)),
        _ => text,
    }
}

fn range_text(range: &Range) -> String {
    match (range.at_least, range.at_most) {
        (Some(least), Some(most)) => format!("{least} – {most} {}", range.unit),
        (Some(least), None) => format!("≥ {least} {}", range.unit),
        (None, Some(most)) => format!("≤ {most} {}", range.unit),
        (None, None) => range.unit.clone(),
    }
}

fn points(pages: &mut Pages, view: &VisitDetail, lang: Lang) -> Result<(), RenderError> {
    if view.visit.points.is_empty() {
        return Ok(());
    }
    heading(pages, lang.pick(w::POINTS))?;
    let columns = layout(&[(w::FIELD, 0.3), (w::ANSWER, 0.25), (w::NOTE, 0.45)], lang);
    header(pages, &columns)?;
    for point in &view.visit.points {
        let state = lang.pick(if point.ok { w::WELL } else { w::AMISS });
        let reading = point.reading.map(|reading| format!("  {reading}")).unwrap_or_default();
        let cells = [
            (pages.spelled(&point.name), GREY),
            (pages.spelled(&format!("{state}{reading}")), if point.ok { BLACK } else { RED }),
            (pages.spelled(&point.note), BLACK),
        ];
        row(pages, &columns, &cells)?;
    }
    Ok(())
}

fn promises(pages: &mut Pages, view: &VisitDetail, lang: Lang) -> Result<(), RenderError> {
    let said = &view.visit;
    if said.promises.trim().is_empty() && said.promised.is_empty() {
        return Ok(());
    }
    heading(pages, lang.pick(w::PROMISES))?;
    paragraph(pages, MARGIN, &said.promises)?;
    for promised in &said.promised {
        let until = moment(&promised.until, &view.time_zone);
        paragraph(pages, MARGIN, &format!("{}  ({} {until})", promised.title, lang.pick(w::UNTIL)))?;
    }
    Ok(())
}

/// Turns the page where a heading would stand there without what it is of.
fn keep_together(pages: &mut Pages, height: f32) -> Result<(), RenderError> {
    if pages.fits(HEADING + height) { Ok(()) } else { pages.turn() }
}

fn photos(pages: &mut Pages, view: &VisitDetail, images: &Images, lang: Lang) -> Result<(), RenderError> {
    let photos: Vec<&VisitPart> = view.parts.iter().filter(|part| part.role == "photo").collect();
    if photos.is_empty() {
        return Ok(());
    }
    keep_together(pages, PHOTO_HEIGHT + 2.0 * LEADING)?;
    heading(pages, lang.pick(w::PHOTOS))?;
    let wide = (INNER - GAP * (PHOTOS_PER_ROW as f32 - 1.0)) / PHOTOS_PER_ROW as f32;
    for some in photos.chunks(PHOTOS_PER_ROW) {
        let height = PHOTO_HEIGHT + 2.0 * LEADING + GAP;
        if !pages.fits(height) {
            pages.turn()?;
        }
        for (column, part) in some.iter().enumerate() {
            let x = MARGIN + column as f32 * (wide + GAP);
            picture(pages, (x, pages.y()), (wide, PHOTO_HEIGHT), part, images, lang)?;
            let caption = pages.spelled(&part.caption);
            let y = pages.y() + PHOTO_HEIGHT + LEADING;
            pages.text((x, y), wide, Align::Left, (TEXT_SIZE, BLACK), &caption)?;
            let taken = part.taken_at.as_ref().map(|at| moment(at, &view.time_zone)).unwrap_or_default();
            pages.text((x, y + LEADING), wide, Align::Left, (TEXT_SIZE, GREY), &taken)?;
        }
        pages.skip(height);
    }
    Ok(())
}

fn signature(pages: &mut Pages, view: &VisitDetail, images: &Images, lang: Lang) -> Result<(), RenderError> {
    keep_together(pages, SIGNATURE.1 + LEADING)?;
    heading(pages, lang.pick(w::SIGNATURE))?;
    let signer = view.visit.signed_by.clone().unwrap_or_default();
    let signatures: Vec<&VisitPart> = view.parts.iter().filter(|part| part.role == "signature").collect();
    if signatures.is_empty() && signer.is_empty() {
        return paragraph(pages, MARGIN, lang.pick(w::NOT_SIGNED));
    }
    for part in signatures {
        if !pages.fits(SIGNATURE.1 + 2.0 * LEADING) {
            pages.turn()?;
        }
        picture(pages, (MARGIN, pages.y()), SIGNATURE, part, images, lang)?;
        pages.skip(SIGNATURE.1);
    }
    paragraph(pages, MARGIN, &signer)
}

/// An image within its room, whole and undistorted; else why it is not there.
fn picture(
    pages: &mut Pages,
    (x, y): (f32, f32),
    (width, height): (f32, f32),
    part: &VisitPart,
    images: &Images,
    lang: Lang,
) -> Result<(), RenderError> {
    let image = images.get(&part.sha256).and_then(|bytes| image(part, bytes));
    let Some(image) = image else {
        let why = if part.whole { w::NOT_SHOWN } else { w::NOT_ARRIVED };
        pages.fill((x, y), (width, 0.4), LINE);
        pages.fill((x, y + height), (width, 0.4), LINE);
        let at = (x + GAP, y + height / 2.0);
        return pages.text(at, width - 2.0 * GAP, Align::Left, (TEXT_SIZE, GREY), lang.pick(why));
    };
    let (w, h) = image.size();
    let scale = (width / w.max(1) as f32).min(height / h.max(1) as f32);
    pages.image((x, y), (w as f32 * scale, h as f32 * scale), image);
    Ok(())
}

fn image(part: &VisitPart, bytes: &[u8]) -> Option<Image> {
    let data = bytes.to_vec().into();
    let read =
        if part.media == "image/png" { Image::from_png(data, true) } else { Image::from_jpeg(data, true) };
    read.ok().filter(|image| {
        let (width, height) = image.size();
        u64::from(width) * u64::from(height) <= PIXELS_MAX && width > 0 && height > 0
    })
}
