//! XD and the enabler tests: what Discover shows, and to whom.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::sim::reader::Link;
use lwm2m_core::{Event, Path};

use crate::terminal::*;

const CHANGED: Code = Code::CHANGED;
const DEVICE: Path = Path::object(3);
const INSTANCE: Path = Path::instance(3, 0);

fn targets(links: &[Link]) -> Vec<&str> {
    links.iter().map(|link| &*link.target).collect()
}

/// What a device with power sources has.
const RESOURCES: [&str; 12] = [
    "/3/0/0", "/3/0/1", "/3/0/2", "/3/0/4", "/3/0/5", "/3/0/6", "/3/0/7", "/3/0/8", "/3/0/9", "/3/0/11", "/3/0/12",
    "/3/0/16",
];

#[test]
fn int_260_discover_and_attributes() {
    let mut sim = online(one_server(1), powered());
    // Configuration C.4 has periods in the Server object: they are no attributes of anything.
    for (resource, text) in [(2, b"7"), (3, b"9")] {
        let path = Path::resource(1, 0, resource);
        let mode = lwm2m_core::sim::WriteMode::Replace;
        let write = sim.ask(0, |server| server.write(path, ContentFormat::TEXT_PLAIN, text, mode));
        assert_eq!(write.code(), Some(CHANGED));
    }
    let links = discover(&mut sim, 0, DEVICE);
    assert_eq!(targets(&links), [&["/3", "/3/0"][..], &RESOURCES].concat());
    for link in &links {
        let dim = match &*link.target {
            "/3/0/6" | "/3/0/7" | "/3/0/8" => "dim=2",
            "/3/0/11" => "dim=1",
            _ => "",
        };
        assert_eq!(shown(&links, &link.target), dim, "{}", link.target);
    }

    assert_eq!(attributes(&mut sim, 0, "/3/0", "pmin=10&pmax=200"), CHANGED);
    let mut expected = links;
    let number = |name: &str, value: &str| (name.to_string(), Some(value.to_string()));
    expected[1].attributes = vec![number("pmin", "10"), number("pmax", "200")];
    assert_eq!(discover(&mut sim, 0, DEVICE), expected, "and nothing else anywhere");

    assert_eq!(attributes(&mut sim, 0, "/3/0/7", "lt=1&gt=6&st=1"), CHANGED);
    let seventh = expected.iter_mut().find(|link| link.target == "/3/0/7").unwrap();
    seventh.attributes.extend([number("gt", "6"), number("lt", "1"), number("st", "1")]);
    assert_eq!(discover(&mut sim, 0, DEVICE), expected);

    let own = discover(&mut sim, 0, VOLTAGE);
    assert_eq!((targets(&own), &*shown(&own, "/3/0/7")), (vec!["/3/0/7"], "dim=2;gt=6;lt=1;pmax=200;pmin=10;st=1"));
    nobody_complains(&sim);
}

#[test]
fn int_951_attributes_are_per_server() {
    let config = two_servers(1).with(|profile| profile.confirmable_notifications = false);
    let mut sim = online(config, powered());
    assert_eq!(attributes(&mut sim, 0, "/3/0", "pmin=2&pmax=10"), CHANGED);
    assert_eq!(attributes(&mut sim, 1, "/3/0", "pmin=15&pmax=50"), CHANGED);
    for (server, text) in [(0, "pmax=10;pmin=2"), (1, "pmax=50;pmin=15")] {
        let links = discover(&mut sim, server, INSTANCE);
        assert_eq!(targets(&links), [&["/3/0"][..], &RESOURCES].concat());
        assert_eq!(shown(&links, "/3/0"), text);
        let others = links.iter().skip(1).flat_map(|link| &link.attributes);
        assert!(others.map(|(name, _)| &**name).all(|name| name == "dim"), "{links:?}");
    }
    // Notifications follow them: without a change, and with one every second.
    let watches = [0, 1].map(|server| watch(&mut sim, server, INSTANCE));
    sim.run_for(secs(100));
    let [first, second] = watches.map(|watch| watch.seconds(&sim));
    assert_eq!(first, (1..=10).map(|n| 10 * n).collect::<Vec<_>>(), "{}", sim.trace);
    assert_eq!(second, [50, 100], "{}", sim.trace);
    let watches = [0, 1].map(|server| watch(&mut sim, server, INSTANCE));
    for second in 1..=60 {
        watches[0].run_to(&mut sim, secs(second) - millis(500));
        sim.model.device.battery_level = Some(second as u8);
        sim.notify(BATTERY);
    }
    let [first, second] = watches.map(|watch| watch.seconds(&sim));
    assert_eq!(first, (1..=29).map(|n| 2 * n).collect::<Vec<_>>(), "{}", sim.trace);
    assert_eq!(second, [15, 30, 45], "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xd_28_discover_lists_what_there_is() {
    let mut sim = online(one_server(1), (powered(), Gauge(1.0)));
    assert_eq!(targets(&discover(&mut sim, 0, DEVICE)), [&["/3", "/3/0"][..], &RESOURCES].concat());
    assert_eq!(targets(&discover(&mut sim, 0, INSTANCE)), [&["/3/0"][..], &RESOURCES].concat());
    let links = discover(&mut sim, 0, VOLTAGE);
    assert_eq!((targets(&links), &*shown(&links, "/3/0/7")), (vec!["/3/0/7"], "dim=2"));
    for path in [Path::resource(3, 0, 99), Path::object(50), Path::instance(3, 1), Path::resource(3, 0, 20)] {
        let answer = sim.ask(0, |server| server.discover(path));
        assert_eq!((answer.code(), answer.response().format), (Some(Code::NOT_FOUND), None), "{path}");
    }
    // The version is the object's.
    let links = discover(&mut sim, 0, Path::object(30_001));
    assert_eq!(shown(&links, "/30001"), "ver=2.2");
    assert!(links[1..].iter().all(|link| link.attribute("ver").is_none()));
    assert_eq!(discover(&mut sim, 0, Path::instance(30_001, 0)), links[1..]);
    // A multiple resource may have no instance, and more than can be said.
    for (instances, dim) in [(0, "dim=0"), (255, "dim=255"), (300, "dim=255")] {
        sim.model.0.sources[1] = (0..instances).map(|index| (index, 1)).collect();
        assert_eq!(shown(&discover(&mut sim, 0, VOLTAGE), "/3/0/7"), dim);
    }
    nobody_complains(&sim);
}

#[test]
fn xd_29_what_cannot_be_read_is_listed_too() {
    let mut sim = online(one_server(1), (device(), Gauge(1.0)));
    // Executable: 2. Write-only: 1, and 5 of which nobody knows how many there are.
    let all: Vec<_> = (0..=6).map(|id| format!("/30001/0/{id}")).collect();
    for path in [Path::object(30_001), Path::instance(30_001, 0)] {
        let links = discover(&mut sim, 0, path);
        assert!(targets(&links).ends_with(&all.iter().map(String::as_str).collect::<Vec<_>>()), "{links:?}");
        assert_eq!(shown(&links, "/30001/0/5"), "");
    }
    for id in [1, 2, 5] {
        let path = Path::resource(30_001, 0, id);
        assert_eq!(targets(&discover(&mut sim, 0, path)), [path.to_string()]);
    }
    assert_eq!(targets(&discover(&mut sim, 0, Path::resource(3, 0, 4))), ["/3/0/4"]);
    nobody_complains(&sim);
}

#[test]
fn xd_30_a_discover_with_observe_is_a_discover() {
    let mut sim = online(one_server(1), device());
    let plain = discover(&mut sim, 0, INSTANCE);
    for observe in [0, 1] {
        let ask = lwm2m_core::sim::Ask {
            observe: Some(observe),
            accept: Some(ContentFormat::LINK_FORMAT),
            ..lwm2m_core::sim::Ask::new(Code::GET, "/3/0")
        };
        let answer = sim.ask(0, |server| server.request(ask));
        let response = answer.response();
        assert_eq!((response.code, response.observe), (Code::CONTENT, None));
        assert_eq!(response.links(), Some(plain.clone()));
    }
    assert_eq!(happened(&sim, Event::Observed { server: 1, path: INSTANCE }), 0);
    let before = sent(&sim).len();
    sim.model.battery_level = Some(79);
    sim.notify(BATTERY);
    sim.run_for(secs(600));
    assert_eq!(sent(&sim).len(), before, "nobody observes\n{}", sim.trace);
    // Nor does it end an observation, whatever its token.
    let observation = watch(&mut sim, 0, INSTANCE);
    let token = observation.token.clone();
    let cancel = datagram(MessageType::Confirmable, Code::GET, 0xf00d, &token, |writer| {
        writer.observe(1)?;
        ["3", "0"].iter().try_for_each(|segment| writer.uri_path(segment))?;
        writer.accept(ContentFormat::LINK_FORMAT)
    });
    assert_eq!(said(&mut sim, DM, &cancel).len(), 1);
    sim.model.battery_level = Some(78);
    sim.notify(BATTERY);
    sim.run_for(secs(1));
    assert_eq!(observation.told(&sim).len(), 1, "{}", sim.trace);
}
