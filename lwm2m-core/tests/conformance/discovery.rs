//! CoAP discovery, `/.well-known/core` (RFC 6690; RFC 7252, section 7): the plugtests LINK.

use coap_codec::link_format::Links;
use coap_codec::{Code, ContentFormat};
use lwm2m_core::DataModel;
use lwm2m_core::sim::reader::Link;
use lwm2m_core::sim::{Ask, BootstrapCommand, Response, Sim};
use proptest::prelude::*;

use crate::terminal::operations::*;
use crate::terminal::*;

const CORE: &str = "/.well-known/core";
const LINKS: ContentFormat = ContentFormat::LINK_FORMAT;

#[test]
fn td_coap_link_01_what_there_is_can_be_asked_without_knowing_it() {
    let mut sim = online(roomy(), (device(), Gauge(1.0)));
    for accept in [None, Some(LINKS)] {
        let Response { code, format, observe, payload, .. } = response(&mut sim, get(CORE, accept));
        assert_eq!((code, format, observe), (Code::CONTENT, Some(LINKS), None));
        let list = r#"</>;rt="oma.lwm2m";ct=11543,</1/0>,</3/0>,</30001>;ver="2.2",</30001/0>"#;
        assert_eq!(core::str::from_utf8(&payload), Ok(list), "{accept:?}");
    }
    // It cannot be observed, and is there in no other format and for no other method.
    let observe = Ask { observe: Some(0), ..get(CORE, None) };
    assert_eq!(response(&mut sim, observe).observe, None);
    refused(&mut sim, get(CORE, Some(TLV)), Code::NOT_ACCEPTABLE);
    for method in [Code::PUT, Code::POST, Code::DELETE] {
        refused(&mut sim, Ask::new(method, CORE), Code::METHOD_NOT_ALLOWED);
    }
    for path in ["/.well-known", "/.well-known/", "/.well-known/coap", "/.well-known/core/1"] {
        refused(&mut sim, Ask::new(Code::GET, path), Code::NOT_FOUND);
    }
    // It goes on where the groups of LwM2M are off.
    let mut sim = racked(roomy().with(|profile| {
        profile.device_management = false;
        profile.information_reporting = false;
    }));
    assert_eq!(response(&mut sim, get(CORE, None)).code, Code::CONTENT);
    refused(&mut sim, get("/3/0", None), Code::METHOD_NOT_ALLOWED);
    nobody_complains(&sim);
}

#[test]
fn td_coap_link_01_it_is_4_04_where_it_is_not_offered_and_for_the_bootstrap_server() {
    let mut sim = racked(roomy().with(|profile| profile.discovery = false));
    for method in [Code::GET, Code::PUT, Code::POST, Code::DELETE] {
        refused(&mut sim, Ask::new(method, CORE), Code::NOT_FOUND);
    }
    let query = Ask { query: vec!["rt=oma.lwm2m".into()], ..get(CORE, None) };
    refused(&mut sim, query, Code::NOT_FOUND);
    nobody_complains(&sim);

    let mut sim = terminal(1);
    sim.platform.bootstrap.script = Some(vec![BootstrapCommand::Ask(get(CORE, None))]);
    sim.network_up();
    sim.run_for(secs(5));
    let codes: Vec<_> = sim
        .platform
        .bootstrap
        .answers()
        .iter()
        .map(|answer| answer.result.as_ref().map(|response| response.code))
        .collect();
    assert_eq!(codes, [Ok(Code::NOT_FOUND)], "{}", sim.trace);
}

#[test]
fn td_coap_link_01_a_long_list_comes_in_blocks_and_whole() {
    let mut rack = Rack::new();
    rack.levels = (0..200).map(|id| (id, 5)).collect();
    let mut sim = online(roomy(), (device(), rack));
    for block_size in [None, Some(64), Some(512)] {
        for (query, number) in [(vec![], 203), (vec!["href=/30000/1*".to_string()], 111)] {
            let begun = sent(&sim).len();
            let listed = response(&mut sim, Ask { block_size, query, ..get(CORE, None) });
            let links = Links::from_utf8(&listed.payload).unwrap();
            assert_eq!(links.filter(|link| link.is_ok()).count(), number, "{:?}", listed.text());
            let blocks = listed.payload.len().div_ceil(block_size.unwrap_or(1_024).into());
            assert_eq!(sent(&sim).len() - begun, blocks, "{block_size:?}");
            assert!(blocks > 1);
        }
    }
    nobody_complains(&sim);
}

#[test]
fn td_coap_link_02_05_of_rt_and_if_only_what_matches_is_told() {
    const ROOT: &str = r#"</>;rt="oma.lwm2m";ct=11543"#;
    let mut sim = racked(roomy());
    for (query, expected) in [
        ("rt=oma.lwm2m", ROOT),
        ("rt=*", ROOT),
        ("rt=oma*", ROOT),
        ("rt", ROOT),
        ("rt=oma", ""),
        ("rt=Oma.lwm2m", ""),
        ("rt=", ""),
        // Nothing that is told has an interface description.
        ("if=If1", ""),
        ("if=If*", ""),
        ("if=*", ""),
    ] {
        lists_only(&mut sim, query, expected);
    }
    nobody_complains(&sim);
}

#[test]
fn td_coap_link_06_09_of_sz_href_and_ct_only_what_matches_is_told() {
    let mut sim = online(roomy(), (device(), Gauge(1.0)));
    for (query, expected) in [
        ("sz=*", ""),
        ("sz=64", ""),
        ("href=/3/0", "</3/0>"),
        ("href=/3", ""),
        ("href=/3*", r#"</3/0>,</30001>;ver="2.2",</30001/0>"#),
        ("href=/30001*", r#"</30001>;ver="2.2",</30001/0>"#),
        ("href=/", r#"</>;rt="oma.lwm2m";ct=11543"#),
        ("href=3/0", ""),
        // Never Security, not even by name.
        ("href=/0*", ""),
        ("ct=40", ""),
        ("ct=11543", r#"</>;rt="oma.lwm2m";ct=11543"#),
        ("ct=115*", r#"</>;rt="oma.lwm2m";ct=11543"#),
        ("ver=2.2", r#"</30001>;ver="2.2""#),
        ("ver=2*", r#"</30001>;ver="2.2""#),
        // An attribute that nobody knows is had by none.
        ("foo=bar", ""),
        ("foo=*", ""),
        ("=*", ""),
        ("", ""),
    ] {
        lists_only(&mut sim, query, expected);
    }
    // Two filters: what both let through.
    for (second, expected) in [("href=/30001", r#"</30001>;ver="2.2""#), ("href=/3/0", "")] {
        let query = vec!["ver=2.2".to_string(), second.to_string()];
        assert_eq!(response(&mut sim, Ask { query, ..get(CORE, None) }).text(), expected);
    }
    // One that is no text matches nothing.
    let bytes = Ask { options: vec![(15, b"href=/\xff*".to_vec())], ..get(CORE, None) };
    let none = response(&mut sim, bytes);
    assert_eq!((none.code, none.text()), (Code::CONTENT, ""));
    nobody_complains(&sim);
}

/// The ETag of an answer tells whether two blocks belong together; nothing is validated by one.
#[test]
fn td_coap_core_21_an_etag_in_a_request_is_ignored() {
    let mut rack = Rack::new();
    rack.levels = (0..300).map(|id| (id, 5)).collect();
    let mut sim = online(roomy(), (device(), rack));
    for (id, path) in [(1, "/3/0/9"), (3, "/30000"), (5, CORE)] {
        let read = |id, etag: Option<&[u8]>| {
            datagram(coap_codec::MessageType::Confirmable, Code::GET, id, b"tok", |writer| {
                etag.map_or(Ok(()), |etag| writer.etag(etag))?;
                super::management::path_of(path, writer)
            })
        };
        let [plain] = &*said(&mut sim, DM, &read(id, None)) else { panic!("one answer\n{}", sim.trace) };
        let etag = coap_codec::Message::parse(plain).unwrap().etag();
        assert_eq!(etag.is_some(), path != "/3/0/9", "{path}");
        let [again] = &*said(&mut sim, DM, &read(id + 1, etag.or(Some(b"etag")))) else { panic!("one answer") };
        let [plain, again] = [plain, again].map(|answer| coap_codec::Message::parse(answer).unwrap());
        assert_eq!((plain.code(), again.code()), (Code::CONTENT, Code::CONTENT), "{path}");
        assert!(plain.options().eq(again.options()) && plain.payload() == again.payload(), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// A filter lets through what it names and nothing else, whatever there is, in the order of the whole.
    #[test]
    fn td_coap_link_filters_choose_among_what_there_is(
        instances in prop::collection::btree_set(0u16..400, 0..12),
        filters in prop::collection::vec(any_filter(), 1..3),
        root in prop::option::of(Just("/lwm2m".to_string())),
    ) {
        let mut rack = Rack::new();
        rack.levels = instances.into_iter().map(|id| (id, 5)).collect();
        let mut sim = online({ let mut config = roomy(); config.alternate_path = root; config }, (device(), (rack, Gauge(1.0))));
        let whole = response(&mut sim, get(CORE, None));
        let some = response(&mut sim, Ask { query: filters.clone(), ..get(CORE, None) });
        let mut expected = whole.links().expect("links");
        expected.retain(|link| filters.iter().all(|filter| lets_through(filter, link)));
        prop_assert_eq!((some.code, some.links()), (Code::CONTENT, Some(expected)), "{:?}", filters);
    }
}

// ----- helpers ------------------------------------------------------------------------------------

#[track_caller]
fn lists_only<M: DataModel>(sim: &mut Sim<M>, query: &str, expected: &str) {
    let listed = response(sim, Ask { query: vec![query.to_string()], ..get(CORE, None) });
    assert_eq!((listed.code, listed.format), (Code::CONTENT, Some(LINKS)), "{query}");
    assert_eq!(listed.text(), expected, "{query}");
}

fn any_filter() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["href", "rt", "ct", "ver", "sz", "if"]);
    let value = prop::sample::select(vec![
        "/30000/1",
        "/30000/12",
        "/lwm2m/30000/12",
        "/lwm2m",
        "/",
        "oma.lwm2m",
        "11543",
        "2.2",
        "64",
    ]);
    (name, value, 0usize..20, any::<bool>()).prop_map(|(name, value, length, prefix)| {
        let value = if prefix { &value[..length.min(value.len())] } else { value };
        format!("{name}={value}{}", if prefix { "*" } else { "" })
    })
}

/// Read from the standard again: the platform's own reader gives the links.
fn lets_through(filter: &str, link: &Link) -> bool {
    let (name, wanted) = filter.split_once('=').unwrap();
    let there = if name == "href" { Some(&*link.target) } else { link.attribute(name) };
    there.is_some_and(|there| match wanted.split_once('*') {
        Some((begin, _)) => there.len() >= begin.len() && there[..begin.len()] == *begin,
        None => there == wanted,
    })
}
