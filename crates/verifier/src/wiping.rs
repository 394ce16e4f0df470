//! Messages with a secret wipe it on drop: after a call, and also when an answer is abandoned halfway. Copies within
//! the transport are out of reach.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::generated::{EncryptionKey, IntrospectRequest, IssueServiceTokenRequest, IssueServiceTokenResponse};

macro_rules! wiped {
    ($($message:ident . $secret:ident),+ $(,)?) => {$(
        impl Zeroize for $message {
            fn zeroize(&mut self) {
                self.$secret.zeroize();
            }
        }

        impl Drop for $message {
            fn drop(&mut self) {
                self.zeroize();
            }
        }

        impl ZeroizeOnDrop for $message {}
    )+};
}

wiped!(
    IssueServiceTokenRequest.client_secret,
    IssueServiceTokenResponse.access_token,
    EncryptionKey.secret_key,
    IntrospectRequest.token,
);

#[cfg(test)]
mod tests {
    use super::*;

    fn wiped<M: ZeroizeOnDrop + Zeroize>(mut message: M, secret: fn(&M) -> usize) -> bool {
        let before = secret(&message);
        message.zeroize();
        before > 0 && secret(&message) == 0
    }

    #[test]
    fn a_message_wipes_its_secret_when_it_is_let_go_of() {
        let text = || "secret".to_owned();
        let (client_id, audience) = (text(), text());
        let request = IssueServiceTokenRequest { client_id, client_secret: text(), audience };
        assert!(wiped(request, |request| request.client_secret.len()));
        let response = IssueServiceTokenResponse { access_token: text(), access_expire_time: None };
        assert!(wiped(response, |response| response.access_token.len()));
        assert!(wiped(IntrospectRequest { token: text() }, |request| request.token.len()));
        let (key_id, secret_key) = (text(), vec![7; 32]);
        let key = EncryptionKey { key_id, algorithm: 1, secret_key, public_key: Vec::new(), state: 1 };
        assert!(wiped(key, |key| key.secret_key.len()));
    }
}
