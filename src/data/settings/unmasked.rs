//! Handling of defective test images without a mask.

use crate::settings::choices;

choices! {
    /// What becomes of a category's pixel metrics where defective test images have no mask.
    pub enum Unmasked {
        /// Leave the category's pixel metrics undefined, so that no image leaves the test set unasked.
        Void = "void",
        /// Refuse the data set.
        Refuse = "refuse",
        /// Leave such images out of the test set, for image metrics, too; part of the protocol.
        LeaveOut = "leave-out",
    }
}

impl Unmasked {
    /// Returns whether images without a mask are left out of the test set.
    pub fn leaves_out(&self) -> bool {
        *self == Self::LeaveOut
    }
}
