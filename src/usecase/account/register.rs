use super::PasswordDesk;
use crate::{
    keys::KeyRing,
    passwords::SALT_BYTES,
    runtime::{Clock, Entropy},
    store::{Store, registration, registration::Registration, reserved_username},
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        gate::{CaptchaGate, Drawn, Repeats, RequestIds, Throttle},
    },
};
use countersign_domain::{
    audit::EventKind,
    captcha::CaptchaAct,
    display_name::DisplayName,
    email::EmailAddress,
    id::{RegistrationId, TenantId},
    locale::Locale,
    mail::MailTemplate,
    password::Candidate,
    refusal::{Reason, Refusal},
    registration::RegistrationPolicy,
    request_id::RequestId,
    secret::SecretText,
    username::Username,
};
use std::sync::Arc;

/// Somebody asks for an account.
///
/// Known and unknown addresses are treated alike to the last statement: a registration is kept and a mail is queued. What
/// the mail says is decided when it is rendered.
#[derive(Clone, Debug)]
pub struct Register {
    pub store: Store,
    pub policy: RegistrationPolicy,
    pub ring: Arc<KeyRing>,
    pub passwords: PasswordDesk,
    pub repeats: Repeats,
    pub throttle: Throttle,
    pub captcha: CaptchaGate,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// What somebody filled in.
#[derive(Debug)]
pub struct Registering {
    pub email: EmailAddress,
    pub password: SecretText,
    pub username: Option<Username>,
    pub display_name: DisplayName,
    pub locale: Locale,
    /// Empty: none was solved.
    pub captcha_token: SecretText,
    pub request_id: Option<RequestId>,
}

const METHOD: &str = "Register";

impl Register {
    /// # Errors
    /// REGISTRATION_CLOSED, PASSWORD_REJECTED, USERNAME_TAKEN, RATE_LIMITED, CAPTCHA_REQUIRED, CAPTCHA_INVALID,
    /// CAPTCHA_UNAVAILABLE, BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    pub async fn run(&self, origin: &Origin, form: Registering) -> Result<(), Failure> {
        let tenant = origin.tenant();
        // Before anything that costs something, and without a look at who is registered.
        if !self.policy.admits(&form.email) {
            return Err(Reason::RegistrationClosed.into());
        }
        let username = form.username.as_ref().map_or("", Username::as_str);
        let candidate = self.passwords.read("password", &form.password)?;
        let parts = [form.email.as_str(), username, form.display_name.as_str(), form.locale.tag()];
        let whose = (tenant, RequestIds::OfStrangers);
        let Some(ticket) = self.repeats.open(whose, METHOD, form.request_id.as_ref(), &parts).await? else {
            return Ok(());
        };
        self.captcha.demand(CaptchaAct::Register, &form.captcha_token)?;
        let drawn = self.throttle.registration(origin, &form.email).await?;
        let captcha = self.captcha.prove_if_demanded(origin, CaptchaAct::Register, &form.captcha_token).await;
        if let Err(failure) = captcha {
            // A token is good once: that of a call that was made twice was spent by the other one.
            let overtaken = self.repeats.overtaken(whose, METHOD, form.request_id.as_ref(), &parts).await;
            return if overtaken { Ok(()) } else { Err(failure) };
        }
        // Before the address is looked at, so that the answer tells nothing about it. A name that a waiting registration
        // wishes for is free: otherwise a second try with another address would tell whether the first one was.
        if let Some(username) = &form.username
            && reserved_username::is_taken(&self.store.read(), tenant, username, self.clock.now()).await?
        {
            return Err(Refusal::from(Reason::UsernameTaken).with_violation("username", "", "is taken").into());
        }
        let hash = self.hash(candidate, &form, tenant, drawn).await?;

        let now = self.clock.now();
        let new = Registration {
            id: RegistrationId::new(now, self.entropy.bytes()),
            email: form.email,
            username: form.username.map(|name| name.as_str().to_owned()),
            display_name: form.display_name.as_str().to_owned(),
            locale: form.locale,
            password_hash: hash,
            created_at: now,
        };
        let letter = Letter::new(MailTemplate::VerifyAddress, new.locale, new.email.clone()).about(new.id.as_uuid());
        let tx = self.store.begin().await?;
        if !ticket.redeem(&tx, now).await? {
            return Ok(());
        }
        registration::insert(&tx, tenant, &new).await?;
        self.post.queue(&tx, tenant, letter, now).await?;
        self.journal.did(&tx, tenant, origin, EventKind::RegistrationRequested, About::default()).await?;
        tx.commit().await?;
        self.post.collect();
        Ok(())
    }

    /// The hash to keep, once nothing is wrong with the password. Whoever tries one after the other has had no mail yet, and must not be
    /// out of them.
    async fn hash(
        &self,
        candidate: Candidate,
        form: &Registering,
        tenant: TenantId,
        drawn: Drawn,
    ) -> Result<SecretText, Failure> {
        let username = form.username.as_ref().map_or("", Username::as_str);
        let password = match self.passwords.admit("password", candidate, &[form.email.as_str(), username]) {
            Ok(password) => password,
            Err(refusal) => {
                self.throttle.give_back(drawn).await;
                return Err(refusal.into());
            }
        };
        let salt = self.salt_of(tenant, &form.email);
        let hashed = self.passwords.hash_comparably("password", &password, salt).await;
        if hashed.is_err() {
            // Somebody else may have been asked about it, so it counts as a registration.
            self.throttle.give_back(drawn.mails()).await;
        }
        hashed
    }

    /// One salt for each address, which nobody can foretell: whether two sign-ups that wait for it chose one password is seen from
    /// their hashes, and costs no hash more. Not a random one of the first sign-up, since two at the same moment would have two.
    fn salt_of(&self, tenant: TenantId, email: &EmailAddress) -> [u8; SALT_BYTES] {
        let tenant = tenant.as_uuid().into_bytes();
        let tag = self.ring.mac().tag("sign-up: salt", &[&tenant, email.normalised().as_bytes()]);
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&tag[..SALT_BYTES]);
        salt
    }
}
