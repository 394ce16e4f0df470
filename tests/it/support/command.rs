use std::{
    io::{Read, Write as _},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread,
    time::Duration,
};

const LOOK: Duration = Duration::from_millis(10);

/// Runs a command to its end, and fails when that takes longer than `limit`.
pub(crate) fn finish(command: &mut Command, limit: Duration) -> Output {
    command.stdin(Stdio::null());
    complete(command, &[], limit)
}

/// The same, with standard input.
pub(crate) fn finish_with(command: &mut Command, input: &[u8], limit: Duration) -> Output {
    command.stdin(Stdio::piped());
    complete(command, input, limit)
}

fn complete(command: &mut Command, input: &[u8], limit: Duration) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        // A command that ends before it has read everything reports why on standard error.
        thread::spawn(move || stdin.write_all(&input).ok());
    }
    let (stdout, stderr) = (gather(child.stdout.take()), gather(child.stderr.take()));
    let Some(status) = wait(&mut child, limit) else {
        child.kill().unwrap();
        child.wait().unwrap();
        panic!("{command:?} did not end within {limit:?}");
    };
    Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

/// How a process ended; `None` when it still runs after `limit`.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    for _ in 0..limit.div_duration_f64(LOOK) as u64 {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(LOOK);
    }
    None
}

fn gather(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    })
}
