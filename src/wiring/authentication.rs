use super::use_cases::UseCases;
use crate::{
    grpc::AuthHandler,
    telemetry::LineBudget,
    usecase::{
        authentication::{
            ChallengeLogin, CompleteLogin, CompletePasskeyLogin, FindWaitingLogin, Login, OpenSession, ProveEmailCode,
            StartPasskeyLogin,
        },
        gate::{AttemptLimiter, DeviceRecognition, EmailCodes},
        service::IssueServiceToken,
        session::{EndStolen, Logout, NoteUses, Reauthenticate, Refresh, SessionPasskeys, WatchClient, WatchUse},
    },
};
use countersign_domain::factor_policy::FactorPolicy;
use std::{sync::Arc, time::Duration};

impl UseCases<'_> {
    pub(super) fn open_session(&self) -> OpenSession {
        OpenSession {
            work: self.work(),
            device_recognition: self.device_recognition(),
            throttle: self.throttle(),
            tokens: self.issue_tokens(),
            lives: self.session_lives(),
            remember: self.config.factors.remember,
        }
    }

    fn login(&self) -> Login {
        Login {
            work: self.work(),
            device_recognition: self.device_recognition(),
            attempts: self.attempt_limiter(),
            password: self.password_gate(),
            open: self.open_session(),
            challenge: self.challenge_login(),
            key_updates: self.key_updates(),
            throttle: self.throttle(),
            hasher: self.adapters.hasher.clone(),
            logout: self.logout(),
            factor_policy: self.factor_policy(),
            disable_after: i32::try_from(self.config.lockout.disable_after).unwrap_or(i32::MAX),
        }
    }

    fn challenge_login(&self) -> ChallengeLogin {
        ChallengeLogin {
            work: self.work(),
            ring: self.ring(),
            passkeys: self.passkey_gate(),
            device_recognition: self.device_recognition(),
            throttle: self.throttle(),
            remember: self.config.factors.remember,
        }
    }

    pub(super) fn find_waiting_login(&self) -> FindWaitingLogin {
        FindWaitingLogin { work: self.work(), ring: self.ring(), key_updates: self.key_updates() }
    }

    pub(super) fn email_codes(&self) -> EmailCodes {
        EmailCodes { ring: self.ring() }
    }

    pub(super) fn factor_policy(&self) -> Arc<FactorPolicy> {
        Arc::new(self.config.factors.policy.clone())
    }

    fn complete_login(&self) -> CompleteLogin {
        CompleteLogin {
            work: self.work(),
            ring: self.ring(),
            key_updates: self.key_updates(),
            factors: self.factor_gate(),
            waiting: self.find_waiting_login(),
            open: self.open_session(),
            email_code: ProveEmailCode {
                work: self.work(),
                codes: self.email_codes(),
                challenge: self.challenge_login(),
            },
            passkey_login: CompletePasskeyLogin {
                work: self.work(),
                factors: self.factor_gate(),
                device_recognition: self.device_recognition(),
                throttle: self.throttle(),
                open: self.open_session(),
            },
            logout: self.logout(),
        }
    }

    fn session_passkeys(&self) -> SessionPasskeys {
        SessionPasskeys {
            work: self.work(),
            ring: self.ring(),
            entropy: self.entropy(),
            key_updates: self.key_updates(),
            gate: self.passkey_gate(),
        }
    }

    fn watch_client(&self) -> WatchClient {
        WatchClient {
            work: self.work(),
            device_recognition: self.device_recognition(),
            on_client_change: self.config.risk.on_client_change,
            end_stolen: self.end_stolen(),
            throttle: self.throttle(),
        }
    }

    fn refresh(&self) -> Refresh {
        Refresh {
            work: self.work(),
            ring: self.ring(),
            key_updates: self.key_updates(),
            tokens: self.issue_tokens(),
            lives: self.session_lives(),
            throttle: self.throttle(),
            watch: self.watch_client(),
            uses: self.adapters.first_uses.clone(),
            end_stolen: self.end_stolen(),
            factor_policy: self.factor_policy(),
        }
    }

    pub(super) fn logout(&self) -> Logout {
        Logout {
            work: self.work(),
            ring: self.ring(),
            key_updates: self.key_updates(),
            lives: self.session_lives(),
            recognise: self.recognise(),
            authenticate: self.authenticate(),
        }
    }

    pub(super) fn attempt_limiter(&self) -> AttemptLimiter {
        AttemptLimiter {
            lockout: self.adapters.lockout.clone(),
            captcha: self.captcha_gate(),
            ring: self.ring(),
            entropy: self.entropy(),
        }
    }

    fn end_stolen(&self) -> EndStolen {
        EndStolen { work: self.work() }
    }

    pub(super) fn watch_use(&self) -> WatchUse {
        WatchUse {
            uses: self.adapters.first_uses.clone(),
            end_stolen: self.end_stolen(),
            lives: self.session_lives(),
            clock: self.clock(),
        }
    }

    pub(super) fn note_uses(&self) -> NoteUses {
        NoteUses { store: self.store(), uses: self.adapters.first_uses.clone() }
    }

    pub(super) fn device_recognition(&self) -> DeviceRecognition {
        DeviceRecognition {
            store: self.store(),
            countries: self.adapters.countries.clone(),
            entropy: self.entropy(),
            remembers: self.config.factors.remember.is_some(),
        }
    }

    pub(super) fn auth_handler(&self) -> AuthHandler {
        AuthHandler {
            login: self.login(),
            start_passkey_login: StartPasskeyLogin {
                work: self.work(),
                ring: self.ring(),
                entropy: self.entropy(),
                key_updates: self.key_updates(),
                passkeys: self.passkey_gate(),
            },
            complete_login: self.complete_login(),
            refresh: self.refresh(),
            reauthenticate: Reauthenticate {
                work: self.work(),
                password: self.session_password_gate("password"),
                factors: self.factor_gate(),
                passkeys: self.session_passkeys(),
                tokens: self.issue_tokens(),
                lives: self.session_lives(),
                throttle: self.throttle(),
                watch: self.watch_client(),
                factor_policy: self.factor_policy(),
            },
            session_passkeys: self.session_passkeys(),
            logout: self.logout(),
            issue_service_token: IssueServiceToken {
                work: self.work(),
                ring: self.ring(),
                key_updates: self.key_updates(),
                throttle: self.throttle(),
                issuer: self.config.keys.issuer.clone(),
                life: self.config.sessions.access_ttl,
                unknown_clients: Arc::new(LineBudget::new(1, Duration::from_mins(1))),
            },
            recognise: self.recognise(),
        }
    }
}
