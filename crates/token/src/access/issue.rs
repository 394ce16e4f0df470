//! The issuer: signs, then encrypts.

mod sealer;
mod signer;

use std::fmt;

use serde::Serialize;

use super::{AccessClaims, AccessReader, MAX_ACCESS_TOKEN_BYTES};
use crate::fault::IssueFault;
use crate::key::{EncryptionKey, KeyId, SigningKey};
use sealer::Sealer;
use signer::Signer;

/// Issues access tokens for one audience. Holds one signing and one encryption key; a rotation needs a new issuer.
///
/// The nonce of each token is random, so an encryption key must be rotated before 2^32 tokens have been made with it
/// (NIST SP 800-38D section 8.3). That applies to both kinds: an agreed content key is derived from the nonce, so two
/// tokens with equal nonces would be encrypted under one key.
pub struct AccessIssuer {
    issuer: Box<str>,
    audience: Box<str>,
    signing_key: KeyId,
    signer: Signer,
    sealer: Sealer,
}

impl AccessIssuer {
    /// Takes the issuer and the audience of every token, and the keys.
    ///
    /// Signs and encrypts once as a test, and opens the result as a reader does, so that an unusable key is found here
    /// and not at the first login.
    ///
    /// # Errors
    /// [`IssueFault::BadClaims`] when no token may name this issuer or audience, [`IssueFault::BadKey`] when a library
    /// refuses a key, [`IssueFault::HeaderDrift`] when jsonwebtoken signs another text than this issuer.
    pub fn new(
        issuer: &str,
        signing: SigningKey,
        encryption: EncryptionKey,
        audience: &str,
    ) -> Result<Self, IssueFault> {
        if !AccessClaims::may_name(issuer, audience) {
            return Err(IssueFault::BadClaims);
        }
        let reader =
            AccessReader::new(issuer, audience, vec![signing.verifying_key()], vec![encryption.clone().into()]);
        let made = Self {
            issuer: issuer.into(),
            audience: audience.into(),
            signing_key: signing.id().clone(),
            signer: Signer::new(&signing)?,
            sealer: Sealer::new(encryption)?,
        };
        let trial = made.sealer.seal(made.signer.sign(&[(); 0])?)?;
        if reader.is_ok_and(|reader| reader.is_authentic(&trial)) { Ok(made) } else { Err(IssueFault::BadKey) }
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
        let token = self.sealer.seal(self.signer.sign(&Wire::from(claims))?)?;
        if token.len() > MAX_ACCESS_TOKEN_BYTES {
            return Err(IssueFault::TooLong);
        }
        Ok(token)
    }
}

impl fmt::Debug for AccessIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessIssuer")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("signing", &self.signing_key)
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
