use super::{Outcome, Screen};
use crate::runtime::{Shutdown, ShutdownHandle, spawn_thread, timeout};
use std::{io, process::ExitCode, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{oneshot, watch},
};

/// The effect of a signal on the running command.
#[derive(Clone, Copy, Debug)]
pub(super) enum OnSignal {
    /// Ends it with the exit code of the signal.
    End,
    /// Ends it with success: the command runs until it is interrupted.
    EndWell,
    /// Requests that it stop, and ends it when that takes longer than this.
    Stop(Duration),
}

/// The handle by which a command sets the effect of signals, and learns that it must stop.
#[derive(Debug)]
pub(super) struct Supervised {
    on_signal: watch::Sender<OnSignal>,
    pub(super) shutdown: Shutdown,
}

impl Supervised {
    pub(super) fn on_signal(&self, what: OnSignal) {
        self.on_signal.send_replace(what);
    }
}

/// Runs a command, and handles signals from the beginning.
///
/// The first process of a container receives only signals that it handles. A signal before that would be lost, and a
/// start that waits for a database could not be stopped. So signals are handled before anything else, on a thread of
/// their own: the process can end even if all threads of a command are stuck.
pub(super) fn supervise(command: impl FnOnce(&Supervised) -> Outcome + Send + 'static) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(run_until_signal(command))) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) | Err(error) => {
            Screen.print_error(&format!("signals cannot be handled: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run_until_signal(command: impl FnOnce(&Supervised) -> Outcome + Send + 'static) -> io::Result<ExitCode> {
    let mut signals = Signals::listen()?;
    let (stop, shutdown) = Shutdown::new();
    let (on_signal, asked) = watch::channel(OnSignal::End);
    let (tell, mut outcome) = oneshot::channel();
    let supervised = Supervised { on_signal, shutdown };
    spawn_thread("command".to_owned(), move || {
        let _ = tell.send(command(&supervised));
    })?;
    loop {
        let signal = tokio::select! {
            ended = &mut outcome => return Ok(code(ended.ok())),
            signal = signals.next() => signal,
        };
        let what = *asked.borrow();
        match what {
            OnSignal::End => return Ok(ExitCode::from(128 + signal.number)),
            OnSignal::EndWell => return Ok(ExitCode::SUCCESS),
            OnSignal::Stop(_) if signal.is_hangup() => {
                tracing::info!("SIGHUP is ignored: settings are read at the start only");
            }
            OnSignal::Stop(longest) => return Ok(stopping(&stop, longest, outcome).await),
        }
    }
}

async fn stopping(stop: &ShutdownHandle, longest: Duration, outcome: oneshot::Receiver<Outcome>) -> ExitCode {
    tracing::info!("stopping: calls under way are finished, new ones refused");
    stop.request();
    if let Some(ended) = timeout(longest, outcome).await {
        return code(ended.ok());
    }
    tracing::error!("stopping took too long: the process ends with work unfinished");
    ExitCode::FAILURE
}

/// `None` for a command that panicked; the panic was printed already.
fn code(outcome: Option<Outcome>) -> ExitCode {
    match outcome {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(why)) => {
            Screen.print_error(&why);
            ExitCode::FAILURE
        }
        None => ExitCode::FAILURE,
    }
}

/// The signals that end a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

#[derive(Clone, Copy, Debug)]
struct Received {
    number: u8,
}

const HANGUP: u8 = 1;
const INTERRUPT: u8 = 2;
const TERMINATE: u8 = 15;

impl Received {
    fn is_hangup(self) -> bool {
        self.number == HANGUP
    }
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Received {
        let number = tokio::select! {
            _ = self.terminate.recv() => TERMINATE,
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.hangup.recv() => HANGUP,
        };
        Received { number }
    }
}
