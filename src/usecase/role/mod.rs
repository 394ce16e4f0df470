//! Roles, and who has them.

mod operate;

pub use operate::{Granted, OperateRoles};
