//! Pruners: rules that stop poor trials early.

use crate::settings::{
    DefaultValue, Field, Named, Reader, Settings, Value, ValueKind, choices, documented, quoted, settings,
};

choices! {
    /// Rule that stops poor trials early.
    ///
    /// The resource is the number of a trial's runs (category × seed, in the order of the sweep). After each run, trials are compared on
    /// the runs that both have finished.
    pub enum Pruner by PrunerKind : Copy {
        /// Asynchronous successive halving (Li et al. 2020): at rungs of `min_runs`·η^k runs, the best 1/η of the trials continue.
        Asha(AshaSettings) = "asha",
        /// Stop a trial below the median of the others' means over the same runs.
        Median(MedianSettings) = "median",
        /// Stop a trial that a Wilcoxon signed-rank test, paired by run, finds worse than the best one.
        Wilcoxon(WilcoxonSettings) = "wilcoxon",
    }
}

settings! {
    /// Successive halving.
    pub struct AshaSettings: Copy Eq {
        /// Number of runs before a trial can be stopped: runs up to the first rung for `asha`, pairs of runs for `wilcoxon`.
        pub min_runs: usize = integer(1, 1..=10_000),
        /// Reduction factor η of `asha`: the best 1/η of the trials continue.
        pub eta: usize = integer(3, 2..=10_000),
    }
}

settings! {
    /// The median rule.
    pub struct MedianSettings: Copy Eq {
        /// Number of runs before a trial can be stopped.
        pub min_runs: usize = integer(2, 1..=10_000),
        /// Number of finished trials before `median` stops any.
        pub startup_trials: usize = integer(5, 1..=10_000),
    }
}

settings! {
    /// The signed-rank test.
    pub struct WilcoxonSettings: Copy {
        /// Number of pairs of runs before a trial can be stopped.
        pub min_runs: usize = integer(4, 1..=10_000),
        /// One-sided significance level of the test of `wilcoxon`.
        pub p: f64 = number(0.1, 1e-6..=0.5),
    }
}

impl Pruner {
    /// Reads a name, or a table with a kind.
    pub(super) fn read(field: Field<'_>) -> Option<Self> {
        let kinds = || documented::<PrunerKind>().into_iter().map(|(named, _)| named).collect();
        let either = || ValueKind::Either(vec![ValueKind::Table, ValueKind::Choice(kinds())]);
        field.describe(either, DefaultValue::Absent);
        let inner = field.contents();
        let kind: Option<PrunerKind> = match field.given()? {
            Value::Table(_) => {
                let names: Vec<&str> = PrunerKind::ALL.iter().map(Named::name).collect();
                inner
                    .at("kind", "Kind of pruner.")
                    .required(&format!("expected one of {}", quoted(&names)))
                    .optional_choice()
            }
            _ => field.optional_choice(),
        };
        if kind.is_none() {
            // Without a valid kind, the valid settings are not known.
            inner.accept_any();
        }
        kind.map(|kind| Self::of(kind, &inner))
    }

    fn of(kind: PrunerKind, reader: &Reader<'_>) -> Self {
        match kind {
            PrunerKind::Asha => Self::Asha(Settings::read(reader, ())),
            PrunerKind::Median => Self::Median(Settings::read(reader, ())),
            PrunerKind::Wilcoxon => Self::Wilcoxon(Settings::read(reader, ())),
        }
    }
}
