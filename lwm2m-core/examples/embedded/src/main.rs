//! The DM terminal on a Cortex-M4: its life against a platform in the same image, in virtual time,
//! printed over semihosting.
//!
//! A real firmware has a radio where `Desk` has the platform, and a timer where it turns the clock.

#![no_std]
#![no_main]

extern crate alloc;

mod desk;
mod memory;
mod platform;
mod say;
mod show;
mod terminal;

use core::time::Duration;

use coap_codec::Code;
use cortex_m_rt::entry;
use cortex_m_semihosting::debug::{self, EXIT_SUCCESS};
use endpoint_name::EndpointName;
use lwm2m_core::{Config, Credentials, Key, Limits, Path, Profile};
use panic_semihosting as _;

use crate::desk::Desk;
use crate::platform::{BLOCK, Question};
use crate::say::say;

const NAME: &str = "490154203237518;460001234567890;;1.0";
const TLV: u16 = 11_542;
const OCTETS: u16 = 42;
const IMAGE: usize = 1024 * 1024;
static PART: [u8; BLOCK] = [0x5A; BLOCK];

/// What the stack may take of the memory: of this program, and of the client in it.
const STACK: usize = 4 * 1024;
const STACK_OF_A_CALL: usize = 3 * 1024;

/// A device would take it from its entropy, once.
const KEY: Key = Key(*b"not so random...");

#[entry]
fn main() -> ! {
    memory::begin();
    memory::paint();
    let place = cortex_m::singleton!(: Option<Desk> = None).expect("asked for once");
    settle_in(place);
    let mut peaks = Peaks::default();
    live(place, &mut peaks);
    peaks.show();
    let stack = memory::deepest_stack();
    say!("\nstack, at its deepest: {stack} B");
    assert!(stack <= STACK, "the stack is deeper than it was");
    debug::exit(EXIT_SUCCESS);
    loop {}
}

/// The DM profile in little memory.
static PROFILE: Profile = Profile { limits: Limits::SMALL, ..Profile::DM };

/// What the terminal is made with, each time that it starts.
fn config() -> Config {
    let name = EndpointName::parse(NAME).expect("a valid name");
    Config::with_profile(&PROFILE, name.as_ref(), KEY).bootstrap_server("coap://bs.example", Credentials::NoSec)
}

/// A terminal that has one account from its factory, and has been there for a week: what it holds besides buffers,
/// strings and keys.
#[inline(never)]
fn settle_in(place: &mut Option<Desk>) {
    let config = Config::with_profile(&PROFILE, NAME, KEY).server(101, "coap://dm.example", Credentials::NoSec, 86_400);
    let objects = terminal::objects();
    let before = memory::taken();
    let desk = Desk::start(config, objects, place);
    desk.quiet = true;
    desk.client.network_up(desk.now);
    desk.run();
    assert!(desk.client.is_registered(desk.now, 101), "registered");
    desk.wait(Duration::from_secs(7 * 86_400));
    figures("after a week with one account and no questions", before, desk);
    let memory = desk.client.memory();
    let held = memory.total() - memory.buffers - memory.strings;
    say!("  {held} B besides buffers, strings and keys\n");
    assert!(held <= 1_024, "it fits into 1 KiB");
}

#[inline(never)]
fn live(place: &mut Option<Desk>, peaks: &mut Peaks) {
    *place = None;
    let objects = terminal::objects();
    let before = memory::taken();
    let desk = Desk::start(config(), objects, place);

    say!("# power on, first network: bootstrap, then register (7.2, 7.3)");
    desk.client.network_up(desk.now);
    desk.run();
    desk.ask(Question { payload: Some((TLV, platform::SECURITY)), ..put("/0/1") }, Code::CHANGED);
    desk.ask(Question { payload: Some((TLV, platform::SERVER)), ..put("/1/0") }, Code::CHANGED);
    desk.ask(post("/bs"), Code::CHANGED);
    assert!(desk.client.is_registered(desk.now, 101), "registered");
    peaks.add("bootstrap and registration", figures("registered", before, desk));

    say!("\n# the platform reads, writes, executes, observes");
    desk.ask(get("/3/0"), Code::CONTENT);
    desk.ask(get("/3/0/9"), Code::CONTENT);
    desk.ask(Question { payload: Some((0, b"south")), ..put("/30001/0/0") }, Code::CHANGED);
    desk.ask(post("/30001/0/3"), Code::CHANGED);
    desk.ask(Question { observe: true, ..get("/3/0/9") }, Code::CONTENT);
    desk.objects.0.battery_level = Some(79);
    desk.client.notify(desk.now, Path::resource(3, 0, 9), &mut desk.objects);
    desk.run();
    peaks
        .add("Reads, Writes, an Execute, an observation, a notification", figures("with an observation", before, desk));

    say!("\n# a firmware of 1 MiB by Block1, in blocks of {} B", BLOCK);
    desk.quiet = true;
    for number in 0..IMAGE / BLOCK {
        let more = number + 1 < IMAGE / BLOCK;
        let part = Question { block: Some((number as u32, more)), payload: Some((OCTETS, &PART)), ..put("/5/0/0") };
        desk.ask(part, if more { Code::CONTINUE } else { Code::CHANGED });
    }
    desk.quiet = false;
    let flash = &desk.objects.1.0.store;
    say!("  {} B in flash, sum {:#010x}", flash.written, flash.sum);
    assert_eq!(flash.written, IMAGE as u64);
    peaks.add("a firmware of 1 MiB by Block1", figures("after the firmware", before, desk));

    say!("\n# a week: Updates before the lifetime is over (7.4)");
    let calls = memory::calls();
    desk.wait(Duration::from_secs(7 * 86_400));
    say!("  {} allocations in a week", memory::calls() - calls);
    assert_eq!(memory::calls(), calls, "nothing is allocated any more");
    peaks.add("a week of Updates", figures("after a week", before, desk));

    say!("\n# six hours with the memory off, and on inside the registration");
    let registered = desk.client.is_registered(desk.now, 101);
    desk.sleep(Duration::from_secs(6 * 3_600));
    desk.run();
    assert!(registered && desk.client.is_registered(desk.now, 101), "still registered");
    peaks.add("a sleep with the memory off", figures("after a sleep", before, desk));
    desk.wait(Duration::from_secs(86_400));

    say!("\n# flight mode on and off: de-register, register without a bootstrap (7.5, 7.3)");
    desk.client.enter_flight_mode(desk.now);
    desk.run();
    desk.wait(Duration::from_secs(3_600));
    desk.client.leave_flight_mode(desk.now);
    desk.run();
    assert!(desk.client.is_registered(desk.now, 101), "registered again");

    say!("\n# power off: de-register (7.5)");
    desk.client.shutdown(desk.now);
    desk.run();
    assert!(!desk.client.is_registered(desk.now, 101), "left");
    peaks.add("flight mode on and off, power off", figures("at the end", before, desk));
    // All that the limits allow, whatever a server does; a body in blocks is the last thing that takes more.
    desk.client.reserve();
    let most = desk.client.memory().total() + PROFILE.limits.body;
    figures("with all tables full", before, desk);
    say!("  {most} B with a body in blocks besides");
    assert!(most <= 4_096, "all of it fits into 4 KiB");
}

const fn get(path: &str) -> Question<'_> {
    Question { method: Code::GET, path, observe: false, block: None, payload: None }
}

const fn put(path: &str) -> Question<'_> {
    Question { method: Code::PUT, ..get(path) }
}

const fn post(path: &str) -> Question<'_> {
    Question { method: Code::POST, ..get(path) }
}

/// The most that each part of the life took: what of the heap, and what of the stack in a call of the client.
#[derive(Default)]
struct Peaks {
    rows: [(&'static str, usize, usize); 8],
    count: usize,
}

impl Peaks {
    fn add(&mut self, part: &'static str, heap: usize) {
        let stack = memory::deepest_call();
        assert!(stack <= STACK_OF_A_CALL, "a call takes more of the stack than it did: {stack} B");
        if let Some(row) = self.rows.get_mut(self.count) {
            *row = (part, heap, stack);
            self.count += 1;
        }
    }

    fn show(&self) {
        say!("\nat most, in B                                                  heap   stack");
        for (part, heap, stack) in self.rows.iter().take(self.count) {
            say!("  {part:<58}{heap:>8}{stack:>8}");
        }
    }
}

/// What the client holds, besides the objects and the configuration that it was made from; the most heap since the
/// last figures.
fn figures(when: &str, before: usize, desk: &Desk) -> usize {
    let memory = desk.client.memory();
    let (taken, most) = (memory::taken() - before, memory::most() - before);
    say!("  {when}: {} B of client and {taken} B of heap, {most} B at most since the last figures", memory.inline);
    let parts = [
        ("buffers", memory.buffers),
        ("exchanges", memory.exchange),
        ("accounts", memory.accounts),
        ("registrations", memory.lifecycle),
        ("observations", memory.reporting),
        ("events", memory.events),
        ("sessions", memory.connections),
        ("configuration", memory.config),
        ("strings and keys", memory.strings),
    ];
    for (part, bytes) in parts {
        say!("    {bytes:>5} B  {part}");
    }
    most
}
