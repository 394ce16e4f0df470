//! Roles, and who has them.

mod grant;
mod list;
mod revoke;

pub use grant::{GrantRole, Granted};
pub use list::ListRoles;
pub use revoke::RevokeRole;
