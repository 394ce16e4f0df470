use super::open::{NotOpened, Opening, open};
use crate::{
    store::{account, action, registration, reserved_username},
    usecase::{
        CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Mail, Origin, UnitOfWork,
        UnitsOfWork,
        action::{Claim, ClaimProof, ClaimProven},
    },
};
use countersign_domain::{
    account::Identifier,
    action::ActionPurpose,
    audit::EventKind,
    id::{AccountId, RegistrationId},
    mail::MailTemplate,
    refusal::{Reason, Refusal},
    registration::RegistrationPolicy,
    request_id::RequestId,
    username::Username,
};
use std::time::Duration;

/// Opens the account of a registration once a person proves the link or code that was mailed to its address.
#[derive(Clone, Debug)]
pub struct Verify {
    pub work: UnitsOfWork,
    pub policy: RegistrationPolicy,
    pub claim: Claim,
    pub idempotency: Idempotency,
}

/// The answer to a person whose address was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whether the owner must set a password with the link in a mail that is queued. Otherwise the password of the
    /// sign-up counts.
    pub password_link_mailed: bool,
    /// `None` as well when another account got the name of the registration.
    pub username: Option<Username>,
}

const PURPOSE: ActionPurpose = ActionPurpose::VerifyAddress;

impl Verify {
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, REGISTRATION_CLOSED.
    pub async fn verify(
        &self,
        origin: &Origin,
        proof: ClaimProof,
        request_id: Option<RequestId>,
    ) -> Result<Verified, Failure> {
        let call = IdempotentCall {
            tenant: origin.tenant(),
            scope: CallScope::Strangers,
            method: "Verify",
            request_id: request_id.as_ref(),
            parts: &proof.parts(),
        };
        let act = async |key: &IdempotencyKey| {
            let proven = self.claim.prove(origin, PURPOSE, &proof, key).await?;
            // Sign-up may have been closed since the registration.
            if !self.policy.allows(proven.email()) {
                return Err(Reason::RegistrationClosed.into());
            }
            let Some(unit) = self.work.begin_once(origin, proven.tenant(), key).await? else { return Ok(None) };
            self.claim.consume(unit.db(), &proven).await?;
            let (account, verified) = self.open_account(&unit, &proven).await?;
            unit.record(EventKind::AddressVerified, EventSubject::own(account)).await?;
            unit.commit().await?;
            Ok(Some(verified))
        };
        match self.idempotency.once(call, self.answer_again(origin, &proof), act).await {
            Err(failure) => {
                let about = EventSubject::default();
                Err(self.work.refused(origin, origin.tenant(), EventKind::ActionRefused, about, failure).await)
            }
            done => done,
        }
    }

    /// The answer to a replay: what is left to do now.
    async fn answer_again(&self, origin: &Origin, proof: &ClaimProof) -> Result<Verified, Failure> {
        let address = Identifier::Email(self.claim.address(origin, PURPOSE, proof).await?);
        let account = account::find_by_identifier(&self.work.read(), origin.tenant(), &address).await?;
        Ok(Verified {
            password_link_mailed: account.as_ref().is_some_and(|account| account.password_hash.is_none()),
            username: account.and_then(|account| account.username),
        })
    }

    async fn open_account(
        &self,
        unit: &UnitOfWork<'_>,
        proven: &ClaimProven,
    ) -> Result<(AccountId, Verified), Failure> {
        let (tx, tenant, now) = (unit.db(), proven.tenant(), unit.now());
        let id = RegistrationId::from_uuid(proven.subject());
        // The registration is gone when another one for the same address was verified first.
        let registration = registration::find(tx, tenant, id).await?.ok_or(Reason::LinkUsed)?;
        let mut username = registration.username.as_deref().and_then(|name| Username::parse(name).ok());
        if let Some(wished) = &username
            && reserved_username::is_taken(tx, tenant, wished, now).await?
        {
            // Another account got the name: an account without the name is better than no account.
            username = None;
        }
        // The person who reads the mails verified one of several sign-ups, and nobody can tell whether that sign-up was
        // their own: an attacker may have registered the address and be waiting with a password (account
        // pre-hijacking). So no password of a sign-up counts, and the owner gets a mail with a link to set one. One
        // password that all sign-ups share is the owner's as well.
        let contested = registration::count_passwords(tx, tenant, &registration.email).await? > 1;
        let opening = Opening {
            id: AccountId::new(now, self.work.entropy.bytes()),
            email: registration.email,
            username,
            display_name: registration.display_name,
            locale: registration.locale,
            password_hash: (!contested).then_some(registration.password_hash),
            password_changed_at: registration.created_at,
        };
        let account = open(unit, opening).await.map_err(|not| match not {
            NotOpened::EmailTaken => Failure::from(Reason::LinkUsed),
            // Another account took the name within this instant. The link is still valid, and the next try finds the
            // name taken.
            NotOpened::UsernameTaken => {
                Refusal::from(Reason::StoreUnavailable).retry_after(Duration::from_millis(100)).into()
            }
            NotOpened::Store(fault) => fault.into(),
        })?;
        if contested {
            let mail = Mail::new(MailTemplate::ResetPassword, account.locale, account.email.clone());
            unit.queue_mail(mail).await?;
        }
        action::void(tx, tenant, PURPOSE, proven.subject(), now).await?;
        Ok((account.id, Verified { password_link_mailed: contested, username: account.username }))
    }
}
