use super::AppOptions;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// How the provider answers.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// As a real provider: yes to a token that begins with `good`, once, and no to all others.
    Honestly,
    /// This JSON, with status 200.
    Json(String),
    /// This text, with this status and content type.
    Text(u16, &'static str, String),
    /// These bytes; then the connection is closed.
    Bytes(&'static [u8]),
    /// A body that never ends.
    Endlessly,
    /// Nothing; the connection stays open.
    Nothing,
}

/// A captcha provider on this machine.
#[derive(Clone)]
pub(crate) struct Siteverify {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    says: Says,
    asked: Vec<BTreeMap<String, String>>,
    spent: BTreeSet<String>,
    hostname: &'static str,
    action: &'static str,
}

impl Siteverify {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/siteverify", listener.local_addr().unwrap());
        let state = State {
            says: Says::Honestly,
            asked: Vec::new(),
            spent: BTreeSet::new(),
            hostname: "id.example.org",
            action: "register",
        };
        let provider = Self { url, state: Arc::new(Mutex::new(state)) };
        let host = provider.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let host = host.clone();
                // A client that hangs up ends only its own connection.
                thread::spawn(move || host.converse(stream).unwrap_or_default());
            }
        });
        provider
    }

    /// An address at which nothing listens.
    pub(crate) fn closed() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/siteverify", listener.local_addr().unwrap())
    }

    pub(crate) fn says(&self, says: Says) {
        self.state.lock().unwrap().says = says;
    }

    /// The action and the host for which honest answers say that a token was solved.
    pub(crate) fn solved(&self, action: &'static str, hostname: &'static str) {
        let mut state = self.state.lock().unwrap();
        (state.action, state.hostname) = (action, hostname);
    }

    /// The forms received so far.
    pub(crate) fn asked(&self) -> Vec<BTreeMap<String, String>> {
        self.state.lock().unwrap().asked.clone()
    }

    fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let Some((head, form)) = request(&mut stream)? else { return Ok(()) };
            if !head.starts_with("POST /siteverify HTTP/1.1") {
                // A client that followed the redirect would get a yes here.
                answer_with(&mut stream, 200, "application/json", &self.yes())?;
                continue;
            }
            assert!(head.to_ascii_lowercase().contains("content-type: application/x-www-form-urlencoded"), "{head}");
            let says = {
                let mut state = self.state.lock().unwrap();
                state.asked.push(form.clone());
                state.says.clone()
            };
            match says {
                Says::Honestly => {
                    let answer = self.judge(form.get("response").map_or("", String::as_str));
                    answer_with(&mut stream, 200, "application/json", &answer)?;
                }
                Says::Json(text) => answer_with(&mut stream, 200, "application/json", &text)?,
                Says::Text(status, content_type, text) => answer_with(&mut stream, status, content_type, &text)?,
                Says::Bytes(bytes) => return stream.write_all(bytes),
                Says::Endlessly => {
                    stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"success\":true,\"")?;
                    loop {
                        stream.write_all(&[b'a'; 1_024])?;
                    }
                }
                Says::Nothing => {
                    let mut rest = Vec::new();
                    stream.read_to_end(&mut rest)?;
                    return Ok(());
                }
            }
        }
    }

    fn judge(&self, token: &str) -> String {
        let mut state = self.state.lock().unwrap();
        if !token.starts_with("good") {
            return r#"{"success":false,"error-codes":["invalid-input-response"]}"#.to_owned();
        }
        if !state.spent.insert(token.to_owned()) {
            return r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#.to_owned();
        }
        drop(state);
        self.yes()
    }

    fn yes(&self) -> String {
        let State { hostname, action, .. } = *self.state.lock().unwrap();
        format!(r#"{{"success":true,"hostname":"{hostname}","action":"{action}","score":0.9,"error-codes":[]}}"#)
    }
}

/// A token that was solved and not used yet.
pub(crate) fn solved_token() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("good-{}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// Settings of a service that requires a captcha everywhere, with the provider at this address.
pub(crate) fn captcha_at(url: &str) -> AppOptions {
    AppOptions::with("COUNTERSIGN_CAPTCHA__PROVIDER", "turnstile")
        .and("COUNTERSIGN_CAPTCHA__SITE_KEY", "0x4AAAAAAA-site")
        .and("COUNTERSIGN_CAPTCHA__SECRET", "c4n4ry-captcha-secret")
        .and("COUNTERSIGN_CAPTCHA__ENDPOINT", url)
        .and("COUNTERSIGN_CAPTCHA__HOSTNAMES", "id.example.org")
        .and("COUNTERSIGN_CAPTCHA__REQUIRED_FOR", "register, request_reset, resend_verification")
}

/// Reads a head and a form; `None` when the client has closed the connection.
fn request(stream: &mut TcpStream) -> std::io::Result<Option<(String, BTreeMap<String, String>)>> {
    let (mut held, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        let text = String::from_utf8_lossy(&held).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
                return Ok(Some((head.to_owned(), form)));
            }
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            read => held.extend_from_slice(&chunk[..read]),
        }
    }
}

fn answer_with(stream: &mut TcpStream, status: u16, content_type: &str, text: &str) -> std::io::Result<()> {
    let location = if (300..400).contains(&status) { "location: /elsewhere\r\n" } else { "" };
    write!(
        stream,
        "HTTP/1.1 {status} Whatever\r\ncontent-type: {content_type}\r\n{location}content-length: {}\r\n\r\n{text}",
        text.len()
    )
}
