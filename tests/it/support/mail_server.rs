use super::eventually;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// An SMTP server that accepts every mail, or permanently refuses every recipient.
#[derive(Clone, Default)]
pub(crate) struct MailServer {
    mails: Arc<Mutex<Vec<String>>>,
    refusing: Arc<AtomicBool>,
}

impl MailServer {
    pub(crate) async fn start(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let server = Self::default();
        let host = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let host = host.clone();
                // A client that hangs up ends only its own connection.
                tokio::spawn(async move { host.converse(stream).await.unwrap_or_default() });
            }
        });
        server
    }

    pub(crate) fn refuse(&self, refusing: bool) {
        self.refusing.store(refusing, Ordering::SeqCst);
    }

    /// The mails to an address, once there is one.
    pub(crate) async fn mails_to(&self, address: &str) -> Vec<String> {
        eventually("a mail at the mail server", async || {
            let mails = self.mails.lock().unwrap();
            let found: Vec<_> = mails.iter().filter(|mail| mail.contains(&format!("<{address}>"))).cloned().collect();
            (!found.is_empty()).then_some(found)
        })
        .await
    }

    async fn converse(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 mail.example.org\r\n").await?;
        let (mut mail, mut in_content) = (String::new(), false);
        while let Some(line) = lines.next_line().await? {
            mail.push_str(&line);
            mail.push('\n');
            if in_content && line != "." {
                continue;
            }
            in_content = line == "DATA";
            let reply = match line.split(' ').next().unwrap_or_default() {
                "EHLO" => "250-mail.example.org\r\n250 SMTPUTF8\r\n",
                "RCPT" if self.refusing.load(Ordering::SeqCst) => "550 5.1.1 nobody here\r\n",
                "DATA" => "354 go on\r\n",
                "QUIT" => "221 bye\r\n",
                _ => "250 2.0.0 ok\r\n",
            };
            if line == "." {
                self.mails.lock().unwrap().push(std::mem::take(&mut mail));
            }
            writer.write_all(reply.as_bytes()).await?;
        }
        Ok(())
    }
}
