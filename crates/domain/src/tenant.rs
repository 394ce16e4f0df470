//! Tenants: isolated sets of accounts. Every stored row belongs to exactly one.

use crate::id::TenantId;
use uuid::Uuid;

/// The tenant that exists from the first start. A request that names no tenant means this one.
pub const DEFAULT_TENANT: TenantId = TenantId::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// The name of [`DEFAULT_TENANT`] in requests.
pub const DEFAULT_TENANT_NAME: &str = "default";
