//! Checks before a use case: the caller and the client, rate limits, passwords and the attempt limiter, captchas, known
//! breaches.

mod attempt_limiter;
mod authenticate;
mod breach;
mod captcha;
mod decoy_cost;
mod denial;
mod device;
mod email_code;
mod factor;
mod factor_secrets;
mod operator;
mod owner;
mod passkey;
mod password;
mod presented_factor;
mod session_tries;
mod step_up;
mod tenant;
mod throttle;
mod token_holder;

pub use attempt_limiter::{AdmittedAttempt, AttemptLimiter, AttemptSource};
pub use authenticate::{Authenticate, Caller, OpenedToken, ServiceCaller, SignedIn};
pub use breach::BreachGate;
pub use captcha::{CaptchaGate, CaptchaVerifier};
pub use decoy_cost::DecoyHashCosts;
pub use denial::RecordDenial;
pub use device::{DeviceRecognition, LoginDevice, PresentedDevice};
pub use email_code::{EmailCodeProven, EmailCodes};
pub use factor::{FactorGate, FactorProven};
pub use factor_secrets::{FactorSecrets, digest_of};
pub use operator::{OperatorGate, OperatorProven};
pub use owner::{OwnerGate, OwnerProven};
pub use passkey::PasskeyGate;
pub use password::{Claimed, PasswordGate, PasswordProven, SessionPasswordGate};
pub use presented_factor::{FactorClient, PresentedFactor, WrongFactor, used_up};
pub use session_tries::SessionTries;
pub use step_up::{require_fresh_proof, require_level, require_password_level};
pub use tenant::FindTenant;
pub use throttle::{Drawn, LoginDraw, Throttle};
pub use token_holder::{FindHolder, NamedByToken, TokenHolder};
