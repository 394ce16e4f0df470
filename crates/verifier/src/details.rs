//! The details of a refusal over gRPC (`google.rpc.Status`): what another authentication has to be. The reason,
//! `acr` and `max_age_seconds` are those of Countersign itself, which also says by what `methods` it takes the proof.

use std::collections::BTreeMap;

use prost::Message as _;

use crate::rejected::StepUp;

const REASON: &str = "STEP_UP_REQUIRED";
const DOMAIN: &str = "countersign";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
    #[prost(string, tag = "2")]
    domain: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: BTreeMap<String, String>,
}

/// The encoded details of a status of this code and message.
pub(crate) fn encode(code: i32, message: &str, wanted: &StepUp) -> Vec<u8> {
    let mut metadata = BTreeMap::new();
    if let Some(age) = wanted.max_age {
        metadata.insert("max_age_seconds".to_owned(), age.to_string());
    }
    if let Some(level) = &wanted.level {
        metadata.insert("acr".to_owned(), level.to_string());
    }
    let info = ErrorInfo { reason: REASON.to_owned(), domain: DOMAIN.to_owned(), metadata };
    let info = prost_types::Any {
        type_url: "type.googleapis.com/google.rpc.ErrorInfo".to_owned(),
        value: info.encode_to_vec(),
    };
    Status { code, message: message.to_owned(), details: vec![info] }.encode_to_vec()
}
