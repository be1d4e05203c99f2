//! Paths as people type them and as messages show them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Replaces `~` or `~/` at the start of a path by the home folder. Leaves `~user` unchanged: didact does not look up accounts.
pub fn expand_home(path: &Path) -> PathBuf {
    expand_home_to(std::env::home_dir(), path)
}

fn expand_home_to(home: Option<PathBuf>, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home.filter(|home| !home.as_os_str().is_empty())) {
        (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home,
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// Expands `~` at the start of a command-line argument or after `--flag=`. Shells expand only the first.
pub fn expand_home_in_argument(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else { return expand_home(Path::new(&argument)).into_os_string() };
    match text.split_once('=') {
        Some((flag, path)) if flag.starts_with("--") && path.starts_with('~') => {
            let mut expanded = OsString::from(format!("{flag}="));
            expanded.push(expand_home(Path::new(path)));
            expanded
        }
        _ if text.starts_with('~') => expand_home(Path::new(text)).into_os_string(),
        _ => argument,
    }
}

/// Returns the absolute path for messages: a relative one does not show where the command was started.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns this user's folder for files that can be made again: `XDG_CACHE_HOME`, else `~/.cache`.
pub fn cache_folder() -> PathBuf {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let at_home = || std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).map(|home| home.join(".cache"));
    named.or_else(at_home).unwrap_or_else(std::env::temp_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_users_home_folder_is_expanded() {
        let expand = |path: &str| expand_home_to(Some(PathBuf::from("/home/u")), Path::new(path));
        assert_eq!(expand("~"), Path::new("/home/u"));
        assert_eq!(expand("~/data/x"), Path::new("/home/u/data/x"));
        for other in ["~user/data", "data/~/x", "/data", "~x"] {
            assert_eq!(expand(other), Path::new(other));
        }
        assert_eq!(expand_home_to(None, Path::new("~/data")), Path::new("~/data"));
    }

    #[test]
    fn arguments_are_expanded_at_the_start_of_a_path() {
        let home = std::env::home_dir().expect("the tests have a home folder");
        let expand = |argument: &str| expand_home_in_argument(argument.into());
        assert_eq!(expand("~/a"), home.join("a").into_os_string());
        assert_eq!(expand("--store=~/a.db"), OsString::from(format!("--store={}", home.join("a.db").display())));
        for other in ["sweep", "--set", "data.root=~/x", "--store=a~/b", "--no-report"] {
            assert_eq!(expand(other), OsString::from(other));
        }
    }
}
