//! `didact check`: compares every operation on a device with recorded values and with the CPU.

use super::failure::Failure;
use super::output::{print, table};
use super::parse::convolutions;
use super::worker::Runner;
use crate::exit::Exit;
use crate::schedule::Device;
use crate::tensor::cuda::Cuda;
use crate::tensor::reference::{Difference, compare_with_backend, compare_with_pytorch};
use crate::tensor::{Convolutions, Native, Numerics};

/// Maximum error of 32-bit floats, relative to a tensor's largest value.
const TOLERANCE: f64 = 1e-4;

/// Arguments of `didact check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// Device to check: cpu, cuda:0, cuda:1, ….
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Use TensorFloat-32, and report its error without failing.
    #[arg(long)]
    tf32: bool,
    /// Who computes convolutions on a GPU: auto, own or cudnn.
    #[arg(long, default_value_t = Convolutions::Auto, value_name = "WHO", value_parser = convolutions)]
    convolutions: Convolutions,
}

/// Runs the verb.
pub(super) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    Runner::open(args.device, if args.tf32 { Numerics::Tf32 } else { Numerics::F32 }, args.convolutions)?;
    let compared = match args.device {
        Device::Cpu => vec![("PyTorch", compare_with_pytorch::<Native>())],
        Device::Cuda(_) => {
            vec![("PyTorch", compare_with_pytorch::<Cuda>()), ("the CPU", compare_with_backend::<Cuda, Native>())]
        }
    };
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
