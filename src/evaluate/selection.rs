//! Which weights a number belongs to.

use crate::names::named_enum;

named_enum! {
    /// Which weights a number belongs to.
    pub enum Selection {
        /// The epoch that the selection rule picked.
        Selected = "selected",
        /// The last epoch.
        Last = "last",
        /// The best epoch on test: it looks at labels and is always marked.
        Oracle = "oracle",
    }
}
