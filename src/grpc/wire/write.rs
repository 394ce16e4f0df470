//! Writing: the values of the use cases as messages.

use super::proto;
use crate::usecase::{account::Profile, service::ServiceToken, session::OpenedSession};
use countersign_domain::{id::SessionId, session::Session, time::Timestamp};

pub(in crate::grpc) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_seconds(), nanos: at.subsecond_nanos() }
}

pub(in crate::grpc) fn account(profile: Profile) -> proto::Account {
    let Profile { account, roles } = profile;
    proto::Account {
        account_id: account.id.to_string(),
        email: account.email.as_str().to_owned(),
        username: account.username.map_or_else(String::new, |name| name.as_str().to_owned()),
        display_name: account.display_name,
        locale: account.locale.tag().to_owned(),
        create_time: Some(timestamp(account.created_at)),
        email_verify_time: Some(timestamp(account.email_verified_at)),
        password_change_time: Some(timestamp(account.password_changed_at)),
        roles,
    }
}

pub(in crate::grpc) fn session(opened: OpenedSession) -> proto::Session {
    proto::Session {
        session_id: opened.id.to_string(),
        access_token: opened.access_token.reveal().to_owned(),
        access_expire_time: Some(timestamp(opened.access_expires_at)),
        refresh_token: opened.refresh_token.reveal().to_owned(),
        refresh_expire_time: Some(timestamp(opened.refresh_expires_at)),
        account: Some(account(opened.profile)),
    }
}

pub(in crate::grpc) fn session_info(session: Session, current: SessionId) -> proto::SessionInfo {
    proto::SessionInfo {
        session_id: session.id.to_string(),
        device_name: session.device_name,
        user_agent: session.user_agent,
        address: session.address,
        create_time: Some(timestamp(session.created_at)),
        refresh_time: Some(timestamp(session.refreshed_at)),
        expire_time: Some(timestamp(session.expiry.idle)),
        current: session.id == current,
        place: session.place.map_or_else(String::new, |place| place.to_string()),
    }
}

pub(in crate::grpc) fn service_token(token: ServiceToken) -> proto::IssueServiceTokenResponse {
    proto::IssueServiceTokenResponse {
        access_token: token.access_token.reveal().to_owned(),
        access_expire_time: Some(timestamp(token.expires_at)),
    }
}
