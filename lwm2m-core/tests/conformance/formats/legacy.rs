//! The format numbers of before 2016: XB-21, XD-04, XD-05.

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::BootstrapCommand;
use lwm2m_core::{Config, DataType, LegacyFormats, Path};

use super::store::{ID, Store, configured, get, keeping, object, put, resource};
use super::{bootstrapped_as, bytes};
use crate::terminal::*;

const OLD_TEXT: ContentFormat = ContentFormat::LEGACY_TEXT;
const OLD_TLV: ContentFormat = ContentFormat::LEGACY_TLV;
const OLD_JSON: ContentFormat = ContentFormat::LEGACY_JSON;
const OLD_OPAQUE: ContentFormat = ContentFormat::LEGACY_OPAQUE;

fn resources() -> Vec<lwm2m_core::ResourceDef> {
    vec![resource(5, DataType::Opaque), resource(9, DataType::Integer)]
}

fn with(legacy_formats: LegacyFormats) -> Config {
    one_server(1).with(|profile| profile.legacy_formats = legacy_formats)
}

const JSON_BODY: &[u8] = br#"{"bn":"/30009/0/","e":[{"n":"9","v":100}]}"#;

#[test]
fn xb_21_a_bootstrap_in_legacy_numbers_is_accepted_unless_they_are_refused() {
    let write = |format, payload: &[u8]| BootstrapCommand::Write {
        path: Path::instance(ID, 0),
        format,
        payload: payload.into(),
    };
    for (format, payload) in [(OLD_TLV, &bytes("c10964")[..]), (OLD_JSON, JSON_BODY)] {
        for (legacy_formats, code) in [
            (LegacyFormats::Accepted, Code::CHANGED),
            (LegacyFormats::First, Code::CHANGED),
            (LegacyFormats::Refused, Code::UNSUPPORTED_CONTENT_FORMAT),
        ] {
            let script = vec![write(format, payload), BootstrapCommand::Finish];
            let config = dm(1).with(|profile| profile.legacy_formats = legacy_formats);
            let sim = bootstrapped_as(config, Store::new(object(resources())), script);
            assert_eq!(sim.platform.bootstrap.answers()[0].result.as_ref().unwrap().code, code, "{format}");
            assert_eq!(sim.model.changes, usize::from(code == Code::CHANGED), "{format}");
        }
    }
    assert_eq!(dm(1).legacy_formats, LegacyFormats::Accepted);
}

#[test]
fn xd_04_a_format_that_does_not_fit_is_not_acceptable() {
    let mut sim = keeping(resources());
    assert_eq!(put(&mut sim, Code::PUT, "/o/0", ContentFormat::LWM2M_TLV, &bytes("c10501c10964")), Code::CHANGED);
    for (path, accepts) in [("/o/0", &[0, 42, 99, 1541, 1544][..]), ("/o/0/9", &[42, 99, 1544]), ("/o", &[0, 42, 99])] {
        for accept in accepts {
            let answer = get(&mut sim, path, Some(ContentFormat(*accept)));
            assert_eq!((answer.code, &*answer.payload), (Code::NOT_ACCEPTABLE, &b""[..]), "{accept} of {path}");
        }
    }
    // Neither is an instance with one value, which would go into text.
    let mut sim = keeping(resources());
    assert_eq!(put(&mut sim, Code::PUT, "/o/0", ContentFormat::LWM2M_TLV, &bytes("c10964")), Code::CHANGED);
    assert_eq!(get(&mut sim, "/o/0", Some(ContentFormat::TEXT_PLAIN)).code, Code::NOT_ACCEPTABLE);
}

#[test]
fn xd_05_who_asks_in_legacy_numbers_is_answered_in_them() {
    let mut sim = keeping(resources());
    assert_eq!(put(&mut sim, Code::PUT, "/o/0", OLD_TLV, &bytes("c10501c10964")), Code::CHANGED);
    for (path, accept) in [
        ("/o/0", OLD_TLV),
        ("/o/0", OLD_JSON),
        ("/o/0/9", OLD_TLV),
        ("/o/0/9", OLD_JSON),
        ("/o/0/9", OLD_TEXT),
        ("/o/0/5", OLD_OPAQUE),
        ("/o/0/5", OLD_TEXT),
    ] {
        let answer = get(&mut sim, path, Some(accept));
        assert_eq!((answer.code, answer.format), (Code::CONTENT, Some(accept)), "{path}");
        let same = get(&mut sim, path, Some(accept.modern()));
        assert_eq!((same.format, same.payload), (Some(accept.modern()), answer.payload), "{path}");
    }
    // Notifications stay with the number that their observation began with.
    let path = Path::resource(ID, 0, 9);
    let observation = server_mut(&mut sim).observe(path, Some(OLD_JSON));
    sim.run_for(secs(1));
    put(&mut sim, Code::PUT, "/o/0/9", OLD_TEXT, b"101");
    sim.run_for(secs(10));
    let [notification] = server(&sim).notifications(observation) else { panic!("{}", sim.trace) };
    assert_eq!(notification.response.format, Some(OLD_JSON));
}

#[test]
fn xd_05_legacy_numbers_are_refused_or_come_first_where_that_is_the_setting() {
    let filled = |legacy| {
        let mut sim = configured(with(legacy), Store::new(object(resources())));
        assert_eq!(put(&mut sim, Code::PUT, "/o/0", ContentFormat::LWM2M_TLV, &bytes("c10501c10964")), Code::CHANGED);
        sim
    };
    let mut sim = filled(LegacyFormats::Refused);
    for (format, path, payload) in [
        (OLD_TLV, "/o/0", &bytes("c10964")[..]),
        (OLD_JSON, "/o/0", JSON_BODY),
        (OLD_TEXT, "/o/0/9", b"100"),
        (OLD_OPAQUE, "/o/0/5", b"1"),
    ] {
        assert_eq!(put(&mut sim, Code::PUT, path, format, payload), Code::UNSUPPORTED_CONTENT_FORMAT, "{format}");
        assert_eq!(get(&mut sim, path, Some(format)).code, Code::NOT_ACCEPTABLE, "{format}");
    }
    assert_eq!(sim.model.changes, 1);

    for (legacy, numbers) in [
        (LegacyFormats::Accepted, [0, 42, 11_542]),
        (LegacyFormats::First, [1541, 1544, 1542]),
        (LegacyFormats::Refused, [0, 42, 11_542]),
    ] {
        let mut sim = filled(legacy);
        for (path, number) in ["/o/0/9", "/o/0/5", "/o/0"].into_iter().zip(numbers) {
            assert_eq!(get(&mut sim, path, None).format, Some(ContentFormat(number)), "{legacy:?}: {path}");
        }
        // Who names a format gets that one.
        assert_eq!(get(&mut sim, "/o/0/9", Some(ContentFormat::TEXT_PLAIN)).format, Some(ContentFormat::TEXT_PLAIN));
    }
}

/// Execute has text for its arguments.
#[test]
fn xd_05_arguments_in_the_legacy_text_are_arguments() {
    for (legacy_formats, code) in
        [(LegacyFormats::Accepted, Code::CHANGED), (LegacyFormats::Refused, Code::UNSUPPORTED_CONTENT_FORMAT)]
    {
        let mut sim = racked(one_server(1).with(|profile| profile.legacy_formats = legacy_formats));
        let run = lwm2m_core::sim::Ask {
            format: Some(OLD_TEXT),
            payload: b"1".to_vec(),
            ..lwm2m_core::sim::Ask::new(Code::POST, "/30000/0/1")
        };
        assert_eq!(sim.ask(0, |server| server.request(run)).code(), Some(code));
    }
}
