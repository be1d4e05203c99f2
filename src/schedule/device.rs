//! Devices, and their names on the command line.

/// A device that a stage runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor.
    Cpu,
    /// The GPU with this index.
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

impl std::str::FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let index = text.strip_prefix("cuda:").and_then(|index| index.parse().ok());
        match (text, index) {
            ("cpu", _) => Ok(Self::Cpu),
            (_, Some(index)) => Ok(Self::Cuda(index)),
            _ => Err("expected cpu, cuda:0, cuda:1, …".to_owned()),
        }
    }
}

/// Value of `--device`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChoice {
    /// GPUs if there are a driver and a GPU, otherwise the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// These GPUs; all GPUs if empty.
    Cuda(Vec<u32>),
}

impl std::str::FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || "expected auto, cpu, cuda, cuda:0 or cuda:0,1".to_owned();
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(Vec::new())),
            _ => {
                let indices = text.strip_prefix("cuda:").ok_or_else(invalid)?;
                indices
                    .split(',')
                    .map(|index| index.parse().map_err(|_| invalid()))
                    .collect::<Result<_, _>>()
                    .map(Self::Cuda)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_arguments_are_parsed() {
        assert_eq!("cuda:0,2".parse(), Ok(DeviceChoice::Cuda(vec![0, 2])));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(vec![])));
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        assert!("cuda:x".parse::<DeviceChoice>().is_err() && "gpu".parse::<DeviceChoice>().is_err());
        assert_eq!(Device::Cuda(1).to_string(), "cuda:1");
        assert_eq!(("cuda:1".parse(), "cpu".parse()), (Ok(Device::Cuda(1)), Ok(Device::Cpu)));
    }
}
