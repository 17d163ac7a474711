//! The photos and the signature of a visit report on paper: whole and undistorted, or why they are not there.

use krilla::image::Image;

use super::RenderError;
use super::columns::INNER;
use super::page::{Align, BLACK, GREY, LINE, MARGIN, Pages};
use super::pdf::{TEXT_SIZE, heading};
use super::visit::{Images, LEADING, moment, paragraph};
use super::visit_words as w;
use super::words::Lang;
use crate::app::visits::{VisitDetail, VisitPart};

/// The room of a signature.
const SIGNATURE: (f32, f32) = (220.0, 80.0);
/// Photos side by side, and the room of each.
const PHOTOS_PER_ROW: usize = 3;
const PHOTO_HEIGHT: f32 = 180.0;
const GAP: f32 = 10.0;
/// The room of a heading.
const HEADING: f32 = 40.0;
/// An image with more pixels is not unpacked.
const PIXELS_MAX: u64 = 40_000_000;

/// Turns the page where a heading would stand there without what it is of.
fn keep_together(pages: &mut Pages, height: f32) -> Result<(), RenderError> {
    if pages.fits(HEADING + height) { Ok(()) } else { pages.turn() }
}

pub(super) fn photos(
    pages: &mut Pages,
    view: &VisitDetail,
    images: &Images,
    lang: Lang,
) -> Result<(), RenderError> {
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

pub(super) fn signature(
    pages: &mut Pages,
    view: &VisitDetail,
    images: &Images,
    lang: Lang,
) -> Result<(), RenderError> {
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
