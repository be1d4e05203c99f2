//! What a reader must know before the verdict: runs that are open or failed, and a search whose objective disagreed with the test.

use super::tables::objective_correlation;
use super::words::Remark;
use crate::analysis::{FailedRuns, Groups, Rows, continue_command, failed_runs};
use crate::text::counted;

/// Maximum number of reasons that a banner names; the table of failed runs has all.
const MAX_REASONS: usize = 3;

/// Rank correlation at or below which the objective ranks the trials no better than chance, or the wrong way round.
const DISAGREEMENT: f64 = 0.0;

/// Returns the banners on the state of the sweep's runs.
pub(super) fn state(rows: &Rows) -> Vec<Remark> {
    unfinished(rows).into_iter().chain(failed(&failed_runs(rows))).collect()
}

/// Returns a banner if some runs are not finished: still running, or stopped with the command that continues them.
fn unfinished(rows: &Rows) -> Option<Remark> {
    let open = rows.all_runs().filter(|run| run.state.is_open()).count();
    let all = rows.all_runs().count();
    let (lead, consequence, command) = match rows.working {
        true => ("Still running.", "The findings below may change.", None),
        false => ("Stopped.", "This command continues the sweep:", Some(continue_command(&rows.sweep))),
    };
    let text = format!("{open} of {all} runs are not finished. {consequence}");
    (open > 0).then(|| Remark { lead: Some(lead.to_owned()), text, command })
}

/// Returns a banner if runs failed: how many, with which settings, and why.
fn failed(all: &[FailedRuns]) -> Option<Remark> {
    let count: usize = all.iter().map(|failed| failed.count).sum();
    let clause = |failed: &FailedRuns| match all.len() {
        1 => format!("{}: {}", failed.what, failed.reason),
        _ => format!("{} with {}: {}", failed.count, failed.what, failed.reason),
    };
    let rest = all.len().saturating_sub(MAX_REASONS);
    let more = if rest > 0 { format!("; {}", counted(rest, "more reason")) } else { String::new() };
    let named: Vec<String> = all.iter().take(MAX_REASONS).map(clause).collect();
    let lead = format!("{} failed.", counted(count, "run"));
    (count > 0).then(|| Remark::new(Some(&lead), format!("{}{more}.", named.join("; "))))
}

/// Returns a banner if the search's objective does not rank the trials as the test does.
pub(super) fn objective(groups: &Groups<'_>) -> Option<Remark> {
    let (correlation, trials) = objective_correlation(groups)?;
    let correlation_text = format!("{correlation:.2}").replace('-', "−");
    let text = format!(
        "The search's objective ranks the trials no better than chance: its rank correlation with test {} is {correlation_text} over {trials} \
         trials. The chosen trial may not be the best on real defects.",
        groups.first_metric().label
    );
    (correlation <= DISAGREEMENT).then(|| Remark::new(Some("The objective disagrees with the test."), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(count: usize, what: &str, reason: &str) -> FailedRuns {
        FailedRuns { count, what: what.to_owned(), reason: reason.to_owned() }
    }

    #[test]
    fn a_banner_names_counts_settings_and_reasons() {
        let told = |all: &[FailedRuns]| failed(all).map(|remark| (remark.lead.unwrap_or_default(), remark.text));
        let one = group(18, "learning_rate = 10000", "the loss is not finite at epoch 1");
        let lead = "18 runs failed.".to_owned();
        assert_eq!(
            told(std::slice::from_ref(&one)),
            Some((lead, "learning_rate = 10000: the loss is not finite at epoch 1.".to_owned()))
        );
        let many = [one, group(2, "T03", "a"), group(1, "T04", "b"), group(1, "T05", "c")];
        let (lead, text) = told(&many).expect("runs failed");
        assert_eq!(lead, "22 runs failed.");
        assert!(text.ends_with("2 with T03: a; 1 with T04: b; 1 more reason."), "{text}");
        assert_eq!(told(&[]), None);
    }
}
