use super::{App, Client, Person};
use aws_lc_rs::hmac;
use countersign::grpc::wire::proto::*;
use countersign_domain::time::Timestamp;

/// An authenticator app: RFC 6238 and RFC 4648, written without the service's code.
#[derive(Clone, Debug)]
pub(crate) struct Authenticator(Vec<u8>);

impl Authenticator {
    /// From the secret as a person types it.
    pub(crate) fn new(typed: &str) -> Self {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let digits = typed.chars().map(|c| ALPHABET.find(c).expect("base32"));
        let bits: String = digits.map(|digit| format!("{digit:05b}")).collect();
        let bytes = bits.as_bytes().chunks_exact(8).map(|bits| std::str::from_utf8(bits).unwrap());
        Self(bytes.map(|bits| u8::from_str_radix(bits, 2).unwrap()).collect())
    }

    /// The code that the app shows at this time.
    pub(crate) fn code(&self, at: Timestamp) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let step = u64::try_from(at.as_seconds()).unwrap() / 30;
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let four: [u8; 4] = tag.as_ref()[offset..offset + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(four) & 0x7FFF_FFFF) % 1_000_000)
    }
}

/// A person with an authenticator app.
#[derive(Clone, Debug)]
pub(crate) struct Protected {
    pub(crate) person: Person,
    pub(crate) authenticator: Authenticator,
    pub(crate) factor_id: String,
    pub(crate) backup_codes: Vec<String>,
}

impl Protected {
    /// Signs up and adds an app, whose code of now is used up.
    pub(crate) async fn sign_up(app: &App, email: &str) -> Self {
        let person = Person::sign_up(app, email).await;
        let (authenticator, factor_id) = start_totp(app, &person, "Phone").await;
        let backup_codes = confirm_totp(app, &person, &factor_id, &authenticator.code(app.time.now())).await.unwrap();
        Self { person, authenticator, factor_id, backup_codes }
    }

    /// A code that the app shows now, in a step of which none was used: the time moves on for it.
    pub(crate) fn next_code(&self, app: &App) -> String {
        app.advance(std::time::Duration::from_secs(60));
        self.authenticator.code(app.time.now())
    }

    /// A code that is wrong now.
    pub(crate) fn wrong_code(&self, app: &App) -> String {
        let now = app.time.now();
        let near =
            (-12..=12).map(|step| self.authenticator.code(Timestamp::from_seconds(now.as_seconds() + 30 * step)));
        let near: Vec<_> = near.collect();
        (0..).map(|n| format!("{n:06}")).find(|code| !near.contains(code)).expect("a wrong code")
    }
}

pub(crate) async fn start_totp(client: &Client, person: &Person, name: &str) -> (Authenticator, String) {
    let asked = person.asks(StartTotpRequest { name: name.to_owned(), ..Default::default() });
    let started = client.factors().start_totp(asked).await.unwrap().into_inner();
    (Authenticator::new(&started.secret), started.factor_id)
}

pub(crate) async fn confirm_totp(
    client: &Client,
    person: &Person,
    factor_id: &str,
    code: &str,
) -> Result<Vec<String>, tonic::Status> {
    let asked = person.asks(ConfirmTotpRequest {
        factor_id: factor_id.to_owned(),
        code: code.to_owned(),
        ..Default::default()
    });
    Ok(client.factors().confirm_totp(asked).await?.into_inner().backup_codes)
}
