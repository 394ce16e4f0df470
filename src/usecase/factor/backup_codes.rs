use crate::{
    keys::KeyRing,
    runtime::Entropy,
    store::{backup_code, factor, factor::SealedFactor},
    usecase::{Failure, UnitOfWork, gate::digest_of},
};
use countersign_domain::{
    backup_code::{BACKUP_CODES, BackupCode},
    factor::{Factor, FactorKind},
    id::{AccountId, FactorId},
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Makes the backup codes of an account.
#[derive(Clone, Debug)]
pub struct IssueBackupCodes {
    pub ring: Arc<KeyRing>,
    pub entropy: Entropy,
}

impl IssueBackupCodes {
    /// Replaces the codes of an account, and the key of their digests. The account must be locked.
    ///
    /// # Errors
    /// When the database does not answer, or the cipher fails.
    pub async fn replace(&self, unit: &UnitOfWork<'_>, account: AccountId) -> Result<Vec<BackupCode>, Failure> {
        let (tenant, now) = (unit.tenant(), unit.now());
        delete_backup_codes(unit, account).await?;
        let key = Zeroizing::new(self.entropy.bytes::<32>());
        let id = FactorId::new(now, self.entropy.bytes());
        let sealed = self.ring.seal_factor(account, id, key.as_slice())?;
        let factor = Factor { confirmed_at: Some(now), ..Factor::pending(id, FactorKind::BackupCodes, now) };
        let stored = SealedFactor::new(factor, sealed.text, sealed.key);
        factor::insert(unit.db(), tenant, account, &stored).await?;
        let codes: Vec<_> = (0..BACKUP_CODES).map(|_| BackupCode::new(self.entropy.bytes())).collect();
        let digests: Vec<_> = codes.iter().map(|code| digest_of(&key, account, code)).collect();
        backup_code::insert(unit.db(), tenant, account, digests).await?;
        Ok(codes)
    }
}

/// Deletes the codes of an account, and their key. The account must be locked.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn delete_backup_codes(unit: &UnitOfWork<'_>, account: AccountId) -> Result<(), Failure> {
    backup_code::delete_all(unit.db(), unit.tenant(), account).await?;
    factor::delete_of_kind(unit.db(), unit.tenant(), account, FactorKind::BackupCodes).await?;
    Ok(())
}
