//! The engine's binary: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    didact::cli::main()
}
