//! A client from another hand: the official Python SDK, where it is installed.

use std::path::Path;
use std::process::Command;

use crate::support::shop;

#[test]
fn the_python_sdk_lists_queries_plots_and_is_refused() {
    let python = std::env::var("METREX_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has_sdk = Command::new(&python)
        .args(["-c", "from mcp import Client"])
        .output()
        .is_ok_and(|run| run.status.success());
    if !has_sdk {
        eprintln!(
            "skipped: {python} has no `mcp` 2.x; tests/mcp_external/README.md says how to install it"
        );
        return;
    }
    let shop = shop();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp_external/client.py");
    let run = Command::new(&python)
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_metrex"))
        .arg(shop.path())
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    println!("{out}");
    assert!(run.status.success(), "{out}\n{err}");
}
