use super::{FactorSecrets, WrongFactor};
use crate::{
    passkeys::{AuthenticationResponse, CeremonyState, Passkeys, StartedCeremony, StoredPasskey},
    store::factor::SealedFactor,
    usecase::Failure,
};
use countersign_domain::{
    factor::{FactorKind, RightFactor},
    id::AccountId,
    refusal::Reason,
};

/// Checks passkeys.
#[derive(Clone, Debug)]
pub struct PasskeyGate {
    pub secrets: FactorSecrets,
    /// `None` where the service has no domain name.
    pub passkeys: Option<Passkeys>,
}

impl PasskeyGate {
    /// # Errors
    /// PASSKEYS_UNAVAILABLE.
    pub fn passkeys(&self) -> Result<&Passkeys, Reason> {
        self.passkeys.as_ref().ok_or(Reason::PasskeysUnavailable)
    }

    /// The public keys of the enabled passkeys among the factors of an account.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub async fn enabled(&self, account: AccountId, factors: &[SealedFactor]) -> Result<Vec<StoredPasskey>, Failure> {
        let mut enabled = Vec::new();
        let is_passkey =
            |stored: &&SealedFactor| stored.factor.kind == FactorKind::Passkey && stored.factor.is_enabled();
        for stored in factors.iter().filter(is_passkey) {
            enabled.push(self.secrets.passkey(account, stored).await?);
        }
        Ok(enabled)
    }

    /// Asks for one of these passkeys. `None` without any, and where the service takes none.
    ///
    /// # Errors
    /// When the library fails.
    pub fn ask(&self, allowed: &[StoredPasskey]) -> Result<Option<StartedCeremony>, Failure> {
        match &self.passkeys {
            Some(passkeys) => Ok(passkeys.start_authentication(allowed)?),
            None => Ok(None),
        }
    }

    /// Checks what a passkey of an account signed. It is not used up yet.
    ///
    /// # Errors
    /// PASSKEYS_UNAVAILABLE; when its public key cannot be opened.
    pub async fn check(
        &self,
        account: AccountId,
        stored: &SealedFactor,
        (presented, ceremony): (&AuthenticationResponse, &CeremonyState),
    ) -> Result<Result<RightFactor, WrongFactor>, Failure> {
        let facts = stored.factor.passkey.filter(|_| stored.factor.is_enabled());
        let names_account = presented.user_handle().is_ok_and(|named| named.is_none() || named == stored.user_handle);
        let Some(facts) = facts.filter(|_| names_account) else { return Ok(Err(WrongFactor::Wrong)) };
        let credential = self.secrets.passkey(account, stored).await?;
        let verified = self.passkeys()?.verify(ceremony, presented, (credential, facts.sign_count))?;
        let right = |sign_count| RightFactor::Passkey { factor: stored.factor.id, sign_count };
        Ok(verified.map(right).map_err(|rejected| WrongFactor::of_passkey(rejected, stored.factor.id)))
    }
}
