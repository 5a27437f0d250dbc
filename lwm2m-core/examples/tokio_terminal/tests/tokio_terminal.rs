//! `tokio-terminal` as a program.

use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn in_a_pipe_it_has_no_colours_and_an_unknown_command_is_told() {
    let mut terminal = Command::new(env!("CARGO_BIN_EXE_tokio-terminal"))
        .args(["--server", "coap://127.0.0.1:9"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    terminal.stdin.take().unwrap().write_all(b"flight low\nquit\n").unwrap();
    let output = terminal.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "nobody has registered it: {text}");
    assert!(text.contains("MayProceed(PowerOff)") && !text.contains('\x1b'), "{text}");
    assert!(text.contains("flight low: there is no such command"), "{text}");
}
