//! Texts of `didact help TOPIC`. The documentation includes the same files.

use std::borrow::Cow;

use crate::evaluate::metrics::Metric;

/// A text about one topic.
pub(super) struct Topic {
    pub(super) name: &'static str,
    /// What the topic is about, for the list of topics.
    pub(super) summary: &'static str,
    body: &'static str,
}

/// Registers topics: `"name": "summary"`, with the text in `docs/src/topics/NAME.md`.
macro_rules! topics {
    ($($name:literal: $summary:literal),* $(,)?) => {
        /// All topics, in the order of their list.
        pub(super) const ALL: &[Topic] = &[
            $(Topic { name: $name, summary: $summary, body: include_str!(concat!("../../docs/src/topics/", $name, ".md")) }),*
        ];
    };
}

topics! {
    "sweep-file": "what a sweep file contains, and what overrides it",
    "ids": "how to name sweeps, trials, runs and stages",
    "seeds": "how many seeds a claim needs",
    "metrics": "the names of all metrics",
    "protocols": "which numbers may be compared",
    "failures": "which failures are retried, and when",
    "stores": "where results and files are",
    "hardware": "how stages use CPUs and GPUs",
    "environment": "variables that didact reads",
    "exit-codes": "what the exit codes mean",
}

impl Topic {
    /// Returns the text. That of `metrics` ends in the list of registered metrics.
    pub(super) fn text(&self) -> Cow<'static, str> {
        if self.name != "metrics" {
            return Cow::Borrowed(self.body);
        }
        let width = Metric::all().map(|metric| metric.name.len()).max().unwrap_or_default();
        let rows = Metric::all().map(|metric| format!("    {:width$}  {}\n", metric.name, metric.label));
        Cow::Owned(format!("{}\n{}", self.body, rows.collect::<String>()))
    }
}

/// Returns the topic with this name.
pub(super) fn find(name: &str) -> Option<&'static Topic> {
    ALL.iter().find(|topic| topic.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn texts_fit_a_terminal_and_say_something() {
        for topic in ALL {
            assert!(topic.body.starts_with("# "), "{}", topic.name);
            let longest = topic.text().lines().map(|line| line.chars().count()).max();
            assert!(longest.is_some_and(|width| (40..=80).contains(&width)), "{}: {longest:?} columns", topic.name);
        }
    }

    #[test]
    fn the_text_on_exit_codes_has_every_code() {
        let text = find("exit-codes").expect("registered").body;
        for exit in Exit::ALL.into_iter().filter(|exit| exit.meaning().is_some()) {
            assert!(text.lines().any(|line| line.starts_with(&format!("- `{}`: ", exit.code()))), "{exit:?}");
        }
    }

    #[test]
    fn no_topic_has_the_name_of_a_command() {
        let command = super::super::args::command();
        assert!(ALL.iter().all(|topic| command.find_subcommand(topic.name).is_none()));
    }
}
