use crate::store::StoreFault;
use countersign_domain::time::Timestamp;
use sea_orm::{QueryResult, TryGetable};

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
        Ok(self.next::<Option<T>>()?.map(value))
    }
}
