//! What may change a sweep's plan while it runs.

use crate::store::Store;

/// Whether more trials may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// The plan is whole.
    Whole,
    /// The search will add trials once it has learnt from those that run.
    MoreToCome,
}

/// Adds trials to a sweep and prunes them; asked at the start and after each run that ends.
#[expect(async_fn_in_trait, reason = "awaited where it is called, on one task")]
pub trait Steer {
    /// What can go wrong.
    type Error;

    /// Looks at what is known by now.
    async fn advance(&mut self, store: &Store) -> Result<Outlook, Self::Error>;
}
