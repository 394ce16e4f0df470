use super::mint::code_parts;
use crate::{
    keys::{KeyRing, Rejected},
    store::{Executor, action, action::Action},
    usecase::{EventSubject, Failure, IdempotencyKey, Origin, UnitsOfWork, gate::Throttle, key::KeyUpdates},
};
use countersign_domain::{
    action::{ActionCode, ActionPurpose, judge_link},
    audit::EventKind,
    email::EmailAddress,
    id::{ActionId, TenantId},
    refusal::Reason,
    secret::SecretText,
};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Checks the links and codes that people present, and uses them up.
#[derive(Clone, Debug)]
pub struct Claim {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub key_updates: KeyUpdates,
    pub throttle: Throttle,
    /// How often a code may be tried.
    pub code_tries: u16,
}

/// A link or code from a mail, as a person presents it.
#[derive(Clone, Debug)]
pub enum ClaimProof {
    Link(SecretText),
    /// The address that the code was mailed to, and the code; `None` when the text cannot be a code.
    Code(EmailAddress, Option<ActionCode>),
}

impl ClaimProof {
    /// The fields of this proof, by which a replay is recognized.
    pub fn parts(&self) -> [&str; 2] {
        match self {
            Self::Link(token) => [token.reveal(), ""],
            Self::Code(email, code) => [email.normalised(), code.as_ref().map_or("", ActionCode::reveal)],
        }
    }
}

/// A proven link or code. It is not used up yet: a new password that breaks the policy must not cost the link.
#[derive(Debug)]
pub struct ClaimProven {
    tenant: TenantId,
    action: Action,
    by_code: bool,
}

impl ClaimProven {
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The registration or account the link acts on.
    pub fn subject(&self) -> Uuid {
        self.action.subject
    }

    /// The address that it was mailed to.
    pub fn email(&self) -> &EmailAddress {
        &self.action.email
    }
}

impl Claim {
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, RATE_LIMITED.
    pub async fn prove(
        &self,
        origin: &Origin,
        purpose: ActionPurpose,
        proof: &ClaimProof,
        key: &IdempotencyKey,
    ) -> Result<ClaimProven, Failure> {
        self.throttle.attempt(origin).await?;
        match proof {
            ClaimProof::Link(token) => self.prove_link(origin, purpose, token).await,
            ClaimProof::Code(email, code) => self.prove_code(origin, purpose, email, code.as_ref(), key).await,
        }
    }

    /// The address that a proof was mailed to, even if the proof has been used since.
    ///
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED.
    pub async fn address(
        &self,
        origin: &Origin,
        purpose: ActionPurpose,
        proof: &ClaimProof,
    ) -> Result<EmailAddress, Failure> {
        let token = match proof {
            ClaimProof::Link(token) => token,
            ClaimProof::Code(email, _) => return Ok(email.clone()),
        };
        let (tenant, id) = self.open(origin, purpose, token).await?;
        let action = action::find(&self.work.read(), tenant, purpose, id).await?;
        Ok(action.ok_or(Reason::LinkInvalid)?.email)
    }

    async fn open(
        &self,
        origin: &Origin,
        purpose: ActionPurpose,
        token: &SecretText,
    ) -> Result<(TenantId, ActionId), Failure> {
        let now = self.work.now();
        let opened = self.key_updates.open(|| self.ring.open_action(token, purpose, now)).await;
        let (tenant, id) = opened.map_err(|rejected| match rejected {
            Rejected::Expired => Reason::LinkExpired,
            _ => Reason::LinkInvalid,
        })?;
        origin.check_tenant(tenant, Reason::LinkInvalid)?;
        Ok((tenant, id))
    }

    async fn prove_link(
        &self,
        origin: &Origin,
        purpose: ActionPurpose,
        token: &SecretText,
    ) -> Result<ClaimProven, Failure> {
        let now = self.work.now();
        let (tenant, id) = self.open(origin, purpose, token).await?;
        match action::find(&self.work.read(), tenant, purpose, id).await? {
            Some(action) if action.used_at.is_none() && action.expires_at > now => {
                Ok(ClaimProven { tenant, action, by_code: false })
            }
            other => Err(judge_link(other.map(|action| action.facts()), now).into()),
        }
    }

    /// Counting the try and recording a wrong code are one transaction. Where no code is active, another row is written
    /// and compared instead, so that an attacker finds no difference in cost between addresses with and without a code.
    async fn prove_code(
        &self,
        origin: &Origin,
        purpose: ActionPurpose,
        email: &EmailAddress,
        code: Option<&ActionCode>,
        key: &IdempotencyKey,
    ) -> Result<ClaimProven, Failure> {
        // Text that cannot be a code uses up no try: it is a slip, not an attack.
        let code = code.ok_or(Reason::CodeInvalid)?;
        let (tenant, now) = (origin.tenant(), self.work.now());
        let unit = self.work.begin(origin, tenant).await?;
        let candidates = action::spend_try(unit.db(), tenant, purpose, email, self.code_tries, now).await?;
        let is_right = |action: &action::Action| {
            let expected = self.ring.mac().tags(purpose.name(), &code_parts(&action.id, code));
            let is_expected = |expected: &[u8; 32]| bool::from(action.code_mac.as_slice().ct_eq(expected));
            expected.iter().any(is_expected)
        };
        for decoy in &candidates.decoys {
            std::hint::black_box(is_right(decoy));
        }
        let matching = candidates.own.into_iter().find(is_right);
        let Some(action) = matching else {
            // A replay finds the code used up by the call that it repeats. That is not a wrong code.
            if !key.was_done(unit.db()).await? {
                unit.record_refusal(EventKind::ActionRefused, Reason::CodeInvalid, EventSubject::default()).await?;
            }
            unit.commit().await?;
            return Err(Reason::CodeInvalid.into());
        };
        // Only wrong codes use up tries: a right code may be sent again, with a better password or after a lost answer.
        action::forgive_try(unit.db(), tenant, action.id).await?;
        unit.commit().await?;
        Ok(ClaimProven { tenant, action, by_code: true })
    }

    /// Uses up the link and its code, in the transaction of the act that they authorize. Of several claims at once, one
    /// succeeds.
    ///
    /// # Errors
    /// LINK_USED, LINK_EXPIRED, LINK_INVALID; CODE_INVALID when it was proven by a code.
    pub async fn consume(&self, tx: &impl Executor, proven: &ClaimProven) -> Result<(), Failure> {
        let now = self.work.now();
        let (tenant, purpose, id) = (proven.tenant, proven.action.purpose, proven.action.id);
        if action::consume(tx, tenant, purpose, id, now).await?.is_some() {
            return Ok(());
        }
        if proven.by_code {
            return Err(Reason::CodeInvalid.into());
        }
        let facts = action::find(tx, tenant, purpose, id).await?.map(|action| action.facts());
        Err(judge_link(facts, now).into())
    }
}
