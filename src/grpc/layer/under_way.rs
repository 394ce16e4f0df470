use crate::grpc::{CallOnConnection, Peer};
use http_body::{Body as _, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::sync::{Notify, watch};
use tonic::{Status, body::Body};

/// The calls under way on one listener, which the service waits for when it stops.
///
/// A call is under way only when its request is complete: anybody can send half a request, and it may never be
/// completed. A stream is under way only until it begins: it would not end by itself, so it is ended when the service
/// stops.
#[derive(Clone, Debug)]
pub struct UnderWay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    calls: AtomicUsize,
    none: Notify,
    stopping: watch::Sender<bool>,
}

/// One call, until it is dropped.
#[derive(Debug)]
pub(super) struct OneCall(Arc<State>);

#[derive(Debug)]
struct State {
    under_way: UnderWay,
    stage: AtomicU8,
    peer: Option<Peer>,
    /// A connection with a call under way is not closed for a new one. An incomplete request does not protect it.
    on_connection: Mutex<Option<CallOnConnection>>,
}

const ARRIVING: u8 = 0;
const WHOLE: u8 = 1;
const ANSWERED: u8 = 2;

impl Default for UnderWay {
    fn default() -> Self {
        Self(Arc::new(Inner { calls: AtomicUsize::new(0), none: Notify::new(), stopping: watch::Sender::new(false) }))
    }
}

impl UnderWay {
    /// Ends the streams.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Resolves when the streams must end.
    pub(super) async fn stopped(self) {
        let _ = self.0.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    /// Resolves when no call is under way.
    pub async fn none(&self) {
        loop {
            let none = self.0.none.notified();
            if self.is_none() {
                return;
            }
            none.await;
        }
    }

    /// Whether no call is under way.
    pub fn is_none(&self) -> bool {
        self.0.calls.load(Ordering::Acquire) == 0
    }

    /// Begins a call. It counts as under way once the returned body was read to its end.
    pub(super) fn begin(&self, peer: Option<Peer>, body: Body) -> (OneCall, Body) {
        let (under_way, stage) = (self.clone(), AtomicU8::new(ARRIVING));
        let state = Arc::new(State { under_way, stage, peer, on_connection: Mutex::default() });
        if body.is_end_stream() {
            state.is_whole();
        }
        let body = Body::new(Arriving { body, state: state.clone() });
        (OneCall(state), body)
    }
}

impl State {
    fn is_whole(&self) {
        let step = self.stage.compare_exchange(ARRIVING, WHOLE, Ordering::AcqRel, Ordering::Acquire);
        if step.is_ok() {
            self.under_way.0.calls.fetch_add(1, Ordering::AcqRel);
            *self.on_connection() = self.peer.as_ref().map(Peer::begin_call);
        }
    }

    fn on_connection(&self) -> MutexGuard<'_, Option<CallOnConnection>> {
        self.on_connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OneCall {
    fn drop(&mut self) {
        let Inner { calls, none, .. } = &*self.0.under_way.0;
        *self.0.on_connection() = None;
        if self.0.stage.swap(ANSWERED, Ordering::AcqRel) == WHOLE && calls.fetch_sub(1, Ordering::AcqRel) == 1 {
            none.notify_waiters();
        }
    }
}

/// The body of a request, which notes when the request is complete.
struct Arriving {
    body: Body,
    state: Arc<State>,
}

impl http_body::Body for Arriving {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(&polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.state.is_whole();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::future::poll_fn;

    async fn read(body: &mut Body) {
        while poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await.is_some() {}
    }

    #[tokio::test]
    async fn a_call_is_under_way_from_the_end_of_its_request_to_its_answer() {
        let under_way = UnderWay::default();
        let message = http_body_util::Full::new(bytes::Bytes::from_static(b"message"));
        let (call, mut body) = under_way.begin(None, Body::new(message));
        assert!(under_way.is_none(), "half a request is no call");
        read(&mut body).await;
        assert!(!under_way.is_none());
        let mut none = Box::pin(under_way.none());
        assert!(none.as_mut().now_or_never().is_none());
        drop(call);
        none.await;
        read(&mut body).await;
        assert!(under_way.is_none(), "a call that was answered does not begin again");
    }

    #[tokio::test]
    async fn streams_are_told_once_the_service_stops_whether_they_wait_already_or_come_later() {
        let under_way = UnderWay::default();
        let mut waiting = Box::pin(under_way.clone().stopped());
        assert!(waiting.as_mut().now_or_never().is_none());
        under_way.stop();
        waiting.await;
        under_way.stopped().await;
    }
}
