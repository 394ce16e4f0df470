//! Mailed links and codes: made when a mail is rendered, proven and used when they come back.

mod claim;
mod mint;

pub use claim::{Claim, ClaimProof, ClaimProven};
pub use mint::{Mint, Minted};
