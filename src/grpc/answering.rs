use super::{AnswerOnConnection, Peer};
use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// For how long an answer over plain HTTP protects its connection from being closed for a new one. All answers are
/// small, so a client that has not read one by then counts as idle.
const LONGEST: Duration = Duration::from_secs(10);

/// Counts the answer of the inner service as under way on its connection.
pub(super) async fn count(request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().cloned();
    let counted = peer.as_ref().map(Peer::begin_answer);
    let answer = next.run(request).await;
    match counted {
        Some(counted) => answer.map(|body| Answering::of(body, counted)),
        None => answer,
    }
}

impl Peer {
    /// Counts the answer as under way on the connection until its last byte is written.
    pub fn answer_with(&self, answer: Response) -> Response {
        answer.map(|body| Answering::of(body, self.begin_answer()))
    }

    fn begin_answer(&self) -> AnswerOnConnection {
        self.connection.begin_answer(LONGEST)
    }
}

/// The body of an answer under way.
struct Answering {
    body: Body,
    counted: Arc<AnswerOnConnection>,
}

/// A part of an answer. hyper keeps each part until it is written, but drops the body once the last part is queued.
struct Part {
    bytes: Bytes,
    _counted: Arc<AnswerOnConnection>,
}

impl Answering {
    fn of(body: Body, counted: AnswerOnConnection) -> Body {
        if body.is_end_stream() { body } else { Body::new(Self { body, counted: Arc::new(counted) }) }
    }
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl http_body::Body for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let part = |bytes| Bytes::from_owner(Part { bytes, _counted: self.counted.clone() });
        polled.map(|next| next.map(|frame| frame.map(|frame| frame.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
