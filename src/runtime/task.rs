use std::{future::Future, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// Starts a task. A panic ends the task, and the panic hook logs it.
pub fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(task)
}

/// Starts a named operating-system thread, for work that would block the runtime.
///
/// # Errors
/// When the operating system refuses another thread.
pub fn spawn_thread<F>(name: String, work: F) -> std::io::Result<std::thread::JoinHandle<()>>
where
    F: FnOnce() + Send + 'static,
{
    std::thread::Builder::new().name(name).spawn(work)
}

/// Runs blocking work, such as file I/O, on a thread where it blocks no other task.
///
/// # Errors
/// When the work panicked, or the runtime is stopping and did not start it.
pub async fn blocking<T, F>(work: F) -> std::io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)
}

/// Waits. Only for the pace of background work; no answer to a caller is delayed on purpose.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The future's result, or `None` when it took longer than `limit`.
pub async fn timeout<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    tokio::time::timeout(limit, future).await.ok()
}

/// Notifies background tasks that the service is stopping.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

/// Begins the shutdown.
#[derive(Debug)]
pub struct ShutdownHandle(watch::Sender<bool>);

/// The service is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl Shutdown {
    pub fn new() -> (ShutdownHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownHandle(sender), Self(receiver))
    }

    /// Resolves when the service is stopping, or when the [`ShutdownHandle`] was dropped.
    pub async fn requested(&mut self) {
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Whether the service is stopping.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// The future's result, unless the service stops first.
    ///
    /// # Errors
    /// [`Cancelled`] when the service is stopping.
    pub async fn unless<F: Future>(&mut self, future: F) -> Result<F::Output, Cancelled> {
        tokio::select! {
            () = self.requested() => Err(Cancelled),
            answer = future => Ok(answer),
        }
    }
}

impl ShutdownHandle {
    pub fn request(&self) {
        let _ = self.0.send(true);
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
