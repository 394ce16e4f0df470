//! The issuer: signs with jsonwebtoken, then encrypts, with josekit where it can.

mod agreed;
mod direct;

use std::fmt;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::{AccessClaims, MAX_ACCESS_TOKEN_BYTES};
use crate::fault::IssueFault;
use crate::key::{EncryptionKey, SigningKey};
use agreed::AgreedEncrypter;
use direct::DirectEncrypter;

/// Issues access tokens for one audience. Holds one signing and one encryption key; a rotation needs a new issuer.
///
/// The nonce of each token is random, so an encryption key must be rotated before 2^32 tokens have been made with it
/// (NIST SP 800-38D section 8.3). That applies to both kinds: an agreed content key is derived from the nonce, so two
/// tokens with equal nonces would be encrypted under one key.
pub struct AccessIssuer {
    issuer: Box<str>,
    audience: Box<str>,
    signing: EncodingKey,
    inner_header: Header,
    encrypter: Encrypter,
}

enum Encrypter {
    Direct(DirectEncrypter),
    Agreed(AgreedEncrypter),
}

impl AccessIssuer {
    /// Takes the issuer and the audience of every token, and the keys.
    ///
    /// Signs and encrypts once as a test, so that an unusable key, or a library whose headers changed, is found here
    /// and not at the first login.
    ///
    /// # Errors
    /// [`IssueFault::BadClaims`] when no token may name this issuer or audience, [`IssueFault::BadKey`] when a library
    /// refuses a key, [`IssueFault::HeaderDrift`] when a library emits another header than readers pin.
    pub fn new(
        issuer: &str,
        signing: SigningKey,
        encryption: EncryptionKey,
        audience: &str,
    ) -> Result<Self, IssueFault> {
        if !AccessClaims::may_name(issuer, audience) {
            return Err(IssueFault::BadClaims);
        }
        let encrypter = match encryption {
            EncryptionKey::Direct(key) => Encrypter::Direct(DirectEncrypter::new(&key)?),
            EncryptionKey::Agreed(key) => Encrypter::Agreed(AgreedEncrypter::new(key)?),
        };
        let mut inner_header = Header::new(Algorithm::EdDSA);
        inner_header.typ = Some("at+jwt".to_owned());
        inner_header.kid = Some(signing.id().to_string());
        let made = Self {
            issuer: issuer.into(),
            audience: audience.into(),
            signing: EncodingKey::from_ed_der(signing.pkcs8().as_slice()),
            inner_header,
            encrypter,
        };
        let inner = made.sign(&[(); 0]).map_err(|_| IssueFault::BadKey)?;
        let pinned = signing.verifying_key().header_segment();
        if inner.split('.').next() == Some(&pinned) { Ok(made) } else { Err(IssueFault::HeaderDrift) }
    }

    /// Issues a token with `claims`.
    ///
    /// # Errors
    /// [`IssueFault::BadClaims`] when a claim is out of its bounds or names another issuer or audience than this one,
    /// [`IssueFault::TooLong`] when the token would exceed [`MAX_ACCESS_TOKEN_BYTES`], and
    /// [`IssueFault::Signing`] or [`IssueFault::Sealing`] when a library fails.
    pub fn issue(&self, claims: &AccessClaims) -> Result<String, IssueFault> {
        if *claims.issuer != *self.issuer || *claims.audience != *self.audience || !claims.fits_the_profile() {
            return Err(IssueFault::BadClaims);
        }
        let token = self.encrypt(&self.sign(&Wire::from(claims))?)?;
        if token.len() > MAX_ACCESS_TOKEN_BYTES {
            return Err(IssueFault::TooLong);
        }
        Ok(token)
    }

    /// `encode` builds its key pair from the seed at every call, about a third of the cost of a whole token. Its signer
    /// could be made once, but is neither `Send` nor `Sync`, so an issuer that kept one could not be shared by threads.
    fn sign(&self, payload: &impl Serialize) -> Result<String, IssueFault> {
        jsonwebtoken::encode(&self.inner_header, payload, &self.signing).map_err(|_| IssueFault::Signing)
    }

    fn encrypt(&self, signed: &str) -> Result<String, IssueFault> {
        match &self.encrypter {
            Encrypter::Direct(encrypter) => encrypter.encrypt(signed),
            Encrypter::Agreed(encrypter) => encrypter.encrypt(signed),
        }
    }
}

impl fmt::Debug for AccessIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("signing", &self.inner_header.kid)
            .finish_non_exhaustive()
    }
}

/// The claims under their registered names.
#[derive(Serialize)]
struct Wire<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    sid: &'a str,
    tid: &'a str,
    roles: &'a [String],
    amr: &'a [String],
    acr: &'a str,
    auth_time: i64,
}

impl<'a> From<&'a AccessClaims> for Wire<'a> {
    fn from(claims: &'a AccessClaims) -> Self {
        Self {
            iss: &claims.issuer,
            aud: &claims.audience,
            sub: &claims.subject,
            iat: claims.issued_at,
            exp: claims.expires_at,
            jti: &claims.token_id,
            sid: &claims.session_id,
            tid: &claims.tenant_id,
            roles: &claims.roles,
            amr: &claims.methods,
            acr: &claims.level,
            auth_time: claims.authenticated_at,
        }
    }
}
