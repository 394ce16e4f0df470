use crate::{
    grpc::{
        call::Call,
        stream::tell,
        wire::{self, Fields, admin_proto::*},
    },
    usecase::audit::{AuditWatch, ReadAudit, WatchEvents},
};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use tonic::{Request, Response, Status};

/// `countersign.admin.v1.AuditService`
#[derive(Clone, Debug)]
pub struct AuditHandler {
    pub read: ReadAudit,
    pub watch: WatchEvents,
}

#[tonic::async_trait]
impl audit_service_server::AuditService for AuditHandler {
    type WatchEventsStream = BoxStream<'static, Result<WatchEventsResponse, Status>>;

    async fn list_events(&self, request: Request<ListEventsRequest>) -> Result<Response<ListEventsResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let size = wire::page_size(&mut fields, message.page_size);
            let before = wire::event_page(&mut fields, &message.page_token);
            let filter = wire::event_filter(&mut fields, message.filter);
            let ((size, before), filter) = fields.done(size.zip(before).zip(filter))?;
            call.operator()?;
            let page = self.read.newest(call.origin.tenant(), &filter, before, size).await?;
            Ok(ListEventsResponse {
                next_page_token: page.next.map_or_else(String::new, wire::event_page_token),
                events: page.events.into_iter().map(wire::audit_event).collect(),
            })
        })
        .await
    }

    async fn watch_events(
        &self,
        request: Request<WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let from = wire::event_cursor(&mut fields, &message.cursor);
            let filter = wire::event_filter(&mut fields, message.filter);
            let (from, filter) = fields.done(from.zip(filter))?;
            call.operator()?;
            let watch = self.watch.watch(call.origin.tenant(), filter, from).await?;
            Ok(stream(call.clone(), watch))
        })
        .await
    }
}

fn stream(call: Call, watch: AuditWatch) -> BoxStream<'static, Result<WatchEventsResponse, Status>> {
    let events = unfold(watch, |mut watch| async { Some((watch.next().await?.map(wire::watched), watch)) });
    tell(call, events.boxed())
}
