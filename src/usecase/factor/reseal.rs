use crate::{
    keys::SealedFactorSecret,
    store::{StoreFault, factor, factor::SealedSecret},
    usecase::{UnitsOfWork, gate::FactorSecrets},
};

/// Seals the secrets of factors again after their key was replaced, so that the former key can be erased.
#[derive(Clone, Debug)]
pub struct ResealFactors {
    pub work: UnitsOfWork,
    pub secrets: FactorSecrets,
}

/// How many are read at a time.
const BATCH: u64 = 500;

impl ResealFactors {
    /// Seals all that are left. Two runs at once do no harm. A secret that cannot be opened is logged and left: its key
    /// is not erased.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "factor.reseal", skip_all)]
    pub async fn reseal(&self) -> Result<(), StoreFault> {
        let db = self.work.store.upkeep();
        for key in self.secrets.ring.former_factor_keys() {
            let mut after = None;
            loop {
                let batch = factor::sealed_under(&db, &key, after, BATCH).await?;
                for secret in &batch {
                    match self.anew(secret) {
                        Ok(anew) => factor::reseal(&db, secret, (&anew.text, &anew.key)).await?,
                        Err(fault) => {
                            tracing::error!(factor_id = %secret.id, fault, "a factor could not be sealed again");
                        }
                    }
                }
                let Some(last) = batch.last() else { break };
                after = Some(last.id);
            }
        }
        Ok(())
    }

    /// The same secret, sealed with the present key.
    fn anew(&self, secret: &SealedSecret) -> Result<SealedFactorSecret, String> {
        let ring = &self.secrets.ring;
        let opened = ring.open_factor(secret.account, secret.id, &secret.sealed);
        let opened = opened.map_err(|rejected| rejected.to_string())?;
        ring.seal_factor(secret.account, secret.id, &opened).map_err(|fault| fault.to_string())
    }
}
