//! The interface by which a search changes a sweep's plan while it runs.

use crate::store::Store;

/// Whether the search may add trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// The plan is complete.
    Complete,
    /// The search will add trials once it knows the results of running ones.
    MoreToCome,
}

/// Adds trials to a sweep and prunes them. It is called at the start and after each run that ends.
#[expect(async_fn_in_trait, reason = "the caller awaits it on one task")]
pub trait Steer {
    /// Error of a call.
    type Error;

    /// Reads the current results, and adds or prunes trials.
    async fn advance(&mut self, store: &Store) -> Result<Outlook, Self::Error>;
}
