use super::{
    call::Call,
    stream::tell,
    wire::{self, Fields, proto::*},
};
use crate::usecase::{
    revocation::{Watch, WatchRevocations},
    verification::{HandOutKeys, Introspect},
};
use countersign_domain::secret::SecretText;
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tonic::{Request, Response, Status};

/// `countersign.v1.VerificationService`
#[derive(Clone, Debug)]
pub struct VerificationHandler {
    pub hand_out_keys: HandOutKeys,
    pub watch: WatchRevocations,
    pub introspect: Introspect,
}

#[tonic::async_trait]
impl verification_service_server::VerificationService for VerificationHandler {
    type WatchRevocationsStream = BoxStream<'static, Result<WatchRevocationsResponse, Status>>;

    async fn get_verification_keys(
        &self,
        request: Request<GetVerificationKeysRequest>,
    ) -> Result<Response<GetVerificationKeysResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            if message.audience.is_empty() {
                fields.note("audience", "is missing");
            }
            wire::audience(&mut fields, &message.audience);
            fields.done(Some(()))?;
            Ok(wire::verification_keys(self.hand_out_keys.hand_out(call.service()?, &message.audience).await?))
        })
        .await
    }

    async fn watch_revocations(
        &self,
        request: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let mut fields = Fields::default();
            let cursor = wire::cursor(&mut fields, &request.into_inner().cursor);
            let cursor = fields.done(cursor)?;
            let watch = self.watch.watch(call.service()?, cursor).await?;
            Ok(stream(call.clone(), watch))
        })
        .await
    }

    async fn introspect(&self, request: Request<IntrospectRequest>) -> Result<Response<IntrospectResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let token = SecretText::new(request.into_inner().token);
            let mut fields = Fields::default();
            if token.is_empty() {
                fields.note("token", "is missing");
            }
            fields.done(Some(()))?;
            Ok(wire::introspected(self.introspect.introspect(call.service()?, &token).await?))
        })
        .await
    }
}

fn stream(call: Call, watch: Watch) -> BoxStream<'static, Result<WatchRevocationsResponse, Status>> {
    let messages = unfold(watch, |mut watch| async {
        let message = watch.next().await?;
        Some((message.map(|message| wire::revocations(message, watch.heartbeat())), watch))
    });
    tell(call, messages.boxed())
}
