//! Tests with files from PyTorch (`tests/golden/weights/make.py`) and with files that attack the reader.

use std::io::{Cursor, Write};
use std::path::PathBuf;

use super::{WeightError, WeightFile};
use crate::model::{Architecture, Backbone, LevelSet, WeightSource, load_teacher};
use crate::tensor::Native;

fn golden(name: &str) -> WeightFile {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/weights").join(name);
    WeightFile::open(&WeightSource::File(path)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn one_network_is_read_from_all_formats_protocols_and_wrappers() {
    let plain = golden("plain.pth");
    let (_, backbone) = load_teacher::<Native>(&plain, LevelSet::ALL).expect("a teacher");
    assert_eq!(backbone, Backbone::new(Architecture::Resnet18, 1));
    assert_eq!(plain.tensors["bn1.running_var"].data, [1.0]);
    for (file, location) in [
        ("legacy.pth", ""),
        ("channels.pth", ""),
        ("double.safetensors", ""),
        ("tutorial.pth", "model_state_dict"),
        ("protocol3.pth", "state_dict.module.encoder_q."),
        ("protocol4.pth", "state_dict.module.encoder_q."),
        ("protocol5.pth", "state_dict.module.encoder_q."),
    ] {
        let other = golden(file);
        assert_eq!(other.location, location, "{file}");
        assert!(other.tensors == plain.tensors, "{file} holds other values");
    }
    // Half precision keeps 11 bits, equally in both formats.
    let half = golden("half.pth");
    assert!(half.tensors == golden("half.safetensors").tensors);
    for (name, tensor) in &half.tensors {
        let full = &plain.tensors[name].data;
        let close = tensor.data.iter().zip(full).all(|(a, b)| (a - b).abs() <= b.abs() / 2048.0 + 1e-7);
        assert!(close && tensor.data.len() == full.len(), "{name}");
    }
}

#[test]
fn truncated_files_and_flipped_bits_are_detected() {
    let bytes = include_bytes!("../../../tests/golden/weights/plain.pth");
    for length in (0..bytes.len()).step_by(311) {
        assert!(WeightFile::read("truncated", Cursor::new(&bytes[..length])).is_err(), "{length} bytes");
    }
    // Each entry of the archive has a checksum.
    let weight = golden("plain.pth").tensors["layer3.1.conv2.weight"].data[5].to_le_bytes();
    let at = bytes.windows(4).position(|window| window == weight).expect("stored unchanged");
    let mut flipped = bytes.to_vec();
    flipped[at] ^= 1;
    let message = WeightFile::read("flipped", Cursor::new(flipped)).expect_err("damaged").to_string();
    assert!(message.contains("checksum"), "{message}");
}

/// Returns an archive with a pickle and one storage of zeros.
fn archive(pickle: &[u8], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, contents) in [("m/data.pkl", pickle), ("m/data/0", &[0; 4 * 16])] {
        writer.start_file(name, options).expect("started");
        writer.write_all(contents).expect("written");
    }
    writer.finish().expect("finished").into_inner()
}

fn refusal(file: Vec<u8>) -> String {
    match WeightFile::read("w.pth", Cursor::new(file)) {
        Ok(file) => load_teacher::<Native>(&file, LevelSet::ALL).map(|_| ()).expect_err("refused").to_string(),
        Err(error) => error.to_string(),
    }
}

fn pickle_refusal(pickle: &[u8]) -> String {
    refusal(archive(pickle, zip::CompressionMethod::Stored))
}

#[test]
fn doubling_memos_and_nested_containers_cost_nothing() {
    let mut doubling = b"\x80\x02X\x01\0\0\0a\x85q\0".to_vec();
    for slot in 0..200 {
        doubling.extend([b'h', slot, b'h', slot, 0x86, b'q', slot + 1]);
    }
    doubling.push(b'.');
    assert!(pickle_refusal(&doubling).contains("does not hold a state dict"));
    let mut nested = b"\x80\x02)".to_vec();
    nested.extend([0x85; 1_000_000]);
    nested.push(b'.');
    assert!(pickle_refusal(&nested).contains("does not hold a state dict"));
    // Nested dictionaries, deeper than any stack.
    let mut nested = b"\x80\x02".to_vec();
    nested.extend(b"}X\x01\0\0\0a".repeat(200_000));
    nested.extend(b"N");
    nested.extend([b's'; 200_000]);
    nested.push(b'.');
    assert!(pickle_refusal(&nested).contains("does not hold a state dict"));
    // A dictionary that contains itself.
    assert!(pickle_refusal(b"\x80\x02}q\0X\x01\0\0\0ah\0s.").contains("does not hold a state dict"));
}

#[test]
fn files_beyond_the_budget_are_refused() {
    let mut long = b"\x80\x02".to_vec();
    long.extend(vec![b'N'; super::budget::PICKLE_STEPS]);
    long.push(b'.');
    assert!(pickle_refusal(&long).contains("operations, far more than weights need"));
    let list = b"\x80\x02](NNNNNNNNe".to_vec();
    assert!(pickle_refusal(&list).contains("damaged"), "no end");
    assert!(pickle_refusal(b"\x80\x02Nr\xff\xff\xff\xff.").contains("damaged"), "a memo of four billion slots");
    assert!(
        pickle_refusal(b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.").contains("damaged"),
        "a text of 2^63 bytes"
    );
    let message = refusal(archive(&vec![0; 1 << 20], zip::CompressionMethod::Deflated));
    assert!(message.contains("compressed, which torch.save never does"), "{message}");
    let mut header = u64::MAX.to_le_bytes().to_vec();
    header.extend(b"{}");
    assert!(refusal(header).contains("neither"));
    let mut header = (super::budget::HEADER_BYTES + 1).to_le_bytes().to_vec();
    header.resize(header.len() + 5_000_000, b' ');
    assert!(refusal(header).contains("its header has 4194305 bytes"));
}

/// Returns a pickle of `{"conv1.weight": a view of storage 0, …}`, with shapes and strides of four numbers each.
fn views(names: &[&str], offset: u32, shape: [u32; 4], strides: [u32; 4]) -> Vec<u8> {
    let text = |text: &str| [&[b'X'][..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat();
    let int = |value: u32| [&[b'J'][..], &value.to_le_bytes()].concat();
    let four = |values: [u32; 4]| [b"(".to_vec(), values.map(int).concat(), b"t".to_vec()].concat();
    let mut pickle = b"\x80\x02}(".to_vec();
    for name in names {
        pickle.extend(text(name));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend([text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text("0"), text("cpu"), int(16)].concat());
        pickle.extend(b"tQ");
        pickle.extend([int(offset), four(shape), four(strides)].concat());
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    pickle
}

#[test]
fn views_are_checked_before_their_values_are_read() {
    let view_refusal = |offset, shape, strides| {
        pickle_refusal(&views(&["conv1.weight", "layer1.0.conv1.weight"], offset, shape, strides))
    };
    // The view is valid. The error is another one: the shape is wrong.
    let message = view_refusal(0, [2, 2, 2, 2], [8, 4, 2, 1]);
    assert!(message.contains("conv1.weight` has shape [2, 2, 2, 2]"), "{message}");
    for (offset, shape, strides) in [
        (1, [2, 2, 2, 2], [8, 4, 2, 1]),
        (16, [1, 1, 1, 1], [1, 1, 1, 1]),
        (0, [i32::MAX as u32; 4], [i32::MAX as u32; 4]),
        (0, [2, 1, 1, 1], [16, 1, 1, 1]),
    ] {
        let message = view_refusal(offset, shape, strides);
        assert!(message.contains("extends beyond its storage"), "{message}");
    }
    // One value, expanded to a stem of 12,000 channels and blocks of 20 GB.
    let message = view_refusal(0, [i32::MAX as u32; 4], [0; 4]);
    assert!(message.contains("larger than any tensor of a teacher"), "{message}");
    let names: Vec<String> = (0..401).map(|block| format!("layer1.{block}.conv1.weight")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = pickle_refusal(&views(&names, 0, [1 << 10, 1 << 10, 2, 2], [0; 4]));
    assert!(message.contains("more than 134217728 values"), "{message}");
    let message = view_refusal(0, [12_000, 3, 7, 7], [0; 4]);
    assert!(message.contains("layer1 to layer3 have"), "{message}");
}

#[test]
fn files_without_a_state_dict_are_recognised() {
    let module = b"\x80\x02ctorchvision.models.resnet\nResNet\n)\x81}X\x08\0\0\0_modules}sb.";
    let message = pickle_refusal(module);
    assert!(
        message.contains("whole module (`torchvision.models.resnet.ResNet`)") && message.contains("state_dict()"),
        "{message}"
    );
    let message = pickle_refusal(b"\x80\x02}X\x05\0\0\0modelcmine\nNet\n)\x81}X\x0b\0\0\0_parameters}sbs.");
    assert!(message.contains("whole module (`mine.Net`)"), "{message}");
    let message = pickle_refusal(b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.");
    assert!(message.contains("calls `os.system`"), "{message}");
    for (start, word) in [
        (&b"version https://git-lfs.github.com/spec/v1"[..], "Git LFS"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0", "gzip"),
        (b"", "empty"),
        (b"\x80\x04N.", "plain pickle"),
    ] {
        let message = refusal(start.to_vec());
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn a_network_with_more_tensors_in_its_blocks_is_not_taken_for_a_resnet() {
    let mut file = golden("plain.pth");
    let tensor = file.tensors["bn1.weight"].clone();
    file.tensors.insert("layer1.0.se.fc1.weight".to_owned(), tensor);
    let error = load_teacher::<Native>(&file, LevelSet::ALL).map(|_| ()).expect_err("another network");
    assert!(matches!(error, WeightError::Foreign { .. }) && error.to_string().contains("squeeze"), "{error}");
}
