use super::{
    open::{CallOnConnection, OpenConnection},
    table::ConnectionSlot,
};
use crate::runtime::sleep;
use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tonic::transport::server::Connected;

/// Bytes of the HTTP/2 preface (RFC 9113 section 3.4). Every HTTP/1.1 request that we answer is at least as long.
const PREFACE_BYTES: usize = 24;

type Alarm = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An open connection. It gives its slot back when it ends.
pub struct Connection {
    stream: TcpStream,
    /// Until the preface is complete: its deadline, and how many bytes are missing.
    preface: Option<(Alarm, usize)>,
    /// When the connection is closed, whatever its peer does; `None` afterwards.
    end: Option<Alarm>,
    place: ConnectionSlot,
}

/// The peer of a connection, for the calls on it.
#[derive(Clone, Debug)]
pub struct Peer {
    /// `None` when the peer has disconnected already.
    pub address: Option<SocketAddr>,
    pub connection: Arc<OpenConnection>,
}

impl Peer {
    /// A call begins on the connection.
    pub(crate) fn begin_call(&self) -> CallOnConnection {
        self.connection.begin_call()
    }
}

impl Connection {
    /// A connection whose preface must arrive within `preface`, and that is closed after `life`.
    pub(super) fn new(stream: TcpStream, place: ConnectionSlot, preface: Duration, life: Duration) -> Self {
        let connection = place.connection.clone();
        let end = async move {
            tokio::select! {
                () = sleep(life) => {}
                () = connection.closed() => {}
            }
        };
        let preface = Some((Box::pin(sleep(preface)) as Alarm, PREFACE_BYTES));
        Self { stream, preface, end: Some(Box::pin(end)), place }
    }

    /// Polled before every other operation, so that the connection ends even if its peer reads nothing or never pauses.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some(end) = &mut self.end {
            if end.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            self.end = None;
        }
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.stream).finish()
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer { address: self.stream.peer_addr().ok(), connection: self.place.connection.clone() }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_end(cx)?;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some((limit, missing)) = &mut self.preface else { return polled };
        match polled {
            Poll::Ready(_) => {
                *missing = missing.saturating_sub(buffer.filled().len() - before);
                if *missing == 0 {
                    self.preface = None;
                }
                polled
            }
            Poll::Pending => match limit.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_end(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_end(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_end(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
