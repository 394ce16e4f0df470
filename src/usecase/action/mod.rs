//! Mailed links and codes: created when a mail is rendered, proven and used up when a person presents them.

mod claim;
mod mint;

pub use claim::{Claim, ClaimProof, ClaimProven};
pub use mint::{Mint, Minted};
