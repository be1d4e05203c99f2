//! Handling of defective test images without a mask.

use crate::settings::choices;

choices! {
    /// Handling of defective test images without a mask.
    pub enum Unmasked {
        /// Leave the category's pixel metrics undefined; all images stay in the test set.
        Void = "void",
        /// Refuse the data set.
        Refuse = "refuse",
        /// Leave such images out of the test set, also for image metrics; part of the protocol.
        LeaveOut = "leave-out",
    }
}

impl Unmasked {
    /// Returns whether images without a mask are left out of the test set.
    pub fn leaves_out(&self) -> bool {
        *self == Self::LeaveOut
    }
}
