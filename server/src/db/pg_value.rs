//! Values on their way to PostgreSQL and back.

use std::error::Error as StdError;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::{DbError, Row, Value};

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, ty) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(v), &Type::INT8) => v.to_sql(ty, out),
            (Self::Int(v), &Type::INT4) => i32::try_from(*v)?.to_sql(ty, out),
            (Self::Int(v), &Type::INT2) => i16::try_from(*v)?.to_sql(ty, out),
            (Self::Int(v), &Type::FLOAT8) => (*v as f64).to_sql(ty, out),
            (Self::Real(v), &Type::FLOAT8) => v.to_sql(ty, out),
            (Self::Text(v), &Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME | &Type::UNKNOWN) => {
                v.to_sql(ty, out)
            }
            (Self::Blob(v), &Type::BYTEA) => v.to_sql(ty, out),
            _ => Err(format!("{} cannot be bound where PostgreSQL expects {ty}", self.kind()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

pub(super) fn to_row(row: &tokio_postgres::Row) -> Result<Row, DbError> {
    let mut values = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let get_failed = |e| DbError::postgres(e, "reading a column");
        let value = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index).map_err(get_failed)?.into(),
            Type::INT4 => row.try_get::<_, Option<i32>>(index).map_err(get_failed)?.into(),
            Type::INT2 => row.try_get::<_, Option<i16>>(index).map_err(get_failed)?.into(),
            Type::BOOL => row.try_get::<_, Option<bool>>(index).map_err(get_failed)?.into(),
            Type::FLOAT8 => row.try_get::<_, Option<f64>>(index).map_err(get_failed)?.into(),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => {
                row.try_get::<_, Option<String>>(index).map_err(get_failed)?.into()
            }
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(index).map_err(get_failed)?.into(),
            Type::VOID => Value::Null,
            ref other => return Err(DbError::ColumnType { index, pg_type: other.name().to_owned() }),
        };
        values.push(value);
    }
    Ok(Row::new(values))
}
