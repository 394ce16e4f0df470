//! Captchas: verifying a token with its provider.
//!
//! reCAPTCHA, hCaptcha and Turnstile verify tokens in one way: a form with the secret and the token, answered by a JSON
//! object. What the answer proves is decided in `countersign_domain::captcha`.
//!
//! **Architecture invariant:** nothing here knows which calls need a captcha.

mod answer;
mod siteverify;

pub use siteverify::{Captcha, CaptchaSettings};
