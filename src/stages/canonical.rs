//! Canonical JSON text, from which keys are computed.

use std::cell::RefCell;
use std::io;
use std::ops::Range;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

/// Returns the canonical text of a value: object members sorted by name, and one notation for each number.
pub(super) fn canonical(value: &impl Serialize) -> Vec<u8> {
    text(value, None)
}

/// Returns the same text without any `location` member, so that moving files changes no key.
pub(super) fn canonical_without_locations(value: &impl Serialize) -> Vec<u8> {
    text(value, Some("location"))
}

fn text(value: &impl Serialize, without: Option<&'static str>) -> Vec<u8> {
    let text = RefCell::new(Vec::with_capacity(4096));
    let formatter = Canonical { text: &text, without, open: Vec::new(), sorted: Vec::new() };
    // Cannot fail: settings and jobs have JSON, and a vector accepts every write.
    let _ = value.serialize(&mut Serializer::with_formatter(Text(&text), formatter));
    text.into_inner()
}

/// Writes to the text that its formatter reorders.
struct Text<'t>(&'t RefCell<Vec<u8>>);

impl io::Write for Text<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sorts the members of each object when it ends. No tree of values is built: a plan has hundreds of thousands of jobs.
struct Canonical<'t> {
    text: &'t RefCell<Vec<u8>>,
    /// Name of the members that are left out.
    without: Option<&'static str>,
    /// The objects that are being written, outermost first.
    open: Vec<Object>,
    /// The sorted members of the object that ended last.
    sorted: Vec<u8>,
}

/// An object that is being written. Positions are those in the text.
struct Object {
    start: usize,
    members: Vec<Member>,
}

struct Member {
    /// The name without its quotes.
    name: Range<usize>,
    /// The name with its quotes, the colon and the value.
    all: Range<usize>,
}

impl Canonical<'_> {
    fn position(&self) -> usize {
        self.text.borrow().len()
    }

    fn member(&mut self) -> Option<&mut Member> {
        self.open.last_mut()?.members.last_mut()
    }
}

impl Formatter for Canonical<'_> {
    fn begin_object<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        let start = self.position();
        self.open.push(Object { start, members: Vec::new() });
        Ok(())
    }

    fn begin_object_key<W: io::Write + ?Sized>(&mut self, _: &mut W, _: bool) -> io::Result<()> {
        let start = self.position();
        if let Some(object) = self.open.last_mut() {
            object.members.push(Member { name: start + 1..start + 1, all: start..start });
        }
        Ok(())
    }

    fn end_object_key<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        let end = self.position();
        if let Some(member) = self.member() {
            member.name.end = end - 1;
        }
        Ok(())
    }

    fn end_object_value<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        let end = self.position();
        if let Some(member) = self.member() {
            member.all.end = end;
        }
        Ok(())
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        let Some(Object { start, mut members }) = self.open.pop() else { return Ok(()) };
        let mut text = self.text.borrow_mut();
        members.retain(|member| self.without.is_none_or(|name| text[member.name.clone()] != *name.as_bytes()));
        members.sort_by(|a, b| text[a.name.clone()].cmp(&text[b.name.clone()]));
        self.sorted.clear();
        self.sorted.push(b'{');
        for (index, member) in members.iter().enumerate() {
            if index > 0 {
                self.sorted.push(b',');
            }
            self.sorted.extend_from_slice(&text[member.all.clone()]);
        }
        self.sorted.push(b'}');
        text.truncate(start);
        text.extend_from_slice(&self.sorted);
        Ok(())
    }

    /// Writes whole numbers without a fraction, whatever their type: a setting may become a float without changing keys.
    fn write_f64<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        /// Largest magnitude up to which every whole number is exactly representable as a float.
        const MOST: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() <= MOST {
            CompactFormatter.write_i64(writer, value as i64)
        } else {
            CompactFormatter.write_f64(writer, value)
        }
    }

    fn write_f32<W: io::Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_everywhere_and_numbers_written_one_way() {
        let text = |json: &str| {
            let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
            String::from_utf8(canonical(&value)).expect("text")
        };
        assert_eq!(text(r#"{"b": [{"z": 1, "a": null}], "a": "x\n"}"#), r#"{"a":"x\n","b":[{"a":null,"z":1}]}"#);
        assert_eq!(text("[1, 1.0, 10e-1, -0.0, 0]"), "[1,1,1,0,0]");
        assert_eq!(text("[0.1, 1e-9, 1e300, 18446744073709551615]"), "[0.1,1e-9,1e+300,18446744073709551615]");
        assert_eq!(
            text(r#"{"ab": {}, "a b": [], "a": {"": {"y": {"x": 0}}}}"#),
            r#"{"a":{"":{"y":{"x":0}}},"a b":[],"ab":{}}"#
        );
        assert_ne!(text("[1, 2]"), text("[2, 1]"), "the order of a list is part of it");
    }

    #[test]
    fn structs_and_enums_have_the_text_of_their_json() {
        #[derive(Serialize)]
        enum Shape {
            Plain,
            Sized { width: f64, depth: usize },
            Named(Option<&'static str>),
        }
        let shapes = [Shape::Plain, Shape::Sized { width: 0.5, depth: 2 }, Shape::Named(None), Shape::Named(Some("u"))];
        let expected = r#"["Plain",{"Sized":{"depth":2,"width":0.5}},{"Named":null},{"Named":"u"}]"#;
        assert_eq!(canonical(&shapes), expected.as_bytes());
        assert_eq!(canonical(&json!(shapes)), expected.as_bytes());
        assert_eq!(canonical(&0.1_f32), canonical(&json!(0.1_f32)));
    }

    #[test]
    fn locations_are_left_out_at_every_depth_where_that_is_asked() {
        let value = json!({ "images": [{ "digest": "d", "location": { "root": "a" } }], "location": 1 });
        assert_eq!(canonical_without_locations(&value), br#"{"images":[{"digest":"d"}]}"#);
        assert_eq!(canonical(&value), br#"{"images":[{"digest":"d","location":{"root":"a"}}],"location":1}"#);
    }
}
