//! Values of captcha settings.

use super::super::fault::{Reason, quoted};
use super::super::source::Given;
use super::Value;
use countersign_domain::captcha::{CaptchaAct, CaptchaProvider};

/// The captcha provider, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct CaptchaFrom(pub(in super::super) Option<CaptchaProvider>);

impl Value for CaptchaFrom {
    const ALLOWED: &'static str = "`none`, `recaptcha_v2`, `recaptcha_v3`, `hcaptcha` or `turnstile`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        let found = CaptchaProvider::ALL.into_iter().find(|provider| provider.name() == text);
        match found {
            None if text != "none" => {
                Err(Reason::new(format!("must be {}, but is {}", Self::ALLOWED.replace('`', "\""), quoted(text))))
            }
            found => Ok(Self(found)),
        }
    }

    fn show(&self) -> toml::Value {
        self.0.map_or("none", CaptchaProvider::name).into()
    }
}

/// The calls that always need a captcha. A login is not among them: it needs one after wrong passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct CaptchaActs(pub(in super::super) Vec<CaptchaAct>);

impl Value for CaptchaActs {
    const ALLOWED: &'static str =
        "any of `register`, `request_reset`, `resend_verification`; in the environment with commas between them";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let act = |text: &str| {
            let mut acts = CaptchaAct::ALL.into_iter().filter(|act| *act != CaptchaAct::Login);
            acts.find(|act| act.name() == text).ok_or_else(|| {
                Reason::new(format!(
                    "must hold only \"register\", \"request_reset\" and \"resend_verification\", but holds {}",
                    quoted(text)
                ))
            })
        };
        given.items()?.into_iter().map(act).collect::<Result<_, _>>().map(Self)
    }

    fn show(&self) -> toml::Value {
        self.0.iter().map(|act| act.name()).collect::<Vec<_>>().into()
    }
}

/// The public key of a captcha. Pages contain it, so it is not a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct SiteKey(pub(in super::super) String);

impl Value for SiteKey {
    const ALLOWED: &'static str = "up to 128 letters, digits, `-`, `_`";

    fn parse(given: &Given) -> Result<Self, Reason> {
        let text = given.line()?;
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        // Not repeated: if the two keys were swapped, this is the secret.
        if !plain || text.len() > 128 {
            return Err(Reason::new("must have at most 128 letters, digits, hyphens and underscores"));
        }
        Ok(Self(text.to_owned()))
    }

    fn show(&self) -> toml::Value {
        self.0.clone().into()
    }
}
