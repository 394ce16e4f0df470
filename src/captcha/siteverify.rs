use super::answer;
use crate::runtime::timeout;
use countersign_domain::{
    captcha::{CaptchaAnswer, CaptchaFault, CaptchaProvider},
    secret::SecretText,
};
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use rustls::crypto::CryptoProvider;
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use url::form_urlencoded;
use zeroize::Zeroizing;

/// Questions under way at once. At a tenth of a second each, that is hundreds in a second; while a provider hangs, it is what
/// this process spends on it.
const AT_ONCE: usize = 64;
/// An answer has some hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Whom to ask, and how.
#[derive(Clone, Debug)]
pub struct CaptchaSettings {
    pub provider: CaptchaProvider,
    pub site_key: String,
    pub secret: SecretText,
    /// `https`, or `http` on this machine.
    pub endpoint: Url,
    /// For the whole of a question, from the name of the host to the last byte of the answer.
    pub timeout: Duration,
    pub send_remote_ip: bool,
}

/// Why nobody can be asked.
#[derive(Debug)]
pub struct InvalidCaptcha(reqwest::Error);

impl fmt::Display for InvalidCaptcha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for InvalidCaptcha {}

/// Asks a provider about tokens. Clones share the connections, and the bound on questions.
#[derive(Clone, Debug)]
pub struct Captcha {
    settings: Arc<CaptchaSettings>,
    client: Client,
    turns: Arc<Semaphore>,
}

impl Captcha {
    /// # Errors
    /// When this machine has no root certificates.
    pub fn new(settings: CaptchaSettings) -> Result<Self, InvalidCaptcha> {
        // The client panics when nobody chose a provider of ciphers; choosing again is refused and harmless.
        if CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        let client = Client::builder()
            // The secret goes where the operator said, and nowhere else.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(settings.timeout)
            .timeout(settings.timeout)
            .build()
            .map_err(InvalidCaptcha)?;
        Ok(Self { settings: Arc::new(settings), client, turns: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    pub fn provider(&self) -> CaptchaProvider {
        self.settings.provider
    }

    pub fn site_key(&self) -> &str {
        &self.settings.site_key
    }

    /// What the provider says about a token. It says so once: whoever asks again is told that it was used.
    ///
    /// # Errors
    /// When nothing was learnt. The question may have been heard nevertheless, and the token be spent.
    pub async fn ask(&self, token: &SecretText, visitor: Option<IpAddr>) -> Result<CaptchaAnswer, CaptchaFault> {
        // Whoever does not get a turn is told at once: a queue would only be a longer timeout.
        let _turn = self.turns.try_acquire().map_err(|_| CaptchaFault::Busy)?;
        let form = self.form(token, visitor);
        let asked = self.client.post(self.settings.endpoint.clone()).header(CONTENT_TYPE, FORM).body(form);
        let exchange = async { read(asked.send().await.map_err(|error| fault(&error))?).await };
        // The client's own limit begins anew in places; this one does not.
        timeout(self.settings.timeout, exchange).await.unwrap_or(Err(CaptchaFault::TimedOut))
    }

    fn form(&self, token: &SecretText, visitor: Option<IpAddr>) -> String {
        let settings = &self.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("secret", settings.secret.reveal()).append_pair("response", token.reveal());
        if settings.provider == CaptchaProvider::Hcaptcha {
            // One account has one secret for all of its sites: a token of another site would do.
            form.append_pair("sitekey", &settings.site_key);
        }
        if let Some(visitor) = visitor.filter(|_| settings.send_remote_ip) {
            form.append_pair("remoteip", &visitor.to_string());
        }
        form.finish()
    }
}

async fn read(mut response: Response) -> Result<CaptchaAnswer, CaptchaFault> {
    let status = response.status();
    match status {
        StatusCode::TOO_MANY_REQUESTS => return Err(CaptchaFault::TurnedAway),
        _ if status.is_server_error() => return Err(CaptchaFault::Broken),
        // A redirect, or a success without a content.
        _ if status != StatusCode::OK && !status.is_client_error() => return Err(CaptchaFault::Unreadable),
        _ => {}
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(CaptchaFault::Unreadable);
        }
        body.extend_from_slice(&chunk);
    }
    let answer = answer::read(&body);
    if status.is_client_error() {
        // Some say what was wrong; others stand in front of the provider and did not like the look of the request. Neither
        // is a yes.
        return answer.ok().filter(|answer| !answer.success).ok_or(CaptchaFault::TurnedAway);
    }
    answer
}

/// The error itself is not kept: it may tell of the request.
fn fault(error: &reqwest::Error) -> CaptchaFault {
    if error.is_timeout() { CaptchaFault::TimedOut } else { CaptchaFault::Unreachable }
}
