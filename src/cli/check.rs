//! `didact-cuda check`: compares every operation on a GPU with recorded values and with the CPU.

use super::gpu::{open, set_numerics};
use super::output::{print, size, table};
use crate::tensor::cuda::ComposedCuda;

use super::failure::Failure;
use crate::exit::Exit;
use crate::tensor::reference::{Difference, compare_with_backend, compare_with_pytorch};
use crate::tensor::{Native, Numerics};

/// Maximum error of 32-bit floats, relative to a tensor's largest value.
const TOLERANCE: f64 = 1e-4;

/// Arguments of `didact-cuda check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// GPU to check.
    #[arg(long, default_value = "cuda:0")]
    device: String,
    /// Use TensorFloat-32, and report its error without failing.
    #[arg(long)]
    tf32: bool,
}

/// Runs the verb.
pub(super) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    set_numerics(if args.tf32 { Numerics::Tf32 } else { Numerics::F32 })?;
    let gpu = open(&args.device)?;
    print(&format!("{}: {}, compute capability {}, {}", args.device, gpu.name, gpu.capability, size(gpu.memory)))?;
    let compared = [
        ("PyTorch", compare_with_pytorch::<ComposedCuda>()),
        ("the CPU", compare_with_backend::<ComposedCuda, Native>()),
    ];
    let all = || compared.iter().flat_map(|(with, differences)| differences.iter().map(move |found| (*with, found)));
    let rows: Vec<Vec<String>> = all().map(|(with, difference)| row(with, difference)).collect();
    print(&table(&["operation", "case", "compared with", "output error", "gradient error"], &rows))?;
    let largest = all().map(|(_, difference)| difference.largest()).fold(0.0, f64::max);
    if args.tf32 {
        print(&format!("largest error with TF32: {largest:.1e} of a tensor's largest value"))?;
        return Ok(Exit::Done);
    }
    let wrong = all().filter(|(_, difference)| difference.largest() > TOLERANCE).count();
    print(&format!("largest error {largest:.1e}; {wrong} of {} comparisons exceed {TOLERANCE:.0e}", rows.len()))?;
    Ok(if wrong == 0 { Exit::Done } else { Exit::RunsFailed })
}

fn row(with: &str, difference: &Difference) -> Vec<String> {
    let error = |value: f64| format!("{value:.1e}{}", if value > TOLERANCE { " !" } else { "" });
    vec![
        difference.operation.clone(),
        difference.case.clone(),
        with.to_owned(),
        error(difference.output),
        error(difference.gradient),
    ]
}
