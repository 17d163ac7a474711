//! The words of both languages as this desk has them, and the writers that use them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::own_text;
use super::text::Writer;
use super::words::{Lang, Words, WordsError};
use crate::config::AlertLang;
use crate::db::{Db, DbError, Tx};
use crate::store::alert_texts::{self, Kept};

/// The words of both languages.
#[derive(Clone, Debug)]
pub struct Lexicon {
    /// How often the desk had changed its texts.
    version: i64,
    zh: Arc<Words>,
    en: Arc<Words>,
}

impl Lexicon {
    /// The shipped texts alone.
    ///
    /// # Errors
    /// When a text file of this program is broken.
    pub fn shipped() -> Result<Self, WordsError> {
        Self::new(0, &[])
    }

    /// The shipped texts, and the desk's own before them. One that cannot stand (it was kept by another version of this
    /// program) is left out: the shipped one says it.
    ///
    /// # Errors
    /// When a text file of this program is broken.
    pub fn new(version: i64, kept: &[Kept]) -> Result<Self, WordsError> {
        let mut own = [BTreeMap::new(), BTreeMap::new()];
        for text in kept {
            let Some(lang) = Lang::parse(&text.lang) else { continue };
            if let Ok(read) = own_text::read(&text.id, &text.text) {
                own[lang as usize].insert(text.id.clone(), read);
            } else {
                let (id, lang) = (&text.id, &text.lang);
                tracing::warn!(id, lang, "the desk's own text does not fit; the shipped one is used");
            }
        }
        let [zh, en] = own;
        let (zh, en) = (Words::with(Lang::Zh, zh)?, Words::with(Lang::En, en)?);
        Ok(Self { version, zh: Arc::new(zh), en: Arc::new(en) })
    }

    /// As the database has them.
    ///
    /// # Errors
    /// The database's, or that a text file of this program is broken.
    pub fn read(tx: &mut Tx<'_>) -> Result<Self, DbError> {
        let (version, kept) = (alert_texts::version(tx)?, alert_texts::all(tx)?);
        Self::new(version, &kept).map_err(|e| DbError::Data(e.to_string()))
    }

    /// Writes in one language, or in both.
    #[must_use]
    pub fn writer(&self, lang: AlertLang) -> Writer {
        let (zh, en) = (Arc::clone(&self.zh), Arc::clone(&self.en));
        Writer::of(match lang {
            AlertLang::Zh => vec![zh],
            AlertLang::En => vec![en],
            AlertLang::Both => vec![zh, en],
        })
    }
}

/// The words in use, and who is written to in which language.
#[derive(Debug)]
pub struct Writers {
    usual: AlertLang,
    own: BTreeMap<String, AlertLang>,
    lexicon: RwLock<Arc<Lexicon>>,
}

impl Writers {
    /// Begins with the shipped texts.
    ///
    /// # Errors
    /// When a text file of this program is broken.
    pub fn new(usual: AlertLang, own: &BTreeMap<String, AlertLang>) -> Result<Self, WordsError> {
        Ok(Self { usual, own: own.clone(), lexicon: RwLock::new(Arc::new(Lexicon::shipped()?)) })
    }

    /// The words as they are now.
    #[must_use]
    pub fn lexicon(&self) -> Arc<Lexicon> {
        Arc::clone(&self.lexicon.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The writer for an address.
    #[must_use]
    pub fn of(&self, address: &str) -> Writer {
        self.lexicon().writer(self.own.get(address).copied().unwrap_or(self.usual))
    }

    /// Reads the desk's texts anew where they are not of this version. An alert does not wait for its words: where they
    /// cannot be read, those known before are used.
    pub async fn refresh(&self, db: &Db, version: i64) {
        if self.lexicon().version == version {
            return;
        }
        match db.read(Lexicon::read).await {
            Ok(lexicon) => *self.lexicon.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(lexicon),
            Err(e) => tracing::warn!(error = %e, "the desk's own texts cannot be read yet"),
        }
    }
}
