use super::use_cases::UseCases;
use crate::{
    captcha::{Captcha, CaptchaSettings},
    config::{Config, WhenUnavailable},
    outbound::Outbound,
    usecase::gate::{CaptchaGate, CaptchaVerifier},
};
use countersign_domain::captcha::CaptchaRules;
use std::sync::Arc;

/// The client of the captcha provider, if one is configured.
pub(super) fn adapters(config: &Config, outbound: &Outbound) -> Option<Captcha> {
    let captcha = config.captcha.as_ref()?;
    let settings = CaptchaSettings {
        provider: captcha.provider,
        site_key: captcha.site_key.clone(),
        secret: captcha.secret.clone(),
        endpoint: captcha.endpoint.clone(),
        timeout: captcha.timeout,
        send_remote_ip: captcha.send_remote_ip,
    };
    Some(Captcha::new(outbound, settings))
}

impl UseCases<'_> {
    pub(super) fn captcha_gate(&self) -> CaptchaGate {
        let (captcha, settings) = (self.adapters.captcha.clone(), self.config.captcha.as_ref());
        let verifier = captcha.zip(settings).map(|(captcha, settings)| CaptchaVerifier {
            captcha,
            rules: Arc::new(CaptchaRules {
                provider: settings.provider,
                hostnames: settings.hostnames.clone(),
                min_score_percent: settings.min_score_percent,
            }),
            on: settings.required_for.as_slice().into(),
            lenient: settings.when_unavailable == WhenUnavailable::Allow,
        });
        CaptchaGate { verifier }
    }
}
