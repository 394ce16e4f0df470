//! A factor of an account beside its password, or the key of its backup codes.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "factors")]
pub(in crate::store) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(in crate::store) id: Uuid,
    pub(in crate::store) tenant_id: Uuid,
    pub(in crate::store) account_id: Uuid,
    pub(in crate::store) kind: String,
    /// Empty for the key of backup codes.
    pub(in crate::store) name: String,
    /// The secret of an authenticator app, the public key of a passkey or what its registration has to remember, or the
    /// key of backup codes: sealed under a key of the ring.
    pub(in crate::store) sealed: String,
    /// The key that sealed it.
    pub(in crate::store) key_id: String,
    /// The last step of which a code was used.
    pub(in crate::store) last_step: Option<i64>,
    pub(in crate::store) created_at: i64,
    /// `None` while it waits for its first proof.
    pub(in crate::store) confirmed_at: Option<i64>,
    pub(in crate::store) used_at: Option<i64>,
    /// Of a passkey: the random name of its account, as the authenticator stores it.
    pub(in crate::store) user_handle: Option<Uuid>,
    /// Of a passkey: SHA-256 of the id of its credential.
    pub(in crate::store) credential_digest: Option<Vec<u8>>,
    /// Of a passkey: the model of its authenticator.
    pub(in crate::store) aaguid: Option<Vec<u8>>,
    /// Of a passkey: whether its authenticator may copy it to other devices.
    pub(in crate::store) is_backup_eligible: Option<bool>,
    /// Of a passkey: the signature counter of its last use.
    pub(in crate::store) sign_count: Option<i64>,
    /// Of a passkey: whether it logs in after the password only, because the password was reset.
    pub(in crate::store) needs_password: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
