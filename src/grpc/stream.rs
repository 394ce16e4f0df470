use super::call::Call;
use crate::{
    runtime::{spawn, timeout},
    usecase::Failure,
};
use futures_util::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use std::time::Duration;
use tokio::sync::mpsc;
use tonic::Status;

/// How long a client may leave a message of a stream unread. Without this limit, a client that stops reading would keep
/// its slot forever.
const UNREAD_LIMIT: Duration = Duration::from_secs(30);

/// Sends messages to a client for as long as it reads. The stream ends after a failure.
pub(super) fn tell<T: Send + 'static>(
    call: Call,
    mut messages: BoxStream<'static, Result<T, Failure>>,
) -> BoxStream<'static, Result<T, Status>> {
    let (listener, heard) = mpsc::channel(1);
    spawn(async move {
        loop {
            let next = tokio::select! {
                next = messages.next() => next,
                () = listener.closed() => None,
            };
            let Some(message) = next else { return };
            let message = message.map_err(|failure| call.refuse(&failure));
            if !matches!(timeout(UNREAD_LIMIT, listener.send(message)).await, Some(Ok(()))) {
                return;
            }
        }
    });
    unfold(heard, |mut heard| async { Some((heard.recv().await?, heard)) }).boxed()
}
