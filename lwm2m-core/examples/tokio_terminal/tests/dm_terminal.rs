//! `dm_terminal` with DTLS, against OpenSSL's server where it is installed.

#[path = "../src/tests/peer.rs"]
mod peer;

use std::io::Write;
use std::process::{Command, Stdio};

use self::peer::{KEY, Peer};

#[test]
fn it_registers_moves_and_leaves_in_sessions() {
    let Some((_peer, uri, mut asked)) = Peer::start() else { return };
    let mut terminal = Command::new(env!("CARGO_BIN_EXE_dm_terminal"))
        .args(["--json", "--server", &uri, "--psk", &format!("terminal:{KEY}"), "--run-for", "20"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = terminal.stdin.take().unwrap();
    let mut say = |line: &str| commands.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut request = || asked.blocking_recv().unwrap();
    let registered = || std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(request(), "POST /rd");
    registered();
    say("rebind");
    assert_eq!(request(), "POST /rd");
    registered();
    say("flight on");
    assert_eq!(request(), "DELETE /rd/7");
    registered();
    say("flight off");
    assert_eq!(request(), "POST /rd");
    registered();
    say("quit");
    assert_eq!(request(), "DELETE /rd/7");
    let output = terminal.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let count = |event: &str| text.matches(&format!("\"event\":\"{event}\"")).count();
    assert_eq!((count("registered"), count("deregistered")), (3, 2), "{text}");
}
