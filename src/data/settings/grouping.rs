//! Which categories a model learns from.

use crate::settings::choices;

choices! {
    /// Which categories a model learns from.
    pub enum Grouping {
        /// One model for each category.
        Category = "category",
        /// One model for all categories of the sweep. Each category is tested by itself.
        All = "all",
    }
}
