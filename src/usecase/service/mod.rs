//! Service accounts: backends with credentials of their own.

mod issue_token;
mod operate;

pub use issue_token::{IssueServiceToken, ServiceToken};
pub use operate::{NewService, OperateServices, SecretLine, ServiceCreated, ServiceLine};
