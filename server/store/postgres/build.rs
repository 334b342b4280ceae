//! `migrate!` embeds the folder, but cargo does not know that.
fn main() {
    println!("cargo::rerun-if-changed=../../../migrations/postgres");
}
