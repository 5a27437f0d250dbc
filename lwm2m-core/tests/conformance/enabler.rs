//! OMA enabler tests for LwM2M 1.0.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::sim::reader::Node;
use lwm2m_core::sim::{BootstrapCommand, Sim, Tlv};
use lwm2m_core::{Config, Credentials, Event, Key, Path};

use crate::commands::{bootstrap_security, bootstrapped_by, codes, security, terms, texts, write};
use crate::terminal::*;

#[test]
fn int_0_client_initiated_bootstrap() {
    // The enabler test has the bootstrap account at /0/1; a device is made with it at /0/0.
    let accounts =
        Tlv::new().instance(0, &security("coap://dm.example", 1)).instance(1, &bootstrap_security("coap://bs.example"));
    let sim = bootstrapped_by(vec![
        write(Path::object(0), &accounts),
        write(Path::object(1), &Tlv::new().instance(0, &terms(1, 86_400))),
        BootstrapCommand::Discover(Path::ROOT),
        BootstrapCommand::Finish,
    ]);
    let (request, answer) = exchanged(&sim, Code::POST, "/bs");
    assert_eq!((request.query(), answer.code()), (vec![format!("ep={NAME}")], Code::CHANGED));
    assert_eq!(codes(&sim), [Code::CHANGED, Code::CHANGED, Code::CONTENT, Code::CHANGED]);
    assert_eq!(texts(&sim)[2], r#"lwm2m="1.0",</0/0>;ssid=1,</0/1>,</1/0>;ssid=1,</3/0>"#);
    let (register, created) = exchanged(&sim, Code::POST, "/rd");
    assert_eq!((&*register.host, created.code()), (DM, Code::CREATED));
    assert!(register.at > answer.at, "after the bootstrap");
}

#[test]
fn int_101_the_first_registration_says_what_is_configured() {
    for (name, ssid, lifetime) in [(NAME, 1, 86_400), ("urn:imei:490154203237518", 123, 3_600)] {
        let config = Config::new(name, Key::from_seed(1));
        let config = config.server(ssid, "coap://dm.example", Credentials::NoSec, lifetime);
        let mut sim = Sim::new(config, device(), 1);
        sim.network_up();
        sim.run_for(secs(1));
        let (register, created) = exchanged(&sim, Code::POST, "/rd");
        assert_eq!(sent(&sim).len(), 1, "it needs no bootstrap\n{}", sim.trace);
        let message = register.message();
        assert_eq!((&*register.host, message.message_type()), (DM, MessageType::Confirmable));
        let mut query = register.query();
        query.sort();
        assert_eq!(query, ["b=U".to_string(), format!("ep={name}"), format!("lt={lifetime}"), "lwm2m=1.0".into()]);
        assert_eq!(message.content_format(), Some(ContentFormat::LINK_FORMAT));
        assert_eq!(message.payload(), b"</>;ct=11543,</1/0>,</3/0>");

        assert_eq!(created.code(), Code::CREATED);
        assert!(sim.client.location(ssid).eq(created.message().location_path()), "{}", sim.trace);
        assert_eq!(news(&sim), [Event::Registered { server: ssid, lifetime }]);
        let online = server(&sim).registration().expect("it is registered");
        assert_eq!((&*online.endpoint, online.lifetime), (name, lifetime));
        assert_eq!((&*online.version, &*online.binding), ("1.0", "U"));

        // The Server object says the same.
        let account = sim.ask(0, |server| server.read(Path::instance(1, 0), Some(ContentFormat::LWM2M_TLV)));
        let account = account.response().tlv().expect("TLV");
        let value = |id| Node::find(&account, id).expect("a resource");
        assert_eq!((value(0).integer(), value(1).integer()), (Some(ssid.into()), Some(lifetime.into())));
        assert_eq!(value(7).text(), Some("U"));
        nobody_complains(&sim);
    }
}
