//! Rebuilds the program if a migration is added, and sets its version. A released program includes its git revision in the version.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    // In development builds, a revision would force a full rebuild after every commit.
    let revision = if release { revision() } else { None };
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = revision.map_or(version.clone(), |revision| format!("{version}+{revision}"));
    println!("cargo:rustc-env=DIDACT_VERSION={version}");
}

/// Returns the short hash of the checked-out commit, marked if files differ from it; `None` outside a checkout.
fn revision() -> Option<String> {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/index");
    let output =
        Command::new("git").args(["describe", "--always", "--dirty=.modified", "--abbrev=10"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
