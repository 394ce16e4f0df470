//! Codes of authenticator apps (TOTP, RFC 6238): six digits, HMAC-SHA-1, steps of 30 seconds. Every app understands
//! these parameters, and some ignore others.

use crate::{
    secret::{SecretBytes, SecretText},
    text,
    time::Timestamp,
};
use std::fmt::Write as _;
use totp_rs::{Builder, Secret, Totp};

/// Digits in a code.
pub const TOTP_DIGITS: usize = 6;
/// How long a code is shown, in seconds.
pub const TOTP_PERIOD: u64 = 30;
/// Bytes of a secret: the length that RFC 4226 section 4 recommends.
pub const TOTP_SECRET_BYTES: usize = 20;

/// A code is accepted this many steps before and after its own, because clocks differ and people type slowly (RFC 6238
/// section 5.2).
const ACCEPTED: u64 = 1;
/// A code from this many steps away is not accepted, but tells that the clock of the phone is wrong.
const RECOGNIZED: u64 = 10;

/// The period of 30 seconds that a code belongs to, counted since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(u64);

impl TotpStep {
    /// As it is stored. Negative numbers are not steps, and become the first one.
    pub const fn from_number(number: i64) -> Self {
        Self(if number < 0 { 0 } else { number.unsigned_abs() })
    }

    /// As it is stored.
    pub const fn number(self) -> i64 {
        self.0.cast_signed()
    }

    fn at(now: Timestamp) -> Self {
        Self(u64::try_from(now.as_seconds()).unwrap_or(0) / TOTP_PERIOD)
    }
}

/// What an authenticator app and the service share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpSecret(SecretBytes<TOTP_SECRET_BYTES>);

/// A code that a person typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpCode(SecretText);

/// The result of checking a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a code that was not found right proves nothing"]
pub enum TotpVerdict {
    /// The code is right. It is spent by moving the last used step to this one, which must succeed only once.
    Right {
        step: TotpStep,
    },
    /// The code was right, and was used already, or one after it was.
    Used,
    /// The code would be right at another time: the clock of the phone is wrong. It counts as wrong. `is_ahead`: the
    /// code is still to come, so that whoever learns of it could use it later.
    ClockOff {
        is_ahead: bool,
    },
    Wrong,
}

impl TotpSecret {
    pub const fn new(bytes: SecretBytes<TOTP_SECRET_BYTES>) -> Self {
        Self(bytes)
    }

    pub const fn bytes(&self) -> &SecretBytes<TOTP_SECRET_BYTES> {
        &self.0
    }

    /// As a person types it into an app that has no camera: base32 (RFC 4648 section 6) without padding.
    pub fn typed(&self) -> SecretText {
        SecretText::new(self.shared().to_base32())
    }

    /// Checks a code against the steps around `now`. `used` is the last step of which a code was used.
    ///
    /// Takes as long for every code: all steps are computed, and codes are compared in constant time.
    pub fn check(&self, code: &TotpCode, now: Timestamp, used: Option<TotpStep>) -> TotpVerdict {
        let app = self.app();
        let present = TotpStep::at(now).0;
        let mut verdict = TotpVerdict::Wrong;
        for step in present.saturating_sub(RECOGNIZED)..=present.saturating_add(RECOGNIZED) {
            let shown = SecretText::new(app.generate(step.saturating_mul(TOTP_PERIOD)).to_string());
            if shown != code.0 {
                continue;
            }
            let found = match step.abs_diff(present) {
                ..=ACCEPTED if used.is_none_or(|used| used.0 < step) => TotpVerdict::Right { step: TotpStep(step) },
                ..=ACCEPTED => TotpVerdict::Used,
                _ => TotpVerdict::ClockOff { is_ahead: step > present },
            };
            verdict = verdict.or(found);
        }
        verdict
    }

    /// The secret in the form that apps read from a QR code.
    ///
    /// Apps split the label at its first colon, encoded or not, so a colon of the issuer becomes a space.
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> SecretText {
        let issuer = percent_encoded(&issuer.replace(':', " "));
        let (account, secret) = (percent_encoded(account), self.typed());
        SecretText::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={TOTP_DIGITS}\
             &period={TOTP_PERIOD}",
            secret = secret.reveal(),
        ))
    }

    fn shared(&self) -> Secret {
        Secret::from(*self.0.reveal())
    }

    fn app(&self) -> Totp {
        // The builder's defaults are the parameters above; a test compares codes with those of the RFC.
        Builder::new().with_secret(self.shared()).build_noncompliant()
    }
}

impl TotpVerdict {
    /// Of two steps with the same code: what is better for the person.
    fn or(self, other: Self) -> Self {
        let rank = |verdict| match verdict {
            Self::Right { .. } => 4,
            Self::Used => 3,
            Self::ClockOff { is_ahead: false } => 2,
            Self::ClockOff { is_ahead: true } => 1,
            Self::Wrong => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl TotpCode {
    /// Reads a code that a person typed or pasted: six digits of any script, with white space, hyphens and invisible
    /// marks anywhere.
    pub fn parse(typed: &str) -> Option<Self> {
        text::typed_digits(typed, TOTP_DIGITS).map(Self)
    }
}

/// Everything but the unreserved characters of RFC 3986 section 2.3.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The secret of the test vectors in RFC 4226 appendix D and RFC 6238 appendix B.
    const VECTORS: [u8; TOTP_SECRET_BYTES] = *b"12345678901234567890";

    fn secret() -> TotpSecret {
        TotpSecret::new(SecretBytes::new(VECTORS))
    }

    fn code(digits: &str) -> TotpCode {
        TotpCode::parse(digits).unwrap()
    }

    fn at(step: u64) -> Timestamp {
        Timestamp::from_seconds(i64::try_from(step * TOTP_PERIOD).unwrap())
    }

    /// The code of a step, by the crate alone.
    fn shown(step: u64) -> String {
        secret().app().generate(step * TOTP_PERIOD).to_string()
    }

    const fn right(step: u64) -> TotpVerdict {
        TotpVerdict::Right { step: TotpStep(step) }
    }

    #[test]
    fn codes_are_those_of_rfc_4226() {
        let codes =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (step, expected) in (0..).zip(codes) {
            assert_eq!(secret().check(&code(expected), at(step), None), right(step), "{step}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // The RFC has eight digits; six are their end.
        let table = [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ];
        for (seconds, expected) in table {
            let now = Timestamp::from_seconds(seconds);
            let step = u64::try_from(seconds).unwrap() / TOTP_PERIOD;
            assert_eq!(secret().check(&code(expected), now, None), right(step), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_right_one_step_before_and_after_its_own_and_tells_of_a_wrong_clock_up_to_ten() {
        const STEP: u64 = 40_000_000;
        for away in 0..=12 {
            let expected = |step| match away {
                0..=1 => right(step),
                2..=10 => TotpVerdict::ClockOff { is_ahead: step > STEP },
                _ => TotpVerdict::Wrong,
            };
            for step in [STEP - away, STEP + away] {
                assert_eq!(secret().check(&code(&shown(step)), at(STEP), None), expected(step), "{step}");
            }
        }
        // The last second of a step, and the first of the next.
        let last = at(STEP + 1).plus(std::time::Duration::from_secs(29));
        assert_eq!(secret().check(&code(&shown(STEP)), last, None), right(STEP));
        assert_eq!(secret().check(&code(&shown(STEP)), at(STEP + 2), None), TotpVerdict::ClockOff { is_ahead: false });
    }

    #[test]
    fn a_code_is_used_once_and_no_code_before_it_is_used_after() {
        const STEP: u64 = 40_000_000;
        let used = |step| Some(TotpStep(step));
        for (step, last, expected) in [
            (STEP, used(STEP - 1), right(STEP)),
            (STEP, used(STEP), TotpVerdict::Used),
            (STEP - 1, used(STEP), TotpVerdict::Used),
            (STEP + 1, used(STEP), right(STEP + 1)),
            (STEP, used(STEP + 1), TotpVerdict::Used),
            (STEP + 5, used(STEP), TotpVerdict::ClockOff { is_ahead: true }),
        ] {
            assert_eq!(secret().check(&code(&shown(step)), at(STEP), last), expected, "{step} after {last:?}");
        }
    }

    #[test]
    fn the_first_steps_of_all_time_have_none_before_them() {
        for seconds in [-1, 0, 29] {
            let now = Timestamp::from_seconds(seconds);
            assert_eq!(secret().check(&code(&shown(0)), now, None), right(0), "{seconds}");
        }
        assert_eq!(TotpStep::from_number(-1), TotpStep(0));
        assert_eq!(TotpStep::from_number(TotpStep(7).number()), TotpStep(7));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        for typed in ["287082", " 287 082\n", "287-082", "2 8 7 0 8 2", "٢٨٧٠٨٢", "２８７ ０８２", "287\u{200B}082"]
        {
            assert_eq!(TotpCode::parse(typed), Some(code("287082")), "{typed:?}");
        }
        for typed in ["", " ", "28708", "2870822", "28708a", "-", "287082 is my code", &"2".repeat(10_000), "Ⅷ87082"]
        {
            assert_eq!(TotpCode::parse(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn an_uri_says_what_apps_expect() {
        let uri = secret().otpauth_uri("Countersign", "ada@example.org");
        assert_eq!(
            uri.reveal(),
            "otpauth://totp/Countersign:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Countersign&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn no_name_breaks_an_uri() {
        let uri = secret().otpauth_uri("a:b/c?d&e=f#g%", "ада 🐈:x?secret=y");
        let label = "a%20b%2Fc%3Fd%26e%3Df%23g%25:%D0%B0%D0%B4%D0%B0%20%F0%9F%90%88%3Ax%3Fsecret%3Dy";
        assert!(uri.reveal().starts_with(&format!("otpauth://totp/{label}?secret=GEZ")), "{}", uri.reveal());
        assert_eq!(uri.reveal().matches("secret=").count(), 1);
        assert_eq!(uri.reveal().matches("issuer=a%20b%2Fc%3Fd%26e%3Df%23g%25&").count(), 1);
    }

    #[test]
    fn debug_reveals_nothing() {
        assert_eq!(format!("{:?} {:?}", secret(), code("287082")), "TotpSecret([secret]) TotpCode([secret])");
    }

    proptest! {
        #[test]
        fn the_code_that_an_app_shows_is_right_unless_it_or_a_later_one_was_used(
            bytes: [u8; TOTP_SECRET_BYTES],
            seconds in 0_i64..10_000_000_000,
            used in proptest::option::of(0_u64..400_000_000),
        ) {
            let secret = TotpSecret::new(SecretBytes::new(bytes));
            let now = Timestamp::from_seconds(seconds);
            let step = TotpStep::at(now);
            let shown = secret.app().generate(step.0 * TOTP_PERIOD).to_string();
            match secret.check(&code(&shown), now, used.map(TotpStep)) {
                // Two neighbouring steps may have the same code.
                TotpVerdict::Right { step: right } => {
                    prop_assert!(right.0.abs_diff(step.0) <= ACCEPTED && used.is_none_or(|used| used < right.0));
                }
                verdict => {
                    prop_assert_eq!(verdict, TotpVerdict::Used);
                    prop_assert!(used.is_some_and(|used| used >= step.0));
                }
            }
        }

        #[test]
        fn reading_a_code_never_panics_and_finds_six_digits(typed in "\\PC{0,40}|[0-9٠-٩ -]{0,12}") {
            if let Some(TotpCode(digits)) = TotpCode::parse(&typed) {
                prop_assert_eq!(digits.reveal().len(), TOTP_DIGITS);
                prop_assert!(digits.reveal().bytes().all(|byte| byte.is_ascii_digit()));
            }
        }
    }
}
