use alloc::vec::Vec;
use core::future::pending;

use embassy_futures::select::{Either3, select3};
use embassy_net::dns::DnsQueryType;
use embassy_net::udp::{PacketMetadata, UdpSocket};
use embassy_net::{IpEndpoint, Ipv4Cidr, Stack};
use embassy_time::Timer;
use lwm2m_core::objects::Device;
use lwm2m_core::{Client, Instant, Output, Peer, Session};

/// The client's time is that of embassy's clock, in microseconds.
fn now() -> Instant {
    Instant::from_micros(embassy_time::Instant::now().as_micros())
}

/// Sleeps until the client has something to do.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => Timer::at(embassy_time::Instant::from_micros(due.as_micros())).await,
        None => pending().await,
    }
}

/// The way to a server: its address, and the device's own when it was found.
type Way = (IpEndpoint, Option<Ipv4Cidr>);

/// Serves the client on a network. One socket is enough: a peer is told by its address.
#[embassy_executor::task]
pub async fn terminal(stack: Stack<'static>, mut client: Client, mut device: Device) -> ! {
    let (mut heads_in, mut bytes_in) = ([PacketMetadata::EMPTY; 4], [0; 2048]);
    let (mut heads_out, mut bytes_out) = ([PacketMetadata::EMPTY; 4], [0; 2048]);
    let mut socket = UdpSocket::new(stack, &mut heads_in, &mut bytes_in, &mut heads_out, &mut bytes_out);
    // Port 0 takes any that is free.
    socket.bind(0).expect("a new socket is bound to nothing");
    let mut peers: Vec<(Peer, Way)> = Vec::new();
    let mut datagram = [0; 1280];

    loop {
        stack.wait_config_up().await;
        client.network_up(now());
        while stack.is_config_up() {
            carry_out(stack, &socket, &mut peers, &mut client, &mut device).await;
            let due = client.poll_timeout();
            match select3(socket.recv_from(&mut datagram), until(due), stack.wait_config_down()).await {
                Either3::First(Ok((length, from))) => {
                    let known = peers.iter().find(|(_, (address, _))| *address == from.endpoint);
                    if let (Some((peer, _)), Some(bytes)) = (known, datagram.get(..length)) {
                        client.handle_datagram(now(), *peer, bytes, &mut device);
                    }
                }
                // It was longer than the buffer: as good as lost.
                Either3::First(Err(_)) => {}
                Either3::Second(()) => client.handle_timeout(now(), &mut device),
                Either3::Third(()) => {}
            }
        }
        client.network_down(now());
    }
}

/// Carries out the client's orders until there are none, and reads its news.
async fn carry_out(
    stack: Stack<'static>,
    socket: &UdpSocket<'_>,
    peers: &mut Vec<(Peer, Way)>,
    client: &mut Client,
    device: &mut Device,
) {
    loop {
        let mut asked = None;
        while let Some(output) = client.poll_output() {
            match output {
                Output::Connect { peer, uri, .. } => {
                    let found = stack.dns_query(uri.host(), DnsQueryType::A).await.ok();
                    let address = found.and_then(|addresses| addresses.first().copied());
                    asked = Some((peer, address.map(|address| IpEndpoint::new(address, uri.port()))));
                    // The client is told of it before it is asked for more.
                    break;
                }
                Output::Transmit { peer, datagram } => {
                    if let Some((_, (address, _))) = peers.iter().find(|(known, _)| *known == peer) {
                        // What cannot be sent counts as lost.
                        let _ = socket.send_to(datagram, *address).await;
                    }
                }
                Output::Disconnect { peer } => peers.retain(|(known, _)| *known != peer),
            }
        }
        while let Some(_news) = client.poll_event() {
            // Firmware looks for what it waits for: `Event::MayProceed`, `Event::Written` and so on.
        }
        let Some((peer, address)) = asked else { return };
        let before = peers.iter().position(|(known, _)| *known == peer).map(|index| peers.swap_remove(index).1);
        match address {
            Some(address) => {
                // Without DTLS the server knows the device by its address, which a network may give it anew, and by its
                // port, which is the socket's.
                let own = stack.config_v4().map(|config| config.address);
                let session = match before {
                    Some((server, then)) if server == address && then == own => Session::Resumed,
                    Some((server, _)) if server == address => Session::Moved,
                    _ => Session::New,
                };
                peers.push((peer, (address, own)));
                client.connected(now(), peer, session, device);
            }
            None => client.connection_failed(now(), peer),
        }
    }
}
