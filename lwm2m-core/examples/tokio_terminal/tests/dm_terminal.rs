//! `dm_terminal` with DTLS, against a server here, and OpenSSL's where it is installed.

#[path = "../src/tests/peer.rs"]
mod peer;
#[allow(dead_code, reason = "not all that can be wrong with it is tried here")]
#[path = "../src/tests/server.rs"]
mod server;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use self::peer::{KEY, Peer};
use self::server::{Faults, Server};

/// Longer than it takes until an Update is given up: 93 s (RFC 7252, 4.8.2).
const GIVEN_UP: Duration = Duration::from_secs(150);
/// How often it is looked whether something has happened.
const LOOK: Duration = Duration::from_millis(20);

#[test]
fn a_server_that_forgets_its_sessions_gets_a_new_one_and_a_goodbye_before_flight_mode() {
    let (server, uri, mut log) = Server::start(Faults::NONE);
    let mut terminal = Command::new(env!("CARGO_BIN_EXE_dm_terminal"))
        .args(["--json", "--server", &uri, "--psk", &format!("terminal:{KEY}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut commands = terminal.stdin.take().unwrap();
    let mut say = |line: &str| commands.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut looks = GIVEN_UP.as_millis() / LOOK.as_millis();
    let mut seen = |wanted: &[&str]| {
        for wanted in wanted {
            let what = loop {
                if let Ok(what) = log.try_recv() {
                    break what;
                }
                assert!(looks > 0, "{wanted}: it does not come");
                looks -= 1;
                std::thread::sleep(LOOK);
            };
            assert_eq!(what, *wanted);
        }
        // What was answered is on its way.
        std::thread::sleep(Duration::from_millis(500));
    };
    seen(&["hello", "POST /rd"]);
    server.forget();
    say("update");
    // The first is the Update, in a session that nobody knows.
    seen(&["hello", "hello", "POST /rd"]);
    say("flight on");
    seen(&["DELETE /rd/7", "closed"]);
    say("quit");
    let output = terminal.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    let count = |event: &str| text.matches(&format!("\"event\":\"{event}\"")).count();
    assert_eq!((count("registered"), count("update_failed"), count("deregistered")), (2, 1, 1), "{text}");
}

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
