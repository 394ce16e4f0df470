use crate::store::StoreFault;
use countersign_domain::time::Timestamp;
use sea_orm::{
    QueryResult, TryGetable,
    sqlx::{Row as _, ValueRef as _},
};

/// The columns of a row, from left to right: to look each up by its name would cost more than to read it.
pub(in crate::store) struct Columns<'a> {
    row: &'a QueryResult,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(in crate::store) fn of(row: &'a QueryResult) -> Self {
        Self { row, next: 0 }
    }

    pub(in crate::store) fn next<T: TryGetable>(&mut self) -> Result<T, StoreFault> {
        let value = self.row.try_get_by_index(self.next)?;
        self.next += 1;
        Ok(value)
    }

    pub(in crate::store) fn instant(&mut self) -> Result<Timestamp, StoreFault> {
        self.next().map(Timestamp::from_micros)
    }

    pub(in crate::store) fn perhaps<T: TryGetable, V>(
        &mut self,
        value: impl Fn(T) -> V,
    ) -> Result<Option<V>, StoreFault> {
        // `Option<T>` would write an error text for each NULL, and drop it.
        if self.is_null()? {
            self.next += 1;
            return Ok(None);
        }
        self.next().map(value).map(Some)
    }

    fn is_null(&self) -> Result<bool, StoreFault> {
        let is_null = match (self.row.try_as_pg_row(), self.row.try_as_sqlite_row()) {
            (Some(row), _) => row.try_get_raw(self.next).ok().map(|value| value.is_null()),
            (_, Some(row)) => row.try_get_raw(self.next).ok().map(|value| value.is_null()),
            (None, None) => None,
        };
        is_null.ok_or(StoreFault::unreadable("column"))
    }
}
