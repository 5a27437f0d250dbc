//! The life, step by step, with the sections of the DM terminal specification beside them.

use core::time::Duration;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{Ask, DmServer, OperationId, Response, WriteMode};
use lwm2m_core::{Event, Leave, Path};

use super::{EXCHANGE, Life};
use crate::terminal::flash::image;
use crate::terminal::{Errand, LIFETIME};

const HOUR: Duration = Duration::from_secs(3600);
const TEXT: ContentFormat = ContentFormat::TEXT_PLAIN;
const TLV: ContentFormat = ContentFormat::LWM2M_TLV;

const DEVICE: Path = Path::instance(3, 0);
const FIRMWARE_VERSION: Path = Path::resource(3, 0, 3);
const BATTERY_LEVEL: Path = Path::resource(3, 0, 9);
const ERROR_CODE: Path = Path::resource(3, 0, 11);
const RESET_ERROR_CODE: Path = Path::resource(3, 0, 12);
const UTC_OFFSET: Path = Path::resource(3, 0, 14);
const CONNECTIVITY: Path = Path::instance(4, 0);
const SIGNAL_STRENGTH: Path = Path::resource(4, 0, 2);
const FIRMWARE: Path = Path::instance(5, 0);
const FIRMWARE_STATE: Path = Path::resource(5, 0, 3);
const INSTALL: Path = Path::resource(5, 0, 2);
const METERS: Path = Path::object(30_000);
const METER: Path = Path::instance(30_000, 0);
const START: Path = Path::resource(30_000, 0, 2);

/// An hour meter to be created: Name, Rate (1.5), two Service Intervals, Part (/3/0).
const NEW_METER: &[u8] = b"\xc8\x00\x0aradio link\xc4\x04\x3f\xc0\x00\x00\
    \x87\x05\x41\x00\x64\x42\x01\x01\xf4\xc4\x07\x00\x03\x00\x00";

/// The firmware that is pushed, and the size of the blocks in which it comes.
const IMAGE_VERSION: &str = "1.1.0";
const IMAGE_LENGTH: usize = 4_000;
const BLOCK: u16 = 256;

impl Life {
    /// The script.
    pub(super) fn live(&mut self, name: &str) -> Result<(), String> {
        self.sim.network_up();
        self.comes_online(name)?;
        self.is_read()?;
        self.is_observed()?;
        self.is_observed_within_limits()?;
        self.is_changed()?;
        self.gets_an_instance_and_loses_it()?;
        self.updates()?;
        self.flies()?;
        self.is_upgraded()?;

        // 7.5: power-off.
        self.pass(HOUR)?;
        self.sim.shutdown();
        self.left("shutdown", Leave::PowerOff, 3)?;
        self.pass(HOUR)?;
        match self.sim.platform.complaints().next() {
            Some((at, complaint)) => Err(format!("the platform complains: {complaint} (at {at})")),
            None => self.check("shutdown", "no event to be dropped", self.sim.client.dropped_events() == 0),
        }
    }

    /// 7.2, 7.3: bootstrap on the first network, then register.
    fn comes_online(&mut self, name: &str) -> Result<(), String> {
        self.wait("register", EXCHANGE * 2, |sim| sim.platform.servers[0].registration().is_some())?;
        // The Register may overtake the answer to the bootstrap's end.
        self.wait("bootstrap", EXCHANGE, |sim| sim.platform.bootstrap.finished() == 1)?;
        self.check("bootstrap", "a single request", self.sim.platform.bootstrap.requests_seen() == 1)?;
        let online = self.server().registration().cloned().ok_or("register: the platform has it OFFLINE")?;
        self.check("register", "the endpoint name", online.endpoint == name)?;
        self.check("register", "a lifetime of 86400 s", online.lifetime == LIFETIME)?;
        let terms = (online.version.as_str(), online.binding.as_str());
        self.check("register", "LwM2M 1.0 and binding U", terms == ("1.0", "U"))?;
        // The bootstrap deleted what it could: the hour meter, too.
        self.check("register", "links to every object, none to /0", self.links() == LINKS)?;
        self.is_sure_of_it()
    }

    /// The client, too, knows that it is registered.
    fn is_sure_of_it(&mut self) -> Result<(), String> {
        self.wait("register", EXCHANGE, |sim| {
            sim.client.is_registered(sim.now(), sim.platform.servers[0].short_server_id)
        })
    }

    /// 6, group 3: the platform reads.
    fn is_read(&mut self) -> Result<(), String> {
        self.pass(Duration::from_secs(10))?;
        let all = self.read(DEVICE, TLV)?;
        let known = all.tlv().is_some_and(|values| values.len() >= 10);
        self.check("read /3/0", "at least ten values of the Device object", known)?;
        let level = self.read(BATTERY_LEVEL, TEXT)?;
        self.check("read /3/0/9", "a battery level of 80 %", level.text() == "80")?;
        let radio = self.read(CONNECTIVITY, TLV)?;
        let strength = radio.tlv().is_some_and(|values| values.contains(&Node::Resource(2, vec![0x9f])));
        self.check("read /4/0", "a signal strength of -97 dBm", strength)
    }

    /// 6, group 2: it observes, and is told of a change.
    fn is_observed(&mut self) -> Result<(), String> {
        self.pass(Duration::from_secs(10))?;
        let (observation, first) = self.observe(BATTERY_LEVEL)?;
        self.check("observe /3/0/9", "the value of now", first.text() == "80")?;
        for (level, count) in [("79", 1), ("42", 2)] {
            self.pass(Duration::from_secs(60))?;
            self.set(&format!("set /3/0/9 {level}"))?;
            self.is_told("notify /3/0/9", observation, level)?;
            let once = self.server().notifications(observation).len() == count;
            self.check("notify /3/0/9", "one notification", once)?;
        }
        self.pass(Duration::from_secs(10))?;
        let last = self.ask("stop observing /3/0/9", Code::CONTENT, |server| server.cancel(observation))?;
        self.check("stop observing /3/0/9", "the value, and no observation", last.observe.is_none())?;
        self.set("set /3/0/9 41")?;
        self.pass(Duration::from_secs(60))?;
        let silent = self.server().notifications(observation).len() == 2;
        self.check("stop observing /3/0/9", "no more notifications", silent)
    }

    /// The same, of changes that are large enough (Write-Attributes with `st`).
    fn is_observed_within_limits(&mut self) -> Result<(), String> {
        let step = "write attributes of /4/0/2";
        let ask = Ask { query: vec!["st=10".into()], ..Ask::new(Code::PUT, "/4/0/2") };
        self.ask(step, Code::CHANGED, |server| server.request(ask))?;
        let (observation, first) = self.observe(SIGNAL_STRENGTH)?;
        self.check("observe /4/0/2", "the value of now", first.text() == "-97")?;
        self.pass(Duration::from_secs(10))?;
        self.set("set /4/0/2 -101")?;
        self.pass(Duration::from_secs(10))?;
        self.check(step, "silence about a change of 4 dB", self.server().notifications(observation).is_empty())?;
        self.set("set /4/0/2 -112")?;
        self.is_told(step, observation, "-112")?;
        self.pass(Duration::from_secs(10))?;
        self.ask("stop observing /4/0/2", Code::CONTENT, |server| server.cancel(observation)).map(drop)
    }

    /// 6, group 3: it executes and writes.
    fn is_changed(&mut self) -> Result<(), String> {
        self.pass(Duration::from_secs(60))?;
        let before = self.read(ERROR_CODE, TLV)?;
        self.ask("execute /3/0/12", Code::CHANGED, |server| server.execute(RESET_ERROR_CODE, ""))?;
        let after = self.read(ERROR_CODE, TLV)?;
        let reset = before.payload.last() == Some(&4) && after.payload.last() == Some(&0);
        self.check("execute /3/0/12", "error 4 before, none after", reset)?;
        let mode = WriteMode::Replace;
        self.ask("write /3/0/14", Code::CHANGED, |server| server.write(UTC_OFFSET, TEXT, b"+09:00", mode))?;
        let offset = self.read(UTC_OFFSET, TEXT)?;
        self.check("write /3/0/14", "the value that was written", offset.text() == "+09:00")
    }

    /// The vendor's own object: the server creates an instance of it, has it work, and deletes it. Each
    /// time the object list has changed, and an Update tells it.
    fn gets_an_instance_and_loses_it(&mut self) -> Result<(), String> {
        self.pass(Duration::from_secs(60))?;
        let created = self.ask("create /30000/0", Code::CREATED, |server| server.create(METERS, TLV, NEW_METER))?;
        self.check("create /30000/0", "its location", created.location == ["30000", "0"])?;
        self.lists("create /30000/0", "/30000/0", true)?;
        self.ask("execute /30000/0/2", Code::CHANGED, |server| server.execute(START, ""))?;
        self.pass(Duration::from_secs(90))?;
        let meter = self.read(METER, TLV)?;
        // It may have started a repetition earlier, or be read one later.
        let right = |value: &Node| matches!(value, Node::Resource(1, time) if matches!(time[..], [90..=99]));
        let runs = meter.tlv().is_some_and(|values| values.iter().any(right));
        self.check("execute /30000/0/2", "90 s at work", runs)?;
        self.ask("delete /30000/0", Code::DELETED, |server| server.delete(METER))?;
        self.lists("delete /30000/0", "/30000/0", false)
    }

    /// 7.4: the Update, before the lifetime ends.
    fn updates(&mut self) -> Result<(), String> {
        let lifetime = Duration::from_secs(LIFETIME.into());
        let before = self.server().registration().cloned().ok_or("update: the platform has it OFFLINE")?;
        let renewed = |event: &Event| matches!(event, Event::Updated { .. });
        let (seen, known) = (self.server().updates_seen(), self.count(renewed));
        self.wait("update", lifetime, |sim| sim.platform.servers[0].updates_seen() > seen)?;
        self.wait("update", EXCHANGE, |sim| sim.events().filter(|(_, event)| renewed(event)).count() > known)?;
        let same = self.server().registration().is_some_and(|now| now.location == before.location);
        let in_time = self.sim.now() < before.expires_at;
        self.check("update", "the same registration, ONLINE, before its lifetime ended", same && in_time)
    }

    /// 7.5: flight mode, de-registered; 7.3: and back, registered without a bootstrap.
    fn flies(&mut self) -> Result<(), String> {
        self.pass(HOUR)?;
        self.sim.enter_flight_mode();
        self.left("flight mode on", Leave::FlightMode, 1)?;
        self.sim.network_down();
        let silent_from = self.sim.network.counts().sent;
        self.pass(HOUR)?;
        self.check("flight mode on", "silence", self.sim.network.counts().sent == silent_from)?;
        self.sim.leave_flight_mode();
        self.sim.network_up();
        self.wait("flight mode off", EXCHANGE, |sim| sim.platform.servers[0].registration().is_some())?;
        self.is_sure_of_it()?;
        let bootstraps = self.sim.platform.bootstrap.requests_seen();
        self.check("flight mode off", "no bootstrap", bootstraps == 1)?;
        self.check("flight mode off", "one more Register", self.server().registers_seen() == 2)
    }

    /// 6, group 3: other firmware is pushed block by block, and installed; the device starts again
    /// with it, which begins with a bootstrap (7.2).
    fn is_upgraded(&mut self) -> Result<(), String> {
        self.pass(HOUR)?;
        let (observation, first) = self.observe(FIRMWARE_STATE)?;
        self.check("observe /5/0/3", "nothing to be going on (0)", first.text() == "0")?;
        let push = Ask {
            format: Some(ContentFormat::OCTET_STREAM),
            payload: image(IMAGE_VERSION, IMAGE_LENGTH),
            block_size: Some(BLOCK),
            ..Ask::new(Code::PUT, "/5/0/0")
        };
        self.ask("write /5/0/0", Code::CHANGED, |server| server.request(push))?;
        self.is_told("write /5/0/0", observation, "2")?;
        self.pass(Duration::from_secs(10))?;
        self.ask("execute /5/0/2", Code::CHANGED, |server| server.execute(INSTALL, ""))?;
        self.errand("execute /5/0/2", &Errand::Install)?;
        self.is_told("execute /5/0/2", observation, "3")?;

        self.pass(Duration::from_secs(60))?;
        self.sim.shutdown();
        self.left("restart", Leave::PowerOff, 2)?;
        self.start_again("restart")?;
        self.pass(Duration::from_secs(30))?;
        self.sim.network_up();
        self.wait("restart", EXCHANGE * 2, |sim| sim.platform.servers[0].registration().is_some())?;
        self.wait("restart", EXCHANGE, |sim| sim.platform.bootstrap.finished() == 2)?;
        self.is_sure_of_it()?;

        self.pass(Duration::from_secs(10))?;
        let firmware = self.read(FIRMWARE, TLV)?.tlv().unwrap_or_default();
        let result = [Node::Resource(3, vec![0]), Node::Resource(5, vec![1])];
        let told = result.iter().all(|value| firmware.contains(value));
        self.check("read /5/0", "state 0 and result 1, updated", told)?;
        let version = self.read(FIRMWARE_VERSION, TEXT)?;
        self.check("read /3/0/3", "the new version", version.text() == IMAGE_VERSION)
    }

    // ----- what the steps share -------------------------------------------------------------

    fn read(&mut self, path: Path, format: ContentFormat) -> Result<Response, String> {
        self.ask(&format!("read {path}"), Code::CONTENT, |server| server.read(path, Some(format)))
    }

    fn observe(&mut self, path: Path) -> Result<(OperationId, Response), String> {
        let step = format!("observe {path}");
        let answer = self.sim.ask(0, |server: &mut DmServer| server.observe(path, Some(TEXT)));
        let observation = answer.operation;
        let first = self.granted(&step, Code::CONTENT, answer)?;
        self.check(&step, "an observation", first.observe.is_some())?;
        Ok((observation, first))
    }

    /// The newest notification comes to have this value.
    fn is_told(&mut self, step: &str, observation: OperationId, value: &str) -> Result<(), String> {
        self.wait(step, EXCHANGE, |sim| {
            let notifications = sim.platform.servers[0].notifications(observation);
            notifications.last().is_some_and(|told| told.response.text() == value)
        })
    }

    /// The object list comes to have this path, or to have it no more.
    fn lists(&mut self, step: &str, path: &str, wanted: bool) -> Result<(), String> {
        self.wait(step, EXCHANGE, |sim| {
            sim.platform.servers[0].registration().is_some_and(|online| online.lists(path) == wanted)
        })
    }

    /// The objects; the link to the root says which formats are spoken.
    fn links(&self) -> Vec<&str> {
        let links = self.server().registration().into_iter().flat_map(|online| &online.links);
        links.map(|link| link.target.as_str()).filter(|target| *target != "/").collect()
    }

    fn count(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.sim.events().filter(|(_, event)| wanted(event)).count()
    }
}

/// The object list after a bootstrap.
const LINKS: [&str; 5] = ["/1/0", "/3/0", "/4/0", "/5/0", "/30000"];
