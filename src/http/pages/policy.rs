//! What the pages may load (Content Security Policy Level 3).

use countersign_domain::captcha::CaptchaProvider;

/// Only our own files, and no text becomes code: scripts and styles stand in files, and the DOM takes no string for
/// markup.
const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What each provider's documentation asks for, and nothing of the others. Their scripts write markup, so the DOM has
/// to take it.
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

/// The policy of the pages that may show this captcha. It is that of all pages: people go from one to the next without
/// loading it.
pub(super) fn policy(captcha: Option<CaptchaProvider>) -> &'static str {
    match captcha {
        None => OWN,
        // It puts its styles into the page (google/recaptcha, issue 107).
        Some(CaptchaProvider::RecaptchaV2 | CaptchaProvider::RecaptchaV3) => RECAPTCHA,
        Some(CaptchaProvider::Hcaptcha) => HCAPTCHA,
        Some(CaptchaProvider::Turnstile) => TURNSTILE,
    }
}
