//! Runs every shell, TOML, Python and R block of the documentation, in the order of its table of contents.
//!
//! The pages of the site share a folder, as a reader's do. Comments before a block say what it is; the contributor guide lists them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Workplace;

/// A command line or a block, and where it is.
struct Step {
    place: String,
    action: Action,
}

enum Action {
    Shell(String),
    /// A script for another program, which is skipped unless the check succeeds.
    Script {
        program: &'static str,
        check: String,
        text: String,
    },
    Write {
        name: String,
        text: String,
    },
    /// A sweep file; it must be valid, but its data need not be there.
    SweepFile(String),
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the steps of a page.
fn steps(page: &str) -> Vec<Step> {
    let text = std::fs::read_to_string(repository().join(page)).expect("a page");
    let mut steps = Vec::new();
    let mut comments: Vec<String> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let place = format!("{page}:{}", index + 1);
        if let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            match comment.strip_prefix("run: ") {
                Some(command) => steps.push(Step { place, action: Action::Shell(command.to_owned()) }),
                None => comments.push(comment.to_owned()),
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let block = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let block: String = block.flat_map(|line| [line, "\n"]).collect();
            steps.extend(action(language, block, &comments, &place).map(|action| Step { place, action }));
            comments.clear();
        } else if !line.is_empty() {
            assert!(comments.is_empty(), "{place}: {comments:?} must stand directly before a block");
        }
    }
    steps
}

/// Returns what is to be done with a block; `None` for a block that is not run.
fn action(language: &str, text: String, comments: &[String], place: &str) -> Option<Action> {
    let value = |name: &str| comments.iter().find_map(|comment| comment.strip_prefix(name)?.strip_prefix(": "));
    let is = |name: &str| comments.iter().any(|comment| comment == name);
    if let Some(reason) = value("not run") {
        assert!(reason.len() > 10, "{place}: say why the block is not run");
        return None;
    }
    if let Some(name) = value("file") {
        return Some(Action::Write { name: name.to_owned(), text });
    }
    match language {
        "sh" => Some(Action::Shell(with_options(&text, value("in CI")))),
        "toml" if is("part of a sweep file") => {
            Some(Action::SweepFile(format!("schema = 1\nname = \"part\"\n{}{text}", missing_tables(&text))))
        }
        "toml" => Some(Action::SweepFile(text)),
        "python" => {
            let package = value("needs").unwrap_or("sys");
            Some(Action::Script { program: "python3", check: format!("python3 -c 'import {package}'"), text })
        }
        "r" => Some(Action::Script { program: "Rscript", check: "command -v Rscript".to_owned(), text }),
        "text" | "csv" => None,
        other => panic!("{place}: a block in \"{other}\": use sh, toml, python, r, text or csv"),
    }
}

/// Adds options to the sweeps of a block, so that they train less, unless `DIDACT_TEST_DOCUMENTATION=whole` asks for the block as it is.
fn with_options(block: &str, options: Option<&str>) -> String {
    let whole = std::env::var("DIDACT_TEST_DOCUMENTATION").is_ok_and(|what| what == "whole");
    let Some(options) = options.filter(|_| !whole) else { return block.to_owned() };
    let trains = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.first() == Some(&"didact") && words.contains(&"sweep") && !words.contains(&"--dry-run")
    };
    block.lines().map(|line| if trains(&line) { format!("{line} {options}\n") } else { format!("{line}\n") }).collect()
}

/// Returns the tables that a complete sweep file needs besides those of a part.
fn missing_tables(part: &str) -> String {
    let tables = [
        ("[data]", "layout = \"synthetic\"\n"),
        ("[teacher]", "weights = \"demo\"\n"),
        ("[search.space]", "\"model.skip\" = [\"none\", \"concat\"]\n"),
    ];
    let missing = tables.iter().filter(|(table, _)| !part.contains(table));
    missing.map(|(table, content)| format!("{table}\n{content}")).collect()
}

/// Runs the steps of one page as one script of the shell, so that variables last, and returns where it failed.
fn run_page(folder: &Path, steps: &[Step], prepare: impl Fn(&mut Command)) -> Result<(), String> {
    let mut script = "set -euo pipefail\n".to_owned();
    for (number, Step { place, action }) in steps.iter().enumerate() {
        let name = format!(".step-{number}");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap_or_else(|error| panic!("{place}: {name}: {error}"));
        };
        script.push_str(&format!("echo '== {place}' >&2\n"));
        match action {
            Action::Shell(text) => script.push_str(&format!("{text}\n")),
            Action::Write { name, text } => write(name, text),
            Action::Script { program, check, text } => {
                write(&name, text);
                script.push_str(&format!(
                    "if {check} >/dev/null 2>&1; then {program} {name}; else echo 'skipped: {check}' >&2; fi\n"
                ));
            }
            Action::SweepFile(text) => {
                write(&name, text);
                // Exit code 2 stands for a wrong sweep file; without its images, the plan ends with 3.
                script.push_str(&format!(
                    "code=0; didact --store none.db sweep {name} --dry-run || code=$?; test $code = 0 -o $code = 3\n"
                ));
            }
        }
    }
    let program = PathBuf::from(env!("CARGO_BIN_EXE_didact"));
    let programs = [program.parent().expect("a folder").to_owned()];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(programs.into_iter().chain(std::env::split_paths(&path))).expect("paths");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder).env("PATH", path).env("HOME", folder);
    for name in ["DIDACT_STORE", "DIDACT_ARTIFACTS", "DIDACT_DATA", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    prepare(&mut command);
    let output = command.output().expect("bash starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match output.status.code() {
        Some(0) => Ok(()),
        code => Err(format!("exit code {code:?}\n{}", said.join("\n-- standard error --\n"))),
    }
}

/// Returns the pages of the site, in the order of the table of contents.
fn pages() -> Vec<String> {
    let summary = std::fs::read_to_string(repository().join("docs/src/SUMMARY.md")).expect("the table of contents");
    let links = summary.lines().filter_map(|line| line.split_once("](")?.1.strip_suffix(')'));
    links.map(|link| format!("docs/src/{link}")).collect()
}

#[test]
fn every_block_of_the_documentation_runs() {
    let place = Workplace::on_file();
    let (mut blocks, mut failures) = (0, Vec::new());
    for page in ["README.md".to_owned()].into_iter().chain(pages()) {
        // Its blocks need a cluster: `slurm::blocks_of_the_guide_run_on_a_cluster`.
        if page == CLUSTER {
            continue;
        }
        let steps = steps(&page);
        blocks += steps.len();
        failures.extend(run_page(place.folder(), &steps, |_| ()).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(blocks > 40, "{blocks} blocks");
}

/// The guide whose blocks need a cluster.
const CLUSTER: &str = "docs/src/guides/cluster.md";

/// Runs the guide about clusters in a folder, with its server and its shared folder replaced.
#[cfg(feature = "postgres")]
pub fn run_cluster_guide(folder: &Path, store: &str, prepare: impl Fn(&mut Command)) {
    let shared = folder.join("shared").display().to_string();
    let replaced =
        |text: String| text.replace("postgres://ada@db.example.org/didact", store).replace("/shared/ada", &shared);
    let steps = steps(CLUSTER).into_iter().map(|Step { place, action }| Step {
        place,
        action: match action {
            Action::Shell(text) => Action::Shell(replaced(text)),
            other => other,
        },
    });
    run_page(folder, &steps.collect::<Vec<_>>(), prepare).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn links_between_files_of_the_repository_lead_somewhere() {
    let pages = pages();
    let files = ["README.md", "ARCHITECTURE.md", "BENCHMARKS.md", "CHANGELOG.md"].map(str::to_owned);
    let mut links = 0;
    for page in files.into_iter().chain(pages) {
        let path = repository().join(&page);
        let text = std::fs::read_to_string(&path).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.contains(' ') {
                continue;
            }
            links += 1;
            let found = path.parent().expect("a folder").join(file);
            assert!(found.exists(), "{page} links to {target}, which is not there");
        }
    }
    assert!(links > 80, "{links} links");
}
