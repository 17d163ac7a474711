//! The board's files are embedded from `web/dist`; a plain `cargo build` works without them.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    if let Err(e) = std::fs::create_dir_all("web/dist") {
        println!("cargo::error=web/dist: {e}");
    }
}
