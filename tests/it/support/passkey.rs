use super::{App, Challenged, Client, Person};
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use countersign::grpc::wire::proto::{complete_login_request::Proof, *};
use serde_json::{Value, json};
use tonic::Status;

/// The origin of the service's own pages.
pub(crate) const ORIGIN: &str = "https://id.example.org";
const RP_ID: &str = "id.example.org";

pub(crate) const USER_PRESENT: u8 = 0x01;
pub(crate) const USER_VERIFIED: u8 = 0x04;
/// The authenticator may copy the passkey, and did.
pub(crate) const SYNCED: u8 = 0x18;
const ATTESTED: u8 = 0x40;

/// A passkey and its authenticator: WebAuthn Level 3, written without the service's code. Everything that it says can
/// be changed.
#[derive(Clone, Debug)]
pub(crate) struct SoftPasskey {
    pub(crate) key: Vec<u8>,
    pub(crate) id: Vec<u8>,
    pub(crate) user_handle: Option<Vec<u8>>,
    /// Counts on at each use; 0 for an authenticator that does not count.
    pub(crate) count: u32,
    pub(crate) flags: u8,
    pub(crate) origin: String,
    pub(crate) rp_id: String,
    pub(crate) aaguid: [u8; 16],
    /// Whether the page that asks is in a frame of another site.
    pub(crate) is_framed: bool,
}

impl SoftPasskey {
    /// A new one, with a random key and id.
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).unwrap();
        Self {
            key: EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap().as_ref().to_vec(),
            id,
            user_handle: None,
            count: 0,
            flags: USER_PRESENT | USER_VERIFIED | SYNCED,
            origin: ORIGIN.to_owned(),
            rp_id: RP_ID.to_owned(),
            aaguid: [0; 16],
            is_framed: false,
        }
    }

    /// One that counts its uses, on one device only.
    pub(crate) fn counting() -> Self {
        Self { count: 1, flags: USER_PRESENT | USER_VERIFIED, ..Self::new() }
    }

    /// What the authenticator answers to these creation options: a `RegistrationResponseJSON`.
    pub(crate) fn register(&mut self, options: &str) -> Value {
        let options: Value = serde_json::from_str(options).unwrap();
        self.user_handle = Some(BASE64URL.decode(options["user"]["id"].as_str().unwrap()).unwrap());
        let mut data = self.data(ATTESTED);
        data.extend_from_slice(&self.aaguid);
        data.extend_from_slice(&u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&self.public_key());
        let mut attestation = vec![0xa3, 0x63];
        attestation.extend_from_slice(b"fmt\x64none\x67attStmt\xa0\x68authData\x59");
        attestation.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        attestation.extend_from_slice(&data);
        let client = self.client_data("webauthn.create", &options["challenge"]);
        json!({
            "id": BASE64URL.encode(&self.id),
            "rawId": BASE64URL.encode(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": BASE64URL.encode(client),
                "attestationObject": BASE64URL.encode(attestation),
                "transports": ["internal", "hybrid", "something-new"],
            },
            "clientExtensionResults": { "credProps": { "rk": true } },
            "authenticatorAttachment": "platform",
        })
    }

    /// What the authenticator answers to these request options: an `AuthenticationResponseJSON`.
    pub(crate) fn sign(&mut self, options: &str) -> Value {
        let options: Value = serde_json::from_str(options).unwrap();
        let client = self.client_data("webauthn.get", &options["challenge"]);
        self.sign_text(client)
    }

    /// The same, with the origin written into the client data as it is.
    pub(crate) fn sign_raw(&mut self, options: &str) -> Value {
        let options: Value = serde_json::from_str(options).unwrap();
        let (challenge, origin) = (&options["challenge"], &self.origin);
        let client = format!(r#"{{"type":"webauthn.get","challenge":{challenge},"origin":"{origin}"}}"#);
        self.sign_text(client)
    }

    fn sign_text(&mut self, client: String) -> Value {
        if self.count > 0 {
            self.count += 1;
        }
        let data = self.data(0);
        let signed = [data.as_slice(), digest(&SHA256, client.as_bytes()).as_ref()].concat();
        let signature = self.pair().sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": BASE64URL.encode(&self.id),
            "rawId": BASE64URL.encode(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": BASE64URL.encode(client),
                "authenticatorData": BASE64URL.encode(data),
                "signature": BASE64URL.encode(signature.as_ref()),
                "userHandle": self.user_handle.as_ref().map(|handle| BASE64URL.encode(handle)),
            },
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        })
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(self.flags | flags);
        data.extend_from_slice(&self.count.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, challenge: &Value) -> String {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.is_framed })
            .to_string()
    }

    fn pair(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.key).unwrap()
    }

    /// COSE: EC2, ES256, P-256, x, y.
    fn public_key(&self) -> Vec<u8> {
        let pair = self.pair();
        let point = pair.public_key().as_ref();
        let (x, y) = (&point[1..33], &point[33..65]);
        [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20], x, &[0x22, 0x58, 0x20], y].concat()
    }
}

/// A person with a passkey.
#[derive(Clone, Debug)]
pub(crate) struct KeyHolder {
    pub(crate) person: Person,
    pub(crate) passkey: SoftPasskey,
    pub(crate) factor: Factor,
    pub(crate) backup_codes: Vec<String>,
}

impl KeyHolder {
    /// Signs up and adds this passkey.
    pub(crate) async fn sign_up(app: &App, email: &str, mut passkey: SoftPasskey) -> Self {
        let person = Person::sign_up(app, email).await;
        let finished = add_passkey(app, &person.session, &mut passkey, "").await.unwrap();
        let (factor, backup_codes) = (finished.factor.unwrap(), finished.backup_codes);
        Self { person, passkey, factor, backup_codes }
    }

    /// Logs in with the passkey alone.
    pub(crate) async fn log_in(&mut self, client: &Client) -> Result<Session, Status> {
        let started = client.start_passkey_login().await;
        let answer = self.passkey.sign(&started.passkey_request_json);
        client.complete_passkey_login(&started.challenge_token, &answer).await
    }

    /// The proof of the passkey for a challenge.
    pub(crate) fn answers(&mut self, challenged: &Challenged) -> Proof {
        Proof::PasskeyCredentialJson(self.passkey.sign(&challenged.challenge.passkey_request_json).to_string())
    }
}

/// Adds a passkey in a session with a fresh proof.
pub(crate) async fn add_passkey(
    client: &Client,
    session: &Session,
    passkey: &mut SoftPasskey,
    name: &str,
) -> Result<FinishPasskeyResponse, Status> {
    let started = client.start_passkey(session, name).await?;
    let answer = passkey.register(&started.passkey_creation_json);
    client.finish_passkey(session, &started.factor_id, &answer.to_string()).await
}

impl Client {
    pub(crate) async fn start_passkey(&self, session: &Session, name: &str) -> Result<StartPasskeyResponse, Status> {
        let asked =
            super::bearer(&session.access_token, StartPasskeyRequest { name: name.to_owned(), ..Default::default() });
        Ok(self.factors().start_passkey(asked).await?.into_inner())
    }

    pub(crate) async fn finish_passkey(
        &self,
        session: &Session,
        factor_id: &str,
        answer: &str,
    ) -> Result<FinishPasskeyResponse, Status> {
        let (factor_id, passkey_credential_json) = (factor_id.to_owned(), answer.to_owned());
        let asked = super::bearer(
            &session.access_token,
            FinishPasskeyRequest { factor_id, passkey_credential_json, ..Default::default() },
        );
        Ok(self.factors().finish_passkey(asked).await?.into_inner())
    }

    pub(crate) async fn start_passkey_login(&self) -> StartPasskeyLoginResponse {
        let asked = self.request(StartPasskeyLoginRequest::default());
        self.auth().start_passkey_login(asked).await.unwrap().into_inner()
    }

    /// Completes a login with a passkey alone.
    pub(crate) async fn complete_passkey_login(&self, token: &str, answer: &Value) -> Result<Session, Status> {
        let message = CompleteLoginRequest {
            challenge_token: token.to_owned(),
            proof: Some(Proof::PasskeyCredentialJson(answer.to_string())),
            ..Default::default()
        };
        let answer = self.auth().complete_login(self.request(message)).await?.into_inner();
        Ok(super::opened(answer))
    }

    /// Proves again with a passkey who holds a session.
    pub(crate) async fn prove_by_passkey(
        &self,
        session: &Session,
        passkey: &mut SoftPasskey,
    ) -> Result<Session, Status> {
        let started = self.start_passkey_proof(session).await?;
        let answer = passkey.sign(&started.passkey_request_json);
        self.answer_passkey_proof(session, &started.challenge_token, &answer).await
    }

    pub(crate) async fn start_passkey_proof(
        &self,
        session: &Session,
    ) -> Result<StartPasskeyReauthenticationResponse, Status> {
        let asked = super::bearer(&session.access_token, StartPasskeyReauthenticationRequest {});
        Ok(self.auth().start_passkey_reauthentication(asked).await?.into_inner())
    }

    pub(crate) async fn answer_passkey_proof(
        &self,
        session: &Session,
        token: &str,
        answer: &Value,
    ) -> Result<Session, Status> {
        let message = ReauthenticateRequest {
            challenge_token: token.to_owned(),
            proof: Some(reauthenticate_request::Proof::PasskeyCredentialJson(answer.to_string())),
            ..Default::default()
        };
        let asked = super::bearer(&session.access_token, message);
        Ok(self.auth().reauthenticate(asked).await?.into_inner().session.unwrap())
    }
}
