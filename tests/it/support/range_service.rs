use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// How the service answers.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    /// The hashes of known passwords, with padding.
    Honestly,
    /// This text, with this status.
    Text(u16, String),
    /// A body that never ends.
    Endlessly,
    /// Nothing; the connection stays open.
    Nothing,
    /// Nothing; the connection is closed.
    HangsUp,
}

/// A service on this machine that lists breached passwords by the first digits of their hashes.
#[derive(Clone)]
pub(crate) struct RangeServer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    says: Range,
    /// Hashes in upper case.
    known: Vec<String>,
    asked: Vec<String>,
}

/// In upper case.
pub(crate) fn sha1(password: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").unwrap();
        hex
    })
}

impl RangeServer {
    pub(crate) fn knowing(passwords: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/range", listener.local_addr().unwrap());
        let known = passwords.iter().map(|password| sha1(password)).collect();
        let server =
            Self { url, state: Arc::new(Mutex::new(State { says: Range::Honestly, known, asked: Vec::new() })) };
        let host = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let host = host.clone();
                // A client that hangs up ends only its own connection.
                thread::spawn(move || host.converse(stream).unwrap_or_default());
            }
        });
        server
    }

    /// An address at which nothing listens.
    pub(crate) fn closed() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/range", listener.local_addr().unwrap())
    }

    pub(crate) fn says(&self, says: Range) {
        self.state.lock().unwrap().says = says;
    }

    /// The requests so far, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let Some(head) = read_head(&mut stream)? else { return Ok(()) };
            let (says, known) = {
                let mut state = self.state.lock().unwrap();
                state.asked.push(head.clone());
                (state.says.clone(), state.known.clone())
            };
            match says {
                Range::Honestly => {
                    let asked = head.strip_prefix("GET /range/").and_then(|rest| rest.get(..5)).unwrap_or_default();
                    let mut lines: String = (0..20).map(|number| format!("{number:035X}:0\r\n")).collect();
                    for suffix in known.iter().filter_map(|hash| hash.strip_prefix(asked)) {
                        write!(lines, "{suffix}:7\r\n").unwrap();
                    }
                    answer(&mut stream, 200, &lines)?;
                }
                Range::Text(status, text) => answer(&mut stream, status, &text)?,
                Range::Endlessly => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
                    loop {
                        stream.write_all(&[b'0'; 1_024])?;
                    }
                }
                Range::Nothing => {
                    let mut rest = Vec::new();
                    stream.read_to_end(&mut rest)?;
                    return Ok(());
                }
                Range::HangsUp => return Ok(()),
            }
        }
    }
}

/// `None` when the client has closed the connection.
fn read_head(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    let (mut held, mut chunk) = (Vec::new(), [0; 4_096]);
    while !held.ends_with(b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            read => held.extend_from_slice(&chunk[..read]),
        }
    }
    Ok(Some(String::from_utf8_lossy(&held).into_owned()))
}

fn answer(stream: &mut TcpStream, status: u16, text: &str) -> std::io::Result<()> {
    let location = if (300..400).contains(&status) { "location: /elsewhere\r\n" } else { "" };
    write!(stream, "HTTP/1.1 {status} Whatever\r\n{location}content-length: {}\r\n\r\n{text}", text.len())
}
