use http_body::Frame;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tonic::{Code, Status, body::Body};

type Alarm = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The answer of a stream, which ends without an error when `end` resolves: the client then opens a new stream, on
/// another replica if this one is stopping.
pub(super) struct Endless<Held> {
    body: Body,
    /// `None` once it has ended.
    end: Option<Alarm>,
    /// Dropped when the stream ends.
    _held: Held,
}

impl<Held: Send + Unpin + 'static> Endless<Held> {
    /// Returns `body`, which ends when `end` resolves.
    pub(super) fn until(end: impl Future<Output = ()> + Send + 'static, body: Body, held: Held) -> Body {
        Body::new(Self { body, end: Some(Box::pin(end)), _held: held })
    }
}

impl<Held: Unpin> http_body::Body for Endless<Held> {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let Some(end) = &mut self.end else { return Poll::Ready(None) };
        if end.as_mut().poll(cx).is_ready() {
            self.end = None;
            let mut trailers = http::HeaderMap::new();
            trailers.insert("grpc-status", http::HeaderValue::from(Code::Ok as i32));
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.end.is_none() || self.body.is_end_stream()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use std::future::{pending, poll_fn, ready};

    struct Silent;

    impl http_body::Body for Silent {
        type Data = bytes::Bytes;
        type Error = Status;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
            Poll::Pending
        }
    }

    #[tokio::test]
    async fn a_silent_stream_ends_well_when_its_time_is_over() {
        let mut body = Endless::until(ready(()), Body::new(Silent), ());
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!(frame.trailers_ref().unwrap()["grpc-status"], "0");
        assert!(body.is_end_stream());
        assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
    }

    #[tokio::test]
    async fn a_stream_that_ends_by_itself_is_left_alone() {
        let mut body = Endless::until(pending(), Body::empty(), ());
        assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
    }
}
