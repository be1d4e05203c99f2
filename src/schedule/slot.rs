//! Where workers run: so many on the CPU, or one a GPU, each with its share of the cores.

use std::path::PathBuf;

/// A device that a stage runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The GPU of this index.
    Cuda(u32),
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// What `--device` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// GPUs where the sibling executable and the driver are there, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// These GPUs; all where none is named.
    Cuda(Vec<u32>),
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "expected auto, cpu, cuda, cuda:0 or cuda:0,1".to_owned();
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(Vec::new())),
            _ => {
                let indices = text.strip_prefix("cuda:").ok_or_else(wrong)?;
                indices
                    .split(',')
                    .map(|index| index.parse().map_err(|_| wrong()))
                    .collect::<Result<_, _>>()
                    .map(Self::Cuda)
            }
        }
    }
}

/// A place for one worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its device.
    pub device: Device,
    /// Its threads.
    pub threads: usize,
    /// The executable that can run stages there.
    pub executable: PathBuf,
}

/// The name of the executable that runs stages on GPUs.
const SIBLING: &str = "didact-cuda";

/// Places for `jobs` workers, or one a GPU and at least `jobs` in turn over them; the cores are divided among them.
///
/// # Errors
/// What is missing, where GPUs are asked for.
pub fn slots(choice: &DeviceChoice, jobs: usize) -> Result<Vec<Slot>, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find the own executable: {error}"))?;
    let (devices, executable) = match choice {
        DeviceChoice::Cpu => (vec![Device::Cpu; jobs], own),
        DeviceChoice::Auto => match (sibling(), gpus()) {
            (Some(sibling), gpus) if !gpus.is_empty() => (cuda(&gpus, jobs), sibling),
            _ => (vec![Device::Cpu; jobs], own),
        },
        DeviceChoice::Cuda(indices) => {
            let sibling = sibling().ok_or_else(|| {
                format!(
                    "--device cuda needs the executable {SIBLING} (this one runs on the CPU only): it is not beside this one, not on \
                     the PATH, and DIDACT_CUDA does not name it; use --device cpu or auto"
                )
            })?;
            let indices = if indices.is_empty() { gpus() } else { indices.clone() };
            if indices.is_empty() {
                return Err(
                    "--device cuda: there is no NVIDIA device (/dev/nvidia0) on this machine; use --device cpu or auto"
                        .to_owned(),
                );
            }
            (cuda(&indices, jobs), sibling)
        }
    };
    let threads = (cores() / devices.len()).max(1);
    Ok(devices.into_iter().map(|device| Slot { device, threads, executable: executable.clone() }).collect())
}

/// Cores that this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn cuda(indices: &[u32], jobs: usize) -> Vec<Device> {
    (0..jobs.max(indices.len())).map(|job| Device::Cuda(indices[job % indices.len()])).collect()
}

fn sibling() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("DIDACT_CUDA").map(PathBuf::from) {
        return named.is_file().then_some(named);
    }
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(SIBLING));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(SIBLING)).collect::<Vec<_>>();
    beside.into_iter().chain(on_path).find(|path| path.is_file())
}

/// Indices of the GPUs that the driver shows.
fn gpus() -> Vec<u32> {
    (0..64).filter(|index| std::path::Path::new(&format!("/dev/nvidia{index}")).exists()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_as_typed() {
        assert_eq!("cuda:0,2".parse(), Ok(DeviceChoice::Cuda(vec![0, 2])));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(vec![])));
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        assert!("cuda:x".parse::<DeviceChoice>().is_err() && "gpu".parse::<DeviceChoice>().is_err());
        assert_eq!(Device::Cuda(1).to_string(), "cuda:1");
    }

    #[test]
    fn threads_are_divided_and_gpus_take_turns() {
        let slots = slots(&DeviceChoice::Cpu, 3).expect("the CPU is always there");
        assert_eq!(slots.len(), 3);
        assert!(slots.iter().all(|slot| slot.threads == (cores() / 3).max(1)));
        assert_eq!(cuda(&[0, 1], 1), [Device::Cuda(0), Device::Cuda(1)]);
        assert_eq!(cuda(&[0, 1], 3), [Device::Cuda(0), Device::Cuda(1), Device::Cuda(0)]);
    }
}
