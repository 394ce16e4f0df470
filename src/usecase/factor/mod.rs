//! Factors: how a person adds, renames and removes what proves them beside the password.

mod adder;
mod backup_codes;
mod confirm_totp;
mod enable;
mod finish_passkey;
mod list;
mod regenerate;
mod remembered_devices;
mod remove;
mod rename;
mod reseal;
mod reset;
mod start_passkey;
mod start_totp;

pub use adder::{AdderGate, FactorAdder};
pub use backup_codes::IssueBackupCodes;
pub use confirm_totp::ConfirmTotp;
pub use enable::{AddedFactor, EnableFactor};
pub use finish_passkey::FinishPasskey;
pub use list::{FactorList, ListFactors, ListOwnFactors};
pub use regenerate::RegenerateBackupCodes;
pub use remembered_devices::{ForgetDevice, ListRememberedDevices};
pub use remove::RemoveFactor;
pub use rename::RenameFactor;
pub use reseal::ResealFactors;
pub use reset::{FactorsRemoved, ResetFactors};
pub use start_passkey::{StartPasskey, StartedPasskey};
pub use start_totp::{StartTotp, StartedTotp};
