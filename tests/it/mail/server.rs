use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// What a mail server does with one mail.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reply {
    /// Accepts it.
    Accept,
    /// Answers with this line instead of a greeting.
    Greet(&'static str),
    /// Answers the sender with this line.
    Sender(&'static str),
    /// Answers the recipient with this line.
    Recipient(&'static str),
    /// Answers with this line after the whole mail.
    Content(&'static str),
    /// Sends nothing at all.
    Silence,
}

/// A mail as the server read it, accepted or not.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) sender: String,
    pub(super) recipient: String,
    pub(super) content: String,
    pub(super) accepted: bool,
}

impl Heard {
    /// The token in its link.
    pub(super) fn token(&self) -> String {
        let (_, rest) = self.content.split_once("#token=").expect("a link");
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> String {
        let start = format!("{name}: ");
        let line = self.content.lines().find_map(|line| line.strip_prefix(&start));
        line.unwrap_or_else(|| panic!("no {name} in {}", self.content)).to_owned()
    }
}

#[derive(Debug, Default)]
struct Book {
    replies: VecDeque<Reply>,
    /// The reply to mails after `replies`; `None` accepts them.
    default_reply: Option<Reply>,
    connections: usize,
    heard: Vec<Heard>,
}

/// A mail server on loopback that replies as configured, and otherwise accepts every mail.
#[derive(Debug)]
pub(super) struct MailServer {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
    stop: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl MailServer {
    pub(super) fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub(super) fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (book, stop) = (Arc::<Mutex<Book>>::default(), Arc::<AtomicBool>::default());
        let (shared, stopped) = (book.clone(), stop.clone());
        let listening = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let book = shared.clone();
                thread::spawn(move || converse(&stream, &book));
            }
        });
        Self { address, book, stop, listening: Some(listening) }
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// The replies to the next mails; later mails are accepted.
    pub(super) fn next(&self, replies: &[Reply]) {
        self.book().replies.extend(replies);
    }

    /// The reply to every mail from now on; `None` accepts them.
    pub(super) fn always(&self, reply: Option<Reply>) {
        self.book().default_reply = reply;
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of connections since the last call.
    pub(super) fn connections(&self) -> usize {
        std::mem::take(&mut self.book().connections)
    }

    /// The mails since the last call, in order.
    pub(super) fn heard(&self) -> Vec<Heard> {
        std::mem::take(&mut self.book().heard)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// Serves one connection, which carries one mail. Ends when the client hangs up.
fn converse(mut stream: &TcpStream, book: &Mutex<Book>) {
    let reply = {
        let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
        book.connections += 1;
        book.replies.pop_front().or(book.default_reply).unwrap_or(Reply::Accept)
    };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut say = |line: &str| stream.write_all(format!("{line}\r\n").as_bytes()).is_ok();
    let mut heard = Heard { sender: String::new(), recipient: String::new(), content: String::new(), accepted: false };
    match reply {
        Reply::Silence => return lines.by_ref().for_each(drop),
        Reply::Greet(line) => say(line),
        _ => say("220 mail.test"),
    };
    while let Some(line) = lines.next() {
        let said = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => say("250-mail.test\r\n250 SMTPUTF8"),
            "MAIL" => {
                heard.sender = line;
                say(if let Reply::Sender(line) = reply { line } else { "250 ok" })
            }
            "RCPT" => {
                heard.recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                say(if let Reply::Recipient(line) = reply { line } else { "250 ok" })
            }
            "DATA" => {
                let _ = say("354 go on");
                heard.content = lines.by_ref().take_while(|line| line != ".").collect::<Vec<_>>().join("\n");
                heard.accepted = !matches!(reply, Reply::Content(_));
                // Recorded before the reply, so that a test that waits for the reply finds the mail.
                book.lock().unwrap_or_else(PoisonError::into_inner).heard.push(heard.clone());
                say(if let Reply::Content(line) = reply { line } else { "250 taken" })
            }
            "QUIT" => say("221 bye"),
            _ => say("500 what?"),
        };
        if !said {
            return;
        }
    }
}
