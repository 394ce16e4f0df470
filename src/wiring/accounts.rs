use super::use_cases::UseCases;
use crate::{
    grpc::AccountHandler,
    usecase::account::{
        ChangePassword, ConfirmEmailChange, DeleteMe, ExportMe, MailRequest, PasswordSetter, Register,
        RequestEmailChange, RequestReset, ResendVerification, Reset, UpdateMe, Verify,
    },
};
use countersign_domain::password::PasswordPolicy;

impl UseCases<'_> {
    pub(super) fn account_handler(&self) -> AccountHandler {
        AccountHandler {
            register: self.register(),
            verify: Verify {
                work: self.work(),
                policy: self.config.accounts.registration.clone(),
                claim: self.claim(),
                idempotency: self.idempotency(),
            },
            resend_verification: ResendVerification(self.mail_request()),
            request_reset: RequestReset(self.mail_request()),
            reset: Reset {
                work: self.work(),
                claim: self.claim(),
                passwords: self.password_setter(),
                idempotency: self.idempotency(),
                device_recognition: self.device_recognition(),
            },
            update_me: UpdateMe {
                work: self.work(),
                proof: self.owner_gate(),
                throttle: self.throttle(),
                username_reserved: self.config.accounts.username_reserved,
            },
            change_password: ChangePassword {
                work: self.work(),
                proof: self.owner_gate(),
                passwords: self.password_setter(),
                idempotency: self.idempotency(),
                throttle: self.throttle(),
            },
            request_email_change: self.request_email_change(),
            confirm_email_change: ConfirmEmailChange {
                work: self.work(),
                claim: self.claim(),
                idempotency: self.idempotency(),
            },
            export_me: ExportMe {
                work: self.work(),
                factors: self.list_factors(),
                remembered: self.list_remembered_devices(),
            },
            delete_me: DeleteMe { work: self.work(), proof: self.owner_gate() },
        }
    }

    fn register(&self) -> Register {
        Register {
            work: self.work(),
            policy: self.config.accounts.registration.clone(),
            ring: self.ring(),
            passwords: self.password_setter(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
            captcha: self.captcha_gate(),
        }
    }

    fn request_email_change(&self) -> RequestEmailChange {
        RequestEmailChange {
            work: self.work(),
            policy: self.config.accounts.registration.clone(),
            proof: self.owner_gate(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
        }
    }

    fn mail_request(&self) -> MailRequest {
        MailRequest {
            work: self.work(),
            idempotency: self.idempotency(),
            throttle: self.throttle(),
            captcha: self.captcha_gate(),
        }
    }

    pub(super) fn password_setter(&self) -> PasswordSetter {
        let passwords = &self.config.passwords;
        PasswordSetter {
            work: self.work(),
            policy: PasswordPolicy {
                min_chars: passwords.min_length,
                min_chars_with_factor: passwords.min_length_with_factor,
                max_bytes: passwords.max_bytes,
            },
            remembered: passwords.history,
            breaches: self.adapters.breaches.clone(),
            hasher: self.adapters.hasher.clone(),
            attempts: self.attempt_limiter(),
            throttle: self.throttle(),
        }
    }
}
