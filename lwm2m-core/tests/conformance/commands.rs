//! Commands of a bootstrap server, in short.

use coap_codec::{Code, ContentFormat};
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Ask, BootstrapCommand, Sim, Tlv};
use lwm2m_core::{Config, Credentials, DataModel, Path};

use crate::terminal::*;

pub const URI: &str = "coap://dm.example";
pub const ACCOUNT: Path = Path::instance(0, 1);
pub const TERMS: Path = Path::instance(1, 0);

/// Bootstrap-Write of TLV.
pub fn write(path: Path, tlv: &Tlv) -> BootstrapCommand {
    BootstrapCommand::Write { path, format: ContentFormat::LWM2M_TLV, payload: tlv.bytes().to_vec() }
}

/// Bootstrap-Write of a resource as text.
pub fn write_text(path: Path, text: &str) -> BootstrapCommand {
    BootstrapCommand::Write { path, format: ContentFormat::TEXT_PLAIN, payload: text.as_bytes().to_vec() }
}

pub fn delete(path: Path) -> BootstrapCommand {
    BootstrapCommand::Delete(path)
}

/// A GET without Accept: a Read.
pub fn read(path: &str) -> BootstrapCommand {
    BootstrapCommand::Ask(Ask::new(Code::GET, path))
}

/// The Security half of a server's account.
pub fn security(uri: &str, short_server_id: i64) -> Tlv {
    without_id(uri).integer(10, short_server_id)
}

/// The Security half of the bootstrap account.
pub fn bootstrap_security(uri: &str) -> Tlv {
    Tlv::new().text(0, uri).boolean(1, true).integer(2, 3).resource(3, &[]).resource(4, &[]).resource(5, &[])
}

fn without_id(uri: &str) -> Tlv {
    Tlv::new().text(0, uri).boolean(1, false).integer(2, 3).resource(3, &[]).resource(4, &[]).resource(5, &[])
}

/// The Server half.
pub fn terms(short_server_id: i64, lifetime: i64) -> Tlv {
    Tlv::new().integer(0, short_server_id).integer(1, lifetime).boolean(6, true).text(7, "U")
}

/// A terminal whose bootstrap server sends `script`, whatever comes of it; the first second of it.
pub fn bootstrapped_by(script: Vec<BootstrapCommand>) -> Sim<Device> {
    let config = dm(1).bootstrap_server("coap://bs.example", Credentials::NoSec);
    configured_and_bootstrapped_by(config, script)
}

/// The same with a configuration of its own.
pub fn configured_and_bootstrapped_by(config: Config, script: Vec<BootstrapCommand>) -> Sim<Device> {
    let mut sim = Sim::new(config, device(), 1);
    sim.platform.bootstrap.script = Some(script);
    sim.platform.bootstrap.persists = true;
    sim.network_up();
    sim.run_for(secs(1));
    sim
}

/// What the commands were answered with so far.
pub fn codes<M: DataModel>(sim: &Sim<M>) -> Vec<Code> {
    let answers = sim.platform.bootstrap.answers().iter();
    answers.map(|answer| answer.result.as_ref().map_or(Code::EMPTY, |response| response.code)).collect()
}

/// The payloads of those answers, as text.
pub fn texts<M: DataModel>(sim: &Sim<M>) -> Vec<String> {
    let answers = sim.platform.bootstrap.answers().iter();
    answers.map(|answer| answer.result.as_ref().map_or("", |response| response.text()).to_string()).collect()
}
