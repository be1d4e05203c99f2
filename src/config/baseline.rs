//! The table `[baseline]`: published results of ST-FPM, and ST-FPM trained again.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::published::published_names;
use crate::settings::{DefaultValue, Field, NamedValue, Value, ValueKind, settings};

settings! {
    /// Baseline: published results of ST-FPM, and ST-FPM trained again.
    pub struct Baseline {
        /// Published results to show if the images are the same; `didact baselines` lists them.
        pub published: Option<String> = with(published),
        /// Train ST-FPM under the same protocol, with the epochs and batch size of `[joint]`; `"only"` trains nothing else.
        pub rerun: Rerun = with(Rerun::read),
    }
}

fn published(field: Field<'_>) -> Option<String> {
    let names = || published_names().into_iter().map(|name| (NamedValue::bare(name), name.to_owned())).collect();
    field.one_of(names, DefaultValue::Absent)
}

/// Whether plain ST-FPM is trained under the protocols of a sweep's trials: `true`, `false` or `"only"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// Train ST-FPM in addition to the trials.
    Yes,
    /// Do not train ST-FPM.
    No,
    /// Train ST-FPM instead of the trials.
    Only,
}

/// Spelling of [`Rerun::Only`].
const ONLY: &str = "only";

impl Rerun {
    fn read(field: Field<'_>) -> Self {
        let only = || vec![(NamedValue::documented(ONLY, "Train ST-FPM and nothing else."), Self::Only)];
        let kind = || {
            let only = only().into_iter().map(|(named, _)| named).collect();
            ValueKind::Either(vec![ValueKind::Flag, ValueKind::Choice(only)])
        };
        field.describe(kind, DefaultValue::Value(true.into()));
        match field.given() {
            Some(Value::Text(_)) => field.one_of(only, DefaultValue::Absent).unwrap_or(Self::Yes),
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
            other => Err(D::Error::custom(format!("expected true, false or \"{ONLY}\", found {other}"))),
        }
    }
}
