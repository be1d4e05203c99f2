//! Statements: their text, with the placeholders `$1`, `$2` …, their values, and the rows that they return.
//!
//! Statements stay in the subset of SQL that SQLite and PostgreSQL share. Functions of the clock (`clock.rs`) are translated.

#[cfg(feature = "postgres")]
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Row as _, ValueRef as _};

use super::clock;
use super::database::{Pool, Tx};
use super::{Store, StoreError};

/// A value of a statement. `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Integer(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
}

impl Value {
    /// Returns the value in the form that both databases can store. SQLite has no NaN and no negative zero, PostgreSQL no U+0000.
    pub(super) fn portable(self) -> Self {
        match self {
            Self::Real(value) => Self::Real(value.filter(|value| !value.is_nan()).map(|value| value + 0.0)),
            Self::Text(Some(text)) if text.contains('\0') => Self::Text(Some(text.replace('\0', "\u{FFFD}"))),
            value => value,
        }
    }
}

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Real,
    Text,
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

/// Runs a query where its source is, and reads the rows while they arrive.
macro_rules! on_source {
    ($sql:expr, $source:expr, $fetch:ident, $read:expr) => {{
        let sqlite = |row: SqliteRow| $read(Row::Sqlite(&row));
        #[cfg(feature = "postgres")]
        let postgres = |row: PgRow| $read(Row::Postgres(&row));
        match $source {
            Source::Store(Store { pool: Pool::Sqlite(pool), .. }) => {
                let (text, arguments) = $sql.for_sqlite()?;
                Ok(sqlx::query_with(text, arguments).try_map(sqlite).$fetch(pool).await?)
            }
            Source::Transaction(Tx::Sqlite(tx)) => {
                let (text, arguments) = $sql.for_sqlite()?;
                Ok(sqlx::query_with(text, arguments).try_map(sqlite).$fetch(&mut **tx).await?)
            }
            #[cfg(feature = "postgres")]
            Source::Store(Store { pool: Pool::Postgres(pool), .. }) => {
                let (text, arguments) = $sql.for_postgres()?;
                Ok(sqlx::query_with(text, arguments).try_map(postgres).$fetch(pool).await?)
            }
            #[cfg(feature = "postgres")]
            Source::Transaction(Tx::Postgres(tx)) => {
                let (text, arguments) = $sql.for_postgres()?;
                Ok(sqlx::query_with(text, arguments).try_map(postgres).$fetch(&mut **tx).await?)
            }
        }
    }};
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
        Ok(match tx {
            Tx::Sqlite(tx) => {
                let (text, arguments) = self.for_sqlite()?;
                sqlx::query_with(text, arguments).execute(&mut **tx).await?.rows_affected()
            }
            #[cfg(feature = "postgres")]
            Tx::Postgres(tx) => {
                let (text, arguments) = self.for_postgres()?;
                sqlx::query_with(text, arguments).execute(&mut **tx).await?.rows_affected()
            }
        })
    }

    /// Returns all rows.
    pub(super) async fn all<R: Read>(self, source: impl Into<Source<'_>>) -> Result<Vec<R>, StoreError> {
        on_source!(self, source.into(), fetch_all, R::read)
    }

    /// Returns the first row, if there is one.
    pub(super) async fn optional<R: Read>(self, source: impl Into<Source<'_>>) -> Result<Option<R>, StoreError> {
        on_source!(self, source.into(), fetch_optional, R::read)
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
    pub(super) async fn value<T: Column>(self, source: impl Into<Source<'_>>) -> Result<T, StoreError> {
        let (value,) = self.one(source).await?;
        Ok(value)
    }

    /// Returns the only column of all rows.
    pub(super) async fn column<T: Column>(self, source: impl Into<Source<'_>>) -> Result<Vec<T>, StoreError> {
        let rows: Vec<(T,)> = self.all(source).await?;
        Ok(rows.into_iter().map(|(value,)| value).collect())
    }

    /// Returns all rows of a query whose columns have these types.
    pub(super) async fn values(
        self,
        source: impl Into<Source<'_>>,
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let read = |row: Row<'_>| kinds.iter().zip(0..).map(|(kind, index)| kind.read(row, At::Index(index))).collect();
        on_source!(self, source.into(), fetch_all, read)
    }

    fn for_sqlite(self) -> Result<(AssertSqlSafe<String>, SqliteArguments), StoreError> {
        let arguments = arguments::<SqliteArguments>(self.values)?;
        Ok((AssertSqlSafe(clock::for_sqlite(self.text)), arguments))
    }

    #[cfg(feature = "postgres")]
    fn for_postgres(self) -> Result<(AssertSqlSafe<String>, PgArguments), StoreError> {
        Ok((AssertSqlSafe(self.text), arguments::<PgArguments>(self.values)?))
    }
}

/// Converts values to the arguments of a database.
fn arguments<A: Arguments + Default>(values: Vec<Value>) -> Result<A, StoreError>
where
    Option<i64>: for<'q> sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    Option<f64>: for<'q> sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
    Option<String>: for<'q> sqlx::Encode<'q, A::Database> + sqlx::Type<A::Database>,
{
    let mut arguments = A::default();
    for value in values {
        match value.portable() {
            Value::Integer(value) => arguments.add(value),
            Value::Real(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// A row of a database.
#[derive(Clone, Copy)]
pub(super) enum Row<'r> {
    Sqlite(&'r SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(&'r PgRow),
}

/// Which column of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Name(&'static str),
    Index(usize),
}

impl At {
    /// Returns the error of a column whose content has an unexpected form.
    pub(super) fn unreadable(self, source: sqlx::error::BoxDynError) -> sqlx::Error {
        let index = match self {
            Self::Name(name) => format!("{name:?}"),
            Self::Index(index) => index.to_string(),
        };
        sqlx::Error::ColumnDecode { index, source }
    }
}

/// Reads a column whose type sqlx knows.
macro_rules! get {
    ($row:expr, $at:expr, $type:ty) => {
        match ($row, $at) {
            (Row::Sqlite(row), At::Name(name)) => row.try_get::<$type, _>(name),
            (Row::Sqlite(row), At::Index(index)) => row.try_get::<$type, _>(index),
            #[cfg(feature = "postgres")]
            (Row::Postgres(row), At::Name(name)) => row.try_get::<$type, _>(name),
            #[cfg(feature = "postgres")]
            (Row::Postgres(row), At::Index(index)) => row.try_get::<$type, _>(index),
        }
    };
}

impl<'r> Row<'r> {
    /// Returns a column that holds text.
    pub(super) fn text(self, at: At) -> Result<&'r str, sqlx::Error> {
        get!(self, at, &'r str)
    }

    fn is_null(self, at: At) -> Result<bool, sqlx::Error> {
        match (self, at) {
            (Row::Sqlite(row), At::Name(name)) => Ok(row.try_get_raw(name)?.is_null()),
            (Row::Sqlite(row), At::Index(index)) => Ok(row.try_get_raw(index)?.is_null()),
            #[cfg(feature = "postgres")]
            (Row::Postgres(row), At::Name(name)) => Ok(row.try_get_raw(name)?.is_null()),
            #[cfg(feature = "postgres")]
            (Row::Postgres(row), At::Index(index)) => Ok(row.try_get_raw(index)?.is_null()),
        }
    }
}

/// What can be read from one column.
pub(super) trait Column: Sized + Send + Unpin {
    /// Reads the column.
    fn of(row: Row<'_>, at: At) -> Result<Self, sqlx::Error>;
}

macro_rules! columns {
    ($($type:ty),+ $(,)?) => {
        $(impl Column for $type {
            fn of(row: Row<'_>, at: At) -> Result<Self, sqlx::Error> {
                get!(row, at, $type)
            }
        })+
    };
}

columns!(i64, f64, String);

/// Conditions have a type of their own in PostgreSQL. Columns hold 0 or 1 in both databases.
impl Column for bool {
    fn of(row: Row<'_>, at: At) -> Result<Self, sqlx::Error> {
        match row {
            Row::Sqlite(_) => get!(row, at, bool),
            #[cfg(feature = "postgres")]
            Row::Postgres(_) => get!(row, at, bool).or_else(|_| Ok(get!(row, at, i64)? != 0)),
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(row: Row<'_>, at: At) -> Result<Self, sqlx::Error> {
        if row.is_null(at)? { Ok(None) } else { T::of(row, at).map(Some) }
    }
}

impl Kind {
    fn read(self, row: Row<'_>, at: At) -> Result<Value, sqlx::Error> {
        Ok(match self {
            Self::Integer => Value::Integer(Option::of(row, at)?),
            Self::Real => Value::Real(Option::of(row, at)?),
            Self::Text => Value::Text(Option::of(row, at)?),
        })
    }
}

/// What can be read from a row: a struct whose fields have the names of the columns (see `row!`), or a tuple of its columns.
pub(super) trait Read: Sized + Send + Unpin {
    /// Reads the row.
    fn read(row: Row<'_>) -> Result<Self, sqlx::Error>;
}

macro_rules! tuples {
    ($(($($type:ident $index:literal),+)),+ $(,)?) => {
        $(impl<$($type: Column),+> Read for ($($type,)+) {
            fn read(row: Row<'_>) -> Result<Self, sqlx::Error> {
                Ok(($($type::of(row, At::Index($index))?,)+))
            }
        })+
    };
}

tuples!(
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
);

/// Rows per INSERT, and keys per list. Equal texts are parsed once. SQLite accepts at most 32,766 values per statement.
pub(super) const ROWS_PER_STATEMENT: usize = 500;

/// Inserts rows: `into` names the table and its columns, `suffix` says what happens to rows that exist. Returns the number of rows that
/// were inserted or changed.
pub(super) async fn insert<R: AsRef<[Value]> + IntoIterator<Item = Value>>(
    tx: &mut Tx,
    into: &str,
    rows: impl IntoIterator<Item = R>,
    suffix: &str,
) -> Result<u64, StoreError> {
    let mut written = 0;
    let mut rows = rows.into_iter().peekable();
    while let Some(columns) = rows.peek().map(|row| row.as_ref().len()) {
        let chunk: Vec<R> = rows.by_ref().take(ROWS_PER_STATEMENT).collect();
        let tuples: Vec<String> = match tx {
            // Placeholders without numbers: SQLite looks each number up among all others.
            Tx::Sqlite(_) => vec![format!("({})", vec!["?"; columns].join(", ")); chunk.len()],
            #[cfg(feature = "postgres")]
            Tx::Postgres(_) => (0..chunk.len()).map(|row| format!("({})", list(row * columns + 1, columns))).collect(),
        };
        let statement = sql(format!("INSERT INTO {into} VALUES {} {suffix}", tuples.join(", ")));
        written += statement.bind_all(chunk.into_iter().flatten()).execute(tx).await?;
    }
    Ok(written)
}

/// Returns `count` placeholders from number `first` on, such as `$2, $3`.
pub(super) fn list(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_only_one_database_can_store_are_replaced() {
        assert_eq!(Value::from(f64::NAN).portable(), Value::Real(None));
        let Value::Real(Some(zero)) = Value::from(-0.0).portable() else { panic!("a number") };
        assert_eq!(zero.to_bits(), 0);
        for value in [f64::INFINITY, f64::MIN_POSITIVE / 4.0, 0.1 + 0.2, -1.5] {
            assert_eq!(Value::from(value).portable(), Value::Real(Some(value)));
        }
        assert_eq!(Value::from("a\0b").portable(), Value::Text(Some("a\u{FFFD}b".to_owned())));
    }
}
