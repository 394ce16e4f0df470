//! Keys: made at the first start, opened at every other, staged long before they work, rotated, retired and forgotten.

mod count;
mod failure;
mod list;
mod news;
mod prepare;
mod publish;
mod reload;
mod retire;
mod rewrap;
mod rotate;
mod smith;
mod tend;

pub use count::CountTokens;
pub use failure::KeyFailure;
pub use list::{KeyLine, ListKeys};
pub use news::KeyNews;
pub use prepare::PrepareKeys;
pub use publish::PublishKeys;
pub use reload::ReloadKeys;
pub use retire::{RetireKey, Retired};
pub use rewrap::{RewrapKeys, Rewrapped};
pub use rotate::{RotateKeys, Rotated};
pub use smith::Keysmith;
pub(super) use smith::recipient_of;
pub use tend::TendKeys;
