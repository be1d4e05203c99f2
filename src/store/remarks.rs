//! What people say of a sweep: tags and a note. They are outside all keys, so they change no plan and no result.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::database::Tx;
use super::row::{column, row};
use super::sql::{Source, Value, insert, sql};
use super::{Store, StoreError};

/// Maximum number of tags of a sweep. A merge may exceed it, because it loses no tag.
pub const MAX_TAGS: usize = 32;

/// Maximum number of characters of a note.
const MAX_NOTE: usize = 10_000;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tag(String);

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
        match !text.is_empty() && text.len() <= 40 && text.chars().all(is_allowed) {
            true => Ok(Self(text.to_owned())),
            false => Err("expected at most 40 letters, digits, `-`, `_`, `.`, `/` and `:`".to_owned()),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note(String);

impl FromStr for Note {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A terminal would interpret other control characters.
        let is_shown = |c: char| !c.is_control() || c == '\n' || c == '\t';
        let characters = text.chars().count();
        match () {
            () if text.trim().is_empty() => Err("the note is empty; --remove removes a note".to_owned()),
            () if characters > MAX_NOTE => {
                Err(format!("the note has {characters} characters; expected at most {MAX_NOTE}"))
            }
            () if !text.chars().all(is_shown) => {
                Err("the note has control characters; expected text, line breaks and tabs".to_owned())
            }
            () => Ok(Self(text.trim_end().to_owned())),
        }
    }
}

/// The tags of a sweep, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Tags(pub Vec<Tag>);

column!(Tags => |text| Ok::<_, std::convert::Infallible>(Tags(text.split_whitespace().map(|tag| Tag(tag.to_owned())).collect())));

impl fmt::Display for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.iter().map(|tag| tag.0.as_str()).collect::<Vec<_>>().join(", "))
    }
}

/// SQL of the tags of a row `w` of `sweeps`, separated by spaces. No tag contains a space.
pub(super) const TAGS: &str =
    "COALESCE((SELECT string_agg(g.tag, ' ' ORDER BY g.tag) FROM sweep_tags g WHERE g.sweep_id = w.id), '')";

/// SQL of the note of a row `w` of `sweeps`.
pub(super) const NOTE: &str = "(SELECT n.note FROM sweep_notes n WHERE n.sweep_id = w.id)";

row! {
    /// The tags and the note of a sweep.
    #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
    pub struct Remarks {
        /// Tags.
        pub tags: Tags,
        /// Note.
        pub note: Option<String>,
    }
}

impl Store {
    /// Returns the tags and the note of a sweep.
    pub async fn remarks(&self, sweep: &str) -> Result<Remarks, StoreError> {
        remarks_where("w.key = $1", sweep, self).await
    }

    /// Removes and adds tags, and returns those that the sweep then has.
    ///
    /// # Errors
    /// [`StoreError::NoTag`] if the sweep lacks one that is removed, [`StoreError::TooManyTags`] if it would have more than
    /// [`MAX_TAGS`]. Nothing changes then.
    pub async fn change_tags(&self, sweep: &str, add: &[Tag], remove: &[Tag]) -> Result<Tags, StoreError> {
        let mut tx = self.write().await?;
        let id = id_of(&mut tx, sweep).await?;
        let mut tags: BTreeSet<Tag> = remarks_of(id, &mut tx).await?.tags.0.into_iter().collect();
        for tag in remove {
            if !tags.remove(tag) {
                return Err(StoreError::NoTag { tag: tag.to_string(), known: Tags(tags.into_iter().collect()) });
            }
        }
        tags.extend(add.iter().cloned());
        if tags.len() > MAX_TAGS {
            return Err(StoreError::TooManyTags { count: tags.len() });
        }
        sql("DELETE FROM sweep_tags WHERE sweep_id = $1").bind(id).execute(&mut tx).await?;
        insert_tags(&mut tx, id, &tags).await?;
        tx.commit().await?;
        Ok(Tags(tags.into_iter().collect()))
    }

    /// Sets the note of a sweep, or removes it.
    pub async fn set_note(&self, sweep: &str, note: Option<&Note>) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let id = id_of(&mut tx, sweep).await?;
        write_note(&mut tx, id, note.map(|note| note.0.as_str())).await?;
        tx.commit().await
    }
}

/// Unites the tags and notes of another store's sweeps with those of this store's sweeps. `sweeps` has this store's ids by the other's.
pub(super) async fn unite(tx: &mut Tx, other: &Store, sweeps: &BTreeMap<i64, i64>) -> Result<(), StoreError> {
    for (their, our) in sweeps {
        let theirs = remarks_of(*their, other).await?;
        insert_tags(tx, *our, &theirs.tags.0.into_iter().collect()).await?;
        let ours = remarks_of(*our, &mut *tx).await?;
        write_note(tx, *our, joined(ours.note.as_deref(), theirs.note.as_deref()).as_deref()).await?;
    }
    Ok(())
}

/// Joins two notes. A note that contains the other is enough, so merging again changes nothing.
fn joined(ours: Option<&str>, theirs: Option<&str>) -> Option<String> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours.contains(theirs) => Some(ours.to_owned()),
        (Some(ours), Some(theirs)) if theirs.contains(ours) => Some(theirs.to_owned()),
        (Some(ours), Some(theirs)) => Some(format!("{ours}\n\n{theirs}")),
        (ours, theirs) => ours.or(theirs).map(str::to_owned),
    }
}

async fn remarks_of(sweep: i64, source: impl Into<Source<'_>>) -> Result<Remarks, StoreError> {
    remarks_where("w.id = $1", sweep, source).await
}

async fn remarks_where(
    condition: &str,
    value: impl Into<Value>,
    source: impl Into<Source<'_>>,
) -> Result<Remarks, StoreError> {
    sql(format!("SELECT {TAGS} AS tags, {NOTE} AS note FROM sweeps w WHERE {condition}")).bind(value).one(source).await
}

async fn id_of(tx: &mut Tx, sweep: &str) -> Result<i64, StoreError> {
    sql("SELECT id FROM sweeps WHERE key = $1").bind(sweep).value(tx).await
}

async fn insert_tags(tx: &mut Tx, sweep: i64, tags: &BTreeSet<Tag>) -> Result<(), StoreError> {
    let rows = tags.iter().map(|tag| -> [Value; 2] { [sweep.into(), (&tag.0).into()] });
    insert(tx, "sweep_tags (sweep_id, tag)", rows, "ON CONFLICT DO NOTHING").await?;
    Ok(())
}

async fn write_note(tx: &mut Tx, sweep: i64, note: Option<&str>) -> Result<(), StoreError> {
    match note {
        None => sql("DELETE FROM sweep_notes WHERE sweep_id = $1").bind(sweep),
        Some(note) => sql("INSERT INTO sweep_notes (sweep_id, note) VALUES ($1, $2)
             ON CONFLICT (sweep_id) DO UPDATE SET note = excluded.note")
        .bind(sweep)
        .bind(note),
    }
    .execute(tx)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_few_characters_of_few_kinds() {
        for tag in ["a", "paper/fig:2_b-1.0", &"x".repeat(40)] {
            assert_eq!(tag.parse::<Tag>().map(|tag| tag.to_string()).as_deref(), Ok(tag));
        }
        for tag in ["", " ", "a b", "ä", "a,b", &"x".repeat(41)] {
            assert!(tag.parse::<Tag>().is_err(), "{tag:?}");
        }
    }

    #[test]
    fn notes_are_text_of_limited_length() {
        assert_eq!("a\n\tb \n".parse(), Ok(Note("a\n\tb".to_owned())));
        assert!("ä".repeat(MAX_NOTE).parse::<Note>().is_ok());
        for note in ["", " \n", "a\u{1b}[2J", &"x".repeat(MAX_NOTE + 1)] {
            assert!(note.parse::<Note>().is_err(), "{note:?}");
        }
    }

    #[test]
    fn notes_are_joined_once() {
        assert_eq!(joined(Some("a"), Some("b")).as_deref(), Some("a\n\nb"));
        assert_eq!(joined(Some("a\n\nb"), Some("b")).as_deref(), Some("a\n\nb"));
        assert_eq!(joined(Some("b"), Some("a\n\nb")).as_deref(), Some("a\n\nb"));
        assert_eq!((joined(None, Some("b")).as_deref(), joined(None, None)), (Some("b"), None));
    }
}
