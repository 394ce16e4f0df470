use super::ServiceProcess;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// A network between a client and a service that can fail at the worst moment.
pub(crate) struct Wire {
    /// Where clients connect: `127.0.0.1:port`, the same for all services behind it.
    pub(crate) address: String,
    ends: Arc<Ends>,
}

struct Ends {
    target: Mutex<String>,
    doomed: Mutex<Option<ServiceProcess>>,
}

impl Wire {
    pub(crate) async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let ends = Arc::new(Ends { target: Mutex::new(target.to_owned()), doomed: Mutex::default() });
        tokio::spawn(accept(listener, ends.clone()));
        Self { address, ends }
    }

    /// From now on new connections reach another service.
    pub(crate) fn lead_to(&self, target: &str) {
        target.clone_into(&mut self.ends.target.lock().unwrap());
    }

    /// The service is killed when it begins its next answer, and the answer is lost.
    pub(crate) fn lose_next_answer(&self, service: ServiceProcess) {
        *self.ends.doomed.lock().unwrap() = Some(service);
    }

    /// Whether the service of [`Wire::lose_next_answer`] was killed.
    pub(crate) fn has_lost_an_answer(&self) -> bool {
        self.ends.doomed.lock().unwrap().is_none()
    }
}

async fn accept(listener: TcpListener, ends: Arc<Ends>) {
    while let Ok((client, _)) = listener.accept().await {
        let target = ends.target.lock().unwrap().clone();
        let Ok(service) = TcpStream::connect(target).await else { continue };
        let ends = ends.clone();
        tokio::spawn(async move {
            let (mut asked, answers) = client.into_split();
            let (answered, mut questions) = service.into_split();
            tokio::select! {
                _ = copy(&mut asked, &mut questions) => {}
                () = carry_answers(answered, answers, &ends) => {}
            }
        });
    }
}

/// RFC 9113 section 4.1: three bytes of length, one of type, one of flags, four of stream.
const FRAME_HEADER: usize = 9;
/// RFC 9113 section 6.2.
const HEADERS: u8 = 1;

/// Carries whole HTTP/2 frames. An answer begins with a HEADERS frame; settings and pings may come before it.
async fn carry_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, ends: &Ends) {
    let mut held = Vec::new();
    while from.read_buf(&mut held).await.is_ok_and(|read| read > 0) {
        while held.len() >= FRAME_HEADER {
            let length = FRAME_HEADER + u32::from_be_bytes([0, held[0], held[1], held[2]]) as usize;
            if held.len() < length {
                break;
            }
            let doomed = (held[3] == HEADERS).then(|| ends.doomed.lock().unwrap().take()).flatten();
            if let Some(service) = doomed {
                service.kill();
                return;
            }
            if to.write_all(&held[..length]).await.is_err() {
                return;
            }
            held.drain(..length);
        }
    }
}
