//! Exit codes and their meanings, in one place.

use std::process::ExitCode;

/// The exit codes of both executables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is done.
    Done = 0,
    /// The command did its work, but some of it failed: runs of a sweep, checks of a device.
    RunsFailed = 1,
    /// The command line or the sweep file is invalid.
    Usage = 2,
    /// Images, masks or weights cannot be used.
    Data = 3,
    /// A resource cannot be used: the store, artifacts, a report or other output, or a part of the machine, such as a GPU, its driver or
    /// threads. A missing GPU belongs here, because the same command succeeds on a machine that has one.
    Store = 4,
    /// A worker ended itself, because its stage hung after its timeout. Only `didact sweep` sees this code.
    Hung = 124,
    /// The command was interrupted or reached its time limit; running it again continues the work.
    Interrupted = 130,
}

impl Exit {
    /// All codes.
    pub const ALL: [Self; 7] =
        [Self::Done, Self::RunsFailed, Self::Usage, Self::Data, Self::Store, Self::Hung, Self::Interrupted];

    /// Returns the number of the code.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the exit code with this number.
    pub fn of_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| i32::from(exit.code()) == code)
    }

    /// Returns the meaning for `--help`; `None` for an internal code.
    pub const fn meaning(self) -> Option<&'static str> {
        match self {
            Self::Done => Some("all done"),
            Self::RunsFailed => Some("some runs failed"),
            Self::Usage => Some("invalid command line or sweep file"),
            Self::Data => Some("invalid data or weights"),
            Self::Store => Some("unusable store, artifacts, report, other output or GPU"),
            Self::Hung => None,
            Self::Interrupted => Some("interrupted, or time limit reached with runs left"),
        }
    }

    /// Ends the process without unwinding, for code that cannot wait until the verb returns.
    pub fn at_once(self) -> ! {
        std::process::exit(i32::from(self.code()))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_number() {
        for exit in Exit::ALL {
            assert_eq!(Exit::of_code(i32::from(exit.code())), Some(exit));
        }
        assert_eq!(Exit::of_code(77), None);
    }
}
