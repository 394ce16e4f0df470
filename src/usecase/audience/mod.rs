//! Audiences: groups of backends that read the same tokens, and how the tokens are encrypted for them.

mod create;
mod list;
mod register_key;

pub use create::CreateAudience;
pub use list::{AudienceLine, ListAudiences};
pub use register_key::{RegisterAudienceKey, Registered};
