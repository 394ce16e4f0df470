//! The credentials of the backend at the service, and its access token there.

use std::{fmt, sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tonic::{Code, Status, metadata::AsciiMetadataValue};
use zeroize::Zeroizing;

use crate::{calls::Calls, clock::Clock, fault::Fault, generated::IssueServiceTokenRequest};

/// A token is kept for at least this long, whatever the two clocks say: if a clock is wrong by minutes, the backend
/// must not request a token before every other call.
const SHORTEST_USE: Duration = Duration::from_secs(20);
const SCHEME: &str = "Bearer ";
const LONGEST_USE: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest accepted token.
const MAX_TOKEN: usize = countersign_token::MAX_ACCESS_TOKEN_BYTES;

/// The id and the secret that `countersign service create` printed. The secret is zeroized on drop; silent `Debug`.
#[derive(Clone)]
pub struct Credentials {
    client_id: String,
    client_secret: Zeroizing<String>,
}

impl Credentials {
    /// Takes the id and the secret.
    #[must_use]
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), client_secret: Zeroizing::new(client_secret.into()) }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Requests service tokens, one at a time, and keeps each for three quarters of its life.
pub(crate) struct Account {
    calls: Calls,
    credentials: Credentials,
    audience: String,
    clock: Arc<dyn Clock>,
    held: Mutex<Option<Held>>,
}

struct Held {
    bearer: AsciiMetadataValue,
    /// On the monotonic clock.
    renew_at: Duration,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Drawn {
    /// The service does not accept the credentials.
    Refused(Fault),
    /// The request failed; another attempt may succeed.
    Failed(Fault),
}

impl Account {
    pub(crate) fn new(calls: Calls, credentials: Credentials, audience: String, clock: Arc<dyn Clock>) -> Self {
        Self { calls, credentials, audience, clock, held: Mutex::new(None) }
    }

    pub(crate) fn audience(&self) -> &str {
        &self.audience
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// A token that is valid for a while. Simultaneous callers wait for one request.
    pub(crate) async fn bearer(&self) -> Result<AsciiMetadataValue, Drawn> {
        let mut held = self.held.lock().await;
        let now = self.clock.monotonic();
        if let Some(held) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.bearer.clone());
        }
        let drawn = self.draw().await?;
        let bearer = drawn.bearer.clone();
        *held = Some(drawn);
        Ok(bearer)
    }

    /// Checks the result of a call with `bearer`. If the service does not accept that token, the next call requests
    /// another.
    pub(crate) async fn heed(&self, bearer: &AsciiMetadataValue, status: &Status) {
        if status.code() == Code::Unauthenticated {
            let mut held = self.held.lock().await;
            if held.as_ref().is_some_and(|held| held.bearer == *bearer) {
                *held = None;
            }
        }
    }

    async fn draw(&self) -> Result<Held, Drawn> {
        let request = IssueServiceTokenRequest {
            client_id: self.credentials.client_id.clone(),
            client_secret: self.credentials.client_secret.to_string(),
            audience: self.audience.clone(),
        };
        let mut answer = self.calls.issue_token(request).await.map_err(|status| match Fault::of(&status) {
            fault @ Fault::Refused(_) => Drawn::Refused(fault),
            fault => Drawn::Failed(fault),
        })?;
        let unreadable = |what| Drawn::Failed(Fault::Unreadable(what));
        let token = Zeroizing::new(std::mem::take(&mut answer.access_token));
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Err(unreadable("a service token"));
        }
        // Its full capacity at once: a string that grows leaves unwiped copies behind.
        let mut text = Zeroizing::new(String::with_capacity(SCHEME.len() + token.len()));
        text.push_str(SCHEME);
        text.push_str(&token);
        let mut bearer = AsciiMetadataValue::try_from(text.as_str()).map_err(|_| unreadable("a service token"))?;
        bearer.set_sensitive(true);
        let life = answer.access_expire_time.map_or(0, |end| end.seconds.saturating_sub(self.clock.unix_seconds()));
        let life = Duration::from_secs(u64::try_from(life).unwrap_or(0)) / 4 * 3;
        let renew_at = self.clock.monotonic() + life.clamp(SHORTEST_USE, LONGEST_USE);
        tracing::debug!("received a service token");
        Ok(Held { bearer, renew_at })
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}
