//! A new migration must be embedded: cargo does not see the folder by itself.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
