//! Commands that repeat runs, for every kind of sweep, in a shell. In the same store they replace nothing and compute nothing
//! twice; in another store they give the same numbers.

use std::process::Command;

use crate::common::{CommandOutcome, TINY, Workplace, query};

/// Returns [`TINY`] with this end from `[search]` on; one epoch, no U-Net.
fn file(end: &str) -> String {
    format!("{}\n{end}", TINY.replace("depth = 1", "autoencoder = \"none\"").replace("epochs = 2", "epochs = 1"))
}

/// Runs a printed command with further arguments in a shell in the folder.
fn shell(place: &Workplace, command: &str, more: &str) -> CommandOutcome {
    let mut shell = Command::new("sh");
    let script = format!("didact() {{ {} \"$@\" --jobs 1 {more}; }}\n{command}\n", env!("CARGO_BIN_EXE_didact"));
    shell.arg("-c").arg(script).current_dir(place.folder());
    for name in ["DIDACT_STORE", "DIDACT_ARTIFACTS", "DIDACT_DATA"] {
        shell.env_remove(name);
    }
    place.outcome(&shell.output().expect("a shell"))
}

/// Returns the commands of a report's page without HTML.
fn commands(page: &str) -> Vec<String> {
    let blocks = page.split("<pre tabindex=\"0\">").skip(1).filter_map(|rest| rest.split("</pre>").next());
    let plain = |text: &str| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&")
    };
    blocks.map(plain).filter(|text| text.starts_with("didact sweep")).collect()
}

/// Returns the command that `why` prints after the facts of a run.
fn command_of(place: &Workplace, id: &str) -> String {
    let why = place.succeed(&["why", id]).stdout;
    let (_, command) = why.split_once("command to repeat it in a separate sweep:\n").unwrap_or_else(|| panic!("{why}"));
    command.replace("[folder]", &place.folder().display().to_string())
}

/// Query of all runs' numbers with their keys.
const NUMBERS: &str = "SELECT run_id, selection, name, value FROM result ORDER BY 1, 2, 3";

/// Asserts that every finished run of a sweep can be repeated with its own command.
#[track_caller]
fn assert_each_run_repeats(place: &Workplace, sweep: &str) {
    let runs = place.query(&format!(
        "SELECT r.id FROM run r JOIN sweep_run sr ON sr.run_id = r.id JOIN sweep s ON s.id = sr.sweep_id
         WHERE s.name = '{sweep}' ORDER BY sr.position"
    ));
    assert!(!runs.is_empty());
    let links = format!(
        "SELECT sr.run_id, sr.position FROM sweep_run sr JOIN sweep s ON s.id = sr.sweep_id WHERE s.name = '{sweep}' ORDER BY 2"
    );
    let (before, numbers) = (place.query(&links), place.query(NUMBERS));
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    for run in &runs {
        let command = command_of(place, &run[..16]);
        let outcome = shell(place, &command, "--no-report");
        assert_eq!(outcome.code, Some(0), "{command}\n{}\n{}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains(": 1 of 1 runs done"), "{command}\n{}", outcome.stderr);
        let other_sweeps = format!(
            "SELECT s.name FROM sweep s JOIN sweep_run sr ON sr.sweep_id = s.id
             WHERE sr.run_id = '{run}' AND s.name <> '{sweep}'"
        );
        assert_eq!(place.query(&other_sweeps).len(), 1, "{command}: the same run, in one more sweep");
    }
    assert_eq!(place.query(&links), before, "the sweep is unchanged");
    assert_eq!(place.query(NUMBERS), numbers);
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts, "nothing was computed again");
    // In another store the last command gives the same numbers.
    let run = &runs[runs.len() - 1];
    let outcome = shell(place, &command_of(place, &run[..16]), "--no-report --store fresh.db");
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let of_run = format!("SELECT selection, name, value FROM result WHERE run_id = '{run}' ORDER BY 1, 2");
    assert_eq!(query(&place.path("fresh.db"), &of_run), place.query(&of_run));
}

#[test]
fn runs_of_a_grid_with_a_baseline_and_unusual_values() {
    let place = Workplace::new();
    let space = "[search]\nseeds = [0, 7]\n[search.space]\n\"model.autoencoder\" = [\"none\", \"unet\"]\n\
                 \"model.skip\" = { choices = [\"none\", \"add\"], when = { \"model.autoencoder\" = \"unet\" } }\n\
                 \"joint.student.learning_rate\" = [0.30000000000000004]\n\"evaluate.fuse_size\" = [8, 16]\n\
                 [report]\nvariants = [\"model.skip\"]\n";
    let text = file(space).replace("autoencoder = \"none\"\n\n[pretrain]", "depth = 1\n\n[pretrain]");
    place.write("my sweeps/it's ü.toml", &text);
    place.succeed(&["sweep", "my sweeps/it's ü.toml", "--no-report", "--set", "question=Why \"so\"?"]);
    assert_eq!(place.count("SELECT COUNT(*) FROM sweep_trial WHERE baseline = 1"), 2, "one for each protocol");
    assert_each_run_repeats(&place, "tiny");
}

#[test]
fn runs_of_drawing_and_learning_searches() {
    for strategy in ["random", "sobol", "tpe"] {
        let place = Workplace::new();
        let trials = if strategy == "tpe" { 11 } else { 3 };
        let search = format!(
            "[search]\nstrategy = \"{strategy}\"\ntrials = {trials}\nseed = 3\nobjective = \"pseudo_pixel_auroc\"\n[search.space]\n\
             \"joint.student.learning_rate\" = {{ log_uniform = [1e-3, 1.0] }}\n[baseline]\nrerun = false\n"
        );
        place.write("tiny.toml", &file(&search));
        place.succeed(&["sweep", "tiny.toml", "--no-report"]);
        assert_each_run_repeats(&place, "tiny");
    }
}

#[test]
fn runs_with_images_named_by_the_environment_and_a_reports_runs() {
    let place = Workplace::new();
    place.succeed(&["data", "synth", "my data", "--side", "32"]);
    let text = file("[search.space]\n\"joint.batch_size\" = [4, 8]\n");
    let text = text.replace("layout = \"synthetic\"", "layout = \"mvtec\"\nroot = \"nowhere\"");
    let text = text.replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }\n", "");
    place.write("tiny.toml", &text);
    let outcome = place.command(&["sweep", "tiny.toml"]).env("DIDACT_DATA", "my data").output().expect("starts");
    assert!(outcome.status.success(), "{}", place.outcome(&outcome).stderr);
    assert_each_run_repeats(&place, "tiny");

    let page = std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page");
    let commands = commands(&page);
    assert_eq!(commands.len(), 2, "the baseline, which is the first point too, and the second: {commands:?}");
    let attempts = place.count("SELECT COUNT(*) FROM attempt");
    for command in &commands {
        let outcome = shell(&place, command, "");
        assert_eq!(outcome.code, Some(0), "{command}\n{}", outcome.stderr);
    }
    assert_eq!(place.count("SELECT COUNT(*) FROM attempt"), attempts);
    assert_eq!(
        std::fs::read_to_string(place.path("reports/tiny/index.html")).expect("a page"),
        page,
        "its report stays"
    );
}

#[test]
fn runs_of_the_embedded_demo() {
    let place = Workplace::new();
    let small = [
        "data.categories=[\"weave\"]",
        "data.image_size=32",
        "model.depth=1",
        "joint.epochs=1",
        "pretrain.epochs=1",
        "search.seeds=[0]",
        "data.synthetic={ side = 32, train = 6, test_good = 2, test_per_defect = 1 }",
    ];
    let mut arguments = vec!["sweep", "--no-report", "--max-trials", "2"];
    small.iter().for_each(|set| arguments.extend(["--set", set]));
    place.succeed(&arguments);
    assert_each_run_repeats(&place, "demo");
}
