use crate::runtime::sleep;
use std::{
    collections::HashMap,
    fmt, io,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_stream::Stream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How many connections there may be, and how slowly they may begin.
#[derive(Clone, Copy, Debug)]
pub struct IncomingLimits {
    pub connections: usize,
    pub connections_per_address: usize,
    /// How long a new connection may take to send its preface.
    pub preface: Duration,
}

/// Takes connections, counted in all and per address. Whoever is over the limit is disconnected at once; whoever
/// connects and then says nothing is disconnected soon. Neither hyper nor tonic does either.
#[derive(Debug)]
pub struct Incoming {
    listener: TcpListener,
    open: Arc<Semaphore>,
    per_address: Arc<PerAddress>,
    preface: Duration,
}

/// Bytes of the HTTP/2 preface (RFC 9113 section 3.4). No HTTP/1.1 request that we answer is shorter.
const PREFACE_BYTES: usize = 24;

#[derive(Debug)]
struct PerAddress {
    limit: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

#[derive(Debug)]
struct Place {
    address: IpAddr,
    counts: Arc<PerAddress>,
}

impl PerAddress {
    fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Place { address, counts: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.counts.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

impl Incoming {
    pub fn new(listener: TcpListener, limits: IncomingLimits) -> Self {
        Self {
            listener,
            open: Arc::new(Semaphore::new(limits.connections)),
            per_address: Arc::new(PerAddress { limit: limits.connections_per_address, open: Mutex::default() }),
            preface: limits.preface,
        }
    }

    fn admit(&self, stream: TcpStream, address: IpAddr) -> Option<Connection> {
        let permit = self.open.clone().try_acquire_owned().ok()?;
        let place = self.per_address.enter(address.to_canonical())?;
        // Without this, small answers wait for the peer's delayed acknowledgement.
        stream.set_nodelay(true).ok()?;
        Some(Connection {
            stream,
            preface: Some((Box::pin(sleep(self.preface)), PREFACE_BYTES)),
            _place: place,
            _permit: permit,
        })
    }
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::task::ready!(self.listener.poll_accept(cx)) {
                Ok((stream, peer)) => match self.admit(stream, peer.ip()) {
                    Some(connection) => return Poll::Ready(Some(Ok(connection))),
                    None => tracing::debug!(peer = %peer.ip(), "a connection over the limit was refused"),
                },
                // One that was gone before it was taken, or no file handle left: the others go on.
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// Rings when the preface must be complete.
type Alarm = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An open connection. Gives its place back when it ends.
pub struct Connection {
    stream: TcpStream,
    /// Until the preface is complete: when it must be, and how much is missing.
    preface: Option<(Alarm, usize)>,
    _place: Place,
    _permit: OwnedSemaphorePermit,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.stream).finish()
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
