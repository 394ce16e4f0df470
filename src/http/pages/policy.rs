//! The Content Security Policy of the pages (Level 3).

use countersign_domain::captcha::CaptchaProvider;

/// Allows only our own files, and runs no text as code: scripts and styles are in files, and the DOM parses no string
/// as markup.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Allows what the documentation of each provider requires, for that provider alone. Their scripts write markup, so the
/// DOM must accept it.
const RECAPTCHA: &str = "default-src 'none'; script-src 'self' https://www.google.com/recaptcha/ \
    https://www.gstatic.com/recaptcha/; frame-src https://www.google.com/recaptcha/ https://recaptcha.google.com/recaptcha/; \
    style-src 'self' 'unsafe-inline'; img-src 'self' https://www.gstatic.com/recaptcha/; \
    connect-src 'self' https://www.google.com/recaptcha/; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HCAPTCHA: &str = "default-src 'none'; script-src 'self' https://hcaptcha.com https://*.hcaptcha.com; \
    frame-src https://hcaptcha.com https://*.hcaptcha.com; style-src 'self' https://hcaptcha.com https://*.hcaptcha.com; \
    img-src 'self'; connect-src 'self' https://hcaptcha.com https://*.hcaptcha.com; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TURNSTILE: &str = "default-src 'none'; script-src 'self' https://challenges.cloudflare.com; \
    frame-src https://challenges.cloudflare.com; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of all pages when any of them may show this captcha: a person moves between pages without loading a new
/// one.
pub(super) fn policy(captcha: Option<CaptchaProvider>) -> &'static str {
    match captcha {
        None => OWN,
        // It adds its styles to the page (google/recaptcha, issue 107).
        Some(CaptchaProvider::RecaptchaV2 | CaptchaProvider::RecaptchaV3) => RECAPTCHA,
        Some(CaptchaProvider::Hcaptcha) => HCAPTCHA,
        Some(CaptchaProvider::Turnstile) => TURNSTILE,
    }
}
