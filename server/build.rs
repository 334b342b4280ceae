//! `dist/` must exist for rust-embed (the server compiles, lints and tests with no browser build at hand), and new names in
//! it must lead to a new binary.
fn main() -> std::io::Result<()> {
    std::fs::create_dir_all("../dist")?;
    println!("cargo:rerun-if-changed=../dist");
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}
