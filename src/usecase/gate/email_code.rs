use crate::keys::KeyRing;
use countersign_domain::{
    action::ActionCode,
    id::ChallengeId,
    login::{Challenge, EmailCodeProof},
};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// Makes the codes that are mailed to continue logins, and checks them.
///
/// A code is computed from the id of its challenge with our key, and stored nowhere: a mail that is sent twice has the
/// same code twice.
#[derive(Clone, Debug)]
pub struct EmailCodes {
    pub ring: Arc<KeyRing>,
}

/// The proof of a mailed code. Only [`EmailCodes`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct EmailCodeProven(EmailCodeProof);

impl EmailCodeProven {
    /// What a login consumes.
    pub const fn proof(self) -> EmailCodeProof {
        self.0
    }
}

/// What the key is used for here.
const CONTEXT: &str = "login: mailed code";

impl EmailCodes {
    /// The code of a challenge.
    pub fn code(&self, challenge: ChallengeId) -> ActionCode {
        code_of(&self.ring.mac().tag(CONTEXT, &[challenge.as_bytes()]))
    }

    /// Compares a code with that of a challenge, by every key that may have made it.
    pub fn check(&self, challenge: &Challenge, code: &ActionCode) -> Option<EmailCodeProven> {
        let tags = self.ring.mac().tags(CONTEXT, &[challenge.id.as_bytes()]);
        let is_it = |tag: &[u8; 32]| bool::from(code_of(tag).reveal().as_bytes().ct_eq(code.reveal().as_bytes()));
        tags.iter().any(is_it).then(|| EmailCodeProven(EmailCodeProof::of(challenge.id)))
    }
}

fn code_of(tag: &[u8; 32]) -> ActionCode {
    let [a, b, c, d, e, f, g, h, ..] = *tag;
    ActionCode::new([a, b, c, d, e, f, g, h])
}
