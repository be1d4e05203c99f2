//! Reasons why runs cannot be compared.

/// Why two sets of runs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// A name matches several trials.
    #[error("`{name}` has {} trials; name one of them: {}", trials.len(), trials.join(", "))]
    Several {
        /// The name as the user gave it.
        name: String,
        /// Keys of these trials, with labels.
        trials: Vec<String>,
    },
    /// None of the named runs is done.
    #[error("`{0}` has no finished run")]
    Nothing(String),
    /// No seed exists for which both sides have a number in each of the categories.
    #[error("{0} and {1} have no seed in common that has a number in each of their common categories")]
    Apart(String, String),
    /// The two sides were measured under different protocols.
    #[error("{one} and {other} were measured in different ways ({what}): their numbers do not rank them")]
    Protocols {
        /// Label of one side.
        one: String,
        /// Label of the other side.
        other: String,
        /// What the protocols differ in.
        what: String,
    },
}
