use crate::{
    store::{Executor, audience},
    usecase::{Failure, key::KeyUpdates},
};
use countersign_domain::{audience::DEFAULT_AUDIENCE, id::TenantId, refusal::Reason};

/// The audience that a login names, or the default one when the name is empty. Its keys are loaded then.
///
/// # Errors
/// AUDIENCE_UNKNOWN; when the database does not answer.
pub(super) async fn find_audience(
    db: &impl Executor,
    key_updates: &KeyUpdates,
    (tenant, named): (TenantId, String),
) -> Result<String, Failure> {
    let audience = match named.as_str() {
        "" => DEFAULT_AUDIENCE.to_owned(),
        name if audience::exists(db, tenant, name).await? => named,
        _ => return Err(Reason::AudienceUnknown.into()),
    };
    key_updates.expect_keys_of(tenant, &audience).await?;
    Ok(audience)
}
