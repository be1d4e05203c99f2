//! What a person sees while a sweep runs: bars on a terminal, one plain line a finished stage elsewhere.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::Message;
use crate::store::{AttemptState, Retrying, RunCounts};
use crate::terminal;

/// The display of one sweep.
pub(super) struct Display {
    /// Overall bar, then one line a worker; none off a terminal.
    bars: Option<(MultiProgress, ProgressBar, Vec<ProgressBar>)>,
    /// What each worker is at.
    titles: Vec<String>,
    /// When something was last said of what each worker is at.
    said: Vec<Said>,
    counts: RunCounts,
    left: Option<Duration>,
}

/// When a stage was claimed, and when a line last told how far it is.
#[derive(Debug, Clone, Copy)]
struct Said {
    claimed: Instant,
    told: Option<Instant>,
}

/// A stage that is through sooner needs no line before its end.
const LONG: Duration = Duration::from_secs(1);
/// Time between two lines that tell how far a stage is, where there are no bars.
const AGAIN: Duration = Duration::from_secs(30);

impl Said {
    fn new(now: Instant) -> Self {
        Self { claimed: now, told: None }
    }

    /// Whether it is time for a line: at the first sign of a stage that takes a while, then now and then.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = match self.told {
            None => now.duration_since(self.claimed) >= LONG,
            Some(told) => now.duration_since(told) >= AGAIN,
        };
        if due {
            self.told = Some(now);
        }
        due
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// "45 s", "12 min", "3 h 20 min".
pub(crate) fn spoken(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => {
            let minutes = (s / 60.0).round() as u64;
            format!("{} h {} min", minutes / 60, minutes % 60)
        }
        s => format!("{:.1} days", s / 86_400.0),
    }
}

impl Display {
    /// For so many workers.
    pub(super) fn new(workers: usize, counts: RunCounts) -> Self {
        let bars = terminal::can_redraw().then(|| {
            let multi = MultiProgress::new();
            let overall = multi.add(ProgressBar::new(0));
            overall.set_style(style("{bar:30} {msg}"));
            let lines = (0..workers)
                .map(|_| {
                    let line = multi.add(ProgressBar::new_spinner());
                    line.set_style(style("  {spinner} {msg}"));
                    line
                })
                .collect();
            (multi, overall, lines)
        });
        let said = vec![Said::new(Instant::now()); workers];
        let mut display = Self { bars, titles: vec![String::new(); workers], said, counts, left: None };
        display.standing(counts);
        display
    }

    /// How many runs are through.
    pub(super) fn standing(&mut self, counts: RunCounts) {
        self.counts = counts;
        if let Some((_, overall, _)) = &self.bars {
            overall.set_length(counts.total as u64);
            overall.set_position((counts.total - counts.open()) as u64);
            overall.set_message(self.summary());
        }
    }

    /// How long the rest will take; none while nobody can know.
    pub(super) fn left(&mut self, left: Option<Duration>) {
        self.left = left;
        self.standing(self.counts);
    }

    /// "3/27 runs, 1 failed, about 12 min left".
    fn summary(&self) -> String {
        let RunCounts { total, done, failed, given_up } = self.counts;
        let mut text = format!("{done}/{total} runs");
        for (count, what) in [(failed, "failed"), (given_up, "given up")] {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(left) = self.left.filter(|_| self.counts.open() > 0) {
            text.push_str(&format!(", about {} left", spoken(left)));
        }
        text
    }

    /// A worker said something.
    pub(super) fn show(&mut self, worker: usize, message: &Message) {
        match message {
            Message::Claimed { kind, title, .. } => {
                self.titles[worker] = format!("{kind:<8} {title}");
                self.said[worker] = Said::new(Instant::now());
                self.line(worker, self.titles[worker].clone());
            }
            Message::Progress { done, total, unit, loss } => {
                let loss = loss.map(|loss| format!(", loss {loss:.4}")).unwrap_or_default();
                let text = format!("{}  {unit} {done}/{total}{loss}", self.titles[worker]);
                if self.bars.is_none() && self.said[worker].is_due(Instant::now()) {
                    self.say(&format!("[{}] {text}", self.summary()));
                }
                self.line(worker, text);
            }
            Message::Finished { kind, title, state, reason, seconds, retrying } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                let retrying = retrying.map(|retrying| format!(" ({retrying})")).unwrap_or_default();
                let text =
                    format!("[{}] {kind:<8} {title}  {state} in {seconds:.1} s{reason}{retrying}", self.summary());
                // The bars tell what goes well.
                if self.bars.is_none() || *state != AttemptState::Done {
                    self.say(&text);
                }
            }
            Message::Idle => {
                self.line(worker, "waits: what is left is in other hands, or rests after a failure".to_owned());
            }
            Message::Stopped { .. } | Message::Refused { .. } => self.line(worker, "stopped".to_owned()),
        }
    }

    /// What a worker was at when it died is tried again.
    pub(super) fn lost(&self, worker: usize, retrying: &Retrying) {
        self.say(&format!(
            "[{}] {}  failed with worker {} ({retrying})",
            self.summary(),
            self.titles[worker],
            worker + 1
        ));
    }

    fn line(&self, worker: usize, text: String) {
        if let Some(line) = self.bars.as_ref().and_then(|(_, _, lines)| lines.get(worker)) {
            line.set_message(text);
            line.tick();
        }
    }

    /// Something for people outside the bars.
    pub(super) fn say(&self, text: &str) {
        match &self.bars {
            None => terminal::say(text),
            Some((multi, ..)) => {
                // A bar that cannot be drawn is no reason to stop.
                let _ = multi.println(text);
            }
        }
    }

    /// Removes the bars.
    pub(super) fn close(&self) {
        if let Some((multi, ..)) = &self.bars {
            let _ = multi.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_do() {
        let tell = |seconds| spoken(Duration::from_secs(seconds));
        assert_eq!([tell(45), tell(600), tell(12_000), tell(200_000)], ["45 s", "10 min", "3 h 20 min", "2.3 days"]);
    }

    #[test]
    fn a_long_stage_is_told_of_early_and_then_now_and_then() {
        let start = Instant::now();
        let mut said = Said::new(start);
        let due = [0.1, 0.9, 1.2, 2.0, 31.0, 31.3, 61.2, 61.4].map(|s| said.is_due(start + Duration::from_secs_f64(s)));
        assert_eq!(due, [false, false, true, false, false, true, false, true]);
    }

    #[test]
    fn the_line_tells_what_is_through_and_what_is_left() {
        let mut display = Display {
            bars: None,
            titles: vec![],
            said: vec![],
            counts: RunCounts { total: 27, done: 3, failed: 1, given_up: 0 },
            left: None,
        };
        assert_eq!(display.summary(), "3/27 runs, 1 failed");
        display.left(Some(Duration::from_secs(720)));
        assert_eq!(display.summary(), "3/27 runs, 1 failed, about 12 min left");
    }
}
