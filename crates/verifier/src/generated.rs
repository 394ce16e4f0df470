// @generated from countersign.v1; `tests/generated.rs` compares it with the protos and writes it anew.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct IssueServiceTokenRequest {
    #[prost(string, tag = "1")]
    pub client_id: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub client_secret: ::prost::alloc::string::String,
    /// The backends the token is for: an audience that the service serves, or one that it may call. When empty, the one
    /// audience that it serves.
    #[prost(string, tag = "3")]
    pub audience: ::prost::alloc::string::String,
}
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct IssueServiceTokenResponse {
    #[prost(string, tag = "1")]
    pub access_token: ::prost::alloc::string::String,
    #[prost(message, optional, tag = "2")]
    pub access_expire_time: ::core::option::Option<::prost_types::Timestamp>,
}
/// How a login can continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum LoginMethod {
    Unspecified = 0,
    /// A code of an authenticator app.
    Totp = 1,
    /// A backup code.
    BackupCode = 2,
    /// A passkey.
    Passkey = 3,
    /// The code that Login mailed to the address of the account. It is good for this challenge alone; for another code,
    /// call Login again.
    EmailCode = 4,
    /// A factor has to be added: StartTotp and ConfirmTotp, or StartPasskey and FinishPasskey.
    Enrol = 5,
}
impl LoginMethod {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "LOGIN_METHOD_UNSPECIFIED",
            Self::Totp => "LOGIN_METHOD_TOTP",
            Self::BackupCode => "LOGIN_METHOD_BACKUP_CODE",
            Self::Passkey => "LOGIN_METHOD_PASSKEY",
            Self::EmailCode => "LOGIN_METHOD_EMAIL_CODE",
            Self::Enrol => "LOGIN_METHOD_ENROL",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "LOGIN_METHOD_UNSPECIFIED" => Some(Self::Unspecified),
            "LOGIN_METHOD_TOTP" => Some(Self::Totp),
            "LOGIN_METHOD_BACKUP_CODE" => Some(Self::BackupCode),
            "LOGIN_METHOD_PASSKEY" => Some(Self::Passkey),
            "LOGIN_METHOD_EMAIL_CODE" => Some(Self::EmailCode),
            "LOGIN_METHOD_ENROL" => Some(Self::Enrol),
            _ => None,
        }
    }
}
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct GetVerificationKeysRequest {
    /// Must be the audience of the caller's own token, which is one that the service account serves.
    #[prost(string, tag = "1")]
    pub audience: ::prost::alloc::string::String,
}
#[derive(Clone, PartialEq, ::prost::Message)]
#[prost(skip_debug)]
pub struct GetVerificationKeysResponse {
    /// The `iss` of every token, to be compared byte for byte.
    #[prost(string, tag = "1")]
    pub issuer: ::prost::alloc::string::String,
    /// The `aud` of every token.
    #[prost(string, tag = "2")]
    pub audience: ::prost::alloc::string::String,
    #[prost(message, repeated, tag = "3")]
    pub signing_keys: ::prost::alloc::vec::Vec<SigningKey>,
    #[prost(message, repeated, tag = "4")]
    pub encryption_keys: ::prost::alloc::vec::Vec<EncryptionKey>,
    /// The longest lifetime of an access token, in seconds. A revocation must be remembered for as long.
    #[prost(int64, tag = "5")]
    pub longest_token_life_seconds: i64,
    /// The `tid` of every token. It must be compared: all tenants share the signing keys, so a token of another tenant has
    /// a valid signature.
    #[prost(string, tag = "6")]
    pub tenant_id: ::prost::alloc::string::String,
}
/// A public key, for the signature inside a token.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct SigningKey {
    #[prost(string, tag = "1")]
    pub key_id: ::prost::alloc::string::String,
    /// Ed25519 (RFC 8032): 32 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub public_key: ::prost::alloc::vec::Vec<u8>,
    #[prost(enumeration = "KeyState", tag = "3")]
    pub state: i32,
}
/// A key that decrypts tokens.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct EncryptionKey {
    #[prost(string, tag = "1")]
    pub key_id: ::prost::alloc::string::String,
    #[prost(enumeration = "KeyAlgorithm", tag = "2")]
    pub algorithm: i32,
    /// With KEY_ALGORITHM_DIRECT: the secret of the audience, 32 bytes. Empty otherwise.
    #[prost(bytes = "vec", tag = "3")]
    pub secret_key: ::prost::alloc::vec::Vec<u8>,
    /// With KEY_ALGORITHM_ECDH_ES: the public key that the audience registered, 32 bytes. Its private half is known to the
    /// audience alone. Empty otherwise.
    #[prost(bytes = "vec", tag = "4")]
    pub public_key: ::prost::alloc::vec::Vec<u8>,
    #[prost(enumeration = "KeyState", tag = "5")]
    pub state: i32,
}
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct WatchRevocationsRequest {
    /// The cursor of the last message that was processed, or empty. An unknown cursor is answered with a snapshot, as an
    /// empty one is.
    #[prost(string, tag = "1")]
    pub cursor: ::prost::alloc::string::String,
}
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WatchRevocationsResponse {
    /// The clock of the service when it sent this message.
    #[prost(message, optional, tag = "1")]
    pub server_time: ::core::option::Option<::prost_types::Timestamp>,
    /// The position in the feed after this message. Empty while a snapshot is incomplete.
    #[prost(string, tag = "2")]
    pub cursor: ::prost::alloc::string::String,
    #[prost(oneof = "watch_revocations_response::Event", tags = "3, 4, 5")]
    pub event: ::core::option::Option<watch_revocations_response::Event>,
}
/// Nested message and enum types in `WatchRevocationsResponse`.
pub mod watch_revocations_response {
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Event {
        /// A part of the snapshot. Once complete, the snapshot replaces all revocations received before.
        #[prost(message, tag = "3")]
        Snapshot(super::RevocationSnapshot),
        #[prost(message, tag = "4")]
        Changes(super::RevocationChanges),
        /// No change. Sent every few seconds while there is no other message, so that silence means a broken stream.
        #[prost(message, tag = "5")]
        Heartbeat(super::RevocationHeartbeat),
    }
}
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RevocationSnapshot {
    #[prost(message, repeated, tag = "1")]
    pub revocations: ::prost::alloc::vec::Vec<Revocation>,
    /// Whether this is the last part.
    #[prost(bool, tag = "2")]
    pub complete: bool,
}
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct RevocationChanges {
    /// In the order of the feed.
    #[prost(message, repeated, tag = "1")]
    pub revocations: ::prost::alloc::vec::Vec<Revocation>,
}
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RevocationHeartbeat {
    /// The longest time between two messages of a working stream, in seconds.
    #[prost(int64, tag = "1")]
    pub interval_seconds: i64,
}
/// One revocation. It expires at `expire_time`, with the last token that it could concern.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Revocation {
    /// For subjects and tenants, in whole seconds as `iat` is: a token that was issued in the same second is revoked, too.
    #[prost(message, optional, tag = "6")]
    pub not_after_time: ::core::option::Option<::prost_types::Timestamp>,
    #[prost(message, optional, tag = "7")]
    pub expire_time: ::core::option::Option<::prost_types::Timestamp>,
    #[prost(oneof = "revocation::Target", tags = "1, 2, 3, 4, 5")]
    pub target: ::core::option::Option<revocation::Target>,
}
/// Nested message and enum types in `Revocation`.
pub mod revocation {
    #[derive(Clone, PartialEq, Eq, Hash, ::prost::Oneof)]
    pub enum Target {
        /// Tokens with this `sid`.
        #[prost(string, tag = "1")]
        SessionId(::prost::alloc::string::String),
        /// Tokens with this `sub` that were issued (`iat`) up to `not_after_time`.
        #[prost(string, tag = "2")]
        Subject(::prost::alloc::string::String),
        /// Tokens with this `tid` that were issued (`iat`) up to `not_after_time`.
        #[prost(string, tag = "3")]
        TenantId(::prost::alloc::string::String),
        /// Tokens that this key signed or encrypted. The key is no longer one of the verification keys.
        #[prost(string, tag = "4")]
        KeyId(::prost::alloc::string::String),
        /// No revocation: the verification keys changed, and should be fetched soon.
        #[prost(string, tag = "5")]
        KeySet(::prost::alloc::string::String),
    }
}
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct IntrospectRequest {
    #[prost(string, tag = "1")]
    pub token: ::prost::alloc::string::String,
}
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct IntrospectResponse {
    /// Whether the token is an access token of the caller's audience that is valid and whose session is live. Otherwise
    /// all other fields are empty.
    #[prost(bool, tag = "1")]
    pub active: bool,
    #[prost(string, tag = "2")]
    pub issuer: ::prost::alloc::string::String,
    #[prost(string, tag = "3")]
    pub audience: ::prost::alloc::string::String,
    /// The id of the account or of the service account.
    #[prost(string, tag = "4")]
    pub subject: ::prost::alloc::string::String,
    #[prost(message, optional, tag = "5")]
    pub issue_time: ::core::option::Option<::prost_types::Timestamp>,
    #[prost(message, optional, tag = "6")]
    pub expire_time: ::core::option::Option<::prost_types::Timestamp>,
    #[prost(string, tag = "7")]
    pub token_id: ::prost::alloc::string::String,
    #[prost(string, tag = "8")]
    pub session_id: ::prost::alloc::string::String,
    #[prost(string, tag = "9")]
    pub tenant_id: ::prost::alloc::string::String,
    #[prost(string, repeated, tag = "10")]
    pub roles: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    /// How the subject authenticated: `amr` (RFC 8176).
    #[prost(string, repeated, tag = "11")]
    pub methods: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
    #[prost(string, tag = "12")]
    pub level: ::prost::alloc::string::String,
    #[prost(message, optional, tag = "13")]
    pub authenticate_time: ::core::option::Option<::prost_types::Timestamp>,
}
/// How tokens are encrypted for an audience. The content is always A256GCM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum KeyAlgorithm {
    Unspecified = 0,
    /// `dir` (RFC 7518 section 4.5): one secret, shared by the service and the backends of the audience.
    Direct = 1,
    /// `ECDH-ES` over X25519 (RFC 7518 section 4.6, RFC 8037): the audience shares no secret.
    EcdhEs = 2,
}
impl KeyAlgorithm {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "KEY_ALGORITHM_UNSPECIFIED",
            Self::Direct => "KEY_ALGORITHM_DIRECT",
            Self::EcdhEs => "KEY_ALGORITHM_ECDH_ES",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "KEY_ALGORITHM_UNSPECIFIED" => Some(Self::Unspecified),
            "KEY_ALGORITHM_DIRECT" => Some(Self::Direct),
            "KEY_ALGORITHM_ECDH_ES" => Some(Self::EcdhEs),
            _ => None,
        }
    }
}
/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum KeyState {
    Unspecified = 0,
    /// Published, not yet in use.
    Staged = 1,
    /// Tokens are issued with it.
    Active = 2,
    /// Tokens issued with it may still be valid.
    Retiring = 3,
}
impl KeyState {
    /// String value of the enum field names used in the ProtoBuf definition.
    ///
    /// The values are not transformed in any way and thus are considered stable
    /// (if the ProtoBuf definition does not change) and safe for programmatic use.
    pub fn as_str_name(&self) -> &'static str {
        match self {
            Self::Unspecified => "KEY_STATE_UNSPECIFIED",
            Self::Staged => "KEY_STATE_STAGED",
            Self::Active => "KEY_STATE_ACTIVE",
            Self::Retiring => "KEY_STATE_RETIRING",
        }
    }
    /// Creates an enum from field names used in the ProtoBuf definition.
    pub fn from_str_name(value: &str) -> ::core::option::Option<Self> {
        match value {
            "KEY_STATE_UNSPECIFIED" => Some(Self::Unspecified),
            "KEY_STATE_STAGED" => Some(Self::Staged),
            "KEY_STATE_ACTIVE" => Some(Self::Active),
            "KEY_STATE_RETIRING" => Some(Self::Retiring),
            _ => None,
        }
    }
}
impl ::core::fmt::Debug for IssueServiceTokenRequest {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("IssueServiceTokenRequest([secret])")
    }
}
impl ::core::fmt::Debug for IssueServiceTokenResponse {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("IssueServiceTokenResponse([secret])")
    }
}
impl ::core::fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("EncryptionKey([secret])")
    }
}
impl ::core::fmt::Debug for GetVerificationKeysResponse {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("GetVerificationKeysResponse([secret])")
    }
}
impl ::core::fmt::Debug for IntrospectRequest {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str("IntrospectRequest([secret])")
    }
}
