use super::{layer::callers, status};
use crate::{
    telemetry::{ANYONE, RefusalLog, RefusedCall},
    usecase::Failure,
};
use countersign_domain::refusal::Reason;
use tonic::{Status, metadata::MetadataMap};

/// What is needed to refuse one call. Every error of a call is made here, so that each refused call has one log line
/// with the request id of its error.
#[derive(Clone, Debug)]
pub(super) struct Refusing<'a> {
    pub(super) log: &'a RefusalLog,
    pub(super) rpc: &'static str,
    pub(super) request_id: &'a str,
    pub(super) address: &'a str,
    /// The kind of the authenticated caller, and its id if it has one.
    pub(super) caller: (&'static str, String),
}

/// A caller that is not authenticated.
pub(super) const NOBODY: (&str, String) = (ANYONE, String::new());

impl Refusing<'_> {
    /// The error of a failed call.
    pub(super) fn refuse(&self, failure: &Failure) -> Status {
        let error = status::of(failure, self.request_id);
        let Self { rpc, request_id, .. } = self;
        if !callers::lists(rpc, failure.reason()) {
            let reason = failure.reason().name();
            tracing::error!(rpc, request_id, reason, "a call was refused for a reason that its contract does not list");
        }
        match failure {
            Failure::Refused(refusal) => self.say(Some(refusal.reason), error.code()),
            Failure::Store(fault) if failure.reason() == Reason::StoreUnavailable => {
                tracing::warn!(rpc, request_id, %fault, "the database did not answer");
            }
            Failure::Store(_) | Failure::Broken(_) => tracing::error!(rpc, request_id, %failure, "a call failed"),
        }
        error
    }

    /// The error of a standard service, with the request id of the call.
    pub(super) fn pass_on(&self, error: &Status) -> Status {
        self.say(None, error.code());
        status::named(error, self.request_id)
    }

    /// The error of a message in an unsupported compression; `metadata` lists the supported ones.
    pub(super) fn refuse_compression(&self, metadata: MetadataMap) -> Status {
        let error = status::compression_unknown(self.request_id, metadata);
        self.say(Some(Reason::MalformedRequest), error.code());
        error
    }

    fn say(&self, reason: Option<Reason>, code: tonic::Code) {
        let (caller, caller_id) = (self.caller.0, self.caller.1.as_str());
        let (rpc, request_id, address) = (self.rpc, self.request_id, self.address);
        let code = status::code_name(code);
        self.log.say(RefusedCall { rpc, reason, code, request_id, address, caller, caller_id });
    }
}
