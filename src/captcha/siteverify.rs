use super::answer;
use crate::outbound::{Answer, Line, LineTerms, Outbound, OutboundFault};
use countersign_domain::{
    captcha::{CaptchaAnswer, CaptchaFault, CaptchaProvider},
    secret::SecretText,
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use url::{Url, form_urlencoded};

/// Most concurrent queries. At a tenth of a second each, that is hundreds a second; while a provider does not answer,
/// it bounds what this process spends on it.
const AT_ONCE: usize = 64;
/// An answer has some hundred bytes.
const MAX_RESPONSE_BYTES: usize = 64 * 1024;

/// How a provider is queried.
#[derive(Clone, Debug)]
pub struct CaptchaSettings {
    pub provider: CaptchaProvider,
    pub site_key: String,
    pub secret: SecretText,
    /// `https`, or `http` on this machine.
    pub endpoint: Url,
    /// For a whole query, from resolving the host to the last byte of the answer.
    pub timeout: Duration,
    pub send_remote_ip: bool,
}

/// Verifies tokens with a provider. Clones share the bound on queries.
#[derive(Clone, Debug)]
pub struct Captcha {
    settings: Arc<CaptchaSettings>,
    line: Line,
}

impl Captcha {
    pub fn new(outbound: &Outbound, settings: CaptchaSettings) -> Self {
        let timeout = settings.timeout;
        let line = outbound.line(LineTerms { timeout, max_answer_bytes: MAX_RESPONSE_BYTES, at_once: AT_ONCE });
        Self { settings: Arc::new(settings), line }
    }

    pub fn provider(&self) -> CaptchaProvider {
        self.settings.provider
    }

    pub fn site_key(&self) -> &str {
        &self.settings.site_key
    }

    /// Verifies a token with the provider. The provider accepts a token once: a second query says that it was used.
    ///
    /// # Errors
    /// When there is no valid answer. The query may have been processed nevertheless, and the token be used.
    pub async fn ask(&self, token: &SecretText, visitor: Option<IpAddr>) -> Result<CaptchaAnswer, CaptchaFault> {
        let form = self.form(token, visitor);
        read(self.line.post_form(self.settings.endpoint.clone(), form).await.map_err(fault)?)
    }

    fn form(&self, token: &SecretText, visitor: Option<IpAddr>) -> String {
        let settings = &self.settings;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("secret", settings.secret.reveal()).append_pair("response", token.reveal());
        if settings.provider == CaptchaProvider::Hcaptcha {
            // All sites of one account may share a secret: without this, a token of another site would be accepted.
            form.append_pair("sitekey", &settings.site_key);
        }
        if let Some(visitor) = visitor.filter(|_| settings.send_remote_ip) {
            form.append_pair("remoteip", &visitor.to_string());
        }
        form.finish()
    }
}

fn read(Answer { status, body }: Answer) -> Result<CaptchaAnswer, CaptchaFault> {
    let is_client_error = (400..500).contains(&status);
    match status {
        429 => return Err(CaptchaFault::TurnedAway),
        500..600 => return Err(CaptchaFault::Broken),
        // A redirect, or a success without a content.
        _ if status != 200 && !is_client_error => return Err(CaptchaFault::Unreadable),
        _ => {}
    }
    let answer = answer::read(&body.map_err(fault)?);
    if is_client_error {
        // Some providers explain an error in the answer; other answers come from a proxy in front of the provider that
        // refused the request. Neither is a success.
        return answer.ok().filter(|answer| !answer.success).ok_or(CaptchaFault::TurnedAway);
    }
    answer
}

fn fault(fault: OutboundFault) -> CaptchaFault {
    match fault {
        OutboundFault::Busy => CaptchaFault::Busy,
        OutboundFault::TimedOut => CaptchaFault::TimedOut,
        OutboundFault::Unreachable => CaptchaFault::Unreachable,
        OutboundFault::TooLong => CaptchaFault::Unreadable,
    }
}
