use super::{layer::callers, status};
use crate::{
    telemetry::{ANYONE, RefusalLog, RefusedCall},
    usecase::Failure,
};
use countersign_domain::refusal::Reason;
use tonic::{Status, metadata::MetadataMap};

/// One call, as far as its refusal is concerned. Whatever error it is answered with is made here, so that the log has a
/// line with the request id that the error carries: one for each refused call.
#[derive(Clone, Debug)]
pub(super) struct Refusing<'a> {
    pub(super) log: &'a RefusalLog,
    pub(super) rpc: &'static str,
    pub(super) request_id: &'a str,
    pub(super) address: &'a str,
    /// What kind of caller the call proved to be of, and the id where it has one.
    pub(super) caller: (&'static str, String),
}

/// No caller of whom anything was proven.
pub(super) const NOBODY: (&str, String) = (ANYONE, String::new());

impl Refusing<'_> {
    /// The error of a call that failed.
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

    /// An error that a standard service made, with the name of the call.
    pub(super) fn pass_on(&self, error: &Status) -> Status {
        self.say(None, error.code());
        status::named(error, self.request_id)
    }

    /// The error of a message in a compression that is not read; `metadata` says which are.
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
