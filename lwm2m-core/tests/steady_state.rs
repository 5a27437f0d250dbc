//! A simulated day after the registration allocates nothing: counted by the allocator itself.

mod common;

use core::sync::atomic::{AtomicU64, Ordering};

use coap_codec::{Code, ContentFormat, OptionNumber};
use common::{BATTERY, Desk, nothing, secs};
use lwm2m_core::{Client, Output};

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

/// Counts what the closure allocates, on this thread alone.
fn counted<T>(work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(work()));
    ALLOCATIONS.fetch_add(counted.count_total, Ordering::Relaxed);
    result.expect("the work was done")
}

/// Counted polling: what the client sends is thrown away but for its count and the last message.
fn poll(client: &mut Client, sent: &mut u64, last: &mut [u8; 4], token: &mut [u8; 8]) {
    counted(|| {
        while let Some(output) = client.poll_output() {
            if let Output::Transmit { datagram, .. } = output {
                *sent += 1;
                last.copy_from_slice(&datagram[..4]);
                if datagram[0] & 15 == 8 {
                    token.copy_from_slice(&datagram[4..12]);
                }
            }
        }
        while client.poll_event().is_some() {}
    });
}

#[test]
fn a_day_after_registration_allocates_nothing() {
    assert_eq!(*counted(|| Box::new(1)), 1);
    assert_eq!(ALLOCATIONS.swap(0, Ordering::Relaxed), 1, "the counter counts");

    let mut desk = Desk::registered(Desk::config(1, 3_600));
    let memory = desk.client.memory();
    desk.client.reserve();
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    let peer = desk.server_peer();
    counted(|| desk.client.handle_datagram(desk.now, peer, &observe, &mut desk.model));
    for (part, bytes) in [
        ("in all, before all buffers are reserved", memory.total()),
        ("the client itself", memory.inline),
        ("datagram buffers", memory.buffers),
        ("message and request layer", memory.exchange),
        ("accounts", memory.accounts),
        ("registrations", memory.lifecycle),
        ("observations", memory.reporting),
        ("events", memory.events),
        ("sessions", memory.connections),
        ("configuration", memory.config),
        ("strings and keys", memory.strings),
    ] {
        println!("  {bytes:>8} B  {part}");
    }
    let (mut sent, mut last, mut token) = (0, [0; 4], [0; 8]);
    let (mut reads, mut notified, mut updated, mut lost) = (0u32, 0u32, 0u32, false);
    let end = desk.now + secs(86_400);
    let mut minute = desk.now;
    while desk.now < end {
        minute = minute + secs(60);
        // Every deadline of the minute. The server lets each message be repeated once.
        while let Some(deadline) = counted(|| desk.client.poll_timeout()).filter(|deadline| *deadline <= minute) {
            desk.now = desk.now.max(deadline);
            let before = sent;
            counted(|| desk.client.handle_timeout(desk.now, &mut desk.model));
            poll(&mut desk.client, &mut sent, &mut last, &mut token);
            if sent == before {
                continue;
            }
            // Every Update is lost once; what is repeated is answered.
            let update = last[1] == Code::POST.to_byte();
            if update {
                lost = !lost;
                if lost {
                    updated += 1;
                    continue;
                }
            }
            let answer = [0x60, if update { Code::CHANGED.to_byte() } else { 0 }, last[2], last[3]];
            let mut datagram = [0; 12];
            datagram[..4].copy_from_slice(&answer);
            datagram[0] |= if update { 8 } else { 0 };
            datagram[4..].copy_from_slice(&token);
            let len = if update { 12 } else { 4 };
            counted(|| desk.client.handle_datagram(desk.now, peer, &datagram[..len], &mut desk.model));
            poll(&mut desk.client, &mut sent, &mut last, &mut token);
        }
        desk.now = minute;
        // A Read every minute, a Write and a new value every ten.
        let request = desk.request(Code::GET, "/3/0", nothing);
        counted(|| desk.client.handle_datagram(desk.now, peer, &request, &mut desk.model));
        poll(&mut desk.client, &mut sent, &mut last, &mut token);
        assert_eq!(last[1], Code::CONTENT.to_byte());
        reads += 1;
        if reads % 10 == 0 {
            let request = desk.request(Code::PUT, "/1/0/2", |writer| {
                writer.content_format(ContentFormat::TEXT_PLAIN).unwrap();
                writer.payload(b"1").unwrap();
            });
            counted(|| desk.client.handle_datagram(desk.now, peer, &request, &mut desk.model));
            poll(&mut desk.client, &mut sent, &mut last, &mut token);
            // Attributes come and go.
            let query: &[u8] = if reads % 20 == 0 { b"st=1" } else { b"st" };
            let request =
                desk.request(Code::PUT, "/3/0/9", |writer| writer.option(OptionNumber::URI_QUERY, query).unwrap());
            counted(|| desk.client.handle_datagram(desk.now, peer, &request, &mut desk.model));
            poll(&mut desk.client, &mut sent, &mut last, &mut token);
            assert_eq!(last[1], Code::CHANGED.to_byte());
            desk.model.inner.battery_level = Some((reads / 10 % 100) as u8);
            counted(|| desk.client.notify(desk.now, BATTERY, &mut desk.model));
            poll(&mut desk.client, &mut sent, &mut last, &mut token);
            if last[1] == Code::CONTENT.to_byte() && last[0] >> 4 & 3 == 0 {
                notified += 1;
                let acknowledgement = [0x60, 0, last[2], last[3]];
                counted(|| desk.client.handle_datagram(desk.now, peer, &acknowledgement, &mut desk.model));
            }
        }
    }
    println!("  a day: {sent} datagrams, {reads} reads, {notified} notifications, {updated} updates, each lost once");
    println!("  {:>8}    allocations after registration", ALLOCATIONS.load(Ordering::Relaxed));
    assert!(reads >= 1_400 && notified >= 100 && updated >= 24);
    assert_eq!(ALLOCATIONS.load(Ordering::Relaxed), 0, "allocations in a day");
}

#[test]
fn notifications_are_kept_and_dropped_without_an_allocation() {
    let mut desk = Desk::registered(Desk::config(1, 86_400));
    desk.client.reserve();
    let observe = desk.request(Code::GET, "/3/0/9", |writer| writer.observe(0).unwrap());
    desk.receive(&observe);
    desk.client.network_down(desk.now);
    for level in 0..300u32 {
        desk.model.inner.battery_level = Some((level % 100) as u8);
        let counted = allocation_counter::measure(|| desk.client.notify(desk.now, BATTERY, &mut desk.model));
        assert_eq!(counted.count_total, 0, "the {level}th");
    }
    let (kept, dropped) = (desk.client.stored_notifications(), desk.client.dropped_notifications() as usize);
    assert!(kept > 50 && dropped > 50 && kept + dropped == 300, "{kept} {dropped}");
}
