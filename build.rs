//! A new migration must be embedded: cargo does not see the folder by itself. Released programs know the revision that they were made of.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // While developing, every commit would build everything anew.
    let revision = if release { revision() } else { None };
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = revision.map_or(version.clone(), |revision| format!("{version}+{revision}"));
    println!("cargo:rustc-env=DIDACT_VERSION={version}");
}

/// The short hash of the checked-out commit, marked where files differ from it; none outside a checkout.
fn revision() -> Option<String> {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/index");
    let output =
        Command::new("git").args(["describe", "--always", "--dirty=.modified", "--abbrev=10"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
