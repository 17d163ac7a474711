//! The font that reports are set in: a subset of Noto Sans CJK SC (see `server/assets/fonts`). A character that it
//! lacks is an error that names it, never a blank.

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};

use super::RenderError;

/// Made by `scripts/font.sh`.
const FONT: &[u8] = include_bytes!("../../assets/fonts/report.otf");
/// What ends a text that is cut to a width.
const ELLIPSIS: char = '…';

/// The font, ready to set text.
pub struct Face {
    /// For drawing.
    pub font: Font,
    charmap: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
    units_per_em: f32,
}

impl Face {
    /// Reads the font.
    ///
    /// # Errors
    /// When the font that was built in is broken.
    pub fn load() -> Result<Self, RenderError> {
        let broken = || RenderError::Write("the font that was built in cannot be read".to_owned());
        let reference = FontRef::new(FONT).map_err(|_| broken())?;
        let font = Font::new(FONT.to_vec().into(), 0).ok_or_else(broken)?;
        let units_per_em = font.units_per_em();
        Ok(Self {
            font,
            charmap: reference.charmap(),
            metrics: reference.glyph_metrics(Size::unscaled(), LocationRef::default()),
            units_per_em,
        })
    }

    /// The glyphs of a text, one for each character.
    ///
    /// # Errors
    /// When the font lacks a character of it.
    pub fn glyphs(&self, text: &str) -> Result<Vec<KrillaGlyph>, RenderError> {
        let mut glyphs = Vec::with_capacity(text.len());
        for (at, character) in text.char_indices() {
            let glyph = self
                .charmap
                .map(character)
                .ok_or_else(|| RenderError::MissingGlyph { character, text: text.to_owned() })?;
            let advance = self.metrics.advance_width(glyph).unwrap_or_default() / self.units_per_em;
            let range = at..at + character.len_utf8();
            glyphs.push(KrillaGlyph::new(GlyphId::new(glyph.to_u32()), advance, 0.0, 0.0, 0.0, range, None));
        }
        Ok(glyphs)
    }

    /// How wide a text is at a size, in points.
    ///
    /// # Errors
    /// When the font lacks a character of it.
    pub fn width(&self, text: &str, size: f32) -> Result<f32, RenderError> {
        Ok(self.glyphs(text)?.iter().map(|glyph| glyph.x_advance * size).sum())
    }

    /// The text, cut with an ellipsis where it is wider than `width` points.
    ///
    /// # Errors
    /// When the font lacks a character of it, cut away or not.
    pub fn fit(&self, text: &str, size: f32, width: f32) -> Result<String, RenderError> {
        if self.width(text, size)? <= width {
            return Ok(text.to_owned());
        }
        let mut left = width - self.width(&ELLIPSIS.to_string(), size)?;
        let mut kept = String::new();
        for character in text.chars() {
            left -= self.width(&character.to_string(), size)?;
            if left < 0.0 {
                break;
            }
            kept.push(character);
        }
        kept.push(ELLIPSIS);
        Ok(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_character_is_named() {
        let face = Face::load().unwrap();
        assert!(face.width("示例银行 Sample Bank 喆", 10.0).unwrap() > 50.0);
        let missing = face.glyphs("示例𬭛公司").unwrap_err().to_string();
        assert!(
            missing.contains('𬭛') && missing.contains("U+2CB5B") && missing.contains("示例"),
            "{missing}"
        );
        assert!(face.fit("𬭛", 8.0, 0.0).is_err());
    }

    #[test]
    fn a_long_text_is_cut_visibly() {
        let face = Face::load().unwrap();
        let cut = face.fit("一二三四五六七八九十", 10.0, 55.0).unwrap();
        assert_eq!(cut, "一二三四…");
        assert_eq!(face.fit("一二", 10.0, 20.0).unwrap(), "一二");
    }
}
