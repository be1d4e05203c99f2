//! Structs that are read from query rows. Each field is read from the column with its name.

/// Defines a struct that is read from a query row.
///
/// Replaces sqlx's derive macro, which would compile SQLite a second time for use by the compiler.
macro_rules! row {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)+
        }

        impl<'r> sqlx::FromRow<'r, sqlx::sqlite::SqliteRow> for $name {
            fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
                use sqlx::Row as _;
                Ok(Self { $($field: row.try_get(stringify!($field))?,)+ })
            }
        }
    };
}

/// Lets columns store enums by name, or another type through an expression that parses the name.
macro_rules! column {
    ($($name:ty),+ $(,)?) => {
        $(column!($name => |name| {
            let unknown = || format!("this version of didact does not know the name `{name}`");
            Self::named(name).ok_or_else(unknown)
        });)+
    };
    ($name:ty => |$text:ident| $read:expr) => {
        impl<D: sqlx::Database> sqlx::Type<D> for $name
        where
            str: sqlx::Type<D>,
        {
            fn type_info() -> D::TypeInfo {
                <str as sqlx::Type<D>>::type_info()
            }

            fn compatible(info: &D::TypeInfo) -> bool {
                <str as sqlx::Type<D>>::compatible(info)
            }
        }

        impl<'r, D: sqlx::Database> sqlx::Decode<'r, D> for $name
        where
            &'r str: sqlx::Decode<'r, D>,
        {
            fn decode(value: D::ValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
                let $text = <&str as sqlx::Decode<'r, D>>::decode(value)?;
                Ok($read?)
            }
        }
    };
}

pub(super) use {column, row};
