use super::use_cases::UseCases;
use crate::{
    grpc::FactorHandler,
    usecase::{
        factor::{
            AdderGate, ConfirmTotp, EnableFactor, FinishPasskey, ForgetDevice, IssueBackupCodes, ListFactors,
            ListOwnFactors, ListRememberedDevices, RegenerateBackupCodes, RemoveFactor, RenameFactor, ResealFactors,
            StartPasskey, StartTotp,
        },
        gate::{FactorGate, FactorSecrets, PasskeyGate},
    },
};

impl UseCases<'_> {
    pub(super) fn factor_gate(&self) -> FactorGate {
        FactorGate {
            work: self.work(),
            secrets: self.factor_secrets(),
            attempts: self.attempt_limiter(),
            throttle: self.throttle(),
            passkeys: self.passkey_gate(),
        }
    }

    pub(super) fn passkey_gate(&self) -> PasskeyGate {
        PasskeyGate { secrets: self.factor_secrets(), passkeys: self.adapters.passkeys.clone() }
    }

    fn enable_factor(&self) -> EnableFactor {
        EnableFactor {
            work: self.work(),
            backup_codes: self.backup_codes(),
            adders: self.adder_gate(),
            open: self.open_session(),
            attempts: self.attempt_limiter(),
            logout: self.logout(),
        }
    }

    fn adder_gate(&self) -> AdderGate {
        AdderGate { tries: self.session_tries(), policy: self.factor_policy() }
    }

    fn factor_secrets(&self) -> FactorSecrets {
        FactorSecrets { ring: self.ring(), key_updates: self.key_updates() }
    }

    fn backup_codes(&self) -> IssueBackupCodes {
        IssueBackupCodes { ring: self.ring(), entropy: self.entropy() }
    }

    pub(super) fn list_factors(&self) -> ListFactors {
        ListFactors { store: self.store() }
    }

    pub(super) fn list_remembered_devices(&self) -> ListRememberedDevices {
        ListRememberedDevices { store: self.store(), clock: self.clock() }
    }

    pub(super) fn reseal_factors(&self) -> ResealFactors {
        ResealFactors { work: self.work(), secrets: self.factor_secrets() }
    }

    pub(super) fn factor_handler(&self) -> FactorHandler {
        FactorHandler {
            list: ListOwnFactors { list: self.list_factors(), policy: self.factor_policy() },
            waiting: self.find_waiting_login(),
            logout: self.logout(),
            start_totp: StartTotp {
                work: self.work(),
                ring: self.ring(),
                entropy: self.entropy(),
                throttle: self.throttle(),
                adders: self.adder_gate(),
                service: self.config.mail.product().to_owned(),
            },
            confirm_totp: ConfirmTotp {
                work: self.work(),
                factors: self.factor_gate(),
                enable: self.enable_factor(),
                throttle: self.throttle(),
            },
            start_passkey: StartPasskey {
                work: self.work(),
                gate: self.passkey_gate(),
                entropy: self.entropy(),
                throttle: self.throttle(),
                adders: self.adder_gate(),
            },
            finish_passkey: FinishPasskey {
                work: self.work(),
                factors: self.factor_gate(),
                enable: self.enable_factor(),
                throttle: self.throttle(),
            },
            rename: RenameFactor { work: self.work(), tries: self.session_tries() },
            remove: RemoveFactor {
                work: self.work(),
                throttle: self.throttle(),
                tries: self.session_tries(),
                passwords: self.password_setter(),
                policy: self.factor_policy(),
            },
            regenerate: RegenerateBackupCodes {
                work: self.work(),
                backup_codes: self.backup_codes(),
                throttle: self.throttle(),
                tries: self.session_tries(),
            },
            list_remembered: self.list_remembered_devices(),
            forget_device: ForgetDevice { work: self.work() },
        }
    }
}
