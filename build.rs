//! Rebuilds the crate when a file appears in the folders it embeds; `include_dir` alone sees only edits.

fn main() {
    for folder in ["metrics", "snippets", "templates", "themes"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
