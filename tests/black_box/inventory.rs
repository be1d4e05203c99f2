//! The results of a sweep in a form in which two sweeps can be compared: every row and file that does not depend on time, place
//! or number of attempts.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::Workplace;

/// Rows by table, and digests of the artifacts' files by path.
#[derive(Debug, PartialEq, Eq)]
pub struct Inventory {
    rows: BTreeMap<&'static str, Vec<String>>,
    files: BTreeMap<String, String>,
}

/// Tables with the columns that must be equal. Omitted are times, attempts, workers, events and logs.
const TABLES: [(&str, &str); 12] = [
    ("trial", "SELECT id, settings FROM trial ORDER BY id"),
    ("sweep_trial", "SELECT trial_id, position, axes, variant, baseline FROM sweep_trial ORDER BY position"),
    ("protocol", "SELECT id, content FROM protocol ORDER BY id"),
    ("run", "SELECT id, trial_id, category, seed, protocol_id, state, reason FROM run ORDER BY id"),
    ("sweep_run", "SELECT run_id, position FROM sweep_run ORDER BY position"),
    (
        "stage",
        "SELECT id, kind, state, failure_class, reason, token, lease_until, not_before, family, work FROM stage ORDER BY id",
    ),
    ("stage_dependency", "SELECT stage_id, needs_id FROM stage_dependency ORDER BY stage_id, needs_id"),
    ("run_stage", "SELECT run_id, position, stage_id FROM run_stage ORDER BY run_id, position, stage_id"),
    // Numbers are compared as the shortest text that identifies their bits.
    ("metric", "SELECT stage_id, name, step, value FROM metric ORDER BY stage_id, name, step"),
    (
        "result",
        "SELECT run_id, selection, name, value, reason, protocol_id FROM result ORDER BY run_id, selection, name",
    ),
    (
        "image_score",
        "SELECT run_id, selection, image, defect, label, score FROM image_score ORDER BY run_id, selection, image",
    ),
    ("artifact", "SELECT stage_id, path, bytes, digest FROM artifact ORDER BY stage_id"),
];

impl Inventory {
    /// Reads the store and the artifacts of a workplace.
    pub fn of(place: &Workplace) -> Self {
        let mut files = digests(place);
        // Every store has its own identity.
        files.retain(|path, _| !path.starts_with("logs/") && path != "store.json");
        Self { rows: TABLES.into_iter().map(|(table, sql)| (table, place.query(sql))).collect(), files }
    }

    /// Fails at the first difference.
    #[track_caller]
    pub fn assert_equals(&self, other: &Self, which: &str) {
        for (table, rows) in &self.rows {
            let other_rows = &other.rows[table];
            let differing = rows.iter().zip(other_rows).find(|(row, other_row)| row != other_row);
            assert_eq!(differing, None, "{which}: {table} differs");
            assert_eq!(rows.len(), other_rows.len(), "{which}: the rows of {table} differ");
        }
        let paths = |inventory: &Self| inventory.files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(paths(self), paths(other), "{which}: the files differ");
        let differing: Vec<_> = self.files.iter().filter(|(path, digest)| other.files[*path] != **digest).collect();
        assert!(differing.is_empty(), "{which}: the content of these files differs: {differing:?}");
    }
}

/// Returns the digest of every file below the artifacts of a workplace, by path.
pub fn digests(place: &Workplace) -> BTreeMap<String, String> {
    let root = place.path("didact.artifacts");
    let files = walkdir::WalkDir::new(&root).into_iter().map(|entry| entry.expect("can be listed"));
    let files = files.filter(|entry| entry.file_type().is_file()).map(|entry| {
        let bytes = std::fs::read(entry.path()).expect("can be read");
        (relative(&root, entry.path()), blake3::hash(&bytes).to_string())
    });
    files.collect()
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).expect("is below").display().to_string()
}
