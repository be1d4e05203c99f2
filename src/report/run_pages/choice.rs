//! Which runs get a page.

use crate::names::named_enum;

named_enum! {
    /// The runs that get a page.
    pub enum RunPageChoice {
        /// The runs that figures show, at most 200.
        Drawn = "drawn",
        /// Every run of the report.
        All = "all",
        /// No run.
        None = "none",
    }
}

/// Maximum number of pages, unless all are wanted.
pub(super) const MAX_PAGES: usize = 200;
