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
    password::{Candidate, PasswordPurpose},
    refusal::Reason,
    registration::RegistrationPolicy,
    request_id::RequestId,
    secret::SecretText,
    username::Username,
};
use std::sync::Arc;

/// Signs a person up for an account.
///
/// Known and unknown addresses cost the same statements: a registration is stored and a mail is queued. The text of the
/// mail is decided when it is rendered.
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

/// The fields of the form.
#[derive(Debug)]
pub struct RegistrationForm {
    pub email: EmailAddress,
    pub password: SecretText,
    pub username: Option<Username>,
    pub display_name: DisplayName,
    pub locale: Locale,
    /// Empty when no captcha was solved.
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
        // This check costs next to nothing and needs no query, so it comes first.
        if !self.policy.allows(&form.email) {
            return Err(Reason::RegistrationClosed.into());
        }
        let username = form.username.as_ref().map_or("", Username::as_str);
        let candidate = self.passwords.read("password", &form.password, PasswordPurpose::Alone)?;
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
        self.passwords.hasher.has_room()?;
        let drawn = self.throttle.registration(origin, &form.email).await?;
        self.captcha.prove_if_demanded(origin, CaptchaAct::Register, &form.captcha_token).await?;
        // The user name is checked before the address, so that the answer reveals nothing about the address. A name in
        // a waiting registration is free: otherwise a second call with another address would reveal whether the first
        // address was free.
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

    /// Returns the hash to store, once the password is accepted. A refused password causes no mail, so the call gives
    /// back its share of the rate limits: somebody who tries several passwords must not use them up.
    async fn hash(
        &self,
        candidate: Candidate,
        form: &RegistrationForm,
        tenant: TenantId,
        drawn: Drawn,
    ) -> Result<SecretText, Failure> {
        let username = form.username.as_ref().map_or("", Username::as_str);
        let password = match self.passwords.accept(
            "password",
            (candidate, PasswordPurpose::Alone),
            &[form.email.as_str(), username],
        ) {
            Ok(password) => password,
            Err(refusal) => {
                self.throttle.give_back(drawn).await;
                return Err(refusal.into());
            }
        };
        let salt = self.salt_of(tenant, &form.email);
        let hashed = self.passwords.hash_comparably("password", &password, salt).await;
        if hashed.is_err() {
            // Another service may have received part of the password's hash, so the call counts as a registration; only
            // its mails are given back.
            self.throttle.give_back(drawn.mails()).await;
        }
        hashed
    }

    /// One salt for each address, which nobody can predict. Whether two sign-ups that wait for one address chose the
    /// same password is then visible from their hashes, without another hash. A random salt stored by the first sign-up
    /// would not do: two sign-ups at the same moment would have two salts.
    fn salt_of(&self, tenant: TenantId, email: &EmailAddress) -> [u8; SALT_BYTES] {
        let tenant = tenant.as_uuid().into_bytes();
        let tag = self.ring.mac().tag("sign-up: salt", &[&tenant, email.normalised().as_bytes()]);
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&tag[..SALT_BYTES]);
        salt
    }
}
