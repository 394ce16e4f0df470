// @generated from countersign.v1; `tests/generated.rs` compares it with the protos and writes it anew.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
#[prost(skip_debug)]
pub struct IssueServiceTokenRequest {
    #[prost(string, tag = "1")]
    pub client_id: ::prost::alloc::string::String,
    #[prost(string, tag = "2")]
    pub client_secret: ::prost::alloc::string::String,
    /// The backends the token is for: an audience that the service serves, or one that it may call. When empty, the one audience
    /// that it serves.
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
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct GetVerificationKeysRequest {
    /// Must be the audience of the token that the caller came with, which is one that it serves.
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
    /// The longest that an access token can be valid, in seconds. For as long a revocation has to be remembered.
    #[prost(int64, tag = "5")]
    pub longest_token_life_seconds: i64,
    /// The `tid` of every token. Signing keys are shared by all tenants, so a token of another one has a good signature, too.
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
/// What takes the encryption off a token.
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
    /// The cursor of the last message that was taken in, or empty. One that the service does not know (any more) is answered
    /// with a snapshot, as an empty one is.
    #[prost(string, tag = "1")]
    pub cursor: ::prost::alloc::string::String,
}
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct WatchRevocationsResponse {
    /// The clock of the service when this message was made.
    #[prost(message, optional, tag = "1")]
    pub server_time: ::core::option::Option<::prost_types::Timestamp>,
    /// Up to where the caller has heard everything, once this message is taken in. Empty while a snapshot is not complete.
    #[prost(string, tag = "2")]
    pub cursor: ::prost::alloc::string::String,
    #[prost(oneof = "watch_revocations_response::Event", tags = "3, 4, 5")]
    pub event: ::core::option::Option<watch_revocations_response::Event>,
}
/// Nested message and enum types in `WatchRevocationsResponse`.
pub mod watch_revocations_response {
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Event {
        /// A part of everything that is of consequence. Takes the place of all that was known before, once it is complete.
        #[prost(message, tag = "3")]
        Snapshot(super::RevocationSnapshot),
        #[prost(message, tag = "4")]
        Changes(super::RevocationChanges),
        /// Nothing happened. Comes every few seconds while nothing else does, so that silence means that the stream broke.
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
    /// In the order in which they came into force.
    #[prost(message, repeated, tag = "1")]
    pub revocations: ::prost::alloc::vec::Vec<Revocation>,
}
#[derive(Clone, Copy, PartialEq, Eq, Hash, ::prost::Message)]
pub struct RevocationHeartbeat {
    /// How long the service will be silent at most, in seconds, while all is well.
    #[prost(int64, tag = "1")]
    pub interval_seconds: i64,
}
/// One thing that no longer holds. Of no consequence any more after `expire_time`, when the last token it could concern is
/// over.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct Revocation {
    /// For subjects and tenants, in whole seconds as `iat` is: a token that was issued in the same second is over, too.
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
        /// Tokens that this key signed or encrypted. It is no longer among the verification keys.
        #[prost(string, tag = "4")]
        KeyId(::prost::alloc::string::String),
        /// Nothing is revoked, but there are other verification keys than before: to be fetched at leisure.
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
    /// Whether it is an access token for the audience of the caller's own, current, and of a session that is live. All other
    /// fields are empty otherwise.
    #[prost(bool, tag = "1")]
    pub active: bool,
    #[prost(string, tag = "2")]
    pub issuer: ::prost::alloc::string::String,
    #[prost(string, tag = "3")]
    pub audience: ::prost::alloc::string::String,
    /// The account, or the service.
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
    /// How the subject proved who it is (RFC 8176).
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
/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]
#[repr(i32)]
pub enum KeyState {
    Unspecified = 0,
    /// Published, not yet in use.
    Staged = 1,
    /// Tokens are made with it.
    Active = 2,
    /// Tokens made with it may still be valid.
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
