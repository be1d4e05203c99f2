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
    /// Per file, one digit per byte position: 1 if Pillow accepts the file with bit `place % 8` of that byte changed.
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

struct Place {
    recorded: Recorded,
    folder: tempfile::TempDir,
}

impl Place {
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
fn apart(one: &[u8], other: &[u8]) -> u8 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

/// Returns the allowed difference in grey levels. libjpeg rounds differently, most where colours have half the resolution.
fn tolerance(name: &str) -> u8 {
    if name.ends_with(".jpg") && name != "a-png.jpg" { 9 } else { 0 }
}

/// Largest number of changed bits that Pillow refuses and didact accepts. Decoders repair a lost table of a progressive JPEG and tags of a
/// TIFF, and the last partition of a WebP has no checksum.
const MENDED: [(&str, usize); 4] = [("progressive.jpg", 28), ("lzw.tif", 9), ("deflate.tif", 8), ("lossy.webp", 1)];

/// Returns the positions to test: every third, and all near the end, where checksums are.
fn places(length: usize) -> impl Iterator<Item = usize> {
    (0..length).filter(move |place| place % 3 == 0 || place + 40 >= length)
}

fn accepts(path: &Path) -> bool {
    let verified = verify(path).is_ok();
    let decoded = Picture::open(path, Reading::default()).is_ok();
    assert!(verified || !decoded, "what is decoded must be verified: {}", path.display());
    verified && decoded
}

#[test]
fn every_kind_of_file_looks_as_pillow_shows_it() {
    let place = Place::new();
    let mut wrong = Vec::new();
    for image in &place.recorded.images {
        let path = place.write(&image.name, &bytes(&image.file));
        match Picture::open(&path, Reading::default()) {
            Err(error) => wrong.push(error.to_string()),
            Ok(picture) => {
                assert_eq!((picture.width, picture.height), (image.width, image.height), "{}", image.name);
                let head = header(&path).expect("reads");
                assert_eq!((head.width as usize, head.height as usize), (image.width, image.height), "{}", image.name);
                let apart = apart(&picture.rgb, &bytes(&image.rgb));
                if apart > tolerance(&image.name) {
                    wrong.push(format!("{} is {apart} off", image.name));
                }
            }
        }
        assert!(verify(&path).is_ok(), "{}", image.name);
        if let (Some(seen), Some(width), Some(height)) = (&image.seen, image.seen_width, image.seen_height) {
            let reading = Reading { exif: Exif::Apply, ..Reading::default() };
            let picture = Picture::open(&path, reading).expect("reads");
            assert_eq!((picture.width, picture.height), (width, height), "{}", image.name);
            assert!(apart(&picture.rgb, &bytes(seen)) <= tolerance(&image.name), "{}", image.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_cut_short_is_refused_where_pillow_refuses_it() {
    let place = Place::new();
    let mut wrong = Vec::new();
    for (name, outcomes) in &place.recorded.cut {
        let content = place.content(name);
        let lax: Vec<usize> = places(content.len())
            .filter(|&length| outcomes.as_bytes()[length] == b'0')
            .filter(|&length| accepts(&place.write(name, &content[..length])))
            .collect();
        if !lax.is_empty() {
            wrong.push(format!("{name}: {lax:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_damaged_is_refused_where_pillow_refuses_it() {
    let place = Place::new();
    let mut wrong = Vec::new();
    for (name, outcomes) in &place.recorded.flipped {
        let content = place.content(name);
        let lax: Vec<usize> = places(content.len())
            .filter(|&at| outcomes.as_bytes()[at] == b'0')
            .filter(|&at| {
                let mut damaged = content.clone();
                damaged[at] ^= 1 << (at % 8);
                accepts(&place.write(name, &damaged))
            })
            .collect();
        let mended = MENDED.iter().find(|(known, _)| known == name).map_or(0, |(_, most)| *most);
        if lax.len() > mended {
            wrong.push(format!("{name} ({} bytes): {lax:?}", content.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
