//! Statements: their text, with the placeholders `$1`, `$2` …, and their values.

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, FromRow, Sqlite};

use super::open::Tx;
use super::{Store, StoreError};

/// A value of a statement. `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Integer(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
}

/// Converts types to values, and options of them.
macro_rules! values {
    ($($type:ty => |$value:ident| $variant:ident($read:expr)),+ $(,)?) => {
        $(
            impl From<$type> for Value {
                fn from($value: $type) -> Self {
                    Self::$variant(Some($read))
                }
            }

            impl From<Option<$type>> for Value {
                fn from(value: Option<$type>) -> Self {
                    Self::$variant(value.map(|$value| $read))
                }
            }
        )+
    };
}

values! {
    i64 => |value| Integer(value),
    bool => |value| Integer(i64::from(value)),
    f64 => |value| Real(value),
    &f64 => |value| Real(*value),
    &str => |value| Text(value.to_owned()),
    String => |value| Text(value),
    &String => |value| Text(value.clone()),
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

/// A statement with its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

/// Creates a statement. Its text must not contain anything that a person typed.
pub(super) fn sql(text: impl Into<String>) -> Sql {
    Sql { text: text.into(), values: Vec::new() }
}

/// Where a query reads: the store, or a write transaction.
pub(super) enum Source<'a> {
    Store(&'a Store),
    Transaction(&'a mut Tx),
}

impl<'a> From<&'a Store> for Source<'a> {
    fn from(store: &'a Store) -> Self {
        Self::Store(store)
    }
}

impl<'a> From<&'a mut Tx> for Source<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        Self::Transaction(tx)
    }
}

impl Sql {
    /// Adds the value of the next placeholder.
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds the values of the next placeholders.
    pub(super) fn bind_all(mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.values.extend(values.into_iter().map(Into::into));
        self
    }

    /// Executes the statement and returns the number of changed rows.
    pub(super) async fn execute(self, tx: &mut Tx) -> Result<u64, StoreError> {
        let (text, arguments) = self.parts()?;
        Ok(sqlx::query_with(text, arguments).execute(&mut **tx).await?.rows_affected())
    }

    /// Returns all rows.
    pub(super) async fn all<R: Read>(self, source: impl Into<Source<'_>>) -> Result<Vec<R>, StoreError> {
        let (text, arguments) = self.parts()?;
        let query = sqlx::query_as_with::<Sqlite, R, _>(text, arguments);
        Ok(match source.into() {
            Source::Store(store) => query.fetch_all(&store.pool).await?,
            Source::Transaction(tx) => query.fetch_all(&mut **tx).await?,
        })
    }

    /// Returns the first row, if there is one.
    pub(super) async fn optional<R: Read>(self, source: impl Into<Source<'_>>) -> Result<Option<R>, StoreError> {
        let (text, arguments) = self.parts()?;
        let query = sqlx::query_as_with::<Sqlite, R, _>(text, arguments);
        Ok(match source.into() {
            Source::Store(store) => query.fetch_optional(&store.pool).await?,
            Source::Transaction(tx) => query.fetch_optional(&mut **tx).await?,
        })
    }

    /// Returns the first row.
    ///
    /// # Errors
    /// Fails if there is none.
    pub(super) async fn one<R: Read>(self, source: impl Into<Source<'_>>) -> Result<R, StoreError> {
        self.optional(source).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// Returns the only column of the first row.
    ///
    /// # Errors
    /// Fails if there is no row.
    pub(super) async fn value<T>(self, source: impl Into<Source<'_>>) -> Result<T, StoreError>
    where
        (T,): Read,
    {
        let (value,) = self.one(source).await?;
        Ok(value)
    }

    /// Returns the only column of all rows.
    pub(super) async fn column<T>(self, source: impl Into<Source<'_>>) -> Result<Vec<T>, StoreError>
    where
        (T,): Read,
    {
        let rows: Vec<(T,)> = self.all(source).await?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    fn parts(self) -> Result<(AssertSqlSafe<String>, SqliteArguments), StoreError> {
        let mut arguments = SqliteArguments::default();
        for value in self.values {
            match value {
                Value::Integer(value) => arguments.add(value),
                Value::Real(value) => arguments.add(value),
                Value::Text(value) => arguments.add(value),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        Ok((AssertSqlSafe(self.text), arguments))
    }
}

/// What can be read from a row.
pub(super) trait Read: for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}

impl<R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin> Read for R {}

/// Rows per INSERT, and keys per list. Equal texts are parsed once. SQLite accepts at most 32,766 values per statement.
pub(super) const ROWS_PER_STATEMENT: usize = 500;

/// Inserts rows: `into` names the table and its columns, `suffix` says what happens to rows that exist. Returns the number of rows that
/// were inserted or changed.
pub(super) async fn insert<const COLUMNS: usize>(
    tx: &mut Tx,
    into: &str,
    rows: impl IntoIterator<Item = [Value; COLUMNS]>,
    suffix: &str,
) -> Result<u64, StoreError> {
    let mut written = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<[Value; COLUMNS]> = rows.by_ref().take(ROWS_PER_STATEMENT).collect();
        // Placeholders without numbers: SQLite looks each number up among all others.
        let row = format!("({})", vec!["?"; COLUMNS].join(", "));
        let statement = sql(format!("INSERT INTO {into} VALUES {} {suffix}", vec![row; chunk.len()].join(", ")));
        written += statement.bind_all(chunk.into_iter().flatten()).execute(tx).await?;
    }
    Ok(written)
}

/// Returns `count` placeholders from number `first` on, such as `$2, $3`.
pub(super) fn list(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}
