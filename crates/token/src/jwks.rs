//! The public key set, as other JOSE implementations fetch it.

use crate::encoding;
use crate::key::VerifyingKey;

/// The JWK set (RFC 7517 section 5) of `keys`, as JSON text: `{"keys":[{"kty":"OKP","crv":"Ed25519",…}]}` with the
/// members of RFC 8037 section 2. Public keys only; backends get content keys by RPC.
pub fn jwk_set<'a>(keys: impl IntoIterator<Item = &'a VerifyingKey>) -> String {
    let mut text = String::from(r#"{"keys":["#);
    for (index, key) in keys.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        // Neither a key id nor base64url contains a character that JSON escapes.
        text.push_str(&format!(
            r#"{{"kty":"OKP","crv":"Ed25519","kid":"{}","x":"{}","use":"sig","alg":"EdDSA"}}"#,
            key.id(),
            encoding::encode(key.bytes())
        ));
    }
    text.push_str("]}");
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;
    use crate::key::KeyId;

    #[test]
    fn a_key_set_is_json_with_the_members_of_rfc_8037() {
        // The public key of RFC 8032 section 7.1, test 1, printed as in RFC 8037 appendix A.2.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let bytes = encoding::decode_exact::<32>(x).unwrap();
        let keys = ["one", "two"].map(|id| VerifyingKey::new(KeyId::new(id).unwrap(), bytes).unwrap());

        let set: serde_json::Value = serde_json::from_str(&jwk_set(&keys)).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 2);
        assert_eq!(set["keys"][1]["kid"], "two");
        assert_eq!(set["keys"][0]["x"], x);
        assert_eq!(jwk_set([]), r#"{"keys":[]}"#);
    }
}
