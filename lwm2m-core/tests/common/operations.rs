//! Requests of every kind, and the answers to them in short.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test file uses a part of it")]

use coap_codec::{Code, ContentFormat};
use lwm2m_core::sim::{Ask, Response, Sim, Tlv};
use lwm2m_core::{Config, DataModel, Path};

use super::{news, one_server};

pub const TLV: ContentFormat = ContentFormat::LWM2M_TLV;
pub const JSON: ContentFormat = ContentFormat::LWM2M_JSON;
pub const TEXT_PLAIN: ContentFormat = ContentFormat::TEXT_PLAIN;

/// One server, and room for all requests of a long test.
pub fn roomy() -> Config {
    let mut config = one_server(1);
    config.limits.deduplication = 2_000;
    config
}

/// A request with a payload.
pub fn with(method: Code, path: &str, format: ContentFormat, payload: &[u8]) -> Ask {
    Ask { format: Some(format), payload: payload.into(), ..Ask::new(method, path) }
}

/// The same with TLV.
pub fn tlv(method: Code, path: &str, payload: &Tlv) -> Ask {
    with(method, path, TLV, payload.bytes())
}

pub fn get(path: &str, accept: Option<ContentFormat>) -> Ask {
    Ask { accept, ..Ask::new(Code::GET, path) }
}

/// What the device answers.
#[track_caller]
pub fn response<M: DataModel>(sim: &mut Sim<M>, ask: Ask) -> Response {
    sim.ask(0, |server| server.request(ask)).response().clone()
}

/// The code that the device answers, which is all that there is to the answer.
#[track_caller]
pub fn code<M: DataModel>(sim: &mut Sim<M>, ask: Ask) -> Code {
    let Response { code, format, observe, payload, .. } = response(sim, ask.clone());
    assert_eq!((format, observe, &*payload), (None, None, &b""[..]), "{code}: {ask:?}");
    code
}

/// The device refuses a request with this code, and nothing comes of it.
#[track_caller]
pub fn refused<M: DataModel>(sim: &mut Sim<M>, ask: Ask, expected: Code) {
    let before = news(sim);
    assert_eq!(code(sim, ask.clone()), expected, "{ask:?}");
    assert_eq!(news(sim), before, "{ask:?}");
}

/// What a Read in TLV gives, byte by byte.
#[track_caller]
pub fn content<M: DataModel>(sim: &mut Sim<M>, path: Path) -> Vec<u8> {
    let read = response(sim, get(&path.to_string(), Some(TLV)));
    assert_eq!((read.code, read.format), (Code::CONTENT, Some(TLV)), "{path}");
    read.payload
}
