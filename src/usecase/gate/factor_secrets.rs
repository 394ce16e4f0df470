use crate::{
    keys::{KeyRing, MacKey},
    passkeys::{CeremonyState, StoredPasskey},
    store::factor::SealedFactor,
    usecase::{Failure, key::KeyUpdates},
};
use countersign_domain::{
    backup_code::BackupCode,
    id::AccountId,
    secret::SecretBytes,
    totp::{TOTP_SECRET_BYTES, TotpSecret},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Seals and opens the secrets of factors.
#[derive(Clone, Debug)]
pub struct FactorSecrets {
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
}

impl FactorSecrets {
    /// The secret of an authenticator app.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn totp(&self, account: AccountId, stored: &SealedFactor) -> Result<TotpSecret, Failure> {
        let opened = self.open(account, stored).await?;
        let bytes: [u8; TOTP_SECRET_BYTES] = opened.as_slice().try_into().map_err(|_| unreadable())?;
        Ok(TotpSecret::new(SecretBytes::new(bytes)))
    }

    /// What is stored of a backup code, by the key of the account's codes.
    ///
    /// # Errors
    /// When the key cannot be opened.
    pub async fn digest(&self, account: AccountId, key: &SealedFactor, code: &BackupCode) -> Result<[u8; 32], Failure> {
        let opened = self.open(account, key).await?;
        let key: &[u8; 32] = opened.as_slice().try_into().map_err(|_| unreadable())?;
        Ok(digest_of(key, account, code))
    }

    /// The public key of a passkey.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn passkey(&self, account: AccountId, stored: &SealedFactor) -> Result<StoredPasskey, Failure> {
        Ok(StoredPasskey::from_bytes(&self.open(account, stored).await?)?)
    }

    /// What the registration of a passkey has to remember.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn passkey_registration(
        &self,
        account: AccountId,
        stored: &SealedFactor,
    ) -> Result<CeremonyState, Failure> {
        Ok(CeremonyState::from_bytes(&self.open(account, stored).await?)?)
    }

    async fn open(&self, account: AccountId, stored: &SealedFactor) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let opened = self.key_updates.open(|| self.ring.open_factor(account, stored.factor.id, &stored.sealed)).await;
        opened.map_err(|rejected| Failure::Broken(format!("the secret of a factor cannot be opened: {rejected}")))
    }
}

/// What is stored of a backup code.
pub fn digest_of(key: &[u8; 32], account: AccountId, code: &BackupCode) -> [u8; 32] {
    MacKey::new(key).tag("backup code", &[account.as_bytes(), code.reveal().as_bytes()])
}

fn unreadable() -> Failure {
    Failure::Broken("the secret of a factor has another length".to_owned())
}
