//! Firmware Update: OMA enabler tests for LwM2M 1.0.

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::{Device, DownloadError, FirmwareAction, FirmwareUpdate, PackageStore, Protocol, StoreError};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Sim, WriteMode};
use lwm2m_core::{Ctx, Part, Path};

use crate::device::{connect, execute, integer, integers, online, put, read};
use crate::terminal::*;

const PACKAGE: Path = Path::resource(5, 0, 0);
const URI: Path = Path::resource(5, 0, 1);
const UPDATE: Path = Path::resource(5, 0, 2);
const VERSION: Path = Path::resource(3, 0, 3);

/// Flash that takes images of its own kind: `IMG`, the version, and the sum of all these bytes.
#[derive(Clone, Debug, Default)]
struct Flash {
    image: Vec<u8>,
    capacity: usize,
    memory: usize,
}

impl PackageStore for Flash {
    fn store(&mut self, _: &Ctx, part: Part<'_>) -> Result<(), StoreError> {
        let failed = |error| Err(StoreError::Failed(error));
        if part.offset == 0 {
            self.image.clear();
        }
        if self.image.len() + part.bytes.len() > self.capacity {
            return failed(DownloadError::Flash);
        }
        if part.bytes.len() > self.memory {
            return failed(DownloadError::Memory);
        }
        assert_eq!(usize::try_from(part.offset), Ok(self.image.len()), "part by part");
        self.image.extend(part.bytes);
        match &*self.image {
            image if !image.starts_with(b"IMG") => failed(DownloadError::Type),
            [image @ .., sum] if part.last && *sum != checksum(image) => failed(DownloadError::Integrity),
            _ => Ok(()),
        }
    }

    fn discard(&mut self) {
        self.image.clear();
    }
}

fn checksum(image: &[u8]) -> u8 {
    image.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte))
}

fn image(version: &str) -> Vec<u8> {
    let mut image = [b"IMG", version.as_bytes()].concat();
    image.push(checksum(&image));
    image
}

type Terminal = Sim<(Device, FirmwareUpdate<Flash>)>;

fn model(version: &'static str) -> (Device, FirmwareUpdate<Flash>) {
    let mut device = Device::new("Example Works", "TM-1");
    device.firmware_version = Some(version.into());
    let flash = Flash { capacity: 100_000, memory: 2_000, ..Flash::default() };
    (device, FirmwareUpdate::new(flash, [Protocol::Coap, Protocol::Coaps]))
}

fn terminal_with_firmware() -> Terminal {
    online(1, model("1.0"))
}

/// State and Result, as the server reads them.
#[track_caller]
fn progress(sim: &mut Terminal) -> (i64, i64) {
    let firmware = read(sim, FirmwareUpdate::<Flash>::PATH);
    (integer(&firmware, 3), integer(&firmware, 5))
}

#[track_caller]
fn push(sim: &mut Terminal, package: &[u8]) -> Option<Code> {
    let format = ContentFormat::OCTET_STREAM;
    sim.ask(0, |server| server.write(PACKAGE, format, package, WriteMode::Replace)).code()
}

/// Has the device download a package, up to the moment at which it begins.
#[track_caller]
fn pull(sim: &mut Terminal) {
    assert_eq!(put(sim, URI, "coap://fw.example/2.0"), Some(Code::CHANGED));
    assert_eq!(progress(sim), (1, 0));
    assert_eq!(sim.model.1.take_action(), Some(FirmwareAction::Download));
    assert_eq!(sim.model.1.take_action(), None, "it is told once");
    assert_eq!(sim.model.1.uri(), "coap://fw.example/2.0");
}

#[test]
fn int_751_in_the_beginning_there_is_no_package() {
    let mut sim = terminal_with_firmware();
    let firmware = read(&mut sim, FirmwareUpdate::<Flash>::PATH);
    assert_eq!((integer(&firmware, 3), integer(&firmware, 5)), (0, 0));
    assert_eq!(integers(&firmware, 8), [(0, 0), (1, 1)], "coap and coaps");
    assert_eq!(integer(&firmware, 9), 2, "pull and push");
    assert_eq!(Node::find(&firmware, 1).and_then(Node::text), Some(""));
    assert!(Node::find(&firmware, 0).is_none(), "a package is never read");
    nobody_complains(&sim);
}

#[test]
fn int_755_a_package_is_pushed() {
    let mut sim = terminal_with_firmware();
    assert_eq!(push(&mut sim, &[0]), Some(Code::CHANGED));
    assert_eq!(progress(&mut sim), (0, 0));
    assert_eq!(push(&mut sim, &image("2.0")), Some(Code::CHANGED));
    assert_eq!(progress(&mut sim), (2, 0));
    assert_eq!(sim.model.1.store.image, image("2.0"));
    // One NUL byte takes it back.
    assert_eq!(push(&mut sim, &[0]), Some(Code::CHANGED));
    assert_eq!((progress(&mut sim), sim.model.1.store.image.len()), ((0, 0), 0));
    nobody_complains(&sim);
}

#[test]
fn int_756_a_package_is_pulled() {
    let mut sim = terminal_with_firmware();
    assert_eq!(put(&mut sim, URI, ""), Some(Code::CHANGED));
    assert_eq!(progress(&mut sim), (0, 0));
    pull(&mut sim);
    sim.model.1.downloaded();
    assert_eq!(progress(&mut sim), (2, 0));
    assert_eq!(sim.ask(0, |server| server.read(URI, None)).response().text(), "coap://fw.example/2.0");
    // An empty URI takes it back.
    assert_eq!(put(&mut sim, URI, ""), Some(Code::CHANGED));
    assert_eq!(progress(&mut sim), (0, 0));
    assert_eq!(sim.ask(0, |server| server.read(URI, None)).response().text(), "");
    nobody_complains(&sim);
}

/// Update, and the restart that ends it with what the application makes of it.
#[track_caller]
fn update(sim: &mut Terminal, restarted: (Device, FirmwareUpdate<Flash>)) {
    assert_eq!(progress(sim), (2, 0));
    assert_eq!(execute(sim, UPDATE), Some(Code::CHANGED));
    assert_eq!(progress(sim), (3, 0));
    assert_eq!((sim.model.1.take_action(), sim.model.1.take_action()), (Some(FirmwareAction::Install), None));
    sim.reboot();
    sim.model = restarted;
    connect(sim);
}

#[test]
fn int_770_771_a_package_is_installed() {
    for pushed in [true, false] {
        let mut sim = terminal_with_firmware();
        if pushed {
            assert_eq!(push(&mut sim, &image("2.0")), Some(Code::CHANGED));
        } else {
            pull(&mut sim);
            sim.model.1.downloaded();
        }
        let mut restarted = model("2.0");
        restarted.1.installed();
        update(&mut sim, restarted);
        assert_eq!(progress(&mut sim), (0, 1));
        assert_eq!(sim.ask(0, |server| server.read(VERSION, None)).response().text(), "2.0");
        nobody_complains(&sim);
    }
}

#[test]
fn int_772_there_is_no_update_without_a_package() {
    let mut sim = terminal_with_firmware();
    assert_eq!(execute(&mut sim, UPDATE), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!((progress(&mut sim), sim.model.1.take_action()), ((0, 0), None));
    // Nor while one is on its way, nor a second time.
    pull(&mut sim);
    assert_eq!(execute(&mut sim, UPDATE), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(progress(&mut sim), (1, 0));
    sim.model.1.downloaded();
    assert_eq!(execute(&mut sim, UPDATE), Some(Code::CHANGED));
    assert_eq!(execute(&mut sim, UPDATE), Some(Code::METHOD_NOT_ALLOWED));
    assert_eq!(progress(&mut sim), (3, 0));
    nobody_complains(&sim);
}

/// A package that is pushed and does not do, and a download that fails in the same way.
#[track_caller]
fn fails(prepare: impl Fn(&mut Flash), package: &[u8], error: DownloadError, result: i64) {
    let mut sim = terminal_with_firmware();
    prepare(&mut sim.model.1.store);
    assert_eq!(push(&mut sim, package), Some(Code::CHANGED), "the result tells it");
    assert_eq!(progress(&mut sim), (0, result));
    assert!(sim.model.1.store.image.is_empty());
    assert_eq!(execute(&mut sim, UPDATE), Some(Code::METHOD_NOT_ALLOWED));
    // Another download begins with no result.
    pull(&mut sim);
    sim.model.1.download_failed(error);
    assert_eq!(progress(&mut sim), (0, result));
    nobody_complains(&sim);
}

#[test]
fn int_773_the_package_is_too_big_for_flash() {
    fails(|flash| flash.capacity = 5, &image("2.0"), DownloadError::Flash, 2);
}

#[test]
fn int_774_there_is_too_little_memory() {
    fails(|flash| flash.memory = 5, &image("2.0"), DownloadError::Memory, 3);
}

#[test]
fn int_775_the_connection_is_lost_while_pulling() {
    let mut sim = terminal_with_firmware();
    pull(&mut sim);
    sim.model.1.download_failed(DownloadError::Connection);
    assert_eq!(progress(&mut sim), (0, 4));
    assert_eq!(sim.model.1.take_action(), None);
    nobody_complains(&sim);
}

#[test]
fn int_776_the_package_is_not_intact() {
    let mut broken = image("2.0");
    *broken.last_mut().unwrap() ^= 1;
    fails(|_| {}, &broken, DownloadError::Integrity, 5);
}

#[test]
fn int_777_the_package_is_of_another_type() {
    fails(|_| {}, b"ELF 2.0", DownloadError::Type, 6);
}

#[test]
fn int_778_the_uri_is_none() {
    for uri in ["not a uri", "coap://", "coap://fw.example:nowhere/2.0"] {
        leads_nowhere(uri, 7);
    }
    // It is well-formed, and leads nowhere.
    let mut sim = terminal_with_firmware();
    pull(&mut sim);
    sim.model.1.download_failed(DownloadError::Uri);
    assert_eq!(progress(&mut sim), (0, 7));
}

/// A URI, but of a protocol that the device does not speak.
#[test]
fn int_780_the_protocol_is_not_supported() {
    for uri in ["ftp://fw.example/2.0", "https://fw.example/2.0"] {
        leads_nowhere(uri, 9);
    }
}

/// The Write is answered 2.04 all the same; the result tells, and nothing is pulled.
#[track_caller]
fn leads_nowhere(uri: &str, result: i64) {
    let mut sim = terminal_with_firmware();
    assert_eq!(put(&mut sim, URI, uri), Some(Code::CHANGED));
    assert_eq!((progress(&mut sim), sim.model.1.take_action()), ((0, result), None), "{uri}");
    nobody_complains(&sim);
}

#[test]
fn int_779_the_installation_fails() {
    let mut sim = terminal_with_firmware();
    assert_eq!(push(&mut sim, &image("2.0")), Some(Code::CHANGED));
    let mut restarted = model("1.0");
    restarted.1.store.image = image("2.0");
    restarted.1.installation_failed();
    update(&mut sim, restarted);
    assert_eq!(progress(&mut sim), (2, 8));
    assert_eq!(sim.ask(0, |server| server.read(VERSION, None)).response().text(), "1.0");
    // It can be tried again, with no result before there is one.
    assert_eq!(execute(&mut sim, UPDATE), Some(Code::CHANGED));
    assert_eq!(progress(&mut sim), (3, 0));
    nobody_complains(&sim);
}

#[test]
fn xk_18_a_package_in_blocks_reaches_firmware_update() {
    let mut sim = terminal_with_firmware();
    sim.network.lose(100);
    server_mut(&mut sim).block_size = Some(64);
    let package = image(&"7".repeat(20_000));
    let write = server_mut(&mut sim).write(PACKAGE, ContentFormat::OCTET_STREAM, &package, WriteMode::Replace);
    // Downloading from the first block on, and Downloaded after the last one.
    assert!(sim.run_until(secs(600), |sim| sim.model.1.state() as u8 == 1), "{}", sim.trace);
    assert!(sim.run_until(secs(3_600), |sim| server(sim).answer(write).is_some()), "{}", sim.trace);
    assert_eq!(server(&sim).answer(write).unwrap().code(), Some(Code::CHANGED));
    sim.network.lose(0);
    assert_eq!(progress(&mut sim), (2, 0));
    // A package that fails at its end is taken all the same: the result tells (OMA LwM2M 1.0, E.6).
    let mut broken = package;
    broken.push(0);
    assert_eq!(push(&mut sim, &broken), Some(Code::CHANGED));
    assert_eq!(progress(&mut sim), (0, 5));
}
