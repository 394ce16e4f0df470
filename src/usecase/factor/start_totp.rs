use super::{AdderGate, FactorAdder};
use crate::{
    keys::KeyRing,
    runtime::Entropy,
    store::{factor, factor::SealedFactor},
    usecase::{Failure, Origin, UnitsOfWork, gate::Throttle},
};
use countersign_domain::{
    factor::{Factor, FactorKind, FactorName},
    id::FactorId,
    secret::{SecretBytes, SecretText},
    time::Timestamp,
    totp::TotpSecret,
};
use fast_qr::{
    ECL, QRBuilder,
    convert::{Builder as _, Shape, svg::SvgBuilder},
};
use std::sync::Arc;

/// Begins to add an authenticator app.
#[derive(Clone, Debug)]
pub struct StartTotp {
    pub work: UnitsOfWork,
    pub ring: Arc<KeyRing>,
    pub entropy: Entropy,
    pub throttle: Throttle,
    pub adders: AdderGate,
    /// The name of the service in the app.
    pub service: String,
}

/// What an authenticator app needs. It is shown once.
#[derive(Debug)]
pub struct StartedTotp {
    pub id: FactorId,
    /// For an app without a camera.
    pub secret: SecretText,
    pub otpauth_uri: SecretText,
    /// The URI as a QR code.
    pub qr_svg: SecretText,
    /// When it is too late for the first code.
    pub expires_at: Timestamp,
}

impl StartTotp {
    /// Replaces an app that waits for its first code. Apps that are enabled stay as they are.
    ///
    /// # Errors
    /// STEP_UP_REQUIRED, REAUTHENTICATION_REQUIRED, FACTOR_LIMIT_REACHED, SESSION_ENDED, ACCOUNT_DISABLED,
    /// RATE_LIMITED; CHALLENGE_INVALID when the login waits no longer.
    #[tracing::instrument(level = "debug", name = "factor.start_totp", skip_all)]
    pub async fn start(
        &self,
        origin: &Origin,
        adder: FactorAdder<'_>,
        name: &FactorName,
    ) -> Result<StartedTotp, Failure> {
        let (tenant, account) = (adder.tenant(), adder.account());
        self.throttle.totp_start(account.id).await?;
        let secret = TotpSecret::new(SecretBytes::new(self.entropy.bytes()));
        let unit = self.work.begin(origin, tenant).await?;
        let id = FactorId::new(unit.now(), self.entropy.bytes());
        let factor = Factor { name: name.as_str().to_owned(), ..Factor::pending(id, FactorKind::Totp, unit.now()) };
        let expires_at = factor.expires_at();
        let sealed = self.ring.seal_factor(account.id, id, secret.bytes().reveal())?;
        let otpauth_uri = secret.otpauth_uri(&self.service, account.email.as_str());
        let qr_svg = qr_svg(&otpauth_uri)?;
        self.adders.hold_to_start(&unit, adder).await?;
        factor::delete_pending(unit.db(), tenant, account.id, FactorKind::Totp).await?;
        factor::insert(unit.db(), tenant, account.id, &SealedFactor::new(factor, sealed.text, sealed.key)).await?;
        unit.commit().await?;
        Ok(StartedTotp { id, secret: secret.typed(), otpauth_uri, qr_svg, expires_at })
    }
}

/// A QR code as SVG: dark on light, whatever the page looks like, because cameras expect that.
fn qr_svg(text: &SecretText) -> Result<SecretText, Failure> {
    let code = QRBuilder::new(text.reveal()).ecl(ECL::M).build();
    let code = code.map_err(|error| Failure::Broken(format!("no QR code can be made: {error}")))?;
    Ok(SecretText::new(SvgBuilder::default().shape(Shape::Square).margin(4).to_str(&code)))
}
