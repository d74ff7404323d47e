//! Standard output whose reader may leave: `cairn stat DIR | head` ends without a word, as other
//! programs of a pipe do.

use std::fmt;
use std::io::{self, ErrorKind, Stdout, Write};

/// The exit code of a program that a broken pipe ended: 128 and the number of the signal.
const BROKEN_PIPE: i32 = 141;

/// Standard output; the process ends when nobody reads it any more.
pub struct Output(Stdout);

/// Standard output.
pub fn output() -> Output {
    Output(io::stdout())
}

/// Prints a line.
pub fn line(text: fmt::Arguments<'_>) {
    // What cannot be written for another reason, such as a full disk, must not pass for printed.
    if let Err(error) = writeln!(output(), "{text}") {
        eprintln!("cairn: could not write to standard output: {error}");
        std::process::exit(1);
    }
}

/// Prints a line to standard output, as `println!` does.
#[macro_export]
macro_rules! say {
    ($($part:tt)*) => { $crate::output::line(format_args!($($part)*)) };
}

fn checked<T>(outcome: io::Result<T>) -> io::Result<T> {
    if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        std::process::exit(BROKEN_PIPE);
    }
    outcome
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        checked(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        checked(self.0.flush())
    }
}
