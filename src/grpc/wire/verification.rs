//! Writing the answers to backends.

use super::{proto, write::timestamp};
use crate::{
    keys::ContentKeyKind,
    usecase::{
        revocation::{FeedMessage, Message},
        verification::{HandedOut, Introspected},
    },
};
use countersign_domain::{
    key::KeyState,
    revocation::{Revocation, RevocationKind},
    session::LONGEST_ACCESS_LIFE,
    time::Timestamp,
};
use std::time::Duration;

pub(in crate::grpc) fn verification_keys(handed: HandedOut) -> proto::GetVerificationKeysResponse {
    let signing = handed.keys.signing.into_iter().map(|key| proto::SigningKey {
        key_id: key.id,
        public_key: key.public.to_vec(),
        state: state(key.state).into(),
    });
    let encryption = handed.keys.content.into_iter().map(|key| {
        let (algorithm, secret_key, public_key) = match key.key {
            ContentKeyKind::Shared(secret) => (proto::KeyAlgorithm::Direct, secret.reveal().to_vec(), Vec::new()),
            ContentKeyKind::Registered(public) => (proto::KeyAlgorithm::EcdhEs, Vec::new(), public.to_vec()),
        };
        proto::EncryptionKey {
            key_id: key.id,
            algorithm: algorithm.into(),
            secret_key,
            public_key,
            state: state(key.state).into(),
        }
    });
    proto::GetVerificationKeysResponse {
        issuer: handed.issuer,
        audience: handed.audience,
        signing_keys: signing.collect(),
        encryption_keys: encryption.collect(),
        tenant_id: handed.tenant.to_string(),
        longest_token_life_seconds: i64::try_from(LONGEST_ACCESS_LIFE.as_secs()).unwrap_or(i64::MAX),
    }
}

fn state(state: KeyState) -> proto::KeyState {
    match state {
        KeyState::Staged => proto::KeyState::Staged,
        KeyState::Active => proto::KeyState::Active,
        KeyState::Retiring => proto::KeyState::Retiring,
        KeyState::Gone => proto::KeyState::Unspecified,
    }
}

/// A message of the feed. `heartbeat` is the longest time without a message.
pub(in crate::grpc) fn revocations(message: Message, heartbeat: Duration) -> proto::WatchRevocationsResponse {
    use proto::watch_revocations_response::Event;
    let event = match message.heard {
        FeedMessage::Snapshot { revocations, complete } => Event::Snapshot(proto::RevocationSnapshot {
            revocations: revocations.into_iter().map(revocation).collect(),
            complete,
        }),
        FeedMessage::Changes(revocations) => {
            Event::Changes(proto::RevocationChanges { revocations: revocations.into_iter().map(revocation).collect() })
        }
        FeedMessage::Heartbeat => Event::Heartbeat(proto::RevocationHeartbeat {
            interval_seconds: i64::try_from(heartbeat.as_secs()).unwrap_or(i64::MAX),
        }),
    };
    proto::WatchRevocationsResponse {
        server_time: Some(timestamp(message.at)),
        cursor: message.cursor.map_or_else(String::new, |cursor| cursor.to_string()),
        event: Some(event),
    }
}

fn revocation(revocation: Revocation) -> proto::Revocation {
    use proto::revocation::Target;
    let expires_at = revocation.expires_at();
    let target = match revocation.kind {
        RevocationKind::Session => Target::SessionId(revocation.target),
        RevocationKind::Subject => Target::Subject(revocation.target),
        RevocationKind::Tenant => Target::TenantId(revocation.target),
        RevocationKind::Key => Target::KeyId(revocation.target),
        RevocationKind::KeySet => Target::KeySet(revocation.target),
    };
    let up_to = matches!(revocation.kind, RevocationKind::Subject | RevocationKind::Tenant).then_some(revocation.since);
    proto::Revocation {
        not_after_time: up_to.map(|at| timestamp(Timestamp::from_seconds(at.as_seconds()))),
        expire_time: Some(timestamp(expires_at)),
        target: Some(target),
    }
}

/// The answer about a token; `None` for a token that is not valid.
pub(in crate::grpc) fn introspected(found: Option<Introspected>) -> proto::IntrospectResponse {
    let Some(Introspected(claims)) = found else { return proto::IntrospectResponse::default() };
    let seconds = |seconds| Some(timestamp(Timestamp::from_seconds(seconds)));
    proto::IntrospectResponse {
        active: true,
        issue_time: seconds(claims.issued_at),
        expire_time: seconds(claims.expires_at),
        authenticate_time: seconds(claims.authenticated_at),
        issuer: claims.issuer.clone(),
        audience: claims.audience.clone(),
        subject: claims.subject.clone(),
        token_id: claims.token_id.clone(),
        session_id: claims.session_id.clone(),
        tenant_id: claims.tenant_id.clone(),
        roles: claims.roles.clone(),
        methods: claims.methods.clone(),
        level: claims.level.clone(),
    }
}
