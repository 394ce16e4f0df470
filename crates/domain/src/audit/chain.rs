//! The encoding of audit events over which the links of the hash chain are computed.

use crate::{
    id::{AccountId, EventId, ServiceId, SessionId, TenantId},
    time::Timestamp,
};

/// The link before the first event of a chain.
pub const NO_LINK: [u8; 32] = [0; 32];

/// An event as the hash chain covers it: all stored fields, and a commitment instead of its origin. So the origin can
/// be deleted later, and the chain still verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainedEvent<'a> {
    pub id: EventId,
    pub tenant: TenantId,
    pub happened_at: Timestamp,
    pub kind: &'a str,
    pub outcome: &'a str,
    pub reason: Option<&'a str>,
    pub actor: Option<AccountId>,
    pub account: Option<AccountId>,
    pub session: Option<SessionId>,
    pub service: Option<ServiceId>,
    pub object: Option<&'a str>,
    pub trace_id: &'a str,
    /// The commitment to address and user agent.
    pub origin: &'a [u8; 32],
}

impl ChainedEvent<'_> {
    /// The only encoding of the event. Every field has a fixed length or is preceded by its length, and a presence byte
    /// precedes every optional field, so no two events have the same encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut written = Vec::with_capacity(256);
        written.extend(self.id.as_bytes());
        written.extend(self.tenant.as_bytes());
        written.extend(self.happened_at.as_micros().to_be_bytes());
        text(&mut written, self.kind);
        text(&mut written, self.outcome);
        optional(&mut written, self.reason, text);
        optional(&mut written, self.actor, |written, id| written.extend(id.as_bytes()));
        optional(&mut written, self.account, |written, id| written.extend(id.as_bytes()));
        optional(&mut written, self.session, |written, id| written.extend(id.as_bytes()));
        optional(&mut written, self.service, |written, id| written.extend(id.as_bytes()));
        optional(&mut written, self.object, text);
        text(&mut written, self.trace_id);
        written.extend(self.origin);
        written
    }
}

fn text(written: &mut Vec<u8>, text: &str) {
    written.extend((text.len() as u64).to_be_bytes());
    written.extend(text.as_bytes());
}

fn optional<T>(written: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => {
            written.push(1);
            write(written, value);
        }
        None => written.push(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    /// An event that owns its fields.
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Owned {
        ids: (u128, u128),
        happened_at: i64,
        texts: (String, String, String),
        reason: Option<String>,
        whom: [Option<u128>; 4],
        object: Option<String>,
        origin: [u8; 32],
    }

    impl Owned {
        fn encode(&self) -> Vec<u8> {
            let whom = |at: usize| self.whom[at].map(Uuid::from_u128);
            ChainedEvent {
                id: EventId::from_uuid(Uuid::from_u128(self.ids.0)),
                tenant: TenantId::from_uuid(Uuid::from_u128(self.ids.1)),
                happened_at: Timestamp::from_micros(self.happened_at),
                kind: &self.texts.0,
                outcome: &self.texts.1,
                reason: self.reason.as_deref(),
                actor: whom(0).map(AccountId::from_uuid),
                account: whom(1).map(AccountId::from_uuid),
                session: whom(2).map(SessionId::from_uuid),
                service: whom(3).map(ServiceId::from_uuid),
                object: self.object.as_deref(),
                trace_id: &self.texts.2,
                origin: &self.origin,
            }
            .encode()
        }

        /// Decodes the event. An encoding that can be decoded in one way only was made from one event only.
        fn decode(mut bytes: &[u8]) -> Option<Self> {
            let bytes = &mut bytes;
            let ids = (id(bytes)?, id(bytes)?);
            let happened_at = i64::from_be_bytes(take(bytes, 8)?.try_into().ok()?);
            let (kind, outcome) = (string(bytes)?, string(bytes)?);
            let reason = if flag(bytes)? { Some(string(bytes)?) } else { None };
            let mut whom = [None; 4];
            for one in &mut whom {
                *one = if flag(bytes)? { Some(id(bytes)?) } else { None };
            }
            let object = if flag(bytes)? { Some(string(bytes)?) } else { None };
            let trace_id = string(bytes)?;
            let origin = take(bytes, 32)?.try_into().ok()?;
            let texts = (kind, outcome, trace_id);
            bytes.is_empty().then_some(Self { ids, happened_at, texts, reason, whom, object, origin })
        }
    }

    fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = bytes.split_at_checked(count)?;
        *bytes = rest;
        Some(taken)
    }

    fn flag(bytes: &mut &[u8]) -> Option<bool> {
        match take(bytes, 1)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn id(bytes: &mut &[u8]) -> Option<u128> {
        Some(u128::from_be_bytes(take(bytes, 16)?.try_into().ok()?))
    }

    fn string(bytes: &mut &[u8]) -> Option<String> {
        let length = u64::from_be_bytes(take(bytes, 8)?.try_into().ok()?);
        String::from_utf8(take(bytes, usize::try_from(length).ok()?)?.to_vec()).ok()
    }

    fn any_event() -> impl Strategy<Value = Owned> {
        let texts = (".{0,9}", ".{0,9}", ".{0,9}");
        let whom = prop::array::uniform4(prop::option::of(any::<u128>()));
        let maybe = || prop::option::of(".{0,9}");
        (any::<(u128, u128)>(), any::<i64>(), texts, maybe(), whom, maybe(), any::<[u8; 32]>()).prop_map(
            |(ids, happened_at, texts, reason, whom, object, origin)| Owned {
                ids,
                happened_at,
                texts,
                reason,
                whom,
                object,
                origin,
            },
        )
    }

    proptest! {
        #[test]
        fn an_event_is_read_back_as_it_was_written_so_no_two_are_written_alike(event in any_event()) {
            prop_assert_eq!(Owned::decode(&event.encode()), Some(event));
        }
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_is_another_event() {
        let event = Owned {
            ids: (1, 2),
            happened_at: 3,
            texts: ("ab".to_owned(), "c".to_owned(), String::new()),
            reason: None,
            whom: [Some(7), None, None, None],
            object: None,
            origin: [9; 32],
        };
        let moved = Owned { texts: ("a".to_owned(), "bc".to_owned(), String::new()), ..event.clone() };
        let other_role = Owned { whom: [None, Some(7), None, None], ..event.clone() };
        let empty = Owned { reason: Some(String::new()), ..event.clone() };
        for other in [moved, other_role, empty] {
            assert_ne!(event.encode(), other.encode(), "{other:?}");
        }
    }
}
