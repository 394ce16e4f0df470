use crate::runtime::timeout;
use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, HeaderValue},
    redirect,
};
use rustls::crypto::CryptoProvider;
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The only HTTP client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Outbound(Client);

/// Why the client cannot be created.
#[derive(Debug)]
pub struct InvalidOutbound(reqwest::Error);

/// The bounds of one kind of request.
#[derive(Clone, Copy, Debug)]
pub struct LineTerms {
    /// For a whole request, from resolving the host to the last byte of the answer.
    pub timeout: Duration,
    pub max_answer_bytes: usize,
    /// Most concurrent requests. While the other side does not answer, it bounds what this process spends on it.
    pub at_once: usize,
}

/// One kind of request. Clones share the bound on concurrent requests.
#[derive(Clone, Debug)]
pub struct Line {
    client: Client,
    terms: LineTerms,
    turns: Arc<Semaphore>,
}

/// The response.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status code.
    pub status: u16,
    /// The content, or why there is none.
    pub body: Result<Zeroizing<Vec<u8>>, OutboundFault>,
}

/// Why there is no response. The error itself is not kept, because it may contain the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundFault {
    /// Too many requests are in progress. Nothing was sent.
    Busy,
    TimedOut,
    Unreachable,
    /// The response is longer than `max_answer_bytes`.
    TooLong,
}

impl Outbound {
    /// # Errors
    /// When this machine has no root certificates.
    pub fn new() -> Result<Self, InvalidOutbound> {
        // The client panics without a default provider of ciphers; a second call fails and is harmless.
        if CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        // Requests go only to the configured URL: no redirects, and no proxy from the environment.
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build();
        client.map(Self).map_err(InvalidOutbound)
    }

    pub fn line(&self, terms: LineTerms) -> Line {
        Line { client: self.0.clone(), terms, turns: Arc::new(Semaphore::new(terms.at_once)) }
    }
}

impl Line {
    /// Sends a URL-encoded form.
    ///
    /// # Errors
    /// When there is no response. The request may have been processed nevertheless.
    pub async fn post_form(&self, to: Url, form: String) -> Result<Answer, OutboundFault> {
        self.exchange(self.client.post(to).header(CONTENT_TYPE, FORM).body(form)).await
    }

    /// # Errors
    /// When there is no response. The request may have been processed nevertheless.
    pub async fn get(&self, from: Url, header: (&'static str, &'static str)) -> Result<Answer, OutboundFault> {
        self.exchange(self.client.get(from).header(header.0, header.1)).await
    }

    async fn exchange(&self, question: RequestBuilder) -> Result<Answer, OutboundFault> {
        // Refused at once: a queue would only make the timeout longer.
        let _turn = self.turns.try_acquire().map_err(|_| OutboundFault::Busy)?;
        let exchange = async {
            let response = question.send().await.map_err(|error| fault(&error))?;
            Ok(Answer { status: response.status().as_u16(), body: self.read(response).await })
        };
        timeout(self.terms.timeout, exchange).await.unwrap_or(Err(OutboundFault::TimedOut))
    }

    async fn read(&self, mut response: Response) -> Result<Zeroizing<Vec<u8>>, OutboundFault> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
            if body.len() + chunk.len() > self.terms.max_answer_bytes {
                return Err(OutboundFault::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

fn fault(error: &reqwest::Error) -> OutboundFault {
    if error.is_timeout() { OutboundFault::TimedOut } else { OutboundFault::Unreachable }
}

impl fmt::Display for InvalidOutbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for InvalidOutbound {}
