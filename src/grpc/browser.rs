use crate::usecase::session::OpenedSession;
use countersign_domain::{id::SessionId, secret::SecretText, time::Timestamp};
use std::sync::OnceLock;

/// A call that came over grpc-web: the tokens that its cookies held, and what its answer makes of those cookies.
///
/// The shim in `http/grpc_web` puts one beside the request and reads it when the call is answered.
#[derive(Debug)]
pub struct Browser {
    pub access: Option<SecretText>,
    /// Each in a cookie of its own: which of them is the newest, only the service can tell.
    pub refresh: Vec<SecretText>,
    /// By what the browser is known as a device.
    pub device: Option<SecretText>,
    change: OnceLock<CookieChange>,
    known_by: OnceLock<SecretText>,
}

/// What becomes of a browser's cookies.
#[derive(Debug)]
pub enum CookieChange {
    /// They hold these tokens, and none that came with the call.
    Hold(HeldTokens),
    /// The session is over.
    Clear,
}

/// The tokens of one generation of a session, on their way into cookies.
#[derive(Debug)]
pub struct HeldTokens {
    pub session: SessionId,
    pub generation: i64,
    pub access: SecretText,
    pub access_expires_at: Timestamp,
    pub refresh: SecretText,
    pub refresh_expires_at: Timestamp,
}

impl Browser {
    pub fn new(access: Option<SecretText>, refresh: Vec<SecretText>, device: Option<SecretText>) -> Self {
        Self { access, refresh, device, change: OnceLock::new(), known_by: OnceLock::new() }
    }

    /// What the answer makes of the cookies; `None` to leave them alone.
    pub fn change(&self) -> Option<&CookieChange> {
        self.change.get()
    }

    /// By what the browser is known as a device from now on.
    pub fn known_by(&self) -> Option<&SecretText> {
        self.known_by.get()
    }

    /// Keeps the token of the device.
    pub(super) fn know(&self, device: SecretText) {
        // A call has one answer.
        let _ = self.known_by.set(device);
    }

    /// Moves the tokens of a session from its message to the cookies.
    pub(super) fn hold(&self, opened: &mut OpenedSession) {
        let take = |token: &mut SecretText| std::mem::replace(token, SecretText::new(String::new()));
        let tokens = HeldTokens {
            session: opened.id,
            generation: opened.generation,
            access: take(&mut opened.access_token),
            access_expires_at: opened.access_expires_at,
            refresh: take(&mut opened.refresh_token),
            refresh_expires_at: opened.refresh_expires_at,
        };
        // A call has one answer.
        let _ = self.change.set(CookieChange::Hold(tokens));
    }

    /// The session of the cookies is over.
    pub(super) fn forget(&self) {
        let _ = self.change.set(CookieChange::Clear);
    }
}
