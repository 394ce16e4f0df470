//! Service accounts: backends with credentials of their own.

mod add_secret;
mod create;
mod disable;
mod enable;
mod find;
mod issue_token;
mod line;
mod list;
mod retire_secret;
mod secret;

pub use add_secret::AddServiceSecret;
pub use create::{CreateService, NewService, ServiceCreated};
pub use disable::DisableService;
pub use enable::EnableService;
pub use find::FindService;
pub use issue_token::{IssueServiceToken, ServiceToken};
pub use line::{SecretLine, ServiceLine};
pub use list::ListServices;
pub use retire_secret::RetireServiceSecret;
