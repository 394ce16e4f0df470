use crate::{
    grpc::{
        call::Call,
        wire::{self, Fields, admin_proto::*},
    },
    runtime::{spawn, timeout},
    usecase::audit::{AuditWatch, ReadAudit, WatchEvents},
};
use futures_util::stream::{BoxStream, StreamExt as _, unfold};
use std::time::Duration;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

/// `countersign.admin.v1.AuditService`
#[derive(Clone, Debug)]
pub struct AuditDoor {
    pub read: ReadAudit,
    pub watch: WatchEvents,
}

#[tonic::async_trait]
impl audit_service_server::AuditService for AuditDoor {
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
            let watch = self.watch.run(call.origin.tenant(), filter, from).await?;
            Ok(stream(call.clone(), watch))
        })
        .await
    }
}

/// How long a watcher may leave a message unread. One that does not read any more would keep its place for ever.
const UNREAD_LIMIT: Duration = Duration::from_secs(30);

/// A failure is the last thing a stream says.
fn stream(call: Call, mut watch: AuditWatch) -> BoxStream<'static, Result<WatchEventsResponse, Status>> {
    let (listener, heard) = mpsc::channel(1);
    let tell = async move {
        loop {
            let next = tokio::select! {
                next = watch.next() => next,
                () = listener.closed() => None,
            };
            let Some(message) = next else { return };
            let message = message.map(wire::watched).map_err(|failure| call.refuse(&failure));
            if !matches!(timeout(UNREAD_LIMIT, listener.send(message)).await, Some(Ok(()))) {
                return;
            }
        }
    };
    spawn(tell);
    unfold(heard, |mut heard| async { Some((heard.recv().await?, heard)) }).boxed()
}
