use crate::{
    runtime::{Clock, Entropy},
    store::{Executor, Store, account, account::Account, action, registration, reserved_username},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        action::{Claim, ClaimProof, ClaimProven},
        gate::{Repeats, RequestIds},
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
    time::Timestamp,
    username::Username,
};
use std::time::Duration;

/// Somebody brings back what was mailed to an address they registered: the account begins.
#[derive(Clone, Debug)]
pub struct Verify {
    pub store: Store,
    pub policy: RegistrationPolicy,
    pub claim: Claim,
    pub repeats: Repeats,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// What a person is told whose address was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// A password has to be set with the link in a mail that is on its way. Otherwise that of the sign-up counts.
    pub password_link_mailed: bool,
    /// `None` also when somebody else got the name that was wished for.
    pub username: Option<Username>,
}

const METHOD: &str = "Verify";
const PURPOSE: ActionPurpose = ActionPurpose::VerifyAddress;

impl Verify {
    /// # Errors
    /// LINK_INVALID, LINK_EXPIRED, LINK_USED, CODE_INVALID, REGISTRATION_CLOSED.
    pub async fn run(
        &self,
        origin: &Origin,
        proof: ClaimProof,
        request_id: Option<RequestId>,
    ) -> Result<Verified, Failure> {
        let parts = proof.parts();
        let whose = (origin.tenant(), RequestIds::OfStrangers);
        let Some(ticket) = self.repeats.open(whose, METHOD, request_id.as_ref(), &parts).await? else {
            return self.answer_again(origin, &proof).await;
        };
        let attempt = async {
            let proven = self.claim.prove(origin, PURPOSE, &proof, &ticket).await?;
            // Sign-up may have been closed since.
            if !self.policy.admits(proven.email()) {
                return Err(Reason::RegistrationClosed.into());
            }
            let now = self.clock.now();
            let tx = self.store.begin().await?;
            if !ticket.redeem(&tx, now).await? {
                drop(tx);
                return self.answer_again(origin, &proof).await;
            }
            self.claim.consume(&tx, &proven).await?;
            let (account, verified) = self.open_account(&tx, &proven, now).await?;
            self.journal.did(&tx, proven.tenant(), origin, EventKind::AddressVerified, About::own(account)).await?;
            tx.commit().await?;
            self.post.collect();
            Ok(verified)
        };
        match attempt.await {
            Err(_) if self.repeats.overtaken(whose, METHOD, request_id.as_ref(), &parts).await => {
                self.answer_again(origin, &proof).await
            }
            Err(failure) => {
                let about = About::default();
                Err(self.journal.refused(origin.tenant(), origin, EventKind::ActionRefused, about, failure).await)
            }
            done => done,
        }
    }

    /// What a call that was made before is to be told: what is left to do now.
    async fn answer_again(&self, origin: &Origin, proof: &ClaimProof) -> Result<Verified, Failure> {
        let address = Identifier::Email(self.claim.address(origin, PURPOSE, proof).await?);
        let account = account::find_by_identifier(&self.store.read(), origin.tenant(), &address).await?;
        Ok(Verified {
            password_link_mailed: account.as_ref().is_some_and(|account| account.password_hash.is_none()),
            username: account.and_then(|account| account.username),
        })
    }

    async fn open_account(
        &self,
        tx: &impl Executor,
        proven: &ClaimProven,
        now: Timestamp,
    ) -> Result<(AccountId, Verified), Failure> {
        let tenant = proven.tenant();
        let id = RegistrationId::from_uuid(proven.subject());
        // Gone when another registration for the same address was verified first.
        let registration = registration::find(tx, tenant, id).await?.ok_or(Reason::LinkUsed)?;
        let mut username = registration.username.as_deref().and_then(|name| Username::parse(name).ok());
        if let Some(wished) = &username
            && reserved_username::is_taken(tx, tenant, wished, now).await?
        {
            // Somebody else got the name: the account is worth more than the name.
            username = None;
        }
        // Whoever reads the mails verified one of several sign-ups, and nobody can tell whether it was their own: a stranger
        // may have registered the address and be waiting with a password (account pre-hijacking). So none of the
        // passwords counts, and the owner is mailed a link to set one. One password that all of them chose is the owner's as well.
        let contested = registration::count_passwords(tx, tenant, &registration.email).await? > 1;
        let new = Account {
            id: AccountId::new(now, self.entropy.bytes()),
            tenant,
            email: registration.email.clone(),
            email_verified_at: now,
            username,
            display_name: registration.display_name,
            locale: registration.locale,
            password_hash: (!contested).then_some(registration.password_hash),
            password_failures: 0,
            password_version: 0,
            password_changed_at: registration.created_at,
            disabled_at: None,
            created_at: now,
        };
        account::insert(tx, tenant, &new).await.map_err(|fault| {
            if fault.is_conflict_on("email_normalised") {
                Failure::from(Reason::LinkUsed)
            } else if fault.is_conflict_on("username_") {
                // Lost within this very instant; the link is still good and the next try finds the name taken.
                Refusal::from(Reason::StoreUnavailable).retry_after(Duration::from_millis(100)).into()
            } else {
                fault.into()
            }
        })?;
        registration::delete_for_address(tx, tenant, &registration.email).await?;
        if contested {
            let letter = Letter::new(MailTemplate::ResetPassword, new.locale, new.email.clone());
            self.post.queue(tx, tenant, letter, now).await?;
        }
        action::void(tx, tenant, PURPOSE, proven.subject(), now).await?;
        Ok((new.id, Verified { password_link_mailed: contested, username: new.username }))
    }
}
