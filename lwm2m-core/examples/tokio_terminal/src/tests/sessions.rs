//! Sessions with a server here: what the network and the server may do to them.

use std::time::Duration;

use lwm2m_core::{Credentials, Event, Reason};
use tokio::time::{sleep, timeout};
use tokio_stream::StreamExt;

use super::peer::Log;
use super::server::{Faults, Server};
use super::{config, credentials, next, registered, soon};
use crate::terminal::{self, Events, Handle};
use lwm2m_core::objects::Device;

/// Longer than a handshake that is given up.
const GIVEN_UP: Duration = Duration::from_secs(60);

fn start(uri: &str, credentials: Credentials) -> (Handle<Device>, Events) {
    let mut config = config(uri, credentials, 8);
    // A server that is silent is found out soon.
    config.transmission.ack_timeout = Duration::from_millis(500);
    config.transmission.max_retransmit = 1;
    terminal::spawn(config, Device::new("Example Works", "TM-1")).unwrap()
}

/// The next thing that happens at the server, losses apart.
async fn happens(log: &mut Log) -> String {
    loop {
        match soon(log.recv()).await.unwrap() {
            lost if lost == "lost" => {}
            other => return other,
        }
    }
}

/// The next news, apart from remarks: the lifetime is shorter than the specification has it.
async fn news(events: &mut Events) -> Event {
    loop {
        match next(events).await {
            Event::Diagnostic(_) => {}
            other => return other,
        }
    }
}

#[tokio::test]
async fn where_a_fifth_of_the_records_is_lost_it_registers_all_the_same() {
    let lives = (1..=4).map(|seed| async move {
        let (_server, uri, mut log) = Server::start(Faults { loss: Some(seed), ..Faults::NONE });
        let (terminal, mut events) = super::start(&uri, credentials());
        let done = async {
            let wanted = Event::Registered { server: 1, lifetime: 86_400 };
            while events.next().await.expect("news") != wanted {}
        };
        timeout(Duration::from_secs(180), done).await.unwrap_or_else(|_| panic!("seed {seed}: it never registers"));
        terminal.shutdown().await;
        let mut lost = 0;
        while let Ok(what) = log.try_recv() {
            lost += usize::from(what == "lost");
        }
        assert!(lost > 0, "seed {seed}: nothing was lost");
    });
    let lives: Vec<_> = lives.map(tokio::spawn).collect();
    for life in lives {
        life.await.unwrap();
    }
}

#[tokio::test]
async fn a_change_of_address_makes_a_new_session_and_flight_mode_ends_it_with_a_close_notify() {
    let (_server, uri, mut log) = Server::start(Faults::NONE);
    let (terminal, mut events) = super::start(&uri, credentials());
    registered(&mut events).await;
    let mut seen = async |wanted: &[&str]| {
        for wanted in wanted {
            assert_eq!(happens(&mut log).await, *wanted);
        }
    };
    seen(&["hello", "POST /rd"]).await;
    terminal.address_changed().await;
    seen(&["closed", "hello", "POST /rd"]).await;
    registered(&mut events).await;
    soon(terminal.flight_mode(true)).await;
    seen(&["DELETE /rd/7", "closed"]).await;
    terminal.flight_mode(false).await;
    seen(&["hello", "POST /rd"]).await;
    registered(&mut events).await;
    soon(terminal.shutdown()).await;
    seen(&["DELETE /rd/7", "closed"]).await;
}

/// A handshake that comes to nothing: one event, and no other try before the pause is over.
async fn is_in_vain(what: &str, faults: Faults, credentials: Credentials) {
    let (_server, uri, mut log) = Server::start(faults);
    let (terminal, mut events) = start(&uri, credentials);
    let failed = Event::RegistrationFailed { server: 1, reason: Reason::Unreachable };
    let first = timeout(GIVEN_UP, events.next()).await.unwrap_or_else(|_| panic!("{what}: no event"));
    assert_eq!(first, Some(failed), "{what}");
    assert_eq!(happens(&mut log).await, "hello", "{what}");
    sleep(Duration::from_secs(3)).await;
    assert!(log.try_recv().is_err(), "{what}: it tries again at once");
    assert!(timeout(Duration::from_millis(10), events.next()).await.is_err(), "{what}: there is more news");
    soon(terminal.shutdown()).await;
}

#[tokio::test]
async fn a_wrong_key_an_unknown_identity_and_a_server_that_stops_are_one_event_and_a_pause() {
    let psk = |identity: &[u8], key: &[u8]| Credentials::Psk { identity: identity.into(), key: key.into() };
    let Credentials::Psk { key, .. } = credentials() else { panic!("it has a key") };
    let stops = |records| Faults { records, ..Faults::NONE };
    tokio::join!(
        is_in_vain("wrong key", Faults::NONE, psk(b"terminal", b"another 16 bytes")),
        is_in_vain("unknown identity", Faults::NONE, psk(b"nobody", &key)),
        is_in_vain("silence from the start", stops(0), credentials()),
        is_in_vain("silence after its first record", stops(1), credentials()),
        is_in_vain("silence after its second record", stops(2), credentials()),
    );
}

#[tokio::test]
async fn a_server_that_falls_silent_gets_a_new_session() {
    let (server, uri, mut log) = Server::start(Faults::NONE);
    let (terminal, mut events) = start(&uri, credentials());
    assert_eq!(news(&mut events).await, Event::Registered { server: 1, lifetime: 8 });
    assert_eq!([happens(&mut log).await, happens(&mut log).await], ["hello", "POST /rd"]);
    server.forget();
    // The next Update is for somebody who does not understand it any more.
    let silent = Event::UpdateFailed { server: 1, reason: Reason::TimedOut };
    assert_eq!(news(&mut events).await, silent);
    assert_eq!(news(&mut events).await, Event::Registered { server: 1, lifetime: 8 });
    let then: Vec<_> = [happens(&mut log).await, happens(&mut log).await, happens(&mut log).await].into();
    // The old address says hello to the new memory; then comes the new one.
    assert_eq!(then, ["hello", "hello", "POST /rd"]);
    soon(terminal.shutdown()).await;
}
