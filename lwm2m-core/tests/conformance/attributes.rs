//! XA: attributes, and the schedule of notifications that follows from them.

use coap_codec::Code;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, Sim, Tlv};
use lwm2m_core::{Config, Event, Path, Rights};
use proptest::prelude::*;

use crate::terminal::*;

const CHANGED: Code = Code::CHANGED;
const BAD_REQUEST: Code = Code::BAD_REQUEST;
const DEVICE: Path = Path::object(3);
/// Requests that come at such intervals are not too many to be remembered.
const REMEMBERED: core::time::Duration = secs(20);
const INSTANCE: Path = Path::instance(3, 0);

/// A device with one server that wants its notifications non-confirmable, so that none waits for
/// another.
fn watched(config: Config) -> Sim<Device> {
    online(config.with(|profile| profile.confirmable_notifications = false), device())
}

fn battery(sim: &mut Sim<Device>, level: u8) {
    sim.model.battery_level = Some(level);
    sim.notify(BATTERY);
}

#[test]
fn xa_01_an_attribute_without_a_value_is_unset_at_that_level() {
    for unset in ["pmin", "pmin="] {
        let mut sim = watched(one_server(1));
        for (path, query) in [("/3", "pmin=30&pmax=300"), ("/3/0", "pmin=20&pmax=200"), ("/3/0/9", "pmin=10&gt=90")] {
            assert_eq!(attributes(&mut sim, 0, path, query), CHANGED);
        }
        assert_eq!(attributes(&mut sim, 0, "/3/0", unset), CHANGED);
        let links = discover(&mut sim, 0, DEVICE);
        let levels = ["/3", "/3/0", "/3/0/9"].map(|path| shown(&links, path));
        assert_eq!(levels, ["pmax=300;pmin=30", "pmax=200", "gt=90;pmin=10"]);
        // What is above counts again.
        let instance = watch(&mut sim, 0, INSTANCE);
        battery(&mut sim, 79);
        sim.run_for(secs(60));
        assert_eq!(instance.seconds(&sim), [30], "{}", sim.trace);
        // Also together with others, also where there is nothing to unset, also all of it.
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", &format!("{unset}&gt&pmax=7&st")), CHANGED);
        assert_eq!(shown(&discover(&mut sim, 0, INSTANCE), "/3/0/9"), "pmax=7");
        assert_eq!(attributes(&mut sim, 0, "/3/0", &format!("{unset}&pmax")), CHANGED);
        assert_eq!(set_at(&mut sim, 0, INSTANCE), "");
        nobody_complains(&sim);
    }
}

#[test]
fn xa_02_what_is_no_attribute_or_no_value_of_one_changes_nothing() {
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=5&st=2"), CHANGED);
    let before = discover(&mut sim, 0, DEVICE);
    for query in [
        "pmin=-1",
        "pmin=1.5",
        "pmin=x",
        "st=-1",
        "foo=1",
        "dim=3",
        "ver=1.0",
        "pmin=+1",
        "pmin= 1",
        "pmax=1e3",
        "pmax=-5",
        "pmin=4294967296",
        "gt=1e3",
        "gt=x",
        "lt=1.",
        "lt=--1",
        "foo",
        "=",
        "=1",
        "PMIN=1",
        "stp=1",
        "ssid=1",
        // Twice the same, and of several one that is bad, wherever it stands.
        "pmin=7&pmin=7",
        "pmin=7&pmin",
        "pmin=7&foo=1",
        "foo=1&pmin=7",
        "pmin=7&pmax=8&gt=nan",
        "pmin&st=-1",
    ] {
        assert_eq!(attributes(&mut sim, 0, "/3/0/9", query), BAD_REQUEST, "{query}");
        assert_eq!(discover(&mut sim, 0, DEVICE), before, "{query}");
        sim.run_for(REMEMBERED);
    }
    assert_eq!(shown(&before, "/3/0/9"), "pmin=5;st=2");
    // At the limits of what is one.
    for (query, text) in [("pmin=0&pmax=4294967295", "pmax=4294967295;pmin=0"), ("pmin=007&pmax", "pmin=7")] {
        assert_eq!(attributes(&mut sim, 0, "/3/0", query), CHANGED, "{query}");
        assert_eq!(set_at(&mut sim, 0, INSTANCE), text);
    }
}

#[test]
fn xa_04_a_pmax_below_pmin_is_kept_and_ignored() {
    // On one level, and across levels.
    for (high, low) in [("/3/0/9", "/3/0/9"), ("/3/0", "/3/0/9"), ("/3/0/9", "/3")] {
        let mut sim = watched(one_server(1));
        assert_eq!(attributes(&mut sim, 0, high, "pmin=300"), CHANGED);
        assert_eq!(set_at(&mut sim, 0, BATTERY), if high == "/3" { "" } else { "pmin=300" });
        assert_eq!(attributes(&mut sim, 0, low, "pmax=200"), CHANGED);
        assert_eq!(set_at(&mut sim, 0, BATTERY), "pmax=200;pmin=300");
        let observation = watch(&mut sim, 0, BATTERY);
        observation.run_to(&mut sim, secs(1_000));
        assert_eq!(observation.seconds(&sim), [0; 0], "ignored\n{}", sim.trace);
        battery(&mut sim, 79);
        observation.run_to(&mut sim, secs(3_000));
        assert_eq!(observation.seconds(&sim), [1_000], "{}", sim.trace);
        // When they are equal it counts.
        observation.run_to(&mut sim, secs(4_000));
        assert_eq!(attributes(&mut sim, 0, low, "pmax=300"), CHANGED);
        assert_eq!(set_at(&mut sim, 0, BATTERY), "pmax=300;pmin=300");
        let again = observation.told(&sim).last().expect("it is late at once").0;
        assert!((secs(4_000)..secs(4_001)).contains(&again), "{again:?}");
        observation.run_to(&mut sim, again + secs(900));
        let since = observation.told(&sim).into_iter().skip(1).map(|(at, _)| at - again);
        assert_eq!(since.collect::<Vec<_>>(), [0, 300, 600, 900].map(secs), "{}", sim.trace);
    }
}

#[test]
fn xa_05_thresholds_are_for_single_resources_of_numbers() {
    let mut sim = online(one_server(1), (device(), Gauge(1.0)));
    for threshold in ["gt=5", "lt=5", "st=5", "gt", "pmin=1&lt=2"] {
        // Levels above a resource; a String, a Boolean.
        for path in ["/3", "/3/0", "/3/0/0", "/3/0/16", "/30001", "/30001/0", "/30001/0/6"] {
            assert_eq!(attributes(&mut sim, 0, path, threshold), BAD_REQUEST, "{path} {threshold}");
            sim.run_for(REMEMBERED);
        }
        // Nothing that could be told of; nothing at all; nothing that may be looked at.
        for (path, code) in [
            ("/3/0/4", Code::METHOD_NOT_ALLOWED),
            ("/30001/0/1", Code::METHOD_NOT_ALLOWED),
            ("/3/0/99", Code::NOT_FOUND),
            ("/3/0/20", Code::NOT_FOUND),
            ("/3/1", Code::NOT_FOUND),
            ("/50", Code::NOT_FOUND),
            ("/0/0/10", Code::UNAUTHORIZED),
            ("", Code::METHOD_NOT_ALLOWED),
        ] {
            assert_eq!(attributes(&mut sim, 0, path, threshold), code, "{path} {threshold}");
            sim.run_for(REMEMBERED);
        }
    }
    let links = [discover(&mut sim, 0, DEVICE), discover(&mut sim, 0, Path::object(30_001))].concat();
    assert!(
        links.iter().flat_map(|link| &link.attributes).all(|(name, _)| name == "dim" || name == "ver"),
        "{links:?}"
    );
    // Integer, Float, Unsigned Integer, Time; a multiple resource too.
    for path in ["/3/0/9", "/3/0/11", "/30001/0/0", "/30001/0/3", "/30001/0/4"] {
        assert_eq!(attributes(&mut sim, 0, path, "gt=5&lt=1.5&st=0.25"), CHANGED, "{path}");
        sim.run_for(REMEMBERED);
    }
}

#[test]
fn xa_06_the_nearest_level_at_or_above_the_observed_path_counts() {
    let mut sim = watched(two_servers(1));
    for (path, query) in [("/3", "pmin=30&pmax=100"), ("/3/0", "pmin=20"), ("/3/0/9", "pmin=10&st=50")] {
        assert_eq!(attributes(&mut sim, 0, path, query), CHANGED);
    }
    assert_eq!(attributes(&mut sim, 1, "/3/0", "pmin=5&pmax=50"), CHANGED);
    let paths = [DEVICE, INSTANCE, BATTERY];
    let [first, second] = [0, 1].map(|server| paths.map(|path| watch(&mut sim, server, path)));
    battery(&mut sim, 79);
    sim.run_for(secs(160));
    // No step of 50 at the resource, so pmax is left of it; the step stops nobody above it.
    let [object, instance, resource] = first.map(|watch| watch.seconds(&sim));
    assert_eq!(object, [30, 130], "{}", sim.trace);
    assert_eq!(instance, [20, 120], "{}", sim.trace);
    assert_eq!(resource, [100], "{}", sim.trace);
    // The other server has no say in that, nor the first one in this: at once, and every 50 s.
    let [object, instance, resource] = second;
    assert_eq!(object.told(&sim).len(), 1, "an attribute of the instance is below it\n{}", sim.trace);
    assert!(object.told(&sim)[0].0 < secs(1));
    assert_eq!(instance.seconds(&sim), [5, 55, 105, 155], "{}", sim.trace);
    assert_eq!(resource.seconds(&sim), [5, 55, 105, 155], "{}", sim.trace);
    // With a pmin of its own, and the step gone, the resource has the nearest one.
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "st"), CHANGED);
    let resource = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 78);
    sim.run_for(secs(15));
    assert_eq!(resource.seconds(&sim), [10], "{}", sim.trace);
}

#[test]
fn xa_07_the_periods_of_the_server_object_are_the_defaults() {
    let mut sim = watched(two_servers(1));
    for (resource, text) in [(2, b"10"), (3, b"60")] {
        let path = Path::resource(1, 0, resource);
        let format = coap_codec::ContentFormat::TEXT_PLAIN;
        let mode = lwm2m_core::sim::WriteMode::Replace;
        assert_eq!(sim.ask(0, |server| server.write(path, format, text, mode)).code(), Some(CHANGED));
    }
    let [own, other] = [0, 1].map(|server| watch(&mut sim, server, BATTERY));
    own.run_to(&mut sim, secs(3));
    battery(&mut sim, 79);
    own.run_to(&mut sim, secs(200));
    assert_eq!(own.seconds(&sim), [10, 70, 130, 190], "{}", sim.trace);
    assert_eq!(other.told(&sim).len(), 1, "its instance says nothing\n{}", sim.trace);
    // They are no attributes of a path, and what is set at one counts more.
    assert_eq!(set_at(&mut sim, 0, BATTERY), "");
    assert_eq!(attributes(&mut sim, 0, "/3", "pmin=2"), CHANGED);
    let nearer = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 78);
    nearer.run_to(&mut sim, secs(100));
    assert_eq!(nearer.seconds(&sim), [2, 62], "{}", sim.trace);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax=0"), CHANGED);
    let endless = watch(&mut sim, 0, BATTERY);
    sim.run_for(secs(1_000));
    assert_eq!(endless.told(&sim), [], "none is also a value\n{}", sim.trace);
}

#[test]
fn xa_08_a_change_within_pmin_is_told_when_that_is_over() {
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=10"), CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    for (at, level) in [(3, 79), (7, 78)] {
        observation.run_to(&mut sim, secs(at));
        battery(&mut sim, level);
    }
    observation.run_to(&mut sim, secs(100));
    assert_eq!(observation.told(&sim), [(secs(10), "78".into())], "{}", sim.trace);
    // After a quiet time at once, and then not again within pmin.
    battery(&mut sim, 77);
    observation.run_to(&mut sim, secs(101));
    battery(&mut sim, 76);
    observation.run_to(&mut sim, secs(200));
    assert_eq!(observation.seconds(&sim), [10, 100, 110], "{}", sim.trace);
}

#[test]
fn xa_09_what_came_and_went_within_pmin_is_told_all_the_same() {
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=10"), CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    for (at, level) in [(3, 79), (7, 80)] {
        observation.run_to(&mut sim, secs(at));
        battery(&mut sim, level);
    }
    observation.run_to(&mut sim, secs(100));
    assert_eq!(observation.told(&sim), [(secs(10), "80".into())], "{}", sim.trace);
    // It is told once: the same value again is no news.
    sim.notify(BATTERY);
    observation.run_to(&mut sim, secs(200));
    assert_eq!(observation.seconds(&sim), [10]);
}

#[test]
fn xa_10_without_a_change_a_notification_every_pmax() {
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax=60"), CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    observation.run_to(&mut sim, secs(600));
    assert_eq!(observation.told(&sim), (1..=10).map(|n| (secs(60 * n), "80".to_string())).collect::<Vec<_>>());
    // A change begins the time anew, and thresholds stop none of it.
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "gt=90"), CHANGED);
    observation.run_to(&mut sim, secs(620));
    battery(&mut sim, 95);
    observation.run_to(&mut sim, secs(750));
    assert_eq!(observation.seconds(&sim)[10..], [620, 680, 740], "{}", sim.trace);
}

#[test]
fn xa_11_a_pmax_of_0_is_none() {
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3", "pmax=60"), CHANGED);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax=0"), CHANGED);
    assert_eq!(set_at(&mut sim, 0, BATTERY), "pmax=0");
    let observation = watch(&mut sim, 0, BATTERY);
    observation.run_to(&mut sim, 3 * DAY);
    assert_eq!(observation.told(&sim), [], "{}", sim.trace);
    battery(&mut sim, 79);
    assert_eq!(observation.told(&sim), [(3 * DAY, "79".into())], "changes are told as ever");
}

#[test]
fn xa_14_attributes_that_change_while_observing_act_at_once() {
    let within_a_second = |watch: &Watch, sim: &Sim<Device>, at: u64| {
        let told = watch.told(sim);
        let (moment, _) = *told.last().as_ref().expect("a notification");
        assert!((secs(at)..secs(at + 1)).contains(moment), "{told:?}\n{}", sim.trace);
        told.len()
    };
    // A longer pmin, and a shorter one.
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=10"), CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    observation.run_to(&mut sim, secs(3));
    battery(&mut sim, 79);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=20"), CHANGED);
    observation.run_to(&mut sim, secs(23));
    assert_eq!(observation.seconds(&sim), [20], "{}", sim.trace);
    battery(&mut sim, 78);
    observation.run_to(&mut sim, secs(25));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=4"), CHANGED);
    assert_eq!(within_a_second(&observation, &sim, 25), 2);

    // A pmax; one that is over already; and none again.
    let observation = watch(&mut sim, 0, BATTERY);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax=60"), CHANGED);
    observation.run_to(&mut sim, secs(100));
    assert_eq!(observation.seconds(&sim), [60], "{}", sim.trace);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax=30"), CHANGED);
    assert_eq!(within_a_second(&observation, &sim, 100), 2);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmax&pmin"), CHANGED);
    sim.run_for(secs(1_000));
    assert_eq!(observation.told(&sim).len(), 2, "{}", sim.trace);

    // Thresholds hold against the value that was told last, also the value that there is already.
    let observation = watch(&mut sim, 0, BATTERY);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "lt=20"), CHANGED);
    battery(&mut sim, 60);
    observation.run_to(&mut sim, secs(200));
    assert_eq!(observation.told(&sim), [], "{}", sim.trace);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "st=19"), CHANGED);
    assert_eq!(observation.told(&sim), [], "60 is 18 from 78");
    observation.run_to(&mut sim, secs(300));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "st=18"), CHANGED);
    assert_eq!(within_a_second(&observation, &sim, 300), 1);
    battery(&mut sim, 59);
    observation.run_to(&mut sim, secs(400));
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "lt&st"), CHANGED);
    assert_eq!(within_a_second(&observation, &sim, 400), 2);
    nobody_complains(&sim);
}

/// A default that changes is a change of what holds, too.
#[test]
fn xa_14_so_do_the_defaults() {
    let mut sim = watched(one_server(1));
    let write = |sim: &mut Sim<Device>, resource, text: &str| {
        let (path, mode) = (Path::resource(1, 0, resource), lwm2m_core::sim::WriteMode::Replace);
        let format = coap_codec::ContentFormat::TEXT_PLAIN;
        assert_eq!(sim.ask(0, |server| server.write(path, format, text.as_bytes(), mode)).code(), Some(CHANGED));
    };
    let observation = watch(&mut sim, 0, BATTERY);
    observation.run_to(&mut sim, secs(10));
    write(&mut sim, 3, "30");
    observation.run_to(&mut sim, secs(65));
    assert_eq!(observation.seconds(&sim), [30, 60], "{}", sim.trace);
    write(&mut sim, 2, "20");
    battery(&mut sim, 79);
    observation.run_to(&mut sim, secs(85));
    assert_eq!(observation.seconds(&sim), [30, 60, 80], "{}", sim.trace);
}

#[test]
fn int_221_attributes_of_security_are_not_for_servers() {
    let mut sim = watched(one_server(1));
    for path in ["/0", "/0/0", "/0/0/10"] {
        assert_eq!(attributes(&mut sim, 0, path, "pmin=10"), Code::UNAUTHORIZED, "{path}");
    }
    assert_eq!(sim.ask(0, |server| server.read(Path::instance(0, 0), None)).code(), Some(Code::UNAUTHORIZED));
    let text = coap_codec::ContentFormat::TEXT_PLAIN;
    let replace = lwm2m_core::sim::WriteMode::Replace;
    let write = sim.ask(0, |server| server.write(Path::resource(0, 0, 0), text, b"coap://evil.example", replace));
    assert_eq!(write.code(), Some(Code::UNAUTHORIZED));
    sim.update(1).unwrap();
    sim.run_for(DAY);
    assert_eq!(happened(&sim, Event::RegistrationFailed { server: 1, reason: lwm2m_core::Reason::Unreachable }), 0);
    assert!(sent(&sim).iter().all(|sent| sent.host == DM), "nothing changed");
}

/// Attributes are a server's configuration: a new registration ends observations, and not them.
#[test]
fn attributes_outlive_a_registration_and_a_sleep_and_a_restart() {
    let mut sim = watched(one_server(1));
    assert_eq!(attributes(&mut sim, 0, "/3", "pmin=30&pmax=300"), CHANGED);
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=10&gt=90.5&lt=-1&st=2"), CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    observation.run_to(&mut sim, secs(5));
    sim.model.battery_level = Some(79);
    sim.sleep(secs(50));
    // What was told last is known still: one step is too small, two are enough.
    sim.run_for(secs(1));
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    assert_eq!(observation.told(&sim), [], "{}", sim.trace);
    battery(&mut sim, 78);
    sim.run_for(secs(1));
    assert_eq!(observation.told(&sim).len(), 1, "{}", sim.trace);
    let shown = |sim: &mut Sim<Device>| [set_at(sim, 0, DEVICE), set_at(sim, 0, BATTERY)];
    const SET: [&str; 2] = ["pmax=300;pmin=30", "gt=90.5;lt=-1;pmax=300;pmin=10;st=2"];
    assert_eq!(shown(&mut sim), SET);

    sim.enter_flight_mode();
    sim.run_for(secs(10));
    sim.leave_flight_mode();
    sim.run_for(secs(10));
    assert_eq!(server(&sim).registers_seen(), 2);
    assert_eq!(shown(&mut sim), SET);
    sim.reboot_from_flash();
    sim.network_up();
    sim.run_for(secs(10));
    assert_eq!(server(&sim).registers_seen(), 3);
    assert_eq!(shown(&mut sim), SET);
    // Without its memory the device has none.
    sim.reboot();
    sim.network_up();
    sim.run_for(secs(10));
    assert_eq!(shown(&mut sim), ["", ""]);
}

/// An instance that is made anew is another one.
#[test]
fn attributes_go_with_their_instance() {
    let racks = [0, 1, 2].map(|id| Path::instance(30_000, id));
    let creators = &[(1, Rights::CREATE)];
    let mut sim = racked(sharing(two_servers(1), &racks).access(Path::object(30_000), 1, creators));
    let level = |sim: &mut Sim<_>, id| set_at(sim, 0, Path::resource(30_000, id, 0));
    sim.model.1.levels = (0..3).map(|id| (id, 5)).collect();
    sim.notify(Path::object(30_000));
    sim.run_for(secs(1));
    for (path, query) in
        [("/30000", "pmin=1"), ("/30000/0", "pmin=2"), ("/30000/1/0", "pmin=3"), ("/30000/2/0", "pmin=4")]
    {
        assert_eq!(attributes(&mut sim, 0, path, query), CHANGED);
        assert_eq!(attributes(&mut sim, 1, path, "pmax=9"), CHANGED);
    }
    let set = |sim: &mut Sim<_>| [0, 1, 2].map(|id| level(sim, id));
    assert_eq!(set(&mut sim), ["pmin=2", "pmin=3", "pmin=4"]);
    // One is deleted by a server and made anew, and then one by the device.
    assert_eq!(sim.ask(0, |server| server.delete(Path::instance(30_000, 1))).code(), Some(Code::DELETED));
    let again = Tlv::new().instance(1, &Tlv::new().integer(0, 7));
    let format = coap_codec::ContentFormat::LWM2M_TLV;
    let created = sim.ask(0, |server| server.create(Path::object(30_000), format, again.bytes()));
    assert_eq!(created.code(), Some(Code::CREATED));
    assert_eq!(set(&mut sim), ["pmin=2", "pmin=1", "pmin=4"]);
    sim.model.1.levels.remove(&0);
    sim.notify(Path::object(30_000));
    sim.run_for(secs(1));
    sim.model.1.levels.insert(0, 5);
    sim.notify(Path::object(30_000));
    sim.run_for(secs(1));
    assert_eq!(set(&mut sim), ["pmin=1", "pmin=1", "pmin=4"]);
    assert_eq!(set_at(&mut sim, 1, Path::resource(30_000, 1, 0)), "pmax=9", "of the object");
    assert_eq!(set_at(&mut sim, 1, Path::instance(30_000, 1)), "");
}

/// PUT with a query and something to write is neither (own).
#[test]
fn write_attributes_has_no_payload() {
    let mut sim = watched(one_server(1));
    for (format, payload) in [(Some(0), &b"UTC"[..]), (Some(0), b""), (None, b"UTC")] {
        let format = format.map(coap_codec::ContentFormat);
        let ask =
            Ask { query: vec!["pmin=5".into()], format, payload: payload.to_vec(), ..Ask::new(Code::PUT, "/3/0/15") };
        assert_eq!(sim.ask(0, |server| server.request(ask)).code(), Some(BAD_REQUEST), "{format:?} {payload:?}");
    }
    assert_eq!(sim.model.timezone, None);
}

/// What happens to an observed level: it takes another value, or its server sets other attributes.
#[derive(Clone, Debug)]
enum Happens {
    Level(i64),
    Attributes { pmin: Option<u64>, pmax: Option<u64>, lt: Option<i64>, gt: Option<i64>, st: Option<i64> },
}

impl Happens {
    fn any() -> impl Strategy<Value = Self> {
        let attributes = (
            prop::option::of(0u64..20),
            prop::option::of(0u64..30),
            prop::option::of(-20i64..0),
            prop::option::of(20i64..40),
            prop::option::of(0i64..10),
        );
        let attributes = attributes.prop_map(|(pmin, pmax, lt, gt, st)| Self::Attributes { pmin, pmax, lt, gt, st });
        prop_oneof![3 => (-50i64..60).prop_map(Self::Level), 1 => attributes]
    }

    fn query(&self) -> String {
        let Self::Attributes { pmin, pmax, lt, gt, st } = self else { panic!("attributes") };
        let text = |name: &str, value: Option<String>| match value {
            Some(value) => format!("{name}={value}"),
            None => name.to_string(),
        };
        let periods = [("pmin", pmin), ("pmax", pmax)].map(|(name, value)| text(name, value.map(|v| v.to_string())));
        let numbers = [("lt", lt), ("gt", gt), ("st", st)];
        let numbers = numbers.map(|(name, value)| text(name, value.map(|value| value.to_string())));
        [&periods[..], &numbers[..]].concat().join("&")
    }
}

/// The truth table, word by word, at every hundredth of a second: when what is told.
fn by_the_table(happens: &[(u64, Happens)], until: u64) -> Vec<(u64, i64)> {
    let (mut told, mut moment, mut last, mut value, mut pending) = (Vec::new(), 0, 5, 5, false);
    let mut attributes = Happens::Attributes { pmin: None, pmax: None, lt: None, gt: None, st: None };
    for now in 0..=until {
        match happens.iter().find(|(at, _)| *at == now) {
            Some((_, Happens::Level(level))) => value = *level,
            Some((_, other)) => attributes = other.clone(),
            None => {}
        }
        let Happens::Attributes { pmin, pmax, lt, gt, st } = attributes else { unreachable!() };
        let change = if (lt, gt, st) == (None, None, None) {
            value != last
        } else {
            gt.is_some_and(|gt| (value > gt) != (last > gt))
                || lt.is_some_and(|lt| (value < lt) != (last < lt))
                || st.is_some_and(|st| value != last && (value - last).abs() >= st)
        };
        pending |= change;
        let (pmin, pmax) = (pmin.unwrap_or(0), pmax.filter(|pmax| *pmax > 0 && *pmax >= pmin.unwrap_or(0)));
        let early = now - moment < 100 * pmin;
        let late = pmax.is_some_and(|pmax| now - moment >= 100 * pmax);
        if !early && (pending || late) {
            told.push((now, value));
            (moment, last, pending) = (now, value, false);
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schedule_is_that_of_the_truth_table(script in prop::collection::vec((1u64..60, Happens::any()), 1..14)) {
        let mut sim = racked(one_server(1).with(|profile| profile.confirmable_notifications = false));
        let observation = watch(&mut sim, 0, LEVEL);
        let (mut at, mut happens) = (0, Vec::new());
        for (pause, what) in script {
            // In each second another hundredth, so that no deadline lies at the same moment.
            at += 100 * pause + 7;
            observation.run_to(&mut sim, millis(10 * at));
            if let Happens::Level(level) = what {
                sim.model.1.levels = [(0, level)].into();
                sim.notify(LEVEL);
                happens.push((at, what));
            } else {
                prop_assert_eq!(attributes(&mut sim, 0, "/30000/0/0", &what.query()), CHANGED);
                // They are there after 30 ms.
                happens.push((at + 3, what));
            }
        }
        let until = at + 10_000;
        observation.run_to(&mut sim, millis(10 * until));
        let told = observation.told(&sim).into_iter();
        let told: Vec<_> = told.map(|(at, text)| (at.as_millis() as u64 / 10, text.parse().unwrap())).collect();
        prop_assert_eq!(told, by_the_table(&happens, until), "{:?}\n{}", happens, sim.trace);
    }
}

/// Nothing is polled: an observation has a deadline only when something may be due at it.
#[test]
fn the_client_wakes_only_when_something_may_be_due() {
    let mut sim = watched(one_server(1));
    let update = sim.client.poll_timeout();
    assert_eq!(attributes(&mut sim, 0, "/3/0/9", "pmin=10&gt=90"), CHANGED);
    let observation = watch(&mut sim, 0, BATTERY);
    battery(&mut sim, 70);
    assert_eq!(sim.client.poll_timeout(), update, "no side of 90 was changed");
    battery(&mut sim, 91);
    assert_eq!(sim.client.poll_timeout(), Some(observation.since + secs(10)));
    observation.run_to(&mut sim, secs(12));
    assert_eq!((observation.seconds(&sim), sim.client.poll_timeout()), (vec![10], update));
    assert_eq!(attributes(&mut sim, 0, "/3/0", "pmax=60"), CHANGED);
    assert_eq!(sim.client.poll_timeout(), Some(observation.since + secs(70)));
    // While the network is gone there is nothing that could be done.
    sim.network_down();
    assert_eq!(sim.client.poll_timeout(), None);
}
