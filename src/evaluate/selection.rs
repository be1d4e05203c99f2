//! Selection of the weights to which a number belongs.

use crate::names::named_enum;

named_enum! {
    /// Selection of the weights to which a number belongs.
    pub enum Selection {
        /// The epoch that the selection rule picked.
        Selected = "selected",
        /// The last epoch.
        Last = "last",
        /// The best epoch on the test images. It uses labels and is always marked.
        Oracle = "oracle",
    }
}
