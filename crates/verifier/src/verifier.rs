//! The verifier.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{
    builder::VerifierBuilder,
    claims::Claims,
    credentials::Credentials,
    fault::ConnectError,
    following::Following,
    generated::IntrospectRequest,
    link::Link,
    offline::OfflineKeys,
    rejected::Rejected,
    shared::{Judged, Shared},
    status::VerifierStatus,
};

/// How long [`Verifier::check`] waits for keys, and for an introspection.
const PATIENCE: Duration = Duration::from_secs(2);

/// Checks access tokens of one audience. One per process is enough: clones share everything and cost a pointer.
///
/// Connected verifiers have a task that follows the service; it ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Verifier {
    shared: Arc<Shared>,
    /// Dropped with the last clone, which ends the task.
    _following: Option<Arc<Following>>,
}

impl Verifier {
    /// Connects to the service at `address` (`https://host:port`) and waits until keys and revocations have arrived.
    /// [`builder`](Self::builder) is the same with settings. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A [`ConnectError`] that says what is wrong with the address, the credentials or the audience; or, after 10
    /// seconds, why the service could not be reached.
    pub async fn connect(
        address: impl AsRef<str>,
        credentials: Credentials,
        audience: impl Into<String>,
    ) -> Result<Self, ConnectError> {
        Self::builder().connect(address, credentials, audience).await
    }

    /// A verifier with these keys only, for tests and for backends without a network. It receives no revocations:
    /// tokens are accepted until they expire.
    ///
    /// ```
    /// use countersign_verifier::{ContentKey, KeyId, OfflineKeys, Rejected, Verifier, VerifyingKey};
    /// # struct Then;
    /// # impl countersign_verifier::Clock for Then {
    /// #     fn unix_seconds(&self) -> i64 { 1_800_000_000 }
    /// #     fn monotonic(&self) -> std::time::Duration { std::time::Duration::ZERO }
    /// # }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let public = [
    /// #     138, 136, 227, 221, 116, 9, 241, 149, 253, 82, 219, 45, 60, 186, 93, 114, 202, 103, 9, 191, 29, 148, 18,
    /// #     27, 243, 116, 136, 1, 180, 15, 111, 92,
    /// # ];
    /// let keys = OfflineKeys {
    ///     issuer: "https://id.example.test".to_owned(),
    ///     audience: "default".to_owned(),
    ///     tenant_id: Some("018f3c9e-0000-7000-8000-000000000004".to_owned()),
    ///     verifying: vec![VerifyingKey::new(KeyId::new("sig-1")?, public)?],
    ///     decryption: vec![ContentKey::new(KeyId::new("enc-1")?, [11; 32]).into()],
    /// };
    /// let verifier = Verifier::offline(keys)?;
    /// assert_eq!(verifier.verify("anything"), Err(Rejected::Malformed));
    /// # let vector: serde_json::Value = serde_json::from_str(include_str!("../vectors/access.json"))?;
    /// # let token = vector["token"].as_str().ok_or("no token")?;
    /// # let (issuer, audience) = ("https://id.example.test".to_owned(), "default".to_owned());
    /// # let tenant_id = Some("018f3c9e-0000-7000-8000-000000000004".to_owned());
    /// # let verifying = vec![VerifyingKey::new(KeyId::new("sig-1")?, public)?];
    /// # let decryption = vec![ContentKey::new(KeyId::new("enc-1")?, [11; 32]).into()];
    /// # let keys = OfflineKeys { issuer, audience, tenant_id, verifying, decryption };
    /// # let verifier = Verifier::builder().clock(Then).offline(keys)?;
    /// let claims = verifier.verify(token)?;
    /// assert!(claims.has_role("editor") && !claims.is_service());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`KeyFault`](countersign_token::KeyFault) when two keys share an id or one cannot be used.
    pub fn offline(keys: OfflineKeys) -> Result<Self, countersign_token::KeyFault> {
        Self::builder().offline(keys)
    }

    /// Settings, each with a default.
    #[must_use]
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }

    pub(crate) fn new(shared: Arc<Shared>, following: Option<Following>) -> Self {
        Self { shared, _following: following.map(Arc::new) }
    }

    /// Checks a token: no network, no waiting, no lock.
    ///
    /// # Errors
    /// A [`Rejected`] for everything that is not an authentic, current token of this audience and tenant whose session,
    /// subject, tenant and keys are not revoked. If it names an unknown key, the keys are fetched in the background,
    /// and the next call may succeed.
    pub fn verify(&self, token: &str) -> Result<Claims, Rejected> {
        let judged = self.shared.judge(token).and_then(|judged| match self.shared.is_stale() {
            true => Err(Rejected::FeedStale),
            false => Ok(judged),
        });
        if judged == Err(Rejected::UnknownKey) {
            drop(self.shared.ask_for_keys(token));
        }
        self.observed(judged)
    }

    /// Checks a token, and waits where waiting helps: up to two seconds for keys when it names an unknown one, and for
    /// an introspection when the feed is stale and the policy is [`Introspect`](crate::StalePolicy::Introspect).
    /// Otherwise the same as [`verify`](Self::verify), and as fast.
    ///
    /// # Errors
    /// As [`verify`](Self::verify); [`Rejected::Inactive`] when the service answered that the token is not active.
    pub async fn check(&self, token: &str) -> Result<Claims, Rejected> {
        let judged = self.judge_with_patience(token).await;
        self.observed(judged)
    }

    /// The status of the verifier, for a status page or a probe.
    #[must_use]
    pub fn status(&self) -> VerifierStatus {
        VerifierStatus::of(&self.shared)
    }

    /// As [`check`](Self::check), if that needs no waiting; `None` if it does.
    pub(crate) fn check_at_once(&self, token: &str) -> Option<Result<Claims, Rejected>> {
        let judged = self.shared.judge(token);
        let waits = match &judged {
            Ok(_) => self.shared.is_stale(),
            Err(rejected) => *rejected == Rejected::UnknownKey,
        };
        (!waits).then(|| self.observed(judged))
    }

    /// Counts a request that was refused before or after its token was checked.
    pub(crate) fn refused(&self, rejected: Rejected) -> Rejected {
        self.shared.observe(|observer| observer.rejected(&rejected));
        rejected
    }

    async fn judge_with_patience(&self, token: &str) -> Result<Judged, Rejected> {
        let mut judged = self.shared.judge(token);
        if judged == Err(Rejected::UnknownKey)
            && let Some(mut round) = self.shared.ask_for_keys(token)
            && let Ok(Ok(())) = timeout(PATIENCE, round.changed()).await
        {
            judged = self.shared.judge(token);
        }
        let judged = judged?;
        match &self.shared.link {
            Some(link) if self.shared.is_stale() => self.introspect(link, token).await.map(|()| judged),
            _ => Ok(judged),
        }
    }

    /// Introspects a token that is valid as far as this process can tell: a forged one never gets here.
    async fn introspect(&self, link: &Link, token: &str) -> Result<(), Rejected> {
        if !link.policy.asks() {
            return Err(Rejected::FeedStale);
        }
        let question = async {
            let _one_of_few = link.questions.try_acquire().map_err(|_| Rejected::FeedStale)?;
            let bearer = link.account.bearer().await.map_err(|_| Rejected::FeedStale)?;
            let request = IntrospectRequest { token: token.to_owned() };
            match link.account.calls().introspect(bearer.clone(), request).await {
                Ok(answer) if answer.active => Ok(()),
                Ok(_) => Err(Rejected::Inactive),
                Err(status) => {
                    link.account.heed(&bearer, &status).await;
                    Err(Rejected::FeedStale)
                }
            }
        };
        timeout(PATIENCE, question).await.unwrap_or(Err(Rejected::FeedStale))
    }

    fn observed(&self, judged: Result<Judged, Rejected>) -> Result<Claims, Rejected> {
        match &judged {
            Ok(judged) => self.shared.observe(|observer| observer.verified(judged.cached)),
            Err(rejected) => self.shared.observe(|observer| observer.rejected(rejected)),
        }
        judged.map(|judged| judged.claims)
    }
}
