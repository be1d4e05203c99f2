//! `didact-cuda check`: every operation on a GPU against recorded values and the CPU.

use super::gpu::{compute_as, open};
use super::output::{print, size, table};
use crate::tensor::cuda::ComposedCuda;

use super::failure::Failure;
use crate::exit::Exit;
use crate::tensor::reference::{Difference, from_other, from_recorded};
use crate::tensor::{Native, Numerics};

/// What 32-bit floats may be off, as a part of a tensor's largest value.
const TOLERANCE: f64 = 1e-4;

/// Arguments of `didact-cuda check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The GPU.
    #[arg(long, default_value = "cuda:0")]
    device: String,
    /// With TensorFloat-32: its error is told, and fails nothing.
    #[arg(long)]
    tf32: bool,
}

/// Runs the verb.
pub(super) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    compute_as(if args.tf32 { Numerics::Tf32 } else { Numerics::F32 })?;
    let gpu = open(&args.device)?;
    print(&format!("{}: {}, compute capability {}, {}", args.device, gpu.name, gpu.capability, size(gpu.memory)))?;
    let compared = [("PyTorch", from_recorded::<ComposedCuda>()), ("the CPU", from_other::<ComposedCuda, Native>())];
    let all = || compared.iter().flat_map(|(with, differences)| differences.iter().map(move |one| (*with, one)));
    let rows: Vec<Vec<String>> = all().map(|(with, difference)| row(with, difference)).collect();
    print(&table(&["operation", "case", "compared with", "output off by", "gradient off by"], &rows))?;
    let farthest = all().map(|(_, difference)| difference.largest()).fold(0.0, f64::max);
    if args.tf32 {
        print(&format!("with TF32 the farthest is off by {farthest:.1e} of a tensor's largest value"))?;
        return Ok(Exit::Done);
    }
    let wrong = all().filter(|(_, difference)| difference.largest() > TOLERANCE).count();
    print(&format!("farthest {farthest:.1e}; {wrong} of {} comparisons beyond {TOLERANCE:.0e}", rows.len()))?;
    Ok(if wrong == 0 { Exit::Done } else { Exit::RunsFailed })
}

fn row(with: &str, difference: &Difference) -> Vec<String> {
    let off = |value: f64| format!("{value:.1e}{}", if value > TOLERANCE { " !" } else { "" });
    vec![
        difference.operation.clone(),
        difference.case.clone(),
        with.to_owned(),
        off(difference.output),
        off(difference.gradient),
    ]
}
