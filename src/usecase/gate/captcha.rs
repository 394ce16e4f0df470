use crate::{
    captcha::Captcha,
    telemetry,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    captcha::{CaptchaAct, CaptchaFault, CaptchaRules, CaptchaVerdict},
    refusal::{Reason, Refusal},
    secret::SecretText,
};
use std::{sync::Arc, time::Duration};

/// Requires captchas, and verifies them with the provider.
#[derive(Clone, Debug)]
pub struct CaptchaGate {
    /// `None` when no provider is configured: no captcha is required.
    pub verifier: Option<CaptchaVerifier>,
}

/// The configured verification of captchas.
#[derive(Clone, Debug)]
pub struct CaptchaVerifier {
    pub captcha: Captcha,
    pub rules: Arc<CaptchaRules>,
    /// The acts that always require a captcha.
    pub on: Arc<[CaptchaAct]>,
    /// Whether calls are allowed while the provider fails.
    pub lenient: bool,
}

/// A person needs as long to try again. A client that repeats calls automatically would send a token that may be used
/// up.
const UNAVAILABLE_WAIT: Duration = Duration::from_secs(10);
const BUSY_WAIT: Duration = Duration::from_secs(1);

impl CaptchaGate {
    pub fn is_configured(&self) -> bool {
        self.verifier.is_some()
    }

    /// Refuses a call without a captcha when this act requires one. The check costs nothing, so it may come before the
    /// rate limits: a refusal for a missing captcha should not count as a call.
    ///
    /// # Errors
    /// CAPTCHA_REQUIRED.
    pub fn demand(&self, act: CaptchaAct, token: &SecretText) -> Result<(), Failure> {
        match &self.verifier {
            Some(verifier) if verifier.on.contains(&act) && token.is_empty() => Err(verifier.ask_for_one(act)),
            _ => Ok(()),
        }
    }

    /// Verifies a captcha when this act requires one.
    ///
    /// # Errors
    /// CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, OVERLOADED.
    pub async fn prove_if_demanded(&self, origin: &Origin, act: CaptchaAct, token: &SecretText) -> Result<(), Failure> {
        if self.verifier.as_ref().is_some_and(|verifier| verifier.on.contains(&act)) {
            self.prove(origin, act, token).await?;
        }
        Ok(())
    }

    /// Verifies a captcha. The provider gets each token once, and its answer is not stored. Returns whether the captcha
    /// was solved: `false` when the call is allowed because the provider failed.
    ///
    /// # Errors
    /// CAPTCHA_REQUIRED, CAPTCHA_INVALID, CAPTCHA_UNAVAILABLE, OVERLOADED.
    pub async fn prove(&self, origin: &Origin, act: CaptchaAct, token: &SecretText) -> Result<bool, Failure> {
        let verifier = self.verifier.as_ref();
        let verifier = verifier
            .ok_or_else(|| Failure::Broken("a captcha is required, but no provider is configured".to_owned()))?;
        if token.is_empty() {
            return Err(verifier.ask_for_one(act));
        }
        let verdict = match verifier.captcha.ask(token, origin.address.parse().ok()).await {
            Ok(answer) => verifier.rules.judge(act, &answer),
            Err(fault) => CaptchaVerdict::Fault(fault),
        };
        match verdict {
            CaptchaVerdict::Passed => {
                telemetry::count_captcha(act.name(), "passed");
                Ok(true)
            }
            CaptchaVerdict::Failed(why) => {
                telemetry::count_captcha(act.name(), why.name());
                Err(verifier.challenge(Reason::CaptchaInvalid, act))
            }
            CaptchaVerdict::Fault(fault) => verifier.bear(origin, act, fault).map(|()| false),
        }
    }
}

impl CaptchaVerifier {
    fn ask_for_one(&self, act: CaptchaAct) -> Failure {
        telemetry::count_captcha(act.name(), "missing");
        self.challenge(Reason::CaptchaRequired, act)
    }

    /// The refusal, with everything that a page needs to show a captcha.
    fn challenge(&self, reason: Reason, act: CaptchaAct) -> Failure {
        Refusal::from(reason)
            .with_metadata("captcha_provider", self.captcha.provider().name())
            .with_metadata("captcha_site_key", self.captcha.site_key())
            .with_metadata("captcha_action", act.name())
            .into()
    }

    /// The provider gave no verdict. When the provider is down, the call is allowed if the operator configured that. A
    /// fault that a caller can cause, such as too many or malformed requests, never allows the call.
    fn bear(&self, origin: &Origin, act: CaptchaAct, fault: CaptchaFault) -> Result<(), Failure> {
        telemetry::count_captcha(act.name(), fault.name());
        let (fault_name, request_id) = (fault.name(), origin.trace_id.as_str());
        if self.lenient && !fault.may_be_provoked() {
            tracing::error!(
                fault = fault_name,
                act = act.name(),
                request_id,
                "a call was allowed without a captcha, because the provider failed"
            );
            return Ok(());
        }
        if fault == CaptchaFault::Busy {
            return Err(Refusal::from(Reason::Overloaded).retry_after(BUSY_WAIT).into());
        }
        tracing::warn!(fault = fault_name, act = act.name(), request_id, "a captcha could not be verified");
        Err(Refusal::from(Reason::CaptchaUnavailable).retry_after(UNAVAILABLE_WAIT).into())
    }
}
