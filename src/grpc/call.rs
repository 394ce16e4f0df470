use super::{
    browser::{Browser, ChallengeChange},
    refusing::{NOBODY, Refusing},
    status, wire,
    wire::proto,
};
use crate::{
    telemetry::RefusalLog,
    usecase::{
        EventSubject, Failure, Origin,
        authentication::CeremonyClient,
        gate::{Caller, OperatorProven, RecordDenial, ServiceCaller, SignedIn},
        session::{Logout, OpenedSession},
    },
};
use countersign_domain::{
    audit::is_denial,
    id::TenantId,
    refusal::{Reason, Refusal},
    secret::SecretText,
    session::TokenDelivery,
    time::Timestamp,
};
use std::{future::Future, sync::Arc};
use tonic::{Request, Response, Status};

/// A call that the middleware admitted: its origin and its caller.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) origin: Origin,
    /// The access token of the `authorization` header, even if it was not checked.
    pub(super) bearer: Option<SecretText>,
    /// Set for every call over grpc-web.
    pub(super) browser: Option<Arc<Browser>>,
    pub(super) caller: Caller,
    /// Why the call is refused unless it is made for a challenge. Only for RPCs that take one.
    pub(super) refused: Option<Refusal>,
    pub(super) refusals: RefusalLog,
    pub(super) denial: Arc<RecordDenial>,
}

impl Call {
    /// A call without credentials.
    pub(super) fn new(origin: Origin, refusals: RefusalLog, denial: Arc<RecordDenial>) -> Self {
        Self { origin, bearer: None, browser: None, caller: Caller::Anonymous, refused: None, refusals, denial }
    }

    /// # Errors
    /// INTERNAL when the request did not pass the middleware: only admitted calls are answered.
    pub(super) fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let admitted = request.extensions().get::<Self>().cloned();
        admitted.ok_or_else(|| {
            tracing::error!("a call reached a handler without authorization: this is a bug");
            status::of(&Reason::Internal.into(), "")
        })
    }

    /// The account that makes the call.
    ///
    /// # Errors
    /// TOKEN_MISSING; for an RPC that takes a challenge, why the call is refused without one.
    pub(super) fn person(&self) -> Result<&SignedIn, Failure> {
        if let Some(refusal) = &self.refused {
            if refusal.reason.ends_session() {
                self.session_is_over();
            }
            return Err(refusal.clone().into());
        }
        match &self.caller {
            Caller::Person(person) => Ok(person),
            _ => Err(Reason::TokenMissing.into()),
        }
    }

    /// The service account that makes the call.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn service(&self) -> Result<&ServiceCaller, Failure> {
        match &self.caller {
            Caller::Service(service) => Ok(service),
            _ => Err(Reason::TokenMissing.into()),
        }
    }

    /// The operator who makes the call.
    ///
    /// # Errors
    /// TOKEN_MISSING.
    pub(super) fn operator(&self) -> Result<OperatorProven, Failure> {
        match self.caller {
            Caller::Operator(operator) => Ok(operator),
            _ => Err(Reason::TokenMissing.into()),
        }
    }

    /// Where the caller stores its tokens.
    pub(super) fn delivery(&self) -> TokenDelivery {
        if self.browser.is_some() { TokenDelivery::Cookies } else { TokenDelivery::Client }
    }

    /// Returns a session as a message. A browser gets the tokens in cookies alone, which no script can read.
    pub(super) fn hand_out(&self, mut opened: OpenedSession) -> proto::Session {
        if let Some(browser) = &self.browser {
            browser.hold(&mut opened);
        }
        wire::session(opened)
    }

    /// Returns the token that ends a session which was just opened, for a browser that turns out to store no cookies.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub(super) fn cancel_token(&self, logout: &Logout, opened: &OpenedSession) -> Result<String, Failure> {
        match self.delivery() {
            TokenDelivery::Cookies => {
                Ok(logout.cancel_token(opened.profile.account.tenant, opened.id)?.reveal().to_owned())
            }
            TokenDelivery::Client => Ok(String::new()),
        }
    }

    /// Returns the token that makes the caller's device recognized at the next login. A browser gets it in a cookie.
    pub(super) fn hand_out_device(&self, token: SecretText) -> String {
        match &self.browser {
            Some(browser) => {
                browser.know(token);
                String::new()
            }
            None => token.reveal().to_owned(),
        }
    }

    /// Returns the token that continues a login. A browser gets it in a cookie.
    pub(super) fn hand_out_challenge(&self, token: SecretText, expires_at: Timestamp) -> String {
        match &self.browser {
            Some(browser) => {
                browser.challenge(ChallengeChange::Hold { token, expires_at });
                String::new()
            }
            None => token.reveal().to_owned(),
        }
    }

    /// The challenge of the caller has ended: a browser forgets its token.
    pub(super) fn challenge_is_over(&self) {
        if let Some(browser) = &self.browser {
            browser.challenge(ChallengeChange::Clear);
        }
    }

    /// The token of a challenge in the caller's cookies.
    pub(super) fn kept_challenge(&self) -> Option<&SecretText> {
        self.browser.as_ref()?.challenge.as_ref()
    }

    /// Where a ceremony of the caller begins or ends.
    pub(super) fn ceremony_client(&self) -> CeremonyClient {
        match &self.browser {
            Some(browser) => CeremonyClient::Browser(browser.binding.clone()),
            None => CeremonyClient::Program,
        }
    }

    /// Returns what binds a ceremony to the caller's browser.
    pub(super) fn bind_browser(&self, binding: Option<SecretText>) {
        if let (Some(browser), Some(binding)) = (&self.browser, binding) {
            browser.bind(binding);
        }
    }

    /// The refresh tokens in the caller's cookies.
    pub(super) fn kept_refresh_tokens(&self) -> &[SecretText] {
        self.browser.as_ref().map_or(&[], |browser| &browser.refresh)
    }

    /// The device token in the caller's cookies.
    pub(super) fn kept_device(&self) -> Option<&SecretText> {
        self.browser.as_ref()?.device.as_ref()
    }

    /// The session of the caller has ended: if the call was made by cookies, the answer clears them.
    pub(super) fn session_is_over(&self) {
        if let (Some(browser), None) = (&self.browser, &self.bearer) {
            browser.forget();
        }
    }

    /// Runs the use case of the call and answers with its result.
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

    /// The error that this caller receives.
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

    /// The account or service account that makes the call.
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
