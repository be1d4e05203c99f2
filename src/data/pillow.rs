//! Compares decoding with Pillow: the pixels it reads and the files it refuses, recorded by `tests/golden/images.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::decode::{header, verify};
use super::{Exif, Picture, Reading};

#[derive(Deserialize)]
struct Recorded {
    images: Vec<Recording>,
    /// Per file, one digit per length: 1 if Pillow accepts the file cut to this many bytes.
    cut: BTreeMap<String, String>,
    /// Per file, one digit per byte position: 1 if Pillow accepts the file with bit `position % 8` of that byte changed.
    flipped: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Recording {
    name: String,
    file: String,
    width: usize,
    height: usize,
    rgb: String,
    seen: Option<String>,
    seen_width: Option<usize>,
    seen_height: Option<usize>,
}

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).expect("base64")
}

struct Fixture {
    recorded: Recorded,
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let recorded = serde_json::from_str(include_str!("../../tests/golden/images.json")).expect("JSON");
        Self { recorded, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    fn content(&self, name: &str) -> Vec<u8> {
        bytes(&self.recorded.images.iter().find(|image| image.name == name).expect("recorded").file)
    }
}

/// Returns the largest difference between two pictures.
fn max_difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// Returns the allowed difference in grey levels. libjpeg rounds differently, most where colours have half the resolution.
fn tolerance(name: &str) -> u8 {
    if name.ends_with(".jpg") && name != "a-png.jpg" { 9 } else { 0 }
}

/// Largest number of changed bits that Pillow refuses and didact accepts. Decoders repair a lost table of a progressive JPEG and tags of a
/// TIFF, and the last partition of a WebP has no checksum.
const REPAIRED: [(&str, usize); 4] = [("progressive.jpg", 28), ("lzw.tif", 9), ("deflate.tif", 8), ("lossy.webp", 1)];

/// Returns the positions to test: every third, and all near the end, where checksums are.
fn tested_positions(length: usize) -> impl Iterator<Item = usize> {
    (0..length).filter(move |position| position % 3 == 0 || position + 40 >= length)
}

fn accepts(path: &Path) -> bool {
    let verified = verify(path).is_ok();
    let decoded = Picture::open(path, Reading::default()).is_ok();
    assert!(verified || !decoded, "a decodable file must pass verification: {}", path.display());
    verified && decoded
}

#[test]
fn every_kind_of_file_has_the_pixels_that_pillow_reads() {
    let fixture = Fixture::new();
    let mut failures = Vec::new();
    for image in &fixture.recorded.images {
        let path = fixture.write(&image.name, &bytes(&image.file));
        match Picture::open(&path, Reading::default()) {
            Err(error) => failures.push(error.to_string()),
            Ok(picture) => {
                assert_eq!((picture.width, picture.height), (image.width, image.height), "{}", image.name);
                let head = header(&path).expect("reads");
                assert_eq!((head.width as usize, head.height as usize), (image.width, image.height), "{}", image.name);
                let difference = max_difference(&picture.rgb, &bytes(&image.rgb));
                if difference > tolerance(&image.name) {
                    failures.push(format!("{} differs by {difference}", image.name));
                }
            }
        }
        assert!(verify(&path).is_ok(), "{}", image.name);
        if let (Some(seen), Some(width), Some(height)) = (&image.seen, image.seen_width, image.seen_height) {
            let reading = Reading { exif: Exif::Apply, ..Reading::default() };
            let picture = Picture::open(&path, reading).expect("reads");
            assert_eq!((picture.width, picture.height), (width, height), "{}", image.name);
            assert!(max_difference(&picture.rgb, &bytes(seen)) <= tolerance(&image.name), "{}", image.name);
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn truncated_files_are_refused_if_pillow_refuses_them() {
    let fixture = Fixture::new();
    let mut failures = Vec::new();
    for (name, outcomes) in &fixture.recorded.cut {
        let content = fixture.content(name);
        let accepted: Vec<usize> = tested_positions(content.len())
            .filter(|&length| outcomes.as_bytes()[length] == b'0')
            .filter(|&length| accepts(&fixture.write(name, &content[..length])))
            .collect();
        if !accepted.is_empty() {
            failures.push(format!("{name}: {accepted:?}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn damaged_files_are_refused_if_pillow_refuses_them() {
    let fixture = Fixture::new();
    let mut failures = Vec::new();
    for (name, outcomes) in &fixture.recorded.flipped {
        let content = fixture.content(name);
        let accepted: Vec<usize> = tested_positions(content.len())
            .filter(|&at| outcomes.as_bytes()[at] == b'0')
            .filter(|&at| {
                let mut damaged = content.clone();
                damaged[at] ^= 1 << (at % 8);
                accepts(&fixture.write(name, &damaged))
            })
            .collect();
        let repaired = REPAIRED.iter().find(|(known, _)| known == name).map_or(0, |(_, most)| *most);
        if accepted.len() > repaired {
            failures.push(format!("{name} ({} bytes): {accepted:?}", content.len()));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
