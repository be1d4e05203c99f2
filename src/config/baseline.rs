//! The table `[baseline]`: ST-FPM, published and re-run.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::published::published_names;
use crate::settings::{Field, Kind, NamedValue, Usual, Value, settings};

settings! {
    /// ST-FPM, published and re-run.
    pub struct Baseline {
        /// Published results to show where the images are the same; `didact baselines` lists them.
        pub published: Option<String> = with(published),
        /// Train ST-FPM under the same protocol, with the epochs and batch size of `[joint]`; `"only"` trains nothing else.
        pub rerun: Rerun = with(Rerun::read),
    }
}

fn published(field: Field<'_>) -> Option<String> {
    let names = || published_names().into_iter().map(|name| (NamedValue::bare(name), name.to_owned())).collect();
    field.one_of(names, Usual::Absent)
}

/// Whether plain ST-FPM is trained under the protocols of a sweep's trials: `true`, `false` or `"only"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// Beside them.
    Yes,
    /// Not at all.
    No,
    /// In their place.
    Only,
}

/// The spelling of [`Rerun::Only`].
const ONLY: &str = "only";

impl Rerun {
    fn read(field: Field<'_>) -> Self {
        let only = || vec![(NamedValue::documented(ONLY, "Train ST-FPM and nothing else."), Self::Only)];
        let kind =
            || Kind::Either(vec![Kind::Flag, Kind::Choice(only().into_iter().map(|(named, _)| named).collect())]);
        field.describe(kind, Usual::Value(true.into()));
        match field.given() {
            Some(Value::Text(_)) => field.one_of(only, Usual::Absent).unwrap_or(Self::Yes),
            _ if field.flag(true) => Self::Yes,
            _ => Self::No,
        }
    }
}

impl Serialize for Rerun {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::Only => serializer.serialize_str(ONLY),
        }
    }
}

impl<'de> Deserialize<'de> for Rerun {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Bool(true) => Ok(Self::Yes),
            serde_json::Value::Bool(false) => Ok(Self::No),
            serde_json::Value::String(text) if text == ONLY => Ok(Self::Only),
            other => Err(D::Error::custom(format!("{other} is none of true, false, \"{ONLY}\""))),
        }
    }
}
