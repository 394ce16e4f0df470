use super::status;
use crate::usecase::{
    Failure, Origin,
    gate::{ServiceCaller, SignedIn},
};
use countersign_domain::{refusal::Reason, secret::SecretText};
use std::{future::Future, sync::Arc};
use tonic::{Request, Response, Status};

/// A call as the layer in front let it through: where it comes from and who makes it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) origin: Origin,
    /// The access token that came along, whether or not anybody looked at it.
    pub(super) bearer: Option<SecretText>,
    /// Set for every RPC that asks for an account.
    pub(super) signed_in: Option<Arc<SignedIn>>,
    /// Set for every RPC that asks for a service.
    pub(super) service: Option<Arc<ServiceCaller>>,
}

impl Call {
    /// # Errors
    /// INTERNAL when the request did not come through the layer: nothing is answered that was not admitted.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let admitted = request.extensions().get::<Self>().cloned();
        admitted.ok_or_else(|| status::of(&Failure::Broken("a call was not admitted".to_owned()), ""))
    }

    /// The person who calls.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn person(&self) -> Result<&SignedIn, Failure> {
        self.signed_in.as_deref().ok_or_else(|| Reason::TokenMissing.into())
    }

    /// The service that calls.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn service(&self) -> Result<&ServiceCaller, Failure> {
        self.service.as_deref().ok_or_else(|| Reason::TokenMissing.into())
    }

    /// Runs what the call asks for and answers it.
    pub(super) async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Response<T>, Status> {
        work.await.map(Response::new).map_err(|failure| self.refuse(&failure))
    }

    /// A failure as this caller sees it.
    pub(super) fn refuse(&self, failure: &Failure) -> Status {
        status::of(failure, &self.origin.trace_id)
    }
}
