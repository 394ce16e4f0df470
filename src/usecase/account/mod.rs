//! Accounts: how a person gets one, keeps it, and ends it.

mod change_password;
mod confirm_email_change;
mod create;
mod delete_me;
mod export_me;
mod mail_request;
mod me;
mod operate;
mod register;
mod request_email_change;
mod request_reset;
mod resend_verification;
mod reset;
mod set_password;
mod update_me;
mod verify;

pub use change_password::ChangePassword;
pub use confirm_email_change::ConfirmEmailChange;
pub use create::{CreateAccount, NewAccount};
pub use delete_me::DeleteMe;
pub use export_me::ExportMe;
pub use mail_request::{AskingForMail, MailRequest};
pub use me::{Me, Profile};
pub use operate::{AccountLine, OperateAccounts};
pub use register::{Register, Registering};
pub use request_email_change::RequestEmailChange;
pub use request_reset::RequestReset;
pub use resend_verification::ResendVerification;
pub use reset::{Reset, Resetting};
pub use set_password::{PasswordSet, PasswordSetter, PasswordWhy};
pub use update_me::UpdateMe;
pub use verify::{Verified, Verify};
