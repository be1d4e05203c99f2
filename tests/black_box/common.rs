//! A workplace for the built binary, with its own folder, store and artifacts, and a synthetic data set for which a sweep takes seconds.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::background::BackgroundCommand;

/// A temporary folder in which the binary runs.
pub struct Workplace {
    folder: tempfile::TempDir,
    /// URL of the store on a PostgreSQL server; `None` = `didact.db` in the folder.
    server: Option<String>,
    /// Variables of the commands' environment.
    environment: Vec<(String, String)>,
}

/// Exit code and output of a command.
pub struct CommandOutcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Workplace {
    /// Creates a workplace. Its store is a SQLite file, or on a server if `DIDACT_TEST_STORES=postgres` (see `just test-postgres`).
    pub fn new() -> Self {
        #[cfg(feature = "postgres")]
        if std::env::var("DIDACT_TEST_STORES").is_ok_and(|stores| stores == "postgres") {
            return Self::on_server(crate::postgres::database().expect("DIDACT_TEST_POSTGRES names a server"));
        }
        Self::on_file()
    }

    /// Creates a workplace whose store is a SQLite file.
    pub fn on_file() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder"), server: None, environment: Vec::new() }
    }

    /// Creates a workplace whose store is on a server.
    #[cfg(feature = "postgres")]
    pub fn on_server(url: String) -> Self {
        let place =
            Self::on_file().with_environment(&[("DIDACT_STORE", &url), ("DIDACT_ARTIFACTS", "didact.artifacts")]);
        Self { server: Some(url), ..place }
    }

    /// Sets variables of the environment of all commands.
    pub fn with_environment(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.environment.extend(owned);
        self
    }

    pub fn is_on_server(&self) -> bool {
        self.server.is_some()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("created");
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Makes each epoch last at least 25 ms, so that tests reach a process while it trains, however fast the machine is.
    pub fn with_slow_epochs(self) -> Self {
        self.with_environment(&[("DIDACT_FAULT", "training:epoch~25")])
    }

    /// Creates a command in the folder, without the caller's settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_didact"));
        command.args(arguments).current_dir(self.folder.path());
        // The default number of workers depends on the machine.
        if arguments.first() == Some(&"sweep") && !arguments.contains(&"--jobs") {
            command.args(["--jobs", "1"]);
        }
        let ours = ["DIDACT_STORE", "DIDACT_ARTIFACTS", "DIDACT_DATA", "DIDACT_FAULT"];
        for name in ours.into_iter().chain(["RUST_BACKTRACE", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"]) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> CommandOutcome {
        self.outcome(&self.command(arguments).output().expect("the binary starts"))
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub fn succeed(&self, arguments: &[&str]) -> CommandOutcome {
        let outcome = self.run(arguments);
        assert_eq!(outcome.code, Some(0), "{arguments:?}\n{}\n{}", outcome.stdout, outcome.stderr);
        outcome
    }

    /// Starts a command in the background; its output goes to the file `log`.
    pub fn start(&self, log: &str, arguments: &[&str]) -> BackgroundCommand {
        BackgroundCommand::new(self.command(arguments), self.path(log))
    }

    /// Replaces the temporary folder by `[folder]`, so that snapshots are equal everywhere.
    pub fn outcome(&self, output: &Output) -> CommandOutcome {
        let clean = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let real = self.folder.path().canonicalize().expect("exists");
            text.replace(&real.display().to_string(), "[folder]")
                .replace(&self.folder.path().display().to_string(), "[folder]")
        };
        CommandOutcome { code: output.status.code(), stdout: clean(&output.stdout), stderr: clean(&output.stderr) }
    }

    /// Returns the rows of a query on the store, with columns joined by `|`.
    pub fn query(&self, sql: &str) -> Vec<String> {
        match &self.server {
            None => query(&self.path("didact.db"), sql),
            #[cfg(feature = "postgres")]
            Some(url) => crate::postgres::query(url, sql),
            #[cfg(not(feature = "postgres"))]
            Some(url) => panic!("{url} needs the feature `postgres`"),
        }
    }

    /// Returns what `--store` takes.
    pub fn store(&self) -> String {
        self.server.clone().unwrap_or_else(|| self.path("didact.db").display().to_string())
    }

    /// Takes the store's write lock; `None` if others hold it for longer than half a second.
    pub fn lock(&self) -> Option<WriteLock> {
        use sqlx::Connection;
        let runtime = runtime();
        #[cfg(feature = "postgres")]
        if let Some(url) = &self.server {
            let connection = runtime.block_on(crate::postgres::lock(url))?;
            return Some(WriteLock::Server { _connection: connection, _runtime: runtime });
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.path("didact.db"))
            .busy_timeout(Duration::from_millis(500));
        let mut connection = runtime.block_on(sqlx::SqliteConnection::connect_with(&options)).expect("the store opens");
        runtime.block_on(sqlx::query("BEGIN IMMEDIATE").execute(&mut connection)).ok()?;
        Some(WriteLock::File { _connection: connection, _runtime: runtime })
    }

    /// Returns the first number of a query.
    #[track_caller]
    pub fn count(&self, sql: &str) -> i64 {
        self.query(sql).first().and_then(|row| row.parse().ok()).unwrap_or_else(|| panic!("{sql} counts nothing"))
    }
}

/// Prevents other processes from writing to the store until it is dropped.
pub enum WriteLock {
    File {
        _connection: sqlx::SqliteConnection,
        _runtime: tokio::runtime::Runtime,
    },
    #[cfg(feature = "postgres")]
    Server {
        _connection: sqlx::PgConnection,
        _runtime: tokio::runtime::Runtime,
    },
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Returns the rows of a query on any store, with columns joined by `|`.
pub fn query(store: &Path, sql: &str) -> Vec<String> {
    use sqlx::{Connection, Row, TypeInfo, ValueRef};
    runtime().block_on(async {
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(store).busy_timeout(std::time::Duration::from_secs(30));
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.expect("the store opens");
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.expect("valid SQL");
        let show = |row: &sqlx::sqlite::SqliteRow, column: usize| -> String {
            let value = row.try_get_raw(column).expect("a column");
            match value.type_info().name() {
                _ if value.is_null() => "NULL".to_owned(),
                "INTEGER" => row.get::<i64, _>(column).to_string(),
                "REAL" => row.get::<f64, _>(column).to_string(),
                _ => row.get::<String, _>(column),
            }
        };
        let lines = rows.iter().map(|row| (0..row.len()).map(|c| show(row, c)).collect::<Vec<_>>().join("|")).collect();
        connection.close().await.expect("closes");
        lines
    })
}

/// A sweep over one synthetic category: two epochs, one variant and the baseline.
pub const TINY: &str = r#"schema = 1
name = "tiny"
question = "Does it run?"

[data]
layout = "synthetic"
categories = ["weave"]
image_size = 32
synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }

[teacher]
weights = "demo"

[model]
depth = 1

[pretrain]
epochs = 1
batch_size = 4

[joint]
epochs = 2
batch_size = 4
"#;

/// Returns [`TINY`] with joint training that is long enough to interrupt: two trials, the baseline first.
pub fn two_long_trials() -> String {
    TINY.replace("epochs = 2\nbatch_size = 4\n", "epochs = 40\nbatch_size = 4\n")
}

/// Returns only the baseline of [`two_long_trials`].
pub fn one_long_trial() -> String {
    two_long_trials().replace("depth = 1", "autoencoder = \"none\"")
}

/// Returns [`TINY`] on images below `data/` instead of synthetic ones.
pub fn tiny_on_disk() -> String {
    TINY.replace("layout = \"synthetic\"", "layout = \"mvtec\"\nroot = \"data\"")
        .replace("synthetic = { side = 32, train = 10, test_good = 3, test_per_defect = 2 }", "")
}
