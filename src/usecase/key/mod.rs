//! Keys: created at the first start, opened at every other start, staged long before their use, rotated, retired and
//! erased.

mod count;
mod failure;
mod key_maker;
mod list;
mod maintain;
mod prepare;
mod publish;
mod reload;
mod retire;
mod rewrap;
mod rotate;
mod updates;

pub use count::CountTokens;
pub use failure::KeyFailure;
pub use key_maker::KeyMaker;
pub(super) use key_maker::recipient_of;
pub use list::{KeyLine, ListKeys};
pub use maintain::MaintainKeys;
pub use prepare::PrepareKeys;
pub use publish::PublishKeys;
pub use reload::ReloadKeys;
pub use retire::{RetireKey, Retired};
pub use rewrap::{RewrapKeys, Rewrapped};
pub use rotate::{RotateKeys, Rotated};
pub use updates::KeyUpdates;
