//! Paths as people write them, and as messages name them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A path with `~` or `~/` at its start replaced by the home folder. `~user` stays as it is: didact does not look up accounts.
pub fn expanded(path: &Path) -> PathBuf {
    expanded_below(std::env::home_dir(), path)
}

fn expanded_below(home: Option<PathBuf>, path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home.filter(|home| !home.as_os_str().is_empty())) {
        (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home,
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// A command-line argument with its `~` expanded, where it stands at the start or behind `--flag=`: shells expand only the first.
pub fn expanded_argument(argument: OsString) -> OsString {
    let Some(text) = argument.to_str() else { return expanded(Path::new(&argument)).into_os_string() };
    match text.split_once('=') {
        Some((flag, path)) if flag.starts_with("--") && path.starts_with('~') => {
            let mut whole = OsString::from(format!("{flag}="));
            whole.push(expanded(Path::new(path)));
            whole
        }
        _ if text.starts_with('~') => expanded(Path::new(text)).into_os_string(),
        _ => argument,
    }
}

/// The whole path, for messages: a relative one does not say where the command was started.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_alone_is_expanded() {
        let expand = |path: &str| expanded_below(Some(PathBuf::from("/home/u")), Path::new(path));
        assert_eq!(expand("~"), Path::new("/home/u"));
        assert_eq!(expand("~/data/x"), Path::new("/home/u/data/x"));
        for other in ["~user/data", "data/~/x", "/data", "~x"] {
            assert_eq!(expand(other), Path::new(other));
        }
        assert_eq!(expanded_below(None, Path::new("~/data")), Path::new("~/data"));
    }

    #[test]
    fn arguments_are_expanded_where_a_path_begins() {
        let home = std::env::home_dir().expect("the tests have a home folder");
        let expand = |argument: &str| expanded_argument(argument.into());
        assert_eq!(expand("~/a"), home.join("a").into_os_string());
        assert_eq!(expand("--store=~/a.db"), OsString::from(format!("--store={}", home.join("a.db").display())));
        for other in ["sweep", "--set", "data.root=~/x", "--store=a~/b", "--no-report"] {
            assert_eq!(expand(other), OsString::from(other));
        }
    }
}
