//! Why runs cannot be compared.

/// Why there is nothing to compare.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomparable {
    /// A name stands for several trials.
    #[error("`{name}` has {} trials; name one of them: {}", trials.len(), trials.join(", "))]
    Several {
        /// As given.
        name: String,
        /// Their keys with labels.
        trials: Vec<String>,
    },
    /// No run is done.
    #[error("`{0}` has no finished run")]
    Nothing(String),
    /// No seed with which both have a number in each of the categories.
    #[error("{0} and {1} have no seed in common that has a number in each of their common categories")]
    Apart(String, String),
    /// Measured in different ways.
    #[error("{one} and {other} were measured in different ways ({what}): their numbers do not rank them")]
    Protocols {
        /// One label.
        one: String,
        /// The other.
        other: String,
        /// What differs.
        what: String,
    },
}
