//! A measured number, which may be undefined.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number, or the reason why it is undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value.
    pub value: Option<f64>,
    /// Why it is undefined, or a remark (the epoch, for the oracle).
    pub reason: Option<String>,
}

impl Measured {
    /// Creates a defined value.
    pub fn value(value: f64) -> Self {
        Self { value: Some(value), reason: None }
    }

    /// Converts the result of a metric that may be undefined.
    pub fn of<E: fmt::Display>(result: Result<f64, E>) -> Self {
        match result {
            Ok(value) => Self::value(value),
            Err(reason) => Self { value: None, reason: Some(reason.to_string()) },
        }
    }
}
