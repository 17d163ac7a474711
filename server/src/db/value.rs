//! The values that go into statements and come out of rows, the same for both databases.

use linewatch_shared::time::UnixMs;
use uuid::Uuid;

use super::DbError;

/// One parameter or column. Booleans are integers, times are UTC milliseconds, ids are 16 bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB or BYTEA.
    Blob(Vec<u8>),
}

impl Value {
    /// The name of the kind, for error messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Real(_) => "a real",
            Self::Text(_) => "a text",
            Self::Blob(_) => "a blob",
        }
    }
}

macro_rules! from_int {
    ($($t:ty),*) => {$(
        impl From<$t> for Value {
            fn from(v: $t) -> Self {
                Self::Int(i64::from(v))
            }
        }
    )*};
}
from_int!(i64, i32, i16, i8, u32, u16, u8, bool);

impl From<f64> for Value {
    fn from(v: f64) -> Self {
        Self::Real(v)
    }
}
impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_owned())
    }
}
impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}
impl From<&String> for Value {
    fn from(v: &String) -> Self {
        Self::Text(v.clone())
    }
}
impl From<&[u8]> for Value {
    fn from(v: &[u8]) -> Self {
        Self::Blob(v.to_vec())
    }
}
impl From<Vec<u8>> for Value {
    fn from(v: Vec<u8>) -> Self {
        Self::Blob(v)
    }
}
impl<const N: usize> From<[u8; N]> for Value {
    fn from(v: [u8; N]) -> Self {
        Self::Blob(v.to_vec())
    }
}
impl<const N: usize> From<&[u8; N]> for Value {
    fn from(v: &[u8; N]) -> Self {
        Self::Blob(v.to_vec())
    }
}
impl From<Uuid> for Value {
    fn from(v: Uuid) -> Self {
        Self::Blob(v.as_bytes().to_vec())
    }
}
impl From<UnixMs> for Value {
    fn from(v: UnixMs) -> Self {
        Self::Int(v.0)
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// What is expected, for error messages.
    const EXPECTED: &'static str;
    /// The value, or `None` when it is of another kind.
    fn from_value(value: &Value) -> Option<Self>;
}

impl FromValue for Value {
    const EXPECTED: &'static str = "anything";
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

macro_rules! int_out {
    ($($t:ty),*) => {$(
        impl FromValue for $t {
            const EXPECTED: &'static str = concat!("an integer (", stringify!($t), ")");
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(v) => Self::try_from(*v).ok(),
                    _ => None,
                }
            }
        }
    )*};
}
int_out!(i64, i32, i16, u64, u32, u16, u8);

impl FromValue for bool {
    const EXPECTED: &'static str = "0 or 1";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}
impl FromValue for f64 {
    const EXPECTED: &'static str = "a real";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(v) => Some(*v),
            Value::Int(v) => Some(*v as Self),
            _ => None,
        }
    }
}
impl FromValue for String {
    const EXPECTED: &'static str = "a text";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(v) => Some(v.clone()),
            _ => None,
        }
    }
}
impl FromValue for Vec<u8> {
    const EXPECTED: &'static str = "a blob";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(v) => Some(v.clone()),
            _ => None,
        }
    }
}
impl<const N: usize> FromValue for [u8; N] {
    const EXPECTED: &'static str = "a blob of fixed length";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(v) => v.as_slice().try_into().ok(),
            _ => None,
        }
    }
}
impl FromValue for Uuid {
    const EXPECTED: &'static str = "a blob of 16 bytes";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(v) => Self::from_slice(v).ok(),
            _ => None,
        }
    }
}
impl FromValue for UnixMs {
    const EXPECTED: &'static str = "an integer (UTC milliseconds)";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(v) => Some(Self(*v)),
            _ => None,
        }
    }
}
impl<T: FromValue> FromValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// One row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(Vec<Value>);

impl Row {
    pub(super) const fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// The column at `index` (from 0) as a `T`.
    ///
    /// # Errors
    /// [`DbError::Column`] when there is no such column or it is of another kind.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, DbError> {
        let value = self.0.get(index).ok_or(DbError::Column {
            index,
            expected: T::EXPECTED,
            found: "no such column",
        })?;
        T::from_value(value).ok_or(DbError::Column { index, expected: T::EXPECTED, found: value.kind() })
    }

    /// How many columns the row has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True for a row without columns.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
