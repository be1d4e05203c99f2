//! Tests of artifacts in an object store, with objects in memory.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::objects::{Object, Objects};
use crate::stages::{ArtifactFolders, Key, StageKind};
use crate::store::artifacts::Recorded;
use crate::store::inventory::Inventory;
use crate::store::manifest::VerifyScope;
use crate::store::{Artifacts, Kept, Published};

/// Objects in memory, which can be unreachable.
#[derive(Debug, Clone, Default)]
struct Memory {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    away: Arc<std::sync::atomic::AtomicBool>,
}

impl Memory {
    fn reach(&self) -> io::Result<MutexGuard<'_, BTreeMap<String, Vec<u8>>>> {
        match self.away.load(std::sync::atomic::Ordering::Relaxed) {
            true => Err(io::Error::other("the server is away")),
            false => Ok(self.objects.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn names(&self) -> Vec<String> {
        self.reach().expect("reachable").keys().cloned().collect()
    }
}

impl Objects for Memory {
    fn get(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.reach()?.get(name).cloned())
    }

    fn create(&self, name: &str, content: &[u8]) -> io::Result<bool> {
        let mut objects = self.reach()?;
        let is_new = !objects.contains_key(name);
        if is_new {
            objects.insert(name.to_owned(), content.to_vec());
        }
        Ok(is_new)
    }

    fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.reach()?.insert(name.to_owned(), content.to_vec());
        Ok(())
    }

    fn upload(&self, file: &Path, name: &str) -> io::Result<()> {
        self.put(name, &std::fs::read(file)?)
    }

    fn download(&self, name: &str, file: Option<&Path>) -> io::Result<Option<String>> {
        let Some(content) = self.get(name)? else { return Ok(None) };
        file.map_or(Ok(()), |file| std::fs::write(file, &content))?;
        Ok(Some(blake3::hash(&content).to_hex().to_string()))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Object>> {
        let is_below = |name: &str| folder.is_empty() || name.starts_with(&format!("{folder}/"));
        let objects = self.reach()?;
        let listed = objects.iter().filter(|(name, _)| is_below(name));
        Ok(listed.map(|(name, content)| Object { name: name.clone(), bytes: content.len() as u64 }).collect())
    }

    fn remove(&self, names: &[String]) -> io::Result<()> {
        self.reach()?.retain(|name, _| !names.contains(name));
        Ok(())
    }
}

/// Two machines with one object store.
struct Lab {
    memory: Memory,
    one: Artifacts,
    other: Artifacts,
    _folder: tempfile::TempDir,
}

const KIND: StageKind = StageKind::Joint;

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let memory = Memory::default();
        let machine = |name: &str| Artifacts::with_objects(folder.path().join(name), Box::new(memory.clone()));
        Self { one: machine("one"), other: machine("other"), memory, _folder: folder }
    }

    fn key() -> Key {
        Key::of("test", 1, &serde_json::json!(1))
    }
}

fn publish(artifacts: &Artifacts, content: &str) -> Published {
    let temporary = artifacts.create_temporary(content).expect("created");
    std::fs::create_dir(temporary.join("inner")).expect("created");
    std::fs::write(temporary.join("inner/file"), content).expect("written");
    std::fs::write(temporary.join("epoch-0001.safetensors"), "spare").expect("written");
    artifacts.publish(&temporary, KIND, &Lab::key()).expect("published")
}

fn read(artifacts: &Artifacts) -> io::Result<String> {
    std::fs::read_to_string(artifacts.folder(KIND.name(), &Lab::key()).join("inner/file"))
}

#[test]
fn an_artifact_of_one_machine_is_read_on_another() {
    let lab = Lab::new();
    assert!(!lab.other.is_published(KIND, &Lab::key()).expect("answers"));
    let published = publish(&lab.one, "content");
    assert!(lab.other.is_published(KIND, &Lab::key()).expect("answers"));
    assert_eq!(read(&lab.other).expect("read"), "content");
    assert_eq!(lab.other.find_unrecorded(KIND, &Lab::key()).expect("answers"), Some(published.clone()));
    // A damaged copy is read again, one of the same length, too.
    let copy = lab.other.path(KIND, &Lab::key()).join("inner/file");
    for damage in ["", "CONTENT"] {
        std::fs::write(&copy, damage).expect("written");
        assert_eq!(read(&lab.other).expect("read"), "content");
    }
    // An intact copy needs no server.
    lab.memory.away.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(read(&lab.other).expect("read"), "content");
    let verified = lab.other.verify(KIND, &Lab::key(), Some(&published.digest), VerifyScope::Digests);
    assert_eq!(verified.expect("no request"), Ok(()));
}

#[test]
fn a_server_that_is_away_is_no_damage() {
    let lab = Lab::new();
    publish(&lab.one, "content");
    lab.memory.away.store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(lab.other.verify(KIND, &Lab::key(), None, VerifyScope::Digests).is_err());
    let recorded = Recorded { kind: KIND, key: &Lab::key(), digest: Some("x"), bytes: 1 };
    assert!(lab.other.compare(&[recorded]).is_err());
    assert!(lab.other.verify_at_place(&recorded).is_err());
}

#[test]
fn damage_in_the_object_store_is_found_and_mended() {
    let lab = Lab::new();
    let published = publish(&lab.one, "content");
    let key = Lab::key();
    let recorded = Recorded { kind: KIND, key: &key, digest: Some(&published.digest), bytes: published.bytes };
    let damage = || lab.other.compare(&[recorded]).expect("answers").remove(0).map(|damage| damage.to_string());
    assert_eq!(damage(), None);
    assert_eq!(lab.other.verify_at_place(&recorded).expect("answers"), Ok(()));
    let file = format!("joint/{key}/{}/inner/file", published.digest);
    let manifest = format!("joint/{key}/files.json");
    // The same length: only the digest tells.
    lab.memory.put(&file, b"CONTENT").expect("written");
    assert_eq!(damage(), None);
    let found = lab.other.verify_at_place(&recorded).expect("answers").expect_err("damaged");
    assert_eq!(found.to_string(), format!("s3://test/{file} differs from the published file"));
    assert_eq!(lab.other.verify(KIND, &key, None, VerifyScope::Digests).expect("answers"), Err(found));
    // As when the stage is computed again: all files are written anew, whatever their sizes.
    lab.other.retract(KIND, &key);
    publish(&lab.other, "content");
    assert_eq!(lab.other.verify_at_place(&recorded).expect("answers"), Ok(()));
    for broken in [file.as_str(), manifest.as_str()] {
        lab.memory.remove(&[broken.to_owned()]).expect("removed");
        assert!(damage().is_some(), "{broken}");
        assert!(lab.other.verify_at_place(&recorded).expect("answers").is_err(), "{broken}");
        publish(&lab.other, "content");
        assert_eq!(damage(), None, "{broken}");
        assert_eq!(lab.other.verify_at_place(&recorded).expect("answers"), Ok(()), "{broken}");
    }
}

#[test]
fn a_different_artifact_under_the_same_key_replaces_the_manifest_and_mixes_no_files() {
    let lab = Lab::new();
    publish(&lab.one, "first");
    let second = publish(&lab.other, "second");
    let third = Artifacts::with_objects(lab.one.root().join("third"), Box::new(lab.memory.clone()));
    assert_eq!(read(&third).expect("read"), "second");
    let recorded = Recorded { kind: KIND, key: &Lab::key(), digest: Some(&second.digest), bytes: second.bytes };
    assert_eq!(third.compare(&[recorded]).expect("answers"), [None]);
    // The first machine has its own, and notices by the digest that the store has recorded.
    assert_eq!(lab.one.verify(KIND, &Lab::key(), Some(&second.digest), VerifyScope::Digests).expect("answers"), Ok(()));
    assert_eq!(read(&lab.one).expect("read"), "second");
}

#[test]
fn checkpoints_move_to_the_machine_of_the_next_attempt() {
    let lab = Lab::new();
    let key = Lab::key();
    let first = lab.one.create_partial(&key, 1).expect("created");
    let mut kept = Kept::new();
    std::fs::write(first.join("selected.safetensors"), "selected").expect("written");
    std::fs::write(first.join("last.safetensors"), "epoch 1").expect("written");
    std::fs::write(first.join("last.tmp"), "half").expect("written");
    lab.one.keep_partial(&key, 1, &mut kept).expect("kept");
    assert_eq!(
        lab.memory.names(),
        [format!("partial/{key}/1/last.safetensors"), format!("partial/{key}/1/selected.safetensors")]
    );
    // Only what has changed is sent again.
    lab.memory.remove(&[format!("partial/{key}/1/selected.safetensors")]).expect("removed");
    lab.one.keep_partial(&key, 1, &mut kept).expect("kept");
    assert_eq!(lab.memory.names(), [format!("partial/{key}/1/last.safetensors")]);
    let second = lab.other.create_partial(&key, 2).expect("created");
    assert_eq!(std::fs::read_to_string(second.join("last.safetensors")).expect("read"), "epoch 1");
    // A later attempt on the first machine takes the other's checkpoint, which is newer than its own.
    std::fs::write(second.join("last.safetensors"), "epoch 2").expect("written");
    lab.other.keep_partial(&key, 2, &mut Kept::new()).expect("kept");
    let third = lab.one.create_partial(&key, 3).expect("created");
    assert_eq!(std::fs::read_to_string(third.join("last.safetensors")).expect("read"), "epoch 2");
    lab.one.discard_partial(&key);
    assert!(lab.memory.names().is_empty());
    assert!(!third.exists());
}

#[test]
fn an_inventory_of_objects_looks_like_one_of_a_folder() {
    let lab = Lab::new();
    let published = publish(&lab.one, "content");
    let key = Lab::key();
    lab.memory.put(&format!("partial/{key}/1/last.safetensors"), b"123").expect("written");
    let objects = Inventory::of(&lab.one).expect("answers");
    let folder = Inventory::of_folder(&lab.one);
    let artifact = format!("joint/{key}");
    for path in ["joint", &artifact, &format!("{artifact}/inner"), "score"] {
        assert_eq!(objects.names(path), folder.names(path), "{path}");
    }
    for path in [&artifact, &format!("{artifact}/files.json"), &format!("{artifact}/inner/file"), "score"] {
        assert_eq!(
            objects.bytes(Path::new(path)).expect("listed"),
            folder.bytes(Path::new(path)).expect("read"),
            "{path}"
        );
    }
    assert_eq!(objects.bytes(Path::new(&artifact)).expect("listed"), Some(published.bytes));
    assert_eq!(objects.names(&format!("partial/{key}")), ["1"]);
    // Of an artifact, one file or all.
    let remote = lab.one.remote().expect("an object store");
    remote.remove(&Path::new(&artifact).join("epoch-0001.safetensors")).expect("removed");
    assert_eq!(lab.memory.names().len(), 3, "{:?}", lab.memory.names());
    assert_eq!(lab.other.verify(KIND, &key, None, VerifyScope::Digests).expect("answers"), Ok(()), "a spare file");
    remote.remove(Path::new(&artifact)).expect("removed");
    remote.remove(Path::new(&format!("partial/{key}"))).expect("removed");
    assert!(lab.memory.names().is_empty());
}
