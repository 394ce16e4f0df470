use super::{
    browser::Browser,
    refusing::{NOBODY, Refusing},
    status, wire,
    wire::proto,
};
use crate::{
    telemetry::RefusalLog,
    usecase::{
        EventSubject, Failure, Origin,
        gate::{Caller, OperatorProven, RecordDenial, ServiceCaller, SignedIn},
        session::OpenedSession,
    },
};
use countersign_domain::{audit::is_denial, id::TenantId, refusal::Reason, secret::SecretText, session::TokenDelivery};
use std::{future::Future, sync::Arc};
use tonic::{Request, Response, Status};

/// A call as the layer in front let it through: where it comes from and who makes it.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) origin: Origin,
    /// The access token of the `authorization` header, whether or not anybody looked at it.
    pub(super) bearer: Option<SecretText>,
    /// Set for every call over grpc-web.
    pub(super) browser: Option<Arc<Browser>>,
    pub(super) caller: Caller,
    pub(super) refusals: RefusalLog,
    pub(super) denial: Arc<RecordDenial>,
}

impl Call {
    /// A call of nobody in particular.
    pub(super) fn new(origin: Origin, refusals: RefusalLog, denial: Arc<RecordDenial>) -> Self {
        Self { origin, bearer: None, browser: None, caller: Caller::Anonymous, refusals, denial }
    }

    /// # Errors
    /// INTERNAL when the request did not come through the layer: nothing is answered that was not admitted.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let admitted = request.extensions().get::<Self>().cloned();
        admitted.ok_or_else(|| {
            tracing::error!("a call reached a handler without authorization: this is a bug");
            status::of(&Reason::Internal.into(), "")
        })
    }

    /// The person who calls.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn person(&self) -> Result<&SignedIn, Failure> {
        match &self.caller {
            Caller::Person(person) => Ok(person),
            _ => Err(Reason::TokenMissing.into()),
        }
    }

    /// The service that calls.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn service(&self) -> Result<&ServiceCaller, Failure> {
        match &self.caller {
            Caller::Service(service) => Ok(service),
            _ => Err(Reason::TokenMissing.into()),
        }
    }

    /// The operator who calls.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn operator(&self) -> Result<OperatorProven, Failure> {
        match self.caller {
            Caller::Operator(operator) => Ok(operator),
            _ => Err(Reason::TokenMissing.into()),
        }
    }

    /// Where the caller keeps its tokens.
    pub(super) fn delivery(&self) -> TokenDelivery {
        if self.browser.is_some() { TokenDelivery::Cookies } else { TokenDelivery::Client }
    }

    /// Hands out a session. A browser gets the tokens in its cookies, where no script reads them, and nowhere else.
    pub(super) fn hand_out(&self, mut opened: OpenedSession) -> proto::Session {
        if let Some(browser) = &self.browser {
            browser.hold(&mut opened);
        }
        wire::session(opened)
    }

    /// The token by which the caller's device is known the next time. A browser gets it in a cookie.
    pub(super) fn hand_out_device(&self, token: SecretText) -> String {
        match &self.browser {
            Some(browser) => {
                browser.know(token);
                String::new()
            }
            None => token.reveal().to_owned(),
        }
    }

    /// The refresh tokens that the caller's cookies hold.
    pub(super) fn kept_refresh_tokens(&self) -> &[SecretText] {
        self.browser.as_ref().map_or(&[], |browser| &browser.refresh)
    }

    /// The device that the caller's cookies show.
    pub(super) fn kept_device(&self) -> Option<&SecretText> {
        self.browser.as_ref()?.device.as_ref()
    }

    /// The caller's session is over: a browser whose cookies made the call forgets them.
    pub(super) fn session_is_over(&self) {
        if let (Some(browser), None) = (&self.browser, &self.bearer) {
            browser.forget();
        }
    }

    /// Runs what the call asks for and answers it.
    pub(super) async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Response<T>, Status> {
        match work.await {
            Ok(answer) => Ok(Response::new(answer)),
            Err(failure) => {
                let reason = failure.reason();
                if let Some((tenant, about)) = self.known().filter(|_| is_denial(reason)) {
                    self.denial.record(&self.origin, tenant, about, reason).await;
                }
                Err(self.refuse(&failure))
            }
        }
    }

    /// A failure as this caller sees it.
    pub(super) fn refuse(&self, failure: &Failure) -> Status {
        let caller = match &self.caller {
            Caller::Anonymous | Caller::Developer => NOBODY,
            Caller::Person(person) => ("account", person.account().id.to_string()),
            Caller::Service(service) => ("service", service.service().id.to_string()),
            Caller::Operator(_) => ("operator", String::new()),
        };
        let Origin { rpc, trace_id, address, .. } = &self.origin;
        Refusing { log: &self.refusals, rpc, request_id: trace_id, address, caller }.refuse(failure)
    }

    /// The account or the service that calls.
    fn known(&self) -> Option<(TenantId, EventSubject)> {
        match &self.caller {
            Caller::Person(person) => {
                Some((person.tenant(), EventSubject::own(person.account().id).in_session(person.session().id)))
            }
            Caller::Service(caller) => {
                let service = caller.service();
                Some((service.tenant, EventSubject::service(Some(service.id))))
            }
            Caller::Anonymous | Caller::Developer | Caller::Operator(_) => None,
        }
    }
}
