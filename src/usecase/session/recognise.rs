use crate::{keys::KeyRing, usecase::key::KeyUpdates};
use countersign_domain::{id::SessionId, secret::SecretText};
use std::sync::Arc;

/// Finds the session of a browser whose cookies hold the tokens of several sessions
/// (docs/adr/0017-late-answers-and-cookies.md).
#[derive(Clone, Debug)]
pub struct RecogniseSession {
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
}

/// The refresh token of the session that a browser is in.
#[derive(Clone, Copy, Debug)]
pub struct Newest<'a> {
    pub session: SessionId,
    pub generation: i64,
    pub token: &'a SecretText,
}

impl RecogniseSession {
    /// The refresh token of the browser's session. When no token is ours, the first one: checking it gives the reason.
    pub async fn refresh_token<'a>(&self, tokens: &'a [SecretText]) -> Option<&'a SecretText> {
        let newest = self.newest(tokens).await.map(|newest| newest.token);
        newest.or_else(|| tokens.first())
    }

    /// The latest generation of the session that was opened last, live or not. `None` when no token is ours.
    pub async fn newest<'a>(&self, tokens: &'a [SecretText]) -> Option<Newest<'a>> {
        let mut newest: Option<Newest<'a>> = None;
        for token in tokens {
            let Ok(opened) = self.key_updates.open(|| self.ring.open_refresh(token)).await else { continue };
            let (session, generation) = (SessionId::from_uuid(opened.session_id), opened.generation);
            // Ids sort by their time of creation.
            if newest.is_none_or(|before| (before.session, before.generation) < (session, generation)) {
                newest = Some(Newest { session, generation, token });
            }
        }
        newest
    }
}
