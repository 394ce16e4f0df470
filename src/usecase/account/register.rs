use super::{PasswordSetter, open::username_taken};
use crate::{
    keys::KeyRing,
    passwords::SALT_BYTES,
    store::{registration, registration::Registration, reserved_username},
    usecase::{
        CallScope, EventSubject, Failure, Idempotency, IdempotencyKey, IdempotentCall, Mail, Origin, UnitsOfWork,
        gate::{CaptchaGate, Drawn, Throttle},
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
    refusal::Reason,
    registration::RegistrationPolicy,
    request_id::RequestId,
    secret::SecretText,
    username::Username,
};
use std::sync::Arc;

/// Somebody asks for an account.
///
/// Known and unknown addresses are treated alike to the last statement: a registration is kept and a mail is queued.
/// What the mail says is decided when it is rendered.
#[derive(Clone, Debug)]
pub struct Register {
    pub work: UnitsOfWork,
    pub policy: RegistrationPolicy,
    pub ring: Arc<KeyRing>,
    pub passwords: PasswordSetter,
    pub idempotency: Idempotency,
    pub throttle: Throttle,
    pub captcha: CaptchaGate,
}

/// What somebody filled in.
#[derive(Debug)]
pub struct RegistrationForm {
    pub email: EmailAddress,
    pub password: SecretText,
    pub username: Option<Username>,
    pub display_name: DisplayName,
    pub locale: Locale,
    /// Empty: none was solved.
    pub captcha_token: SecretText,
    pub request_id: Option<RequestId>,
}

impl Register {
    /// # Errors
    /// REGISTRATION_CLOSED, PASSWORD_REJECTED, USERNAME_TAKEN, RATE_LIMITED, CAPTCHA_REQUIRED, CAPTCHA_INVALID,
    /// CAPTCHA_UNAVAILABLE, BREACH_CHECK_UNAVAILABLE, OVERLOADED.
    #[tracing::instrument(level = "debug", name = "account.register", skip_all)]
    pub async fn register(&self, origin: &Origin, form: RegistrationForm) -> Result<(), Failure> {
        let tenant = origin.tenant();
        // Before anything that costs something, and without a look at who is registered.
        if !self.policy.allows(&form.email) {
            return Err(Reason::RegistrationClosed.into());
        }
        let username = form.username.as_ref().map_or("", Username::as_str);
        let candidate = self.passwords.read("password", &form.password)?;
        let call = IdempotentCall {
            tenant,
            scope: CallScope::Strangers,
            method: "Register",
            request_id: form.request_id.as_ref(),
            parts: &[form.email.as_str(), username, form.display_name.as_str(), form.locale.tag()],
        };
        let act = async |key: &IdempotencyKey| self.register_once(origin, &form, candidate, key).await;
        self.idempotency.once(call, async { Ok(()) }, act).await
    }

    async fn register_once(
        &self,
        origin: &Origin,
        form: &RegistrationForm,
        candidate: Candidate,
        key: &IdempotencyKey,
    ) -> Result<Option<()>, Failure> {
        let tenant = origin.tenant();
        self.captcha.demand(CaptchaAct::Register, &form.captcha_token)?;
        let drawn = self.throttle.registration(origin, &form.email).await?;
        self.captcha.prove_if_demanded(origin, CaptchaAct::Register, &form.captcha_token).await?;
        // Before the address is looked at, so that the answer tells nothing about it. A name that a waiting
        // registration wishes for is free: otherwise a second try with another address would tell whether the first one
        // was.
        if let Some(username) = &form.username
            && reserved_username::is_taken(&self.work.read(), tenant, username, self.work.now()).await?
        {
            return Err(username_taken("username"));
        }
        let hash = self.hash(candidate, form, tenant, drawn).await?;

        let now = self.work.now();
        let new = Registration {
            id: RegistrationId::new(now, self.work.entropy.bytes()),
            email: form.email.clone(),
            username: form.username.as_ref().map(|name| name.as_str().to_owned()),
            display_name: form.display_name.as_str().to_owned(),
            locale: form.locale,
            password_hash: hash,
            created_at: now,
        };
        let mail = Mail::new(MailTemplate::VerifyAddress, new.locale, new.email.clone()).about(new.id.as_uuid());
        let Some(unit) = self.work.begin_once(origin, tenant, key).await? else { return Ok(None) };
        registration::insert(unit.db(), tenant, &new).await?;
        unit.queue_mail(mail).await?;
        unit.record(EventKind::RegistrationRequested, EventSubject::default()).await?;
        unit.commit().await?;
        Ok(Some(()))
    }

    /// The hash to keep, once nothing is wrong with the password. Whoever tries one after the other has had no mail
    /// yet, and must not be out of them.
    async fn hash(
        &self,
        candidate: Candidate,
        form: &RegistrationForm,
        tenant: TenantId,
        drawn: Drawn,
    ) -> Result<SecretText, Failure> {
        let username = form.username.as_ref().map_or("", Username::as_str);
        let password = match self.passwords.accept("password", candidate, &[form.email.as_str(), username]) {
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

    /// One salt for each address, which nobody can foretell: whether two sign-ups that wait for it chose one password
    /// is seen from their hashes, and costs no hash more. Not a random one of the first sign-up, since two at the same
    /// moment would have two.
    fn salt_of(&self, tenant: TenantId, email: &EmailAddress) -> [u8; SALT_BYTES] {
        let tenant = tenant.as_uuid().into_bytes();
        let tag = self.ring.mac().tag("sign-up: salt", &[&tenant, email.normalised().as_bytes()]);
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&tag[..SALT_BYTES]);
        salt
    }
}
