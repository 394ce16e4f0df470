//! Keys: the ring that seals and opens every token, and the key-encryption keys that seal the ring in the database.

mod approval;
mod browser_binding;
mod chain;
mod client_secret;
mod device_token;
mod kek;
mod mac;
mod material;
mod operator_token;
mod private_file;
mod published;
mod ring;
mod snapshot;
mod token_id;

pub use approval::{Approval, Approved};
pub use browser_binding::BrowserBinding;
pub use chain::{ChainKey, ChainKeys, EventKeys, commit_to_origin};
pub use client_secret::{ClientSecret, ClientSecretDigest};
pub use device_token::DeviceToken;
pub use kek::{KekFault, KeyEncryptionKeys, load as load_kek, load_or_create as load_or_create_kek};
pub use mac::{MacKey, MacKeys};
pub use material::{KeyMaterial, MaterialFault, SealedSecret, is_strong_recipient};
pub use operator_token::{OperatorToken, load as load_operator_token, load_or_create as load_or_create_operator_token};
pub use private_file::FileAccess;
pub use published::{ContentKeyKind, ContentKeyView, KeySetView, PublicKeySet, SigningKeyView};
pub use ring::{KeyRing, OpenedCeremony, ReadToken, SealedFactorSecret};
pub use snapshot::{HeldKey, RingFault};
pub use token_id::{generation_of, token_id};

pub use countersign_token::{AccessClaims, CeremonyPurpose, KeyEncryptionKey, RefreshToken, Rejected};
