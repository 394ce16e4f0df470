//! Captchas: which calls require one, and what a provider's answer proves.
//!
//! All four providers answer in one format, and each omits some of its fields. A field that a provider omits is not
//! required; a field that it sends is checked, because a token from another page with the same site key is valid as
//! well.

use crate::closed_list::closed_list;

closed_list! {
    /// A call that may require a captcha. The name is the `action` that a page gives to the provider: a token that was
    /// solved for one action is refused for another. It has letters and underscores only: reCAPTCHA accepts no hyphen,
    /// Turnstile no slash and 32 characters at most.
    pub enum CaptchaAct {
        Login = "login",
        Register = "register",
        RequestReset = "request_reset",
        ResendVerification = "resend_verification",
    }
}

closed_list! {
    /// The service that provides the captcha.
    pub enum CaptchaProvider {
        RecaptchaV2 = "recaptcha_v2",
        RecaptchaV3 = "recaptcha_v3",
        Hcaptcha = "hcaptcha",
        Turnstile = "turnstile",
    }
}

impl CaptchaProvider {
    /// The URL at which its tokens are verified.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::RecaptchaV2 | Self::RecaptchaV3 => "https://www.google.com/recaptcha/api/siteverify",
            Self::Hcaptcha => "https://api.hcaptcha.com/siteverify",
            Self::Turnstile => "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        }
    }

    /// Whether its answer says for which action a token was solved.
    fn names_the_act(self) -> bool {
        matches!(self, Self::RecaptchaV3 | Self::Turnstile)
    }

    /// Whether its answer has a score in which 1 is a human. The score of hCaptcha is a risk, in which 1 is a threat;
    /// it belongs to a product that also decides by `success`.
    fn scores(self) -> bool {
        self == Self::RecaptchaV3
    }

    /// Whether a secret is one that the provider published for tests. With such a secret every visitor can pass.
    pub fn is_test_secret(secret: &str) -> bool {
        const RECAPTCHA: &str = "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe";
        const TURNSTILE_ENDING: &str = "x0000000000000000000000000000000AA";
        let is_hcaptcha = secret.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte == b'0'));
        secret == RECAPTCHA || is_hcaptcha || secret.ends_with(TURNSTILE_ENDING)
    }
}

/// The most bytes of a token. Turnstile promises 2048 at most; the others promise nothing, and their tokens have some
/// KiB.
pub const MAX_CAPTCHA_TOKEN_BYTES: usize = 8_192;

/// Whether a text can be a token of any provider: base64url characters, dots and hyphens. Any other text is not sent,
/// because it could be an attack on a filter in front of the provider.
pub fn is_captcha_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=');
    text.len() <= MAX_CAPTCHA_TOKEN_BYTES && text.bytes().all(allowed)
}

/// The answer of a provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CaptchaAnswer {
    pub success: bool,
    pub hostname: Option<String>,
    pub action: Option<String>,
    pub score: Option<f64>,
    pub error_codes: Vec<String>,
}

/// The requirements for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptchaRules {
    pub provider: CaptchaProvider,
    /// The hosts of the pages on which a captcha may be solved, in lower case. Empty: any host of the site key.
    pub hostnames: Vec<String>,
    /// The least score, in hundredths, for providers that give one.
    pub min_score_percent: u32,
}

/// What an answer proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an answer that was not judged proves nothing"]
pub enum CaptchaVerdict {
    Passed,
    Failed(CaptchaFailure),
    /// Nothing, because the verification failed.
    Fault(CaptchaFault),
}

/// Why a visitor did not pass. The name is a label of the metric; callers do not receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaFailure {
    /// The provider does not know the token.
    Unknown,
    /// The token was used before, or has expired.
    Spent,
    WrongHostname,
    WrongAction,
    LowScore,
}

impl CaptchaFailure {
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_token",
            Self::Spent => "spent_token",
            Self::WrongHostname => "wrong_hostname",
            Self::WrongAction => "wrong_action",
            Self::LowScore => "low_score",
        }
    }
}

/// Why a captcha could not be verified. The name is a label of the metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaFault {
    /// No connection, or one that ended early.
    Unreachable,
    TimedOut,
    /// The provider reports an internal error.
    Broken,
    /// The answer has another format.
    Unreadable,
    /// The provider does not accept our secret, or not for this site key.
    WrongSecret,
    /// The provider refuses our requests: there are too many, or it refused this one for another reason.
    TurnedAway,
    /// Too many verifications run at the same time.
    Busy,
}

impl CaptchaFault {
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::Unreadable => "unreadable",
            Self::WrongSecret => "wrong_secret",
            Self::TurnedAway => "turned_away",
            Self::Busy => "busy",
        }
    }

    /// Whether visitors can cause it, by what they send or how often. Nobody is let through because of such a fault: a
    /// captcha that a flood of calls can switch off is none.
    pub fn may_be_provoked(self) -> bool {
        matches!(self, Self::TurnedAway | Self::Busy)
    }
}

impl CaptchaRules {
    pub fn judge(&self, act: CaptchaAct, answer: &CaptchaAnswer) -> CaptchaVerdict {
        use CaptchaVerdict::{Failed, Fault, Passed};
        if !answer.success {
            return refused(&answer.error_codes);
        }
        let is_ours = |host: &str| self.hostnames.iter().any(|ours| ours.eq_ignore_ascii_case(host));
        if !self.hostnames.is_empty() && !answer.hostname.as_deref().is_some_and(is_ours) {
            return Failed(CaptchaFailure::WrongHostname);
        }
        if self.provider.names_the_act() && answer.action.as_deref() != Some(act.name()) {
            return Failed(CaptchaFailure::WrongAction);
        }
        if self.provider.scores() {
            return match answer.score {
                Some(score) if !(0.0..=1.0).contains(&score) => Fault(CaptchaFault::Unreadable),
                Some(score) if score * 100.0 < f64::from(self.min_score_percent) => Failed(CaptchaFailure::LowScore),
                Some(_) => Passed,
                // The secret belongs to another version of reCAPTCHA.
                None => Fault(CaptchaFault::WrongSecret),
            };
        }
        Passed
    }
}

/// Unknown error codes count against the visitor, so that only a yes passes. `bad-request` does as well, since the
/// token is all that differs between requests.
fn refused(codes: &[String]) -> CaptchaVerdict {
    let has = |known: &[&str]| codes.iter().any(|code| known.contains(&code.as_str()));
    if has(&["missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "invalid-keys"]) {
        CaptchaVerdict::Fault(CaptchaFault::WrongSecret)
    } else if has(&["internal-error"]) {
        CaptchaVerdict::Fault(CaptchaFault::Broken)
    } else if has(&["timeout-or-duplicate", "already-seen-response", "expired-input-response"]) {
        CaptchaVerdict::Failed(CaptchaFailure::Spent)
    } else {
        CaptchaVerdict::Failed(CaptchaFailure::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CaptchaVerdict::{Failed, Fault, Passed};
    use proptest::prelude::*;

    fn rules(provider: CaptchaProvider) -> CaptchaRules {
        CaptchaRules { provider, hostnames: vec!["id.example.org".to_owned()], min_score_percent: 50 }
    }

    fn yes() -> CaptchaAnswer {
        CaptchaAnswer {
            success: true,
            hostname: Some("ID.example.org".to_owned()),
            action: Some("register".to_owned()),
            score: Some(0.5),
            error_codes: Vec::new(),
        }
    }

    fn no(code: &str) -> CaptchaAnswer {
        CaptchaAnswer { error_codes: vec![code.to_owned()], ..Default::default() }
    }

    #[test]
    fn a_yes_for_the_right_page_and_act_passes() {
        for provider in CaptchaProvider::ALL {
            assert_eq!(rules(provider).judge(CaptchaAct::Register, &yes()), Passed, "{provider:?}");
        }
    }

    #[test]
    fn a_token_of_another_host_fails_wherever_hosts_are_named() {
        for provider in CaptchaProvider::ALL {
            for hostname in
                [None, Some(""), Some("example.org"), Some("id.example.org.evil.example"), Some("not-provided")]
            {
                let answer = CaptchaAnswer { hostname: hostname.map(str::to_owned), ..yes() };
                let verdict = rules(provider).judge(CaptchaAct::Register, &answer);
                assert_eq!(verdict, Failed(CaptchaFailure::WrongHostname), "{provider:?} {hostname:?}");
                let anywhere = CaptchaRules { hostnames: Vec::new(), ..rules(provider) };
                assert_eq!(anywhere.judge(CaptchaAct::Register, &answer), Passed);
            }
        }
    }

    #[test]
    fn a_token_for_another_act_fails_where_the_provider_names_acts() {
        for (provider, expected) in [
            (CaptchaProvider::RecaptchaV2, Passed),
            (CaptchaProvider::RecaptchaV3, Failed(CaptchaFailure::WrongAction)),
            (CaptchaProvider::Hcaptcha, Passed),
            (CaptchaProvider::Turnstile, Failed(CaptchaFailure::WrongAction)),
        ] {
            for action in [None, Some(String::new()), Some("login".to_owned()), Some("Register".to_owned())] {
                let answer = CaptchaAnswer { action, ..yes() };
                assert_eq!(rules(provider).judge(CaptchaAct::Register, &answer), expected, "{provider:?}");
            }
        }
    }

    #[test]
    fn the_least_score_is_enough_and_what_is_no_score_is_no_answer() {
        for (score, expected) in [
            (Some(1.0), Passed),
            (Some(0.5), Passed),
            (Some(0.49), Failed(CaptchaFailure::LowScore)),
            (Some(0.0), Failed(CaptchaFailure::LowScore)),
            (Some(1.5), Fault(CaptchaFault::Unreadable)),
            (Some(-0.1), Fault(CaptchaFault::Unreadable)),
            (Some(f64::NAN), Fault(CaptchaFault::Unreadable)),
            (None, Fault(CaptchaFault::WrongSecret)),
        ] {
            let answer = CaptchaAnswer { score, ..yes() };
            assert_eq!(rules(CaptchaProvider::RecaptchaV3).judge(CaptchaAct::Register, &answer), expected, "{score:?}");
            // In the score of hCaptcha 1 is a threat, so it is not compared: `success` decides.
            assert_eq!(rules(CaptchaProvider::Hcaptcha).judge(CaptchaAct::Register, &answer), Passed);
        }
    }

    #[test]
    fn our_own_faults_are_not_held_against_the_visitor() {
        for (code, expected) in [
            ("missing-input-secret", Fault(CaptchaFault::WrongSecret)),
            ("invalid-input-secret", Fault(CaptchaFault::WrongSecret)),
            ("sitekey-secret-mismatch", Fault(CaptchaFault::WrongSecret)),
            ("internal-error", Fault(CaptchaFault::Broken)),
            ("timeout-or-duplicate", Failed(CaptchaFailure::Spent)),
            ("already-seen-response", Failed(CaptchaFailure::Spent)),
            ("invalid-input-response", Failed(CaptchaFailure::Unknown)),
            ("missing-input-response", Failed(CaptchaFailure::Unknown)),
            ("bad-request", Failed(CaptchaFailure::Unknown)),
            ("a-code-of-tomorrow", Failed(CaptchaFailure::Unknown)),
        ] {
            for provider in CaptchaProvider::ALL {
                assert_eq!(rules(provider).judge(CaptchaAct::Login, &no(code)), expected, "{code}");
            }
        }
        assert_eq!(refused(&[]), Failed(CaptchaFailure::Unknown));
    }

    #[test]
    fn what_a_visitor_can_bring_about_lets_nobody_through() {
        let provoked = [CaptchaFault::TurnedAway, CaptchaFault::Busy];
        let others = [
            CaptchaFault::Unreachable,
            CaptchaFault::TimedOut,
            CaptchaFault::Broken,
            CaptchaFault::Unreadable,
            CaptchaFault::WrongSecret,
        ];
        assert!(provoked.iter().all(|fault| fault.may_be_provoked()));
        assert!(!others.iter().any(|fault| fault.may_be_provoked()));
    }

    #[test]
    fn the_secrets_of_the_providers_own_tests_are_known() {
        for secret in [
            "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe",
            "0x0000000000000000000000000000000000000000",
            "1x0000000000000000000000000000000AA",
            "2x0000000000000000000000000000000AA",
            "3x0000000000000000000000000000000AA",
        ] {
            assert!(CaptchaProvider::is_test_secret(secret), "{secret}");
        }
        for secret in ["", "0x4AAAAAAA", "0xA000", "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWf"] {
            assert!(!CaptchaProvider::is_test_secret(secret), "{secret}");
        }
    }

    #[test]
    fn tokens_of_all_providers_are_tokens_and_nothing_else_is() {
        for token in [
            "",
            "1.dGhlIHRva2Vu.b2Y_dHVybnN0aWxl",
            "10000000-aaaa-bbbb-cccc-000000000001",
            "P1_eyJ0eXAiOiJKV1Qi.e30.x-_=",
        ] {
            assert!(is_captcha_token(token), "{token}");
        }
        assert!(is_captcha_token(&"a".repeat(MAX_CAPTCHA_TOKEN_BYTES)));
        assert!(!is_captcha_token(&"a".repeat(MAX_CAPTCHA_TOKEN_BYTES + 1)));
        for text in ["a b", "a&secret=b", "<script>", "../..", "a\r\nb", "%00", "ä", "a\0"] {
            assert!(!is_captcha_token(text), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_a_yes_ever_passes(codes in proptest::collection::vec(".*", 0..4), score in 0.0..=1.0_f64) {
            let answer = CaptchaAnswer { success: false, error_codes: codes, score: Some(score), ..yes() };
            for provider in CaptchaProvider::ALL {
                prop_assert_ne!(rules(provider).judge(CaptchaAct::Register, &answer), Passed);
            }
        }

        #[test]
        fn a_token_is_safe_in_a_form_whatever_it_is(text in ".{0,40}") {
            prop_assert_eq!(is_captcha_token(&text), text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.=".contains(&b)));
        }
    }
}
