//! Pages of a PDF: what is drawn where, first laid out, then drawn, so that each page knows how many there are.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Size, Transform};
use krilla::image::Image;
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;

use super::RenderError;
use super::font::Face;

/// A4, lying, in points.
pub const WIDTH: f32 = 842.0;
pub const HEIGHT: f32 = 595.0;
/// The room left empty at each side.
pub const MARGIN: f32 = 36.0;
/// The room above the lower margin that is for the foot.
const FOOT: f32 = 18.0;
/// The size of the foot's text.
const FOOT_SIZE: f32 = 7.5;
/// The most pages of one report.
const PAGES_MAX: usize = 2_000;

/// A grey or a colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink(pub u8, pub u8, pub u8);

/// Of text.
pub const BLACK: Ink = Ink(0x1A, 0x1F, 0x26);
/// Of what is less important.
pub const GREY: Ink = Ink(0x66, 0x70, 0x7A);
/// Of what was missed.
pub const RED: Ink = Ink(0xB4, 0x23, 0x18);
/// Behind headers.
pub const SHADE: Ink = Ink(0xDD, 0xE6, 0xF0);
/// Between rows.
pub const LINE: Ink = Ink(0xD5, 0xDA, 0xDF);

/// Something drawn.
enum Op {
    Text { x: f32, y: f32, size: f32, ink: Ink, text: String },
    Box { x: f32, y: f32, width: f32, height: f32, ink: Ink },
    Image { x: f32, y: f32, width: f32, height: f32, image: Image },
}

/// Where text stands in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At its left.
    Left,
    /// At its right.
    Right,
}

/// Pages being laid out, from the top down.
pub struct Pages {
    face: Face,
    laid: Vec<Vec<Op>>,
    /// How far down the page is filled.
    y: f32,
}

impl Pages {
    /// With one empty page.
    ///
    /// # Errors
    /// When the font cannot be read.
    pub fn new() -> Result<Self, RenderError> {
        Ok(Self { face: Face::load()?, laid: vec![Vec::new()], y: MARGIN })
    }

    /// How far down the page is filled.
    #[must_use]
    pub const fn y(&self) -> f32 {
        self.y
    }

    /// Leaves room.
    pub const fn skip(&mut self, height: f32) {
        self.y += height;
    }

    /// Whether so much still fits the page.
    #[must_use]
    pub fn fits(&self, height: f32) -> bool {
        self.y + height <= HEIGHT - MARGIN - FOOT
    }

    /// Goes on at the top of a new page.
    ///
    /// # Errors
    /// When there are too many.
    pub fn turn(&mut self) -> Result<(), RenderError> {
        if self.laid.len() == PAGES_MAX {
            return Err(RenderError::TooLarge(format!("the report has more than {PAGES_MAX} pages")));
        }
        self.laid.push(Vec::new());
        self.y = MARGIN;
        Ok(())
    }

    /// Draws text within a width, its base line at `y`. Where it is too long, a text at the left is cut, and one at the
    /// right, a figure, is set smaller: a figure is never cut.
    ///
    /// # Errors
    /// When the font lacks a character.
    pub fn text(
        &mut self,
        (x, y): (f32, f32),
        width: f32,
        align: Align,
        (size, ink): (f32, Ink),
        text: &str,
    ) -> Result<(), RenderError> {
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (text, size) = match align {
            Align::Left => (self.face.fit(&plain, size, width)?, size),
            Align::Right => {
                let wide = self.face.width(&plain, size)?;
                (plain, if wide > width { size * width / wide } else { size })
            }
        };
        let room = width - self.face.width(&text, size)?;
        let x = match align {
            Align::Left => x,
            Align::Right => x + room,
        };
        self.push(Op::Text { x, y, size, ink, text });
        Ok(())
    }

    /// The text with what the font lacks written out.
    #[must_use]
    pub fn spelled(&self, text: &str) -> String {
        self.face.spelled(text)
    }

    /// The text on lines of a width; see [`Face::wrap`].
    ///
    /// # Errors
    /// When the font lacks a character.
    pub fn wrapped(
        &self,
        text: &str,
        size: f32,
        width: f32,
        lines_max: usize,
    ) -> Result<Vec<String>, RenderError> {
        self.face.wrap(text, size, width, lines_max)
    }

    /// Draws a filled box.
    pub fn fill(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), ink: Ink) {
        self.push(Op::Box { x, y, width, height, ink });
    }

    /// Draws an image, its upper left corner at a place.
    pub fn image(&mut self, (x, y): (f32, f32), (width, height): (f32, f32), image: Image) {
        self.push(Op::Image { x, y, width, height, image });
    }

    fn push(&mut self, op: Op) {
        if let Some(page) = self.laid.last_mut() {
            page.push(op);
        }
    }

    /// Draws everything, with `foot` and the page's number below each page.
    ///
    /// # Errors
    /// When the font lacks a character of the foot, or the file cannot be written.
    pub fn finish(self, title: &str, language: &str, foot: &str) -> Result<Vec<u8>, RenderError> {
        let mut document = Document::new();
        document.set_metadata(
            Metadata::new()
                .title(title.to_owned())
                .language(language.to_owned())
                .creator("linewatch".to_owned()),
        );
        let count = self.laid.len();
        let broken = |what: &str| RenderError::Write(format!("the page has no {what}"));
        for (number, ops) in (1..).zip(&self.laid) {
            let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| broken("size"))?;
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            for op in ops {
                draw(&mut surface, &self.face, op)?;
            }
            for op in foot_of(&self.face, foot, &format!("{number} / {count}"))? {
                draw(&mut surface, &self.face, &op)?;
            }
            surface.finish();
            page.finish();
        }
        document.finish().map_err(|e| RenderError::Write(format!("{e:?}")))
    }
}

fn foot_of(face: &Face, foot: &str, number: &str) -> Result<[Op; 2], RenderError> {
    let (y, size, ink) = (HEIGHT - MARGIN, FOOT_SIZE, GREY);
    let x = WIDTH - MARGIN - face.width(number, size)?;
    let left = face.fit(foot, size, WIDTH - 2.0 * MARGIN - 60.0)?;
    Ok([
        Op::Text { x: MARGIN, y, size, ink, text: left },
        Op::Text { x, y, size, ink, text: number.to_owned() },
    ])
}

fn draw(surface: &mut Surface<'_>, face: &Face, op: &Op) -> Result<(), RenderError> {
    let fill = |ink: Ink| Fill {
        paint: rgb::Color::new(ink.0, ink.1, ink.2).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    };
    match op {
        Op::Text { x, y, size, ink, text } => {
            surface.set_fill(Some(fill(*ink)));
            let glyphs = face.glyphs(text)?;
            surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, face.font.clone(), text, *size, false);
        }
        Op::Image { x, y, width, height, image } => {
            if let Some(size) = Size::from_wh(*width, *height) {
                surface.push_transform(&Transform::from_translate(*x, *y));
                surface.draw_image(image.clone(), size);
                surface.pop();
            }
        }
        Op::Box { x, y, width, height, ink } => {
            surface.set_fill(Some(fill(*ink)));
            let mut path = PathBuilder::new();
            path.move_to(*x, *y);
            path.line_to(x + width, *y);
            path.line_to(x + width, y + height);
            path.line_to(*x, y + height);
            path.close();
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
    Ok(())
}
