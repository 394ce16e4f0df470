use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// Longer than any answer takes that arrives at all.
const LIMIT: Duration = Duration::from_secs(20);

/// A connection to the operators' listener that is kept for several requests.
pub(crate) struct Probe(BufReader<TcpStream>);

impl Probe {
    /// Connects to `127.0.0.1:port`.
    pub(crate) fn connect(operators: &str) -> Self {
        let stream = TcpStream::connect(operators).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        Self(BufReader::new(stream))
    }

    /// The status and content of a page.
    pub(crate) fn ask(&mut self, path: &str) -> (u16, String) {
        write!(self.0.get_mut(), "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let status = self.line().split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let line = self.line().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut content = vec![0; length];
        self.0.read_exact(&mut content).unwrap();
        (status, String::from_utf8(content).unwrap())
    }

    /// The value of a metric, by its name and labels.
    pub(crate) fn metric(&mut self, name: &str) -> Option<f64> {
        let (_, text) = self.ask("/metrics");
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
