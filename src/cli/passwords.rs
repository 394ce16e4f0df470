use super::{Outcome, Screen, arguments::PasswordsCommand};
use crate::usecase::breached::{CompileList, Compiled};
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

const STDIN: &str = "-";

pub(super) fn dispatch(command: &PasswordsCommand, screen: &Screen) -> Outcome {
    let PasswordsCommand::Compile { list, output } = command;
    let Compiled { entries, bytes, false_positive_rate } = compile(list, output)?;
    screen.print(&format!("{entries} hashes in {} ({bytes} bytes)", output.display()));
    screen
        .print(&format!("false positives: one in {:.0} passwords that are not in the list", 1.0 / false_positive_rate));
    Ok(())
}

fn compile(list: &Path, output: &Path) -> Result<Compiled, String> {
    let lines: Box<dyn BufRead> = if list == Path::new(STDIN) {
        Box::new(io::stdin().lock())
    } else {
        let file = File::open(list).map_err(|error| format!("{}: {error}", list.display()))?;
        Box::new(BufReader::with_capacity(1 << 20, file))
    };
    CompileList.compile(lines, output).map_err(|fault| fault.to_string())
}
