use crate::usecase::session::OpenedSession;
use countersign_domain::{id::SessionId, secret::SecretText, time::Timestamp};
use std::sync::OnceLock;

/// A call over grpc-web: the tokens from its cookies, and how its answer changes the cookies.
///
/// The shim in `http/grpc_web` adds it to the request and reads it when the call is answered.
#[derive(Debug)]
pub struct Browser {
    pub access: Option<SecretText>,
    /// Each from its own cookie. The service finds the newest.
    pub refresh: Vec<SecretText>,
    /// The token of the browser as a device.
    pub device: Option<SecretText>,
    /// The token of a login that waits for a second factor.
    pub challenge: Option<SecretText>,
    /// What binds a ceremony to the browser.
    pub binding: Option<SecretText>,
    change: OnceLock<CookieChange>,
    known_by: OnceLock<SecretText>,
    challenged: OnceLock<ChallengeChange>,
    bound_by: OnceLock<SecretText>,
}

/// How an answer changes the cookie of a challenge.
#[derive(Debug)]
pub enum ChallengeChange {
    Hold { token: SecretText, expires_at: Timestamp },
    Clear,
}

/// How an answer changes the cookies of a browser.
#[derive(Debug)]
pub enum CookieChange {
    /// Set these tokens, and clear those that came with the call.
    Hold(HeldTokens),
    /// Clear the tokens: the session has ended.
    Clear,
}

/// The tokens of one generation of a session, to be set as cookies.
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
    /// The credentials of the cookies: of a session, of the device, of a challenge, and what binds a ceremony.
    pub fn new(
        (access, refresh): (Option<SecretText>, Vec<SecretText>),
        device: Option<SecretText>,
        (challenge, binding): (Option<SecretText>, Option<SecretText>),
    ) -> Self {
        let (change, known_by, challenged) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { access, refresh, device, challenge, binding, change, known_by, challenged, bound_by: OnceLock::new() }
    }

    /// What the browser has to keep from now on, so that a ceremony ends in it.
    pub fn bound_by(&self) -> Option<&SecretText> {
        self.bound_by.get()
    }

    /// Stores what binds a ceremony for the answer.
    pub(super) fn bind(&self, binding: SecretText) {
        // The value is set once: a call has one answer.
        let _ = self.bound_by.set(binding);
    }

    /// How the answer changes the cookie of the challenge; `None` to leave it unchanged.
    pub fn challenged(&self) -> Option<&ChallengeChange> {
        self.challenged.get()
    }

    /// Stores the change of the challenge's cookie for the answer.
    pub(super) fn challenge(&self, change: ChallengeChange) {
        // The value is set once: a call has one answer.
        let _ = self.challenged.set(change);
    }

    /// How the answer changes the cookies; `None` to leave them unchanged.
    pub fn change(&self) -> Option<&CookieChange> {
        self.change.get()
    }

    /// The new token of the browser as a device.
    pub fn known_by(&self) -> Option<&SecretText> {
        self.known_by.get()
    }

    /// Stores the device token for the answer.
    pub(super) fn know(&self, device: SecretText) {
        // The value is set once: a call has one answer.
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
        // The value is set once: a call has one answer.
        let _ = self.change.set(CookieChange::Hold(tokens));
    }

    /// The session of the cookies has ended: the answer clears them.
    pub(super) fn forget(&self) {
        let _ = self.change.set(CookieChange::Clear);
    }
}
