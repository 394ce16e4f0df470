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

/// The one HTTP client. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Outbound(Client);

/// Why nobody can be asked.
#[derive(Debug)]
pub struct InvalidOutbound(reqwest::Error);

/// The bounds of one kind of question.
#[derive(Clone, Copy, Debug)]
pub struct LineTerms {
    /// For the whole of a question, from the name of the host to the last byte of the answer.
    pub timeout: Duration,
    pub max_answer_bytes: usize,
    /// Questions under way at once. While the other side hangs, it is what this process spends on it.
    pub at_once: usize,
}

/// One kind of question. Clones share the bound on questions under way.
#[derive(Clone, Debug)]
pub struct Line {
    client: Client,
    terms: LineTerms,
    turns: Arc<Semaphore>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// As in HTTP.
    pub status: u16,
    /// The content, or why there is none.
    pub body: Result<Zeroizing<Vec<u8>>, OutboundFault>,
}

/// Why nothing came back. The error itself is not kept: it may tell of the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundFault {
    /// Too many questions are under way. Nobody was asked.
    Busy,
    TimedOut,
    Unreachable,
    /// The answer is longer than any sensible one.
    TooLong,
}

impl Outbound {
    /// # Errors
    /// When this machine has no root certificates.
    pub fn new() -> Result<Self, InvalidOutbound> {
        // The client panics when nobody chose a provider of ciphers; choosing again is refused and harmless.
        if CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        // What is sent goes where the operator said, and nowhere else.
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build();
        client.map(Self).map_err(InvalidOutbound)
    }

    pub fn line(&self, terms: LineTerms) -> Line {
        Line { client: self.0.clone(), terms, turns: Arc::new(Semaphore::new(terms.at_once)) }
    }
}

impl Line {
    /// Sends an encoded form.
    ///
    /// # Errors
    /// When nothing came back. The question may have been heard nevertheless.
    pub async fn post_form(&self, to: Url, form: String) -> Result<Answer, OutboundFault> {
        self.exchange(self.client.post(to).header(CONTENT_TYPE, FORM).body(form)).await
    }

    /// # Errors
    /// When nothing came back. The question may have been heard nevertheless.
    pub async fn get(&self, from: Url, header: (&'static str, &'static str)) -> Result<Answer, OutboundFault> {
        self.exchange(self.client.get(from).header(header.0, header.1)).await
    }

    async fn exchange(&self, question: RequestBuilder) -> Result<Answer, OutboundFault> {
        // Whoever does not get a turn is told at once: a queue would only be a longer timeout.
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
