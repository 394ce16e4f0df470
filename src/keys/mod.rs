//! Keys in use: the ring that seals and opens every token, and the key that keeps the ring sealed at rest.

mod kek;
mod mac;
mod material;
mod ring;

pub use kek::{KekFault, load_or_create as load_or_create_kek};
pub use mac::MacKey;
pub use material::{KeyMaterial, KeyPurpose, MaterialFault};
pub use ring::{KeyRing, RingFault};

pub use countersign_token::{AccessClaims, KeyEncryptionKey, RefreshToken, Rejected};
