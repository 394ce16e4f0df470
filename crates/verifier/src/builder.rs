//! The settings of a verifier.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use countersign_token::{KeyFault, LONGEST_LIFE_SECONDS, TokenCache};
use tonic::transport::{Channel, Endpoint};

use crate::{
    calls::Calls,
    clock::{Clock, SystemClock},
    credentials::{Account, Credentials},
    fault::ConnectError,
    following::Following,
    keys::KeyRing,
    link::Link,
    observer::Observer,
    offline::OfflineKeys,
    policy::StalePolicy,
    recipient::Recipient,
    revocations::{Marker, Revocations},
    shared::Shared,
    verifier::Verifier,
};

/// Settings of a [`Verifier`], each with a default.
#[derive(Clone)]
pub struct VerifierBuilder {
    policy: StalePolicy,
    cached_tokens: usize,
    most_revocations: usize,
    connect_timeout: Duration,
    longest_token_life: Duration,
    recipients: Vec<Recipient>,
    observer: Option<Arc<dyn Observer>>,
    clock: Option<Arc<dyn Clock>>,
    plaintext: bool,
    #[cfg(feature = "tls")]
    root: Option<Vec<u8>>,
}

impl Default for VerifierBuilder {
    fn default() -> Self {
        Self {
            policy: StalePolicy::default(),
            cached_tokens: 16_384,
            most_revocations: 1_000_000,
            connect_timeout: Duration::from_secs(10),
            longest_token_life: Duration::from_secs(LONGEST_LIFE_SECONDS.unsigned_abs()),
            recipients: Vec::new(),
            observer: None,
            clock: None,
            plaintext: false,
            #[cfg(feature = "tls")]
            root: None,
        }
    }
}

impl VerifierBuilder {
    /// What happens to tokens while the revocation feed is interrupted. By default they are refused after 60 seconds.
    #[must_use]
    pub fn stale_policy(mut self, policy: StalePolicy) -> Self {
        self.policy = policy;
        self
    }

    /// How many opened tokens are cached at least, rounded up to a power of two; 16 384 by default, 0 for none. The
    /// README says how much memory one takes.
    #[must_use]
    pub fn cached_tokens(mut self, tokens: usize) -> Self {
        self.cached_tokens = tokens;
        self
    }

    /// How many revocations may be stored; a million by default, of 32 bytes each, with up to as much again of spare
    /// capacity. A feed with more is not followed, and becomes stale: no answer is better than a wrong one.
    #[must_use]
    pub fn most_revocations(mut self, revocations: usize) -> Self {
        self.most_revocations = revocations;
        self
    }

    /// How long [`connect`](Self::connect) waits for keys and revocations; 10 seconds by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The longest accepted life of a token, from `iat` to `exp`; an hour by default, the longest that the service can
    /// be configured to issue. It limits the use of a stolen signing key, and the service cannot extend it. A backend
    /// of a service whose `sessions.access_ttl` is ten minutes may set ten minutes; with less than that, it refuses
    /// every token.
    #[must_use]
    pub fn longest_token_life(mut self, life: Duration) -> Self {
        self.longest_token_life = life;
        self
    }

    /// The X25519 private key of an audience that registered its own public key (`ECDH-ES`): the service does not have
    /// it. It is recognized by its public half, under any id. During a rotation, give both keys.
    ///
    /// # Errors
    /// [`KeyFault`] when this cannot be a key.
    pub fn recipient_key(mut self, private: [u8; 32]) -> Result<Self, KeyFault> {
        self.recipients.push(Recipient::new(private)?);
        Ok(self)
    }

    /// The observer of events, for metrics.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Allows `http://` to other machines, where the client secret, the keys and the tokens are sent in clear. For
    /// networks with encryption at a lower layer, such as a service mesh.
    #[must_use]
    pub fn dangerous_plaintext(mut self) -> Self {
        self.plaintext = true;
        self
    }

    /// Trusts this certificate authority (PEM) and no other for the connection to the service.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root = Some(pem.into());
        self
    }

    /// Connects to the service at `address` (`https://host:port`) and waits until keys and revocations have arrived.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// As [`Verifier::connect`].
    pub async fn connect(
        self,
        address: impl AsRef<str>,
        credentials: Credentials,
        audience: impl Into<String>,
    ) -> Result<Verifier, ConnectError> {
        let channel = self.endpoint(address.as_ref())?.connect_lazy();
        self.connect_over(channel, credentials, audience).await
    }

    /// As [`connect`](Self::connect), over an existing channel: with another TLS configuration, a proxy, a Unix socket.
    /// What it carries is secret.
    ///
    /// # Errors
    /// As [`Verifier::connect`], those of the address excepted.
    pub async fn connect_over(
        self,
        channel: Channel,
        credentials: Credentials,
        audience: impl Into<String>,
    ) -> Result<Verifier, ConnectError> {
        if self.policy.patience().is_some_and(|patience| patience < Duration::from_secs(1)) {
            return Err(ConnectError::BadSetting("a feed cannot be stale after less than a second"));
        }
        let audience = audience.into();
        if audience.is_empty() || audience.len() > 64 {
            return Err(ConnectError::BadSetting("an audience has 1 to 64 bytes"));
        }
        let patience = self.connect_timeout;
        let clock = self.the_clock();
        let keys = KeyRing::empty(&audience, self.longest_life())
            .map_err(|_| ConnectError::BadSetting("the audience cannot be one"))?;
        let account = Account::new(Calls::new(channel), credentials, audience, Arc::clone(&clock));
        let link = Link::new(account, self.policy, self.recipients.clone(), self.most_revocations);
        let shared = self.shared(clock, keys, Some(link));
        let verifier = Verifier::new(Arc::clone(&shared), Some(Following::start(Arc::clone(&shared))));
        if let Some(link) = &shared.link {
            link.progress.ready(patience).await?;
        }
        Ok(verifier)
    }

    /// A verifier with these keys only.
    ///
    /// # Errors
    /// [`KeyFault`] when two keys share an id or one cannot be used.
    pub fn offline(self, keys: OfflineKeys) -> Result<Verifier, KeyFault> {
        let keys = KeyRing::new(keys.into(), self.longest_life())?;
        let clock = self.the_clock();
        Ok(Verifier::new(self.shared(clock, keys, None), None))
    }

    fn longest_life(&self) -> i64 {
        i64::try_from(self.longest_token_life.as_secs()).unwrap_or(i64::MAX)
    }

    fn the_clock(&self) -> Arc<dyn Clock> {
        self.clock.clone().unwrap_or_else(|| Arc::new(SystemClock::new()))
    }

    fn shared(self, clock: Arc<dyn Clock>, keys: KeyRing, link: Option<Link>) -> Arc<Shared> {
        Arc::new(Shared {
            clock,
            keys,
            marker: Marker::new(),
            revocations: Revocations::new(),
            cache: TokenCache::new(self.cached_tokens),
            observer: self.observer,
            link,
        })
    }

    fn endpoint(&self, address: &str) -> Result<Endpoint, ConnectError> {
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| ConnectError::BadAddress)?;
        let uri = endpoint.uri().clone();
        let host = uri.host().ok_or(ConnectError::BadAddress)?;
        let endpoint = match uri.scheme_str() {
            Some("https") => self.secured(endpoint)?,
            Some("http") if self.plaintext || is_here(host) => endpoint,
            Some("http") => return Err(ConnectError::Plaintext),
            _ => return Err(ConnectError::BadAddress),
        };
        // Detects a dead connection before the silence of the stream does.
        Ok(endpoint
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10))
            .keep_alive_while_idle(true))
    }

    #[cfg(feature = "tls")]
    fn secured(&self, endpoint: Endpoint) -> Result<Endpoint, ConnectError> {
        use tonic::transport::{Certificate, ClientTlsConfig};
        let config = match &self.root {
            Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
            None => ClientTlsConfig::new().with_enabled_roots(),
        };
        endpoint.tls_config(config).map_err(|_| ConnectError::Tls)
    }

    #[cfg(not(feature = "tls"))]
    fn secured(&self, _: Endpoint) -> Result<Endpoint, ConnectError> {
        Err(ConnectError::Tls)
    }
}

/// Whether `host` is this machine: then no traffic leaves it.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("policy", &self.policy)
            .field("cached_tokens", &self.cached_tokens)
            .field("most_revocations", &self.most_revocations)
            .finish_non_exhaustive()
    }
}
