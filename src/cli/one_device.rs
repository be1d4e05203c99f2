//! The flags of verbs that run finished networks in one process.

use super::failure::Failure;
use super::parse::convolutions;
use crate::schedule::{Device, DeviceChoice, Jobs, Slots, slots};
use crate::tensor::Convolutions;
use crate::terminal::say;

#[derive(Debug, clap::Args)]
pub(super) struct OneDevice {
    /// Device: auto, cpu, cuda or cuda:1.
    #[arg(long, default_value = "auto", value_name = "DEVICE", overrides_with = "device")]
    device: DeviceChoice,
    /// Who computes convolutions on a GPU: auto, own or cudnn.
    #[arg(long, default_value_t = Convolutions::Auto, value_name = "WHO", value_parser = convolutions)]
    pub(super) convolutions: Convolutions,
}

impl OneDevice {
    /// Returns the chosen device, and says why it is the CPU if a GPU cannot be used.
    pub(super) fn choose(&self) -> Result<Device, Failure> {
        let Slots { slots, note } = slots(&self.device, Jobs::Given(1), 1)?;
        note.iter().for_each(|note| say(note));
        Ok(slots.first().map_or(Device::Cpu, |slot| slot.device))
    }
}
