//! The task is printed in docs/embassy.md, and it is this one: to the letter.

fn main() {
    let page = "../../../docs/embassy.md";
    println!("cargo::rerun-if-changed={page}");
    println!("cargo::rerun-if-changed=src/task.rs");
    let (page, task) = (std::fs::read_to_string(page), std::fs::read_to_string("src/task.rs"));
    let printed = format!("```rust,ignore\n{}```\n", task.expect("src/task.rs"));
    assert!(page.expect("docs/embassy.md").contains(&printed), "docs/embassy.md prints another src/task.rs");
}
