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

    /// The text with what the font lacks written out, such as `[U+1F600]`: never a blank, and no error.
    #[must_use]
    pub fn spelled(&self, text: &str) -> String {
        let spelled = |character: char| match self.charmap.map(character) {
            Some(_) => character.to_string(),
            None => format!("[U+{:04X}]", u32::from(character)),
        };
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).map(spelled).collect()
    }

    /// The text on lines of `width` points, broken between words where it has any; the last of `lines_max` is cut with an
    /// ellipsis where there is more.
    ///
    /// # Errors
    /// When the font lacks a character of it.
    pub fn wrap(
        &self,
        text: &str,
        size: f32,
        width: f32,
        lines_max: usize,
    ) -> Result<Vec<String>, RenderError> {
        let mut lines = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            if lines.len() + 1 >= lines_max {
                lines.push(self.fit(rest, size, width)?);
                break;
            }
            let mut left = width;
            let mut end = rest.len();
            for (at, character) in rest.char_indices() {
                left -= self.width(character.encode_utf8(&mut [0; 4]), size)?;
                if left < 0.0 {
                    end = at;
                    break;
                }
            }
            if end == 0 {
                // Not even one character fits: it stands alone.
                end = rest.chars().next().map_or(rest.len(), char::len_utf8);
            } else if end < rest.len() {
                let words = |at: usize| rest[..at].trim_end().len();
                // A line of a language without spaces breaks anywhere.
                let space = rest[..end].rfind(' ').filter(|at| rest.is_char_boundary(*at) && words(*at) > 0);
                let within_word = rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric())
                    && rest[..end].ends_with(|c: char| c.is_ascii_alphanumeric());
                end = space.filter(|_| within_word).unwrap_or(end);
            }
            lines.push(rest[..end].trim_end().to_owned());
            rest = rest[end..].trim_start();
        }
        Ok(lines)
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
    fn a_text_is_wrapped_between_words_and_what_is_missing_is_spelled() {
        let face = Face::load().unwrap();
        assert_eq!(face.wrap("一二三四五六七", 10.0, 30.0, 9).unwrap(), ["一二三", "四五六", "七"]);
        let lines = face.wrap("the cable was mended", 10.0, 60.0, 9).unwrap();
        assert_eq!(lines.join(" "), "the cable was mended");
        assert!(lines.len() > 1 && lines.iter().all(|line| face.width(line, 10.0).unwrap() <= 60.0));
        let cut = face.wrap("一二三四五六七", 10.0, 30.0, 2).unwrap();
        assert_eq!((cut.len(), cut[1].ends_with('…')), (2, true));
        assert!(face.wrap("一二", 10.0, 1.0, 9).unwrap().len() == 2);
        assert_eq!(face.spelled("好\n𬭛"), "好 [U+2CB5B]");
    }

    #[test]
    fn a_long_text_is_cut_visibly() {
        let face = Face::load().unwrap();
        let cut = face.fit("一二三四五六七八九十", 10.0, 55.0).unwrap();
        assert_eq!(cut, "一二三四…");
        assert_eq!(face.fit("一二", 10.0, 20.0).unwrap(), "一二");
    }
}
