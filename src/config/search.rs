//! The table `[search]` without its space.

use std::collections::HashSet;

use super::{Objective, Pruner, Strategy};
use crate::settings::{DefaultValue, Field, Reader, Value, ValueKind, settings};

settings! {
    /// The search of a sweep.
    pub struct SearchSettings => completed {
        /// Sampler of trials from the search space; a sweep has at most 200,000 runs.
        pub strategy: Strategy = with(Strategy::read),
        /// Result to maximise: its mean over the categories and seeds of a trial.
        pub objective: Option<Objective> = with(Objective::read),
        /// Rule that stops poor trials early: a name, or a table such as `{ kind = "asha", eta = 4 }`.
        pub pruner: Option<Pruner> = with(Pruner::read),
        /// Seeds of the runs.
        pub seeds: Vec<u64> = with(seeds),
        /// Choose a trial of each variant by the objective, and compare it with that of ST-FPM on this number of further seeds.
        pub confirm_seeds: Option<usize> = optional_integer(1..=10_000),
    }
}

impl SearchSettings {
    /// Sets the default objective for a strategy that learns, for a pruner, and for a choice.
    fn completed(mut self, _: &Reader<'_>) -> Self {
        if self.strategy.learns() || self.pruner.is_some() || self.confirm_seeds.is_some() {
            self.objective = self.objective.or(Some(Objective::PSEUDO));
        }
        self
    }
}

fn seeds(field: Field<'_>) -> Vec<u64> {
    let kind = || ValueKind::List(Box::new(ValueKind::Integer { min: 0, max: u64::MAX }));
    let Some(node) = field.node(kind, DefaultValue::Value(serde_json::json!([0]))) else { return vec![0] };
    let Value::List(items) = &node.value else {
        field.refuse(format!("`search.seeds` is {}", node.value.describe()), "expected a list of whole numbers");
        return vec![0];
    };
    let mut seeds = Vec::new();
    let mut listed = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        match item.value {
            Value::Integer(seed) if seed >= 0 && listed.insert(seed) => seeds.push(seed as u64),
            Value::Integer(seed) if seed >= 0 => {
                field.refuse_item(index, format!("seed {seed} is listed twice"), "list each seed once");
            }
            _ => {
                let message = format!("`search.seeds` contains {}", item.value.describe());
                field.refuse_item(index, message, "expected whole numbers of at least 0");
            }
        }
    }
    if items.is_empty() {
        field.refuse("`search.seeds` is empty", "expected at least one seed");
    }
    seeds
}
