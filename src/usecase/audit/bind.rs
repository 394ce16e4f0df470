use super::code::link_of;
use crate::{
    keys::ChainKey,
    store::{
        audit::AuditRow,
        audit_chain::{Head, Seal},
    },
};

/// Gives an event the next place of a chain, and moves the head on to it. The head still needs its code, and the database both.
pub(super) fn bind(head: &mut Head, row: &mut AuditRow, digest: &[u8; 32], (id, key): (&str, &ChainKey)) -> Seal {
    let position = head.position.saturating_add(1);
    let link = link_of(key, &head.link, position, row, digest);
    (head.position, head.link) = (position, link.to_vec());
    (row.position, row.link, row.link_key) = (Some(position), Some(link.to_vec()), Some(id.to_owned()));
    Seal { id: row.id, position, link }
}
