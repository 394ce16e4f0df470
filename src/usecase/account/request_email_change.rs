use crate::{
    runtime::Clock,
    store::{Store, action, outbox},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{Repeats, RequestIds, SessionPasswordGate, SignedIn, Throttle},
    },
};
use countersign_domain::{
    action::ActionPurpose,
    audit::EventKind,
    email::EmailAddress,
    mail::MailTemplate,
    refusal::{Reason, Refusal},
    registration::RegistrationPolicy,
    request_id::RequestId,
    secret::SecretText,
};

/// Somebody wants their account at another address. Nothing changes until that address answers.
#[derive(Clone, Debug)]
pub struct RequestEmailChange {
    pub store: Store,
    pub policy: RegistrationPolicy,
    pub proof: SessionPasswordGate,
    pub repeats: Repeats,
    pub throttle: Throttle,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

impl RequestEmailChange {
    /// # Errors
    /// INVALID_FIELD, REGISTRATION_CLOSED, CURRENT_PASSWORD_WRONG, SESSION_ENDED, REQUEST_ID_REUSED, OVERLOADED.
    pub async fn run(
        &self,
        origin: &Origin,
        caller: &SignedIn,
        new_email: EmailAddress,
        current: &SecretText,
        request_id: Option<RequestId>,
    ) -> Result<(), Failure> {
        let (tenant, session) = (caller.tenant(), caller.session().id);
        let whose = (tenant, RequestIds::Of(caller.account().id));
        let parts = [session.to_string(), new_email.as_str().to_owned()];
        let parts: [&str; 2] = [&parts[0], &parts[1]];
        let Some(ticket) = self.repeats.open(whose, "RequestEmailChange", request_id.as_ref(), &parts).await? else {
            return Ok(());
        };
        // After the look for a repetition: by then the wish may have come true.
        if new_email.as_str() == caller.account().email.as_str() {
            return Err(Refusal::field("new_email", "is the present address").into());
        }
        // Where only some hosts may sign up, an account does not leave them either. Where sign-up is closed, people still move.
        if matches!(self.policy, RegistrationPolicy::Domains(_)) && !self.policy.admits(&new_email) {
            return Err(Reason::RegistrationClosed.into());
        }
        let proven = self.proof.prove(origin, caller, current).await?;
        self.throttle.mail(origin, tenant, &new_email).await?;
        let account = proven.account();
        let subject = account.id.as_uuid();
        let now = self.clock.now();
        let letter = Letter::new(MailTemplate::ConfirmNewAddress, account.locale, new_email).about(subject);
        let tx = self.store.begin().await?;
        if !ticket.redeem(&tx, now).await? {
            return Ok(());
        }
        self.proof.hold(&tx, caller, &proven).await?;
        // The last wish counts: neither an earlier link nor a mail still on its way may move the account elsewhere.
        outbox::drop_waiting(&tx, tenant, MailTemplate::ConfirmNewAddress, subject).await?;
        action::void(&tx, tenant, ActionPurpose::ConfirmNewAddress, subject, now).await?;
        self.post.queue(&tx, tenant, letter, now).await?;
        let about = About::own(account.id).in_session(session);
        self.journal.did(&tx, tenant, origin, EventKind::EmailChangeRequested, about).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(())
    }
}
