use aws_lc_rs::hmac;

/// A key for message authentication codes: of mailed codes, and of the fingerprints of idempotency keys.
pub struct MacKey(hmac::Key);

impl MacKey {
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// HMAC-SHA-256 of the parts. The length precedes each part, so that different lists of parts never give the same
    /// input; `context` separates the codes of different uses.
    pub fn tag(&self, context: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = hmac::Context::with_key(&self.0);
        for part in std::iter::once(&context.as_bytes()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(mac.sign().as_ref());
        tag
    }
}

/// The keys for codes: one creates them, all verify them.
#[derive(Debug)]
pub struct MacKeys {
    active: MacKey,
    others: Vec<MacKey>,
}

impl MacKeys {
    pub(super) fn new(active: MacKey, others: Vec<MacKey>) -> Self {
        Self { active, others }
    }

    /// The code to store: [`MacKey::tag`] under the active key.
    pub fn tag(&self, context: &str, parts: &[&[u8]]) -> [u8; 32] {
        self.active.tag(context, parts)
    }

    /// All codes that may be stored for this, the one to store first: keys may be rotated before a code is used, and a
    /// replica may be slightly behind or ahead.
    pub fn tags(&self, context: &str, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        std::iter::once(&self.active).chain(&self.others).map(|key| key.tag(context, parts)).collect()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MacKey([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_boundary_or_the_context_changes_the_code() {
        let key = MacKey::new(&[7; 32]);
        let tag = key.tag("code", &[b"ab", b"c"]);
        assert_eq!(tag, key.tag("code", &[b"ab", b"c"]));
        for other in [key.tag("code", &[b"a", b"bc"]), key.tag("code", &[b"abc"]), key.tag("other", &[b"ab", b"c"])] {
            assert_ne!(tag, other);
        }
    }
}
