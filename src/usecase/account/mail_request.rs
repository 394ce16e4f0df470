use crate::{
    runtime::Clock,
    store::Store,
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{CaptchaGate, Repeats, RequestIds, Throttle},
    },
};
use countersign_domain::{
    audit::EventKind, captcha::CaptchaAct, email::EmailAddress, locale::Locale, mail::MailTemplate,
    request_id::RequestId, secret::SecretText,
};

/// Queues a mail that somebody asked for by an address, without a look at who has the address: every call does the same
/// work and has the same answer. What the mail says, and whether there is one, is decided when it is rendered.
#[derive(Clone, Debug)]
pub struct MailRequest {
    pub store: Store,
    pub repeats: Repeats,
    pub throttle: Throttle,
    pub captcha: CaptchaGate,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
}

/// What somebody filled in.
#[derive(Debug)]
pub struct AskingForMail {
    pub email: EmailAddress,
    /// Empty: none was solved.
    pub captcha_token: SecretText,
    pub request_id: Option<RequestId>,
}

/// Which mail it is.
pub(super) struct Wanted {
    pub(super) method: &'static str,
    pub(super) act: CaptchaAct,
    pub(super) kind: EventKind,
    pub(super) template: MailTemplate,
}

impl MailRequest {
    /// # Errors
    /// RATE_LIMITED, CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, OVERLOADED.
    pub(super) async fn run(&self, origin: &Origin, wanted: Wanted, asking: AskingForMail) -> Result<(), Failure> {
        let (tenant, method) = (origin.tenant(), wanted.method);
        let AskingForMail { email, captcha_token, request_id } = asking;
        let address = email.normalised().to_owned();
        let parts = [address.as_str()];
        let whose = (tenant, RequestIds::OfStrangers);
        let Some(ticket) = self.repeats.open(whose, method, request_id.as_ref(), &parts).await? else {
            return Ok(());
        };
        self.captcha.demand(wanted.act, &captcha_token)?;
        self.throttle.mail(origin, tenant, &email).await?;
        if let Err(failure) = self.captcha.prove_if_demanded(origin, wanted.act, &captcha_token).await {
            // A token is good once: that of a call that was made twice was spent by the other one.
            let overtaken = self.repeats.overtaken(whose, method, request_id.as_ref(), &parts).await;
            return if overtaken { Ok(()) } else { Err(failure) };
        }
        let now = self.clock.now();
        let tx = self.store.begin().await?;
        if !ticket.redeem(&tx, now).await? {
            return Ok(());
        }
        // Whoever owns the address chose the language; whoever asks does not get to.
        let letter = Letter::new(wanted.template, Locale::default(), email);
        self.post.queue(&tx, tenant, letter, now).await?;
        self.journal.did(&tx, tenant, origin, wanted.kind, About::default()).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(())
    }
}
