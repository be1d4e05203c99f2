//! The key of a stage: a BLAKE3 digest of everything on which its output depends, and of nothing else.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::canonical::{canonical, canonical_without_locations};

/// A BLAKE3 digest as 64 lower-case hex digits. Shared in memory, because a plan of many runs repeats each stage's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Key(Arc<str>);

impl From<String> for Key {
    fn from(hex: String) -> Self {
        Self::from_hex(hex)
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.as_str().to_owned()
    }
}

/// Maps with keys can be searched for a text: both have the same hash.
impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Key {
    /// Computes the digest of a name, a revision and the canonical text of a content.
    pub fn of(name: &str, revision: u32, content: &impl Serialize) -> Self {
        Self::of_text(name, revision, &canonical(content))
    }

    /// Computes the digest of a stage's name, its revision and the canonical text of its job without locations.
    pub(super) fn of_job(name: &str, revision: u32, job: &impl Serialize) -> Self {
        Self::of_text(name, revision, &canonical_without_locations(job))
    }

    fn of_text(name: &str, revision: u32, canonical: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("[\"{name}\",{revision},").as_bytes()).update(canonical).update(b"]");
        Self(hasher.finalize().to_hex().as_str().into())
    }

    /// Wraps a key that was read from the store.
    pub fn from_hex(hex: String) -> Self {
        Self(hex.into())
    }

    /// Returns the 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first 12 digits, for people.
    pub fn short(&self) -> &str {
        short_key(&self.0)
    }
}

/// Returns the first 12 digits of a key, for people. Every command that takes a key accepts them.
pub fn short_key(key: &str) -> &str {
    key.get(..12).unwrap_or(key)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
