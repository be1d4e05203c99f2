//! Examples in the long help of each verb.

use clap::Command;

/// What a command line is good for, and the command line.
type Example = (&'static str, &'static str);

/// The examples of each verb, named by its words.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "sweep",
        &[
            ("Run the embedded demo", "didact sweep"),
            ("Show the plan of a file, and how long it would take", "didact sweep mine.toml --dry-run"),
            (
                "Try a file with two epochs, under another name",
                "didact sweep mine.toml --set joint.epochs=2 --set name=try",
            ),
            ("Stop after the night; the same command continues", "didact sweep mine.toml --time-limit 8h"),
        ],
    ),
    (
        "slurm",
        &[
            (
                "Submit eight workers with a GPU each",
                "didact slurm mine.toml --workers 8 --partition gpu --gres gpu:1 --time 4:00:00",
            ),
            ("Print the script of the jobs", "didact slurm mine.toml --dry-run"),
        ],
    ),
    ("list", &[("List the sweeps with a tag", "didact list --tag paper")]),
    (
        "status",
        &[("Show the latest sweep", "didact status"), ("Print the facts for a program", "didact status mine --json")],
    ),
    ("watch", &[("Watch the latest sweep; q leaves the view", "didact watch")]),
    (
        "serve",
        &[("Open the pages in a browser", "didact serve --open"), ("Use another port", "didact serve --port 9000")],
    ),
    (
        "why",
        &[("Explain a trial", "didact why T07"), ("Explain a run by the first digits of its key", "didact why 3f2a9c")],
    ),
    ("cancel", &[("Cancel a trial", "didact cancel mine:T07"), ("Cancel the rest of a sweep", "didact cancel mine")]),
    ("delete", &[("Delete a sweep, then its artifacts", "didact delete mine"), ("", "didact gc")]),
    ("rename", &[("Rename a sweep; change the name in its file, too", "didact rename mine first-try")]),
    ("tag", &[("Add two tags", "didact tag mine paper fig:2"), ("Remove one", "didact tag mine --remove fig:2")]),
    (
        "note",
        &[
            ("Write a note", "didact note mine \"The widths of the second submission.\""),
            ("Show it", "didact note mine"),
        ],
    ),
    ("gc", &[("List what would be removed", "didact gc --dry-run")]),
    ("store check", &[("Check the store, and repair what is damaged", "didact store check --repair")]),
    ("store backup", &[("Copy the store while it is in use", "didact store backup copy.db")]),
    ("store merge", &[("Take over the sweeps of another machine", "didact store merge other/didact.db")]),
    ("store copy", &[("Move a store to a server", "didact store copy didact.db postgres://ada@server/didact")]),
    (
        "report",
        &[
            ("Write the report of the latest sweep", "didact report"),
            ("Show the metrics of recent papers", "didact report mine --metrics paper"),
            ("Write it to another folder", "didact report mine --out mine-report"),
        ],
    ),
    ("predict", &[("Score a folder of images", "didact predict 3f2a9c new-parts --out predictions")]),
    (
        "submit",
        &[
            ("Write the submission of a trial", "didact submit ad2:T03 --seed 0 --out submission"),
            ("Check an existing submission", "didact submit --check submission --data mvtec_ad_2"),
        ],
    ),
    (
        "compare",
        &[
            ("Compare two trials", "didact compare demo:T01 demo:T03"),
            (
                "Compare a variant with ST-FPM in one metric",
                "didact compare demo:ST-FPM \"demo:skip=concat\" --metric aupro",
            ),
        ],
    ),
    (
        "export",
        &[
            ("Write one row per run", "didact export mine --shape wide --out mine.csv"),
            ("Print a table for a paper", "didact export mine --format latex"),
        ],
    ),
    (
        "baselines",
        &[("List what is published on a category", "didact baselines --category hazelnut --metric pixel_auroc")],
    ),
    ("schema", &[("Let an editor check sweep files", "didact schema > sweep.schema.json")]),
    (
        "data check",
        &[
            ("Check a folder of categories", "didact data check data/mvtec"),
            ("Check the data that a sweep file names", "didact data check mine.toml"),
        ],
    ),
    (
        "data synth",
        &[
            ("Draw the demo's images", "didact data synth drawn"),
            (
                "Draw stand-ins for MVTec AD with a tenth of its images",
                "didact data synth stand-ins --like mvtec --share 0.1",
            ),
        ],
    ),
    ("weights check", &[("Check a weight file", "didact weights check resnet18-f37072fd.pth")]),
    ("weights fetch", &[("Download torchvision's ResNet-18", "didact weights fetch resnet18 --out weights")]),
    ("weights train-demo", &[("Train the demo's teacher again", "didact weights train-demo demo.safetensors")]),
    ("devices", &[("List the CPU and the GPUs", "didact devices")]),
    ("check", &[("Check the first GPU", "didact check --device cuda:0")]),
    ("speed", &[("Measure training steps with a batch of 32", "didact speed --batch 32 --size 256")]),
    ("help", &[("Explain how to name a run", "didact help ids"), ("Explain a command", "didact help store merge")]),
    (
        "man",
        &[
            ("Read the manual page", "didact man | man -l -"),
            ("Write the pages of all commands", "didact man --out ~/.local/share/man/man1"),
        ],
    ),
    (
        "completions",
        &[
            ("Bash", "didact completions bash > ~/.local/share/bash-completion/completions/didact"),
            ("Fish", "didact completions fish > ~/.config/fish/completions/didact.fish"),
            ("Zsh, in a folder of $fpath", "didact completions zsh > ~/.zfunc/_didact"),
        ],
    ),
];

/// Adds the examples to the long help of each verb.
pub(super) fn add_to(command: Command) -> Command {
    EXAMPLES.iter().fold(command, |command, (verb, examples)| {
        let words: Vec<&str> = verb.split(' ').collect();
        add(command, &words, examples)
    })
}

fn add(command: Command, words: &[&'static str], examples: &[Example]) -> Command {
    match words {
        [] => command.after_long_help(shown(examples)),
        [word, rest @ ..] => command.mut_subcommand(word, |verb| add(verb, rest, examples)),
    }
}

fn shown(examples: &[Example]) -> String {
    let lines = examples.iter().map(|(purpose, line)| match *purpose {
        "" => format!("    {line}"),
        purpose => format!("  {purpose}:\n    {line}"),
    });
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args;

    /// Returns the words of all visible verbs that can be called.
    fn verbs(command: &Command, words: &str) -> Vec<String> {
        let inner: Vec<&Command> = command.get_subcommands().filter(|verb| !verb.is_hide_set()).collect();
        let names = inner.iter().map(|verb| (format!("{words} {}", verb.get_name()).trim().to_owned(), verb));
        names.flat_map(|(name, verb)| if verb.has_subcommands() { verbs(verb, &name) } else { vec![name] }).collect()
    }

    #[test]
    fn every_verb_has_examples_and_all_of_them_can_be_parsed() {
        let named: Vec<&str> = EXAMPLES.iter().map(|(verb, _)| *verb).collect();
        let verbs = verbs(&args::command(), "");
        assert!(verbs.iter().all(|verb| named.contains(&verb.as_str())), "{verbs:?}");
        for (verb, examples) in EXAMPLES {
            for (_, line) in *examples {
                assert!(*verb == "delete" || line.starts_with(&format!("didact {verb}")), "{line}");
                // What follows is for the shell.
                let own = line.split(['|', '>']).next().unwrap_or_default();
                let parts = own.split('"').enumerate();
                let words = parts.flat_map(|(index, part)| match index % 2 {
                    0 => part.split_whitespace().collect(),
                    _ => vec![part],
                });
                let parsed = args::command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
            }
        }
    }
}
