//! The rows, as sea-orm maps them. Private to the store: no other module knows a column.

pub(super) mod account;
pub(super) mod account_role;
pub(super) mod action;
pub(super) mod audience;
pub(super) mod audit_bare_tenant;
pub(super) mod audit_event;
pub(super) mod audit_head;
pub(super) mod device;
pub(super) mod expected_device;
pub(super) mod key;
pub(super) mod outbox;
pub(super) mod past_password;
pub(super) mod registration;
pub(super) mod request_id;
pub(super) mod reserved_username;
pub(super) mod revocation;
pub(super) mod revocation_head;
pub(super) mod role;
pub(super) mod service;
pub(super) mod service_audience;
pub(super) mod service_secret;
pub(super) mod session;
pub(super) mod tenant;
pub(super) mod username_skeleton;
pub(super) mod write_probe;
