//! The command line.

use std::ffi::OsString;

use endpoint_name::EndpointNameBuf;
use lexopt::prelude::*;
use lwm2m_core::{Credentials, Uri};

/// What `--help` prints.
const HELP: &str = "\
tokio-terminal --server URI | --bootstrap URI
    A DM terminal that registers with a server, or asks a bootstrap server first.

    --psk ID:HEXKEY    identity and key for a coaps URI
    --endpoint NAME    IMEI;IMSI;CMEI;version (490154203237518;460001234567890;;1.0)
    --lifetime S       of the registration, in seconds (86400)
    --verbose          each datagram
    --help             this text

It takes commands on standard input: flight on, flight off, rebind, battery LEVEL, quit.
Exit code 0: it was registered; 1: it never was, or something broke; 2: the command line is wrong.
";

/// What to do.
#[derive(Debug)]
pub(crate) enum Request {
    Print(&'static str),
    Run(Args),
}

/// A terminal.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) name: EndpointNameBuf,
    pub(crate) server: String,
    pub(crate) bootstrap: Option<String>,
    pub(crate) credentials: Credentials,
    pub(crate) lifetime: u32,
    pub(crate) verbose: bool,
}

pub(crate) fn request(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    read(arguments).map_err(|error| format!("{error}; --help says how to use it"))
}

fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut name = "490154203237518;460001234567890;;1.0".to_string();
    let (mut server, mut bootstrap, mut credentials) = (None, None, Credentials::NoSec);
    let (mut lifetime, mut verbose) = (86_400, false);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Request::Print(HELP)),
            Long("server") => server = Some(parser.value()?.parse_with(uri)?),
            Long("bootstrap") => bootstrap = Some(parser.value()?.parse_with(uri)?),
            Long("psk") => credentials = parser.value()?.parse_with(psk)?,
            Long("endpoint") => name = parser.value()?.string()?,
            Long("lifetime") => lifetime = parser.value()?.parse()?,
            Long("verbose") => verbose = true,
            other => return Err(other.unexpected()),
        }
    }
    if server.is_some() == bootstrap.is_some() {
        return Err("--server or --bootstrap is needed, and not both".into());
    }
    let name = name.parse::<EndpointNameBuf>().map_err(|error| error.to_string())?;
    let server = server.unwrap_or_default();
    Ok(Request::Run(Args { name, server, bootstrap, credentials, lifetime, verbose }))
}

fn uri(text: &str) -> Result<String, String> {
    Uri::parse(text).map(|_| text.to_string()).map_err(|_| format!("'{text}' is no coap or coaps URI"))
}

fn psk(text: &str) -> Result<Credentials, String> {
    let bytes = |hex: &str| {
        let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
        pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()
    };
    let parts = text.rsplit_once(':').and_then(|(identity, key)| Some((identity.into(), bytes(key)?)));
    let (identity, key) = parts.ok_or("--psk wants IDENTITY:HEXKEY")?;
    Ok(Credentials::Psk { identity, key })
}
