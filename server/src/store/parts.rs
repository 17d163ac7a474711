//! Photos and signatures: what reports name, and the bytes that came.

use std::collections::HashMap;

use linewatch_shared::facts::{Media, Part, PartRole, Place};
use linewatch_shared::time::UnixMs;
use linewatch_shared::wire::Hash;
use uuid::Uuid;

use crate::db::{DbError, LockKey, Row, Tx, Value};

/// Why bytes are not wanted any more whose customer's data was erased.
pub const ERASED: &str = "erased";

/// The key that a transaction takes before it changes the bytes of a part.
#[must_use]
pub fn lock_key(part: Hash) -> LockKey {
    LockKey::new("part", &part.0)
}

const fn role_name(role: PartRole) -> &'static str {
    match role {
        PartRole::Photo => "photo",
        PartRole::Signature => "signature",
    }
}

const fn media_name(media: Media) -> &'static str {
    match media {
        Media::Jpeg => "jpeg",
        Media::Png => "png",
    }
}

fn media(row: &Row, at: usize) -> Result<Media, DbError> {
    match row.get::<String>(at)?.as_str() {
        "jpeg" => Ok(Media::Jpeg),
        "png" => Ok(Media::Png),
        other => Err(DbError::Data(format!("part.media is \"{other}\""))),
    }
}

/// What a report names.
#[derive(Clone, Debug)]
pub struct NamedPart {
    /// As the report says.
    pub part: Part,
    /// Why its bytes are not wanted, where they are not.
    pub why: Option<String>,
}

/// Whose report names parts.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// The report's record.
    pub record: Uuid,
    /// Who sent it.
    pub agent: Uuid,
    /// Of which customer.
    pub customer: &'a str,
}

/// Keeps what a report names, in its order.
pub fn insert_named(tx: &mut Tx<'_>, naming: &Naming<'_>, named: &[NamedPart]) -> Result<(), DbError> {
    let row = |(n, NamedPart { part, why }): (usize, &NamedPart)| {
        vec![
            naming.record.into(),
            (n as i64).into(),
            naming.agent.into(),
            naming.customer.into(),
            part.sha256.0.into(),
            role_name(part.role).into(),
            media_name(part.media).into(),
            i64::try_from(part.bytes).unwrap_or(i64::MAX).into(),
            part.caption.as_str().into(),
            part.taken_at.into(),
            Value::from(part.place.map(|place| i64::from(place.latitude_udeg))),
            Value::from(part.place.map(|place| i64::from(place.longitude_udeg))),
            why.as_ref().into(),
        ]
    };
    let rows: Vec<_> = named.iter().enumerate().map(row).collect();
    let sql = "INSERT INTO visit_part (record, n, agent, customer, sha256, role, media, bytes, caption, taken_at_ms, \
         latitude, longitude, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (record, n) DO NOTHING";
    tx.batch(sql, &rows).map(drop)
}

/// Whether bytes are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    /// Not all of them yet.
    Wanted,
    /// All, and their hash is right.
    Whole,
    /// They came too often and were wrong.
    Bad,
}

impl PartState {
    /// The name in the table and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Whole => "whole",
            Self::Bad => "bad",
        }
    }

    fn read(name: &str) -> Result<Self, DbError> {
        let all = [Self::Wanted, Self::Whole, Self::Bad];
        let found = all.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| DbError::Data(format!("part.state is \"{name}\"")))
    }
}

/// The bytes of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredPart {
    /// How they are to be read.
    pub media: Media,
    /// How many there are to be.
    pub bytes: u64,
    /// How many are held.
    pub held: u64,
    /// Whether that is all.
    pub state: PartState,
    /// How often they came whole and were wrong.
    pub failures: i64,
}

/// The bytes of a hash, as far as they are there; none where nobody ever named it.
pub fn one(tx: &mut Tx<'_>, part: Hash) -> Result<Option<StoredPart>, DbError> {
    let sql = "SELECT media, bytes, held, state, failures FROM part WHERE sha256 = $1";
    let read = |row: Row| {
        Ok(StoredPart {
            media: media(&row, 0)?,
            bytes: row.get::<i64>(1)?.cast_unsigned(),
            held: row.get::<i64>(2)?.cast_unsigned(),
            state: PartState::read(&row.get::<String>(3)?)?,
            failures: row.get(4)?,
        })
    };
    tx.query_opt(sql, &[part.0.into()])?.map(read).transpose()
}

/// Says that bytes are wanted; what is known of them stays.
pub fn want(tx: &mut Tx<'_>, part: &Part) -> Result<(), DbError> {
    let sql = "INSERT INTO part (sha256, media, bytes) VALUES ($1, $2, $3) ON CONFLICT (sha256) DO NOTHING";
    let bytes = part.bytes.cast_signed();
    tx.execute(sql, &[part.sha256.0.into(), media_name(part.media).into(), bytes.into()])?;
    Ok(())
}

/// How an agent's reports name a hash: not at all, or why its bytes are not wanted (none where they are).
pub fn named_by(tx: &mut Tx<'_>, agent: Uuid, part: Hash) -> Result<Option<Option<String>>, DbError> {
    let sql = "SELECT why FROM visit_part WHERE sha256 = $1 AND agent = $2 \
         ORDER BY CASE WHEN why IS NULL THEN 0 ELSE 1 END, CASE WHEN why = $3 THEN 0 ELSE 1 END LIMIT 1";
    let row = tx.query_opt(sql, &[part.0.into(), agent.into(), ERASED.into()])?;
    row.map(|row| row.get(0)).transpose()
}

/// Keeps a chunk.
pub fn insert_chunk(tx: &mut Tx<'_>, part: Hash, at: u64, bytes: &[u8]) -> Result<(), DbError> {
    let sql = "INSERT INTO part_chunk (sha256, starts_at, bytes) VALUES ($1, $2, $3)";
    tx.execute(sql, &[part.0.into(), at.cast_signed().into(), bytes.into()])?;
    let end = at + bytes.len() as u64;
    let sql = "UPDATE part SET held = $1 WHERE sha256 = $2";
    tx.execute(sql, &[end.cast_signed().into(), part.0.into()])?;
    Ok(())
}

/// The bytes that are held, in order.
pub fn bytes(tx: &mut Tx<'_>, part: Hash) -> Result<Vec<u8>, DbError> {
    let sql = "SELECT bytes FROM part_chunk WHERE sha256 = $1 ORDER BY starts_at";
    let mut all = Vec::new();
    for row in tx.query(sql, &[part.0.into()])? {
        all.extend(row.get::<Vec<u8>>(0)?);
    }
    Ok(all)
}

/// All bytes are there, and right.
pub fn set_whole(tx: &mut Tx<'_>, part: Hash) -> Result<(), DbError> {
    tx.execute("UPDATE part SET state = 'whole' WHERE sha256 = $1", &[part.0.into()])?;
    Ok(())
}

/// Throws the bytes of a hash away, and keeps how it stands then.
pub fn forget_bytes(tx: &mut Tx<'_>, part: Hash, state: PartState, failures: i64) -> Result<(), DbError> {
    tx.execute("DELETE FROM part_chunk WHERE sha256 = $1", &[part.0.into()])?;
    let sql = "UPDATE part SET held = 0, state = $1, failures = $2 WHERE sha256 = $3";
    tx.execute(sql, &[state.name().into(), failures.into(), part.0.into()])?;
    Ok(())
}

/// The reports that name a hash whose bytes they want.
pub fn reports_naming(tx: &mut Tx<'_>, part: Hash, limit: i64) -> Result<Vec<Uuid>, DbError> {
    let sql =
        "SELECT DISTINCT record FROM visit_part WHERE sha256 = $1 AND why IS NULL ORDER BY record LIMIT $2";
    tx.query(sql, &[part.0.into(), limit.into()])?.iter().map(|row| row.get(0)).collect()
}

/// How many parts reports name, and how many of them are whole; a report that names none is left out.
pub fn counts(tx: &mut Tx<'_>, records: &[Uuid]) -> Result<HashMap<Uuid, (u32, u32)>, DbError> {
    let sql = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN v.why IS NULL AND p.state = 'whole' THEN 1 ELSE 0 END), 0) \
         FROM visit_part v LEFT JOIN part p ON p.sha256 = v.sha256 WHERE v.record = $1";
    let mut found = HashMap::new();
    for record in records {
        let row = tx.query_one(sql, &[(*record).into()])?;
        let total: u32 = row.get(0)?;
        if total > 0 {
            found.insert(*record, (total, row.get(1)?));
        }
    }
    Ok(found)
}

/// A part of a report, and how it stands.
#[derive(Clone, Debug)]
pub struct ReportPart {
    /// As it is named.
    pub named: NamedPart,
    /// How many of its bytes are held.
    pub held: u64,
    /// Whether that is all.
    pub state: PartState,
}

impl ReportPart {
    /// Whether its bytes are there to be seen.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.named.why.is_none() && self.state == PartState::Whole
    }
}

/// The parts of a report, in its order.
pub fn of_report(tx: &mut Tx<'_>, record: Uuid) -> Result<Vec<ReportPart>, DbError> {
    let sql = "SELECT v.sha256, v.role, v.media, v.bytes, v.caption, v.taken_at_ms, v.latitude, v.longitude, v.why, \
         p.held, p.state FROM visit_part v LEFT JOIN part p ON p.sha256 = v.sha256 WHERE v.record = $1 ORDER BY v.n";
    let degrees = |row: &Row, at| -> Result<Option<i32>, DbError> {
        Ok(row.get::<Option<i64>>(at)?.and_then(|degrees| i32::try_from(degrees).ok()))
    };
    let read = |row: &Row| {
        let place = degrees(row, 6)?.zip(degrees(row, 7)?);
        let role = if row.get::<String>(1)? == "signature" { PartRole::Signature } else { PartRole::Photo };
        let part = Part {
            role,
            media: media(row, 2)?,
            sha256: Hash(row.get(0)?),
            bytes: row.get::<i64>(3)?.cast_unsigned(),
            caption: row.get(4)?,
            taken_at: row.get::<Option<UnixMs>>(5)?,
            place: place.map(|(latitude_udeg, longitude_udeg)| Place { latitude_udeg, longitude_udeg }),
        };
        let state = row.get::<Option<String>>(10)?;
        Ok(ReportPart {
            named: NamedPart { part, why: row.get(8)? },
            held: row.get::<Option<i64>>(9)?.unwrap_or_default().cast_unsigned(),
            state: state.map_or(Ok(PartState::Wanted), |state| PartState::read(&state))?,
        })
    };
    tx.query(sql, &[record.into()])?.iter().map(read).collect()
}

/// How many parts of a report are not erased yet.
pub fn unerased(tx: &mut Tx<'_>, record: Uuid) -> Result<i64, DbError> {
    let sql = "SELECT COUNT(*) FROM visit_part WHERE record = $1 AND (why IS NULL OR why <> $2)";
    tx.query_one(sql, &[record.into(), ERASED.into()])?.get(0)
}

/// Erases the parts of a report: captions, places, and the bytes that no other report wants.
pub fn erase(tx: &mut Tx<'_>, record: Uuid, mark: &str) -> Result<(), DbError> {
    let sql = "UPDATE visit_part SET caption = CASE WHEN caption = '' THEN '' ELSE $1 END, latitude = NULL, \
         longitude = NULL, why = $2 WHERE record = $3";
    tx.execute(sql, &[mark.into(), ERASED.into(), record.into()])?;
    let unwanted = "IN (SELECT v.sha256 FROM visit_part v WHERE v.record = $1 \
         AND NOT EXISTS (SELECT 1 FROM visit_part w WHERE w.sha256 = v.sha256 AND w.why IS NULL))";
    for table in ["part_chunk", "part"] {
        tx.execute(&format!("DELETE FROM {table} WHERE sha256 {unwanted}"), &[record.into()])?;
    }
    Ok(())
}
