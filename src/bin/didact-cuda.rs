//! The executable that runs stages on GPUs; `didact` starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    didact::cli::cuda_main()
}
