//! How settings are declared and read: a type declares its settings once, and the reader, the JSON schema, the page on the sweep file
//! and the names in the store come from that declaration.

mod choice;
mod field;
mod name;
mod problem;
mod question;
mod reader;
mod table;
mod tree;

pub use choice::{Choice, Named};
pub(crate) use choice::{alternatives, choices};
pub(crate) use field::{Field, documented};
pub use name::near;
pub(crate) use name::quoted;
pub(crate) use problem::Problems;
pub use problem::{ConfigErrors, Located, Place, Problem};
pub(crate) use question::{Kind, NamedValue, Question, Usual, first_paragraph};
pub(crate) use reader::{Reader, Session};
pub(crate) use table::{Settings, defaults, settings};
pub(crate) use tree::{Node, Table, Value, get, parse, parse_flag, set};
