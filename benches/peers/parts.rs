//! Measures the parts of a step from their tracing spans.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Time and work of one part.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// Time spent in the part.
    pub time: Duration,
    /// Bytes that the part reads from its arguments and writes to its results.
    pub bytes: u64,
    /// Multiply-accumulates of the part.
    pub multiply_accumulates: u64,
}

/// Totals of the parts by name.
#[derive(Debug, Clone, Default)]
pub struct Parts(Arc<Mutex<BTreeMap<String, Spent>>>);

impl Parts {
    /// Returns the totals since the last call.
    pub fn take(&self) -> BTreeMap<String, Spent> {
        std::mem::take(&mut self.0.lock().expect("one thread"))
    }
}

/// An open span.
struct Open {
    name: String,
    bytes: u64,
    multiply_accumulates: u64,
    since: Instant,
}

impl Visit for Open {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "bytes" => self.bytes = value,
            "multiply_accumulates" => self.multiply_accumulates = value,
            _ => {}
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.name = value.into();
        }
    }
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Parts {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() != "didact::parts" {
            return;
        }
        let mut open = Open { name: String::new(), bytes: 0, multiply_accumulates: 0, since: Instant::now() };
        attributes.record(&mut open);
        open.since = Instant::now();
        context.span(id).expect("new").extensions_mut().insert(open);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("open");
        let extensions = span.extensions();
        let Some(open) = extensions.get::<Open>() else { return };
        let mut parts = self.0.lock().expect("one thread");
        let spent = parts.entry(open.name.clone()).or_default();
        spent.time += open.since.elapsed();
        spent.bytes += open.bytes;
        spent.multiply_accumulates += open.multiply_accumulates;
    }
}
