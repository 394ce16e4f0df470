//! The four RPCs this crate calls.

use std::time::Duration;

use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::timeout;
use tonic::{Request, Status, Streaming, client::Grpc, metadata::AsciiMetadataValue, transport::Channel};
use tonic_prost::ProstCodec;

use crate::generated::{
    GetVerificationKeysRequest, GetVerificationKeysResponse, IntrospectRequest, IntrospectResponse,
    IssueServiceTokenRequest, IssueServiceTokenResponse, WatchRevocationsRequest, WatchRevocationsResponse,
};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// The largest accepted messages, in bytes: with revocations, and all others.
const REVOCATIONS: usize = 4 * 1024 * 1024;
const MESSAGE: usize = 256 * 1024;

/// A connection to the service. Cloning copies a pointer.
#[derive(Clone, Debug)]
pub(crate) struct Calls {
    channel: Channel,
}

impl Calls {
    pub(crate) fn new(channel: Channel) -> Self {
        Self { channel }
    }

    pub(crate) async fn issue_token(
        &self,
        request: IssueServiceTokenRequest,
    ) -> Result<IssueServiceTokenResponse, Status> {
        self.unary("/countersign.v1.AuthService/IssueServiceToken", Request::new(request)).await
    }

    pub(crate) async fn keys(
        &self,
        bearer: AsciiMetadataValue,
        request: GetVerificationKeysRequest,
    ) -> Result<GetVerificationKeysResponse, Status> {
        self.unary("/countersign.v1.VerificationService/GetVerificationKeys", with(bearer, request)).await
    }

    pub(crate) async fn introspect(
        &self,
        bearer: AsciiMetadataValue,
        request: IntrospectRequest,
    ) -> Result<IntrospectResponse, Status> {
        self.unary("/countersign.v1.VerificationService/Introspect", with(bearer, request)).await
    }

    pub(crate) async fn watch(
        &self,
        bearer: AsciiMetadataValue,
        request: WatchRevocationsRequest,
    ) -> Result<Streaming<WatchRevocationsResponse>, Status> {
        let path = PathAndQuery::from_static("/countersign.v1.VerificationService/WatchRevocations");
        let mut grpc = self.ready(REVOCATIONS).await?;
        let codec = ProstCodec::<WatchRevocationsRequest, _>::default();
        in_time(grpc.server_streaming(with(bearer, request), path, codec)).await.map(tonic::Response::into_inner)
    }

    async fn unary<Q, A>(&self, path: &'static str, request: Request<Q>) -> Result<A, Status>
    where
        Q: Message + Send + Sync + 'static,
        A: Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.ready(MESSAGE).await?;
        let codec = ProstCodec::<Q, A>::default();
        let answer = in_time(grpc.unary(request, PathAndQuery::from_static(path), codec)).await?;
        Ok(answer.into_inner())
    }

    async fn ready(&self, limit: usize) -> Result<Grpc<Channel>, Status> {
        let mut grpc = Grpc::new(self.channel.clone()).max_decoding_message_size(limit);
        let ready = async { grpc.ready().await.map_err(|_| Status::unavailable("not connected")) };
        in_time(ready).await?;
        Ok(grpc)
    }
}

fn with<T>(bearer: AsciiMetadataValue, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", bearer);
    request
}

async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    timeout(CALL, call).await.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer")))
}
