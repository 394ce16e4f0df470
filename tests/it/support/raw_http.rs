//! Raw HTTP, for requests that no correct client sends.

use bytes::Bytes;
use futures_util::stream::pending;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::Frame,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};
use tonic::Status;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    /// The gRPC status from the trailers, the headers, or the last frame of grpc-web.
    pub(crate) fn rpc_status(&self) -> Status {
        let in_frame = self.web_frames().into_iter().find(|(flag, _)| flag & 0x80 != 0).map(|(_, text)| headers(&text));
        let candidates = [self.trailers.clone(), Some(self.headers.clone()), in_frame];
        let found = candidates.iter().flatten().find_map(Status::from_header_map);
        found.unwrap_or_else(|| panic!("an answer without a gRPC status: {self:?}"))
    }

    /// Flag and content of each frame of the body.
    pub(crate) fn web_frames(&self) -> Vec<(u8, Bytes)> {
        let mut rest = self.body.clone();
        let mut frames = Vec::new();
        while rest.len() >= 5 {
            let length = usize::try_from(u32::from_be_bytes([rest[1], rest[2], rest[3], rest[4]])).unwrap();
            let flag = rest[0];
            let mut content = rest.split_off(5);
            rest = content.split_off(length.min(content.len()));
            frames.push((flag, content));
        }
        frames
    }
}

/// Trailers as grpc-web writes them: one `name: value` a line.
fn headers(text: &[u8]) -> HeaderMap {
    let lines = std::str::from_utf8(text).unwrap().lines().filter_map(|line| line.split_once(':'));
    lines.fold(HeaderMap::new(), |mut map, (name, value)| {
        map.append(http::HeaderName::try_from(name).unwrap(), value.trim().parse().unwrap());
        map
    })
}

/// One message as gRPC frames it.
pub(crate) fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[0], &length[..], message].concat()
}

/// A gRPC call with one message, for [`send`] over HTTP/2.
pub(crate) fn call(path: &str, message: &[u8]) -> Request<Full<Bytes>> {
    call_with(path, "application/grpc", frame(message))
}

/// A request with the method POST and these bytes.
pub(crate) fn call_with(path: &str, content_type: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    let request = Request::post(path).header("content-type", content_type).header("te", "trailers");
    request.body(Full::from(body)).unwrap()
}

/// Adds a header to a request, and keeps others of the same name.
pub(crate) fn with_header(mut request: Request<Full<Bytes>>, name: &'static str, value: &[u8]) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, http::HeaderValue::from_bytes(value).unwrap());
    request
}

/// Sends a request on a connection of its own.
pub(crate) async fn send(address: SocketAddr, version: Version, request: Request<Full<Bytes>>) -> Answer {
    send_on(TcpStream::connect(address).await.unwrap(), version, request).await
}

/// The same from a given address of this machine.
pub(crate) async fn send_from(own: IpAddr, address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((own, 0).into()).unwrap();
    send_on(socket.connect(address).await.unwrap(), Version::HTTP_2, request).await
}

async fn send_on(stream: TcpStream, version: Version, mut request: Request<Full<Bytes>>) -> Answer {
    let address = stream.peer_addr().unwrap();
    let stream = TokioIo::new(stream);
    if version == Version::HTTP_2 {
        let uri = format!("http://{address}{}", request.uri()).parse().unwrap();
        *request.uri_mut() = uri;
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        let driving = tokio::spawn(connection);
        let answer = read(sender.send_request(request).await.unwrap()).await;
        driving.abort();
        answer
    } else {
        request.headers_mut().insert("host", address.to_string().parse().unwrap());
        let (mut sender, connection) = http1::handshake(stream).await.unwrap();
        let driving = tokio::spawn(connection);
        let answer = read(sender.send_request(request).await.unwrap()).await;
        driving.abort();
        answer
    }
}

/// Makes a gRPC call over HTTP/2 and returns its status.
pub(crate) async fn rpc(address: SocketAddr, request: Request<Full<Bytes>>) -> Status {
    let answer = send(address, Version::HTTP_2, request).await;
    assert_eq!(answer.status, StatusCode::OK, "gRPC answers every call with 200: {answer:?}");
    answer.rpc_status()
}

async fn read(response: http::Response<hyper::body::Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers = collected.trailers().cloned();
    Answer { status: parts.status, headers: parts.headers, body: collected.to_bytes(), trailers }
}

/// A call whose request never becomes complete, on a connection of its own, until it is dropped.
pub(crate) struct HalfCall {
    answer: JoinHandle<hyper::Result<http::Response<hyper::body::Incoming>>>,
    driving: JoinHandle<hyper::Result<()>>,
}

impl HalfCall {
    /// Sends the headers, and returns when the service has read them.
    pub(crate) async fn begin(address: &str, path: &str, lines: &[(&'static str, &str)]) -> Self {
        type Sent = UnsyncBoxBody<Bytes, Infallible>;
        let request = |path: &str, body: Sent| {
            let request = Request::post(format!("http://{address}{path}")).header("content-type", "application/grpc");
            lines.iter().fold(request, |request, (name, value)| request.header(*name, *value)).body(body).unwrap()
        };
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        let driving = tokio::spawn(connection);
        let half = StreamBody::new(pending::<Result<Frame<Bytes>, Infallible>>()).boxed_unsync();
        let answer = tokio::spawn(sender.send_request(request(path, half)));
        // A later call on the same connection was answered, so the service has read the headers.
        let whole = Full::from(frame(&[])).boxed_unsync();
        sender.send_request(request("/grpc.health.v1.Health/Check", whole)).await.unwrap();
        Self { answer, driving }
    }

    /// The answer of the service before the request is complete.
    pub(crate) async fn refusal(mut self) -> Status {
        let answer = read((&mut self.answer).await.unwrap().unwrap()).await;
        answer.rpc_status()
    }

    /// Whether there is no answer yet.
    pub(crate) fn waits(&self) -> bool {
        !self.answer.is_finished()
    }
}

impl Drop for HalfCall {
    fn drop(&mut self) {
        self.answer.abort();
        self.driving.abort();
    }
}
