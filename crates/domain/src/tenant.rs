//! Tenants: closed worlds of accounts. Everything that is stored belongs to exactly one.

use crate::id::TenantId;
use uuid::Uuid;

/// The tenant that exists from the first start, and the one of every request that names no other.
pub const DEFAULT_TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// The name under which requests may ask for [`DEFAULT_TENANT`].
pub const DEFAULT_TENANT_NAME: &str = "default";
