//! A fleet that meets a real server on loopback: a socket for each terminal, as the server tells them by address.

use std::net::{ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant as Clock};

use indicatif::{ProgressBar, ProgressStyle};
use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Config, Credentials, Event, Instant, Key, Output, Peer, Session, Uri};

use crate::args::Target;
use crate::name;
use crate::terminal::SPREAD;

/// How long nobody looks whether something has come: short for those who wait for an answer.
const TICK: Duration = Duration::from_millis(5);

/// Every so many ticks everybody looks, as a server may ask by itself.
const SWEEP: u64 = 40;

/// A terminal and its path to the server.
struct Member {
    client: Client,
    /// The server, and the way to it.
    path: Option<(Peer, UdpSocket)>,
    began: Instant,
    left: bool,
}

/// What came of it.
#[derive(Debug, Default)]
struct Tally {
    /// How long a Register took, from power-on, in milliseconds.
    registered: Vec<u64>,
    updated: u32,
    failed: u32,
    left: u32,
    unconfirmed: u32,
}

/// Registers them all, stays, and leaves. Whether everybody was registered and said goodbye.
pub(crate) fn run(target: &Target) -> Result<bool, String> {
    let uri = Uri::parse(&target.uri).map_err(|_| format!("'{}' is no coap URI", target.uri))?;
    let addresses = (uri.host(), uri.port()).to_socket_addrs().map_err(|error| format!("{}: {error}", target.uri))?;
    if addresses.into_iter().any(|address| !address.ip().is_loopback()) {
        return Err("this much traffic is for loopback alone".to_string());
    }
    let origin = Clock::now();
    let now = || Instant::from_std(origin, Clock::now());
    let (mut members, mut tally, mut leaving) = (Vec::new(), Tally::default(), 0usize);
    let (mut objects, mut departs) = (Device::new("Example Works", "TM-1"), None);
    let bar = if target.quiet { ProgressBar::hidden() } else { ProgressBar::new(target.devices.into()) };
    let style = ProgressStyle::with_template("[{bar:40}] {pos} of {len} registered, {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("#>."));
    for tick in 0u64.. {
        // So many may have begun, or left, by now.
        let due = |since: Instant| {
            let elapsed = now().saturating_duration_since(since).as_secs_f64();
            ((elapsed * f64::from(target.rate)) as usize).min(target.devices as usize)
        };
        while members.len() < due(Instant::ZERO) {
            members.push(Member::begin(target, members.len() as u32, now())?);
        }
        if members.len() == target.devices as usize {
            let departs = *departs.get_or_insert_with(|| now() + Duration::from_secs(target.seconds));
            while leaving < due(departs) {
                if let Some(member) = members.get_mut(leaving) {
                    member.client.shutdown(now());
                }
                leaving += 1;
            }
        }
        for member in &mut members {
            member.turn(tick.is_multiple_of(SWEEP), &now, &mut objects, &mut tally)?;
        }
        bar.set_position(tally.registered.len() as u64);
        if leaving > 0 && members.iter().all(|member| member.left) {
            break;
        }
        std::thread::sleep(TICK);
    }
    bar.finish_and_clear();
    tally.print(target, now());
    Ok(tally.registered.len() == target.devices as usize && tally.unconfirmed == 0)
}

impl Member {
    /// Powers a terminal on.
    fn begin(target: &Target, number: u32, now: Instant) -> Result<Self, String> {
        let name = name::of(number);
        let key = Key::from_seed(target.seed << 32 | u64::from(number));
        let config = Config::with_profile(&SPREAD, name.as_str(), key);
        let config = config.server(1, &target.uri, Credentials::NoSec, target.lifetime);
        let mut client = Client::new(config, now).map_err(|error| error.to_string())?;
        client.network_up(now);
        Ok(Self { client, path: None, began: now, left: false })
    }

    /// Does what is due, and takes what has come: always, or only while something is awaited.
    fn turn(
        &mut self,
        sweeps: bool,
        now: &impl Fn() -> Instant,
        objects: &mut Device,
        tally: &mut Tally,
    ) -> Result<(), String> {
        if self.client.poll_timeout().is_some_and(|due| due <= now()) {
            self.client.handle_timeout(now(), objects);
        }
        self.carry_out(now(), objects, tally)?;
        let looks = sweeps || self.client.usage().exchanges > 0;
        while let Some((peer, socket)) = self.path.as_ref().filter(|_| looks) {
            let mut buffer = [0; 1_500];
            match socket.recv(&mut buffer) {
                Ok(length) => {
                    self.client.handle_datagram(now(), *peer, buffer.get(..length).unwrap_or_default(), objects);
                }
                // Nothing has come; or nobody listens there, which is as good as lost.
                Err(_) => break,
            }
            self.carry_out(now(), objects, tally)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, now: Instant, objects: &mut Device, tally: &mut Tally) -> Result<(), String> {
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Connect { peer, uri, .. } => {
                    self.path = Some((peer, open(uri)?));
                    self.client.connected(now, peer, Session::New, objects);
                }
                Output::Transmit { datagram, .. } => drop(self.path.as_ref().map(|(_, socket)| socket.send(datagram))),
                Output::Disconnect { .. } => self.path = None,
            }
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Registered { .. } => {
                    tally.registered.push(now.saturating_duration_since(self.began).as_millis() as u64);
                }
                Event::Updated { .. } => tally.updated += 1,
                Event::RegistrationFailed { .. } | Event::UpdateFailed { .. } => tally.failed += 1,
                Event::Deregistered { unconfirmed, .. } => {
                    tally.left += 1;
                    tally.unconfirmed += u32::from(unconfirmed.is_some());
                }
                Event::MayProceed(_) => self.left = true,
                _ => {}
            }
        }
        Ok(())
    }
}

fn open(uri: Uri<'_>) -> Result<UdpSocket, String> {
    let open = || {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect((uri.host(), uri.port()))?;
        socket.set_nonblocking(true)?;
        Ok::<_, std::io::Error>(socket)
    };
    open().map_err(|error| format!("a socket: {error}; `ulimit -n` says how many there may be"))
}

impl Tally {
    fn print(&mut self, target: &Target, now: Instant) {
        self.registered.sort_unstable();
        let at = |share: usize| self.registered.get(self.registered.len() * share / 100).copied().unwrap_or_default();
        println!("{} of {} terminals registered, {} a second", self.registered.len(), target.devices, target.rate);
        println!("  {} ms until the answer, {} ms for one in a hundred", at(50), at(99));
        println!("{} Updates, {} tries failed", self.updated, self.failed);
        println!("{} left, {} of them without an answer", self.left, self.unconfirmed);
        println!("{:.1} s in all", now.as_millis() as f64 / 1e3);
    }
}
