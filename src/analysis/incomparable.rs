//! Reasons why runs cannot be compared.

/// Why two sets of runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// A name matches several trials.
    #[error("`{name}` matches {} trials; name one of them: {}", trials.len(), trials.join(", "))]
    AmbiguousName {
        /// The name as the user gave it.
        name: String,
        /// Keys of the matching trials, with labels.
        trials: Vec<String>,
    },
    /// None of the named runs is done.
    #[error("`{0}` has no finished run")]
    NoFinishedRun(String),
    /// No seed exists for which both sides have a number in each of their common categories.
    #[error("{0} and {1} cannot be compared: no seed has a number of both in each of their common categories")]
    NoCommonSeed(String, String),
    /// The two sides were measured under different protocols.
    #[error("{one} and {other} were measured under different protocols ({what}), so their numbers cannot be ranked")]
    DifferentProtocols {
        /// Label of one side.
        one: String,
        /// Label of the other side.
        other: String,
        /// What the protocols differ in.
        what: String,
    },
}
