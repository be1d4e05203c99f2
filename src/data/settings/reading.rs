//! Rules for reading the pixels of a file.

use crate::settings::{choices, defaults, settings};

choices! {
    /// Handling of the orientation that a camera writes into its pictures.
    pub enum Exif {
        /// Keep pixels as they are stored, as Pillow and PyTorch do.
        Ignore = "ignore",
        /// Turn images and masks as the orientation says.
        Apply = "apply",
    }
}

settings! {
    /// Rules for reading the pixels of a file; part of the protocol.
    pub struct Reading: Copy Eq {
        /// Handling of the EXIF orientation; part of the protocol.
        pub exif: Exif = choice(Exif::Ignore),
        /// Value that is white in 16-bit files, such as 4095 for 12-bit cameras; part of the protocol.
        pub white_level: u16 = integer(u16::MAX, 1..=u16::MAX),
    }
}

impl Default for Reading {
    fn default() -> Self {
        defaults(())
    }
}
