//! The test images of a run with their scores, and whether the held-out threshold judges them rightly.

use crate::analysis::Rows;
use crate::evaluate::Evaluation;
use crate::stages::StageKind;
use crate::store::{Artifacts, RunRow};

/// What the held-out threshold says about an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// A defective image below the threshold.
    Missed,
    /// A normal image above the threshold.
    FalseAlarm,
    /// The image is on its side of the threshold.
    Right,
    /// There is no threshold.
    Unknown,
}

impl Outcome {
    fn of(defective: bool, score: f64, threshold: Option<f64>) -> Self {
        match threshold.map(|threshold| score > threshold) {
            None => Self::Unknown,
            Some(above) if above == defective => Self::Right,
            Some(true) => Self::FalseAlarm,
            Some(false) => Self::Missed,
        }
    }

    /// Returns the outcome in words.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::FalseAlarm => "false alarm",
            Self::Right => "right",
            Self::Unknown => "no threshold",
        }
    }
}

/// A test image.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TestImageScore {
    /// Path below the category.
    pub name: String,
    /// Kind of defect; `None` for a normal image.
    pub defect: Option<String>,
    pub score: f64,
    pub outcome: Outcome,
}

/// The scored test images of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TestImages {
    /// In the order of the artifacts, or by name if only the store knows the scores.
    pub images: Vec<TestImageScore>,
    pub threshold: Option<f64>,
    /// What is missing, and why.
    pub missing: Option<String>,
}

impl TestImages {
    /// Reads the scores of a run: from its evaluation, or from the store if its evaluation is missing.
    pub(super) fn of(rows: &Rows, artifacts: &Artifacts, run: &RunRow) -> Self {
        let evaluation = rows.selected_stage(&run.id, StageKind::Evaluate).map(|(key, _)| {
            let folder = artifacts.verified_folder(StageKind::Evaluate, &key, &[Evaluation::FILE]);
            let folder = folder.map_err(|damage| damage.to_string());
            folder.and_then(|folder| Evaluation::read(&folder).map_err(|error| error.to_string()))
        });
        let stored = || {
            let scores = rows.scores_of(&run.id).iter();
            scores.map(|row| (row.image.clone(), row.label.then(|| "defective".to_owned()), row.score)).collect()
        };
        match evaluation {
            Some(Ok(evaluation)) => {
                let images = evaluation.image_scores.into_iter();
                let images = images.map(|image| (image.image, image.defect, f64::from(image.score))).collect();
                Self::judged(images, evaluation.held_out_threshold, None)
            }
            Some(Err(error)) => Self::judged(stored(), None, Some(error)),
            None => Self::judged(stored(), None, None),
        }
    }

    fn judged(images: Vec<(String, Option<String>, f64)>, threshold: Option<f64>, missing: Option<String>) -> Self {
        let judged = |(name, defect, score): (String, Option<String>, f64)| TestImageScore {
            outcome: Outcome::of(defect.is_some(), score, threshold),
            name,
            defect,
            score,
        };
        Self { images: images.into_iter().map(judged).collect(), threshold, missing }
    }

    /// Returns indices of the images with errors first: missed ones by rising scores, then false alarms and others by falling scores.
    pub(super) fn by_error(&self) -> Vec<usize> {
        let score = |image: &TestImageScore| if image.outcome == Outcome::Missed { image.score } else { -image.score };
        self.sorted(|one, other| one.outcome.cmp(&other.outcome).then(score(one).total_cmp(&score(other))))
    }

    /// Returns indices of the images by falling scores.
    pub(super) fn by_score(&self) -> Vec<usize> {
        self.sorted(|one, other| other.score.total_cmp(&one.score))
    }

    /// Returns indices of the images by name.
    pub(super) fn by_name(&self) -> Vec<usize> {
        self.sorted(|one, other| one.name.cmp(&other.name))
    }

    fn sorted(&self, order: impl Fn(&TestImageScore, &TestImageScore) -> std::cmp::Ordering) -> Vec<usize> {
        let mut indices: Vec<usize> = (0..self.images.len()).collect();
        indices.sort_by(|one, other| order(&self.images[*one], &self.images[*other]));
        indices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_first_and_the_worst_of_them_before_the_others() {
        let image = |name: &str, defect: bool, score: f64| (name.to_owned(), defect.then(|| "cut".to_owned()), score);
        let all = vec![
            image("a", false, 0.5),
            image("b", true, 0.9),
            image("c", true, 2.0),
            image("d", false, 3.0),
            image("e", true, 0.2),
            image("f", false, 1.0),
        ];
        let images = TestImages::judged(all.clone(), Some(1.0), None);
        let outcomes: Vec<&str> = images.images.iter().map(|image| image.outcome.text()).collect();
        assert_eq!(outcomes, ["right", "missed", "right", "false alarm", "missed", "right"]);
        assert_eq!(images.by_error(), [4, 1, 3, 2, 5, 0]);
        assert_eq!(images.by_score(), [3, 2, 5, 1, 0, 4]);
        assert_eq!(images.by_name(), [0, 1, 2, 3, 4, 5]);
        let unknown = TestImages::judged(all, None, None);
        assert!(unknown.images.iter().all(|image| image.outcome == Outcome::Unknown));
    }
}
