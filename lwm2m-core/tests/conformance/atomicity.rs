//! What is refused changes nothing: any request, at any place where it fails (OMA LwM2M 1.0, 5.4.3).

use core::cell::Cell;

use coap_codec::{Code, ContentFormat};
use lwm2m_core::DataType;
use lwm2m_core::sim::{Ask, Sim, Tlv};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::formats::store::{self, Store};

/// A store of one value of each kind that a server may write in more than one way.
fn stored() -> Sim<Store> {
    let resources = vec![
        store::resource(0, DataType::String),
        store::resource(1, DataType::Integer),
        store::resource(2, DataType::Boolean).mandatory(),
        store::resource(3, DataType::Opaque),
        store::resource(4, DataType::Integer).multiple(),
    ];
    let mut sim = store::keeping(resources);
    let values = Tlv::new().text(0, "a").integer(1, 1).boolean(2, true).multiple(4, &[(0, &[1]), (7, &[2])]);
    assert_eq!(store::put(&mut sim, Code::PUT, "/o/0", ContentFormat::LWM2M_TLV, values.bytes()), Code::CHANGED);
    sim
}

/// TLV of resources: good ones in any order, and perhaps one at any place among them that is wrong in one
/// way or another, or an end that comes too early.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let good = (any::<bool>(), -300i64..300, 0u16..9).prop_map(|(truth, number, index)| {
        let opaque = Tlv::new().resource(3, b"opaque");
        let several = Tlv::new().multiple(4, &[(index, &[7])]);
        vec![Tlv::new().text(0, "b"), Tlv::new().integer(1, number), Tlv::new().boolean(2, truth), opaque, several]
    });
    let good = good.prop_flat_map(|good| prop::sample::subsequence(good, 1..=5).prop_shuffle());
    let wrong = prop::sample::select(vec![
        // Not of the type, not there, not single, an index twice, an instance among resources.
        Tlv::new().resource(1, b"abc"),
        Tlv::new().resource(2, &[2]),
        Tlv::new().integer(9, 1),
        Tlv::new().integer(4, 1),
        Tlv::new().multiple(4, &[(1, &[1]), (1, &[2])]),
        Tlv::new().instance(0, &Tlv::new().integer(1, 1)),
    ]);
    let wrong = prop::option::weighted(0.4, (wrong, any::<prop::sample::Index>()));
    (good, wrong, prop::option::weighted(0.1, 0usize..20)).prop_map(|(mut elements, wrong, cut)| {
        if let Some((wrong, at)) = wrong {
            elements.insert(at.index(elements.len() + 1), wrong);
        }
        let mut bytes: Vec<u8> = elements.iter().flat_map(Tlv::bytes).copied().collect();
        bytes.truncate(cut.unwrap_or(usize::MAX));
        bytes
    })
}

fn request() -> impl Strategy<Value = Ask> {
    let path = prop::sample::select(vec!["", "/0", "/0", "/0", "/1", "/0/0", "/0/2", "/0/4", "/0/4/0"]);
    let method = prop::sample::select(vec![Code::PUT, Code::PUT, Code::POST, Code::POST, Code::POST, Code::DELETE]);
    let format = prop::option::weighted(0.9, prop::sample::select(vec![11_542, 11_542, 11_542, 11_542, 0, 42, 99]));
    let query =
        prop::option::weighted(0.1, prop::sample::select(vec!["pmin=5", "gt=7", "st=-1", "foo=1", "lt=9&gt=2"]));
    (method, path, format, payload(), query, any::<bool>()).prop_map(|(method, path, format, payload, query, bare)| {
        let query = query.map(|query| query.split('&').map(Into::into).collect::<Vec<_>>()).unwrap_or_default();
        let ask = Ask { query, ..Ask::new(method, &format!("/{}{path}", store::ID)) };
        // A Write-Attributes, if it is a PUT.
        if bare && !ask.query.is_empty() {
            return ask;
        }
        Ask { format: format.map(ContentFormat), payload, ..ask }
    })
}

/// Values and attributes, as the model and the server see them.
fn state(sim: &mut Sim<Store>) -> (store::Instances, usize, String) {
    let links = sim.ask(0, |server| server.discover(lwm2m_core::Path::object(store::ID))).response().text().to_string();
    (sim.model.instances.clone(), sim.model.changes, links)
}

#[test]
fn whatever_is_refused_changes_nothing() {
    let base = stored();
    let (done, refused) = (Cell::new(0u32), Cell::new(0u32));
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&prop::collection::vec(request(), 1..4), |requests| {
        let mut sim = base.clone();
        for ask in requests {
            let before = state(&mut sim);
            let code = sim.ask(0, |server| server.request(ask.clone())).response().code;
            prop_assert!(code != Code::INTERNAL_SERVER_ERROR, "{:?}", ask);
            let after = state(&mut sim);
            if code.is_success() {
                done.set(done.get() + 1);
            } else {
                refused.set(refused.get() + 1);
                prop_assert_eq!(&after, &before, "{} to {:?}", code, ask);
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // About one in ten is carried out. Without both kinds this would say nothing.
    let (done, refused) = (done.get(), refused.get());
    assert!(done > 10 && refused > 100, "{done} carried out, {refused} refused");
}
