//! `didact help`: the help of a verb, or a text about a topic.

use clap::Command;

use super::args;
use super::failure::Failure;
use super::output::print;
use super::topics;
use crate::config::similar_name;
use crate::exit::Exit;

/// Arguments of `didact help`.
#[derive(Debug, clap::Args)]
pub(super) struct HelpArgs {
    /// A topic, or a command such as `store merge` [default: list both].
    #[arg(value_name = "TOPIC")]
    words: Vec<String>,
}

/// Runs the verb.
pub(super) fn run(args: &HelpArgs) -> Result<Exit, Failure> {
    let text = match args.words.as_slice() {
        [] => overview(),
        words => match (topics::find(&words.join(" ")), help_of(words)) {
            (Some(topic), _) => topic.text().into_owned(),
            (None, Some(help)) => help,
            (None, None) => return Err(Failure::Usage(unknown(&words.join(" ")))),
        },
    };
    print(text.trim_end())?;
    Ok(Exit::Done)
}

/// Returns the long help of the program, and the topics.
fn overview() -> String {
    let mut text = args::command().render_long_help().to_string().trim_end().to_owned();
    text.push_str("\n\nTopics:\n");
    let width = topics::ALL.iter().map(|topic| topic.name.len()).max().unwrap_or_default();
    for topic in topics::ALL {
        text.push_str(&format!("  {:width$}  {}\n", topic.name, topic.summary));
    }
    text
}

/// Returns the long help of a command, named by its words.
fn help_of(words: &[String]) -> Option<String> {
    let mut command = args::built_command();
    let found = words.iter().try_fold(&mut command, |command, word| command.find_subcommand_mut(word))?;
    Some(found.render_long_help().to_string())
}

/// Returns the message for words that are neither a topic nor a command.
fn unknown(words: &str) -> String {
    let command = args::command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).map(Command::get_name);
    let names: Vec<&str> = topics::ALL.iter().map(|topic| topic.name).chain(verbs).collect();
    let hint = similar_name(words, &names).map(|name| format!("; did you mean {name}?")).unwrap_or_else(|| ";".into());
    format!("there is no topic or command \"{words}\"{hint} `didact help` lists them")
}
