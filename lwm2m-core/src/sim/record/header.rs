//! What a recorded client was made from.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use core::fmt::Write;

use super::{hex, unhex};
use crate::base::config::{Account, Config, Credentials};
use crate::base::limits::Limits;
use crate::base::rng::Key;
use crate::base::time::Instant;

/// The line of a record that its client can be made from again.
///
/// It tells the endpoint name, the key, the accounts, the default lifetime, whether the limits are those
/// of a gateway, and whether notifications are confirmable. Everything else is as [`Config::dm`] or
/// [`Config::new`] have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    config: Config,
    start: Instant,
}

impl Header {
    /// The header of a client; none when its configuration has settings that no header tells.
    /// Pre-shared keys are replaced by zeros: they change nothing that the client does.
    #[must_use]
    pub fn of(config: &Config, start: Instant) -> Option<Self> {
        let mut config = config.clone();
        for account in &mut config.accounts {
            let (Account::Bootstrap { credentials, .. } | Account::Server { credentials, .. }) = account;
            if let Credentials::Psk { key, .. } = credentials {
                key.fill(0);
            }
        }
        let header = Self { config, start };
        (Self::parse_line(&header.to_line()).as_ref() == Some(&header)).then_some(header)
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// When the client was made.
    #[must_use]
    pub const fn start(&self) -> Instant {
        self.start
    }

    /// The header as a line of a record.
    #[must_use]
    pub fn to_line(&self) -> String {
        let Self { config, start } = self;
        let profile = if config.bootstrap.at_every_start { "dm" } else { "oma" };
        let mut line = format!(
            "client start={} profile={profile} endpoint={} key={} lifetime={}",
            start.as_micros(),
            escape(&config.endpoint),
            hex(&config.key.0),
            config.default_lifetime,
        );
        if config.limits == Limits::GATEWAY {
            line.push_str(" limits=gateway");
        }
        if !config.confirmable_notifications {
            line.push_str(" notifications=non");
        }
        for account in &config.accounts {
            // Writing to a string does not fail.
            let _ = match account {
                Account::Bootstrap { uri, credentials } => {
                    write!(line, " bootstrap={}{}", escape(uri), suffix(credentials))
                }
                Account::Server { short_server_id, uri, credentials, lifetime } => {
                    write!(line, " server={},{short_server_id},{lifetime}{}", escape(uri), suffix(credentials))
                }
            };
        }
        line
    }

    /// Reads a line; none when it is no header.
    #[must_use]
    pub fn parse_line(line: &str) -> Option<Self> {
        let mut start = None;
        let mut config = Config::new("", Key([0; 16]));
        for word in line.strip_prefix("client ")?.split(' ') {
            let (name, value) = word.split_once('=')?;
            match name {
                "start" => start = Some(Instant::from_micros(value.parse().ok()?)),
                // As `Config::dm` sets it.
                "profile" => {
                    config.bootstrap.at_every_start = value == "dm";
                    config.bootstrap.honour_hold_off = value != "dm";
                }
                "endpoint" => config.endpoint = unescape(value)?,
                "key" => config.key = Key(unhex(value)?.try_into().ok()?),
                "lifetime" => config.default_lifetime = value.parse().ok()?,
                "limits" if value == "gateway" => config.limits = Limits::GATEWAY,
                "notifications" if value == "non" => config.confirmable_notifications = false,
                "bootstrap" => {
                    let (uri, rest) = value.split_once(',').unwrap_or((value, ""));
                    config = config.bootstrap_server(&unescape(uri)?, credentials(rest)?);
                }
                "server" => {
                    let mut parts = value.splitn(4, ',');
                    let uri = unescape(parts.next()?)?;
                    let (id, lifetime) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                    config = config.server(id, &uri, credentials(parts.next().unwrap_or_default())?, lifetime);
                }
                _ => return None,
            }
        }
        Some(Self { config, start: start? })
    }
}

/// `,psk,IDENTITY,LENGTH`, or nothing.
fn suffix(credentials: &Credentials) -> String {
    match credentials {
        Credentials::NoSec => String::new(),
        Credentials::Psk { identity, key } => format!(",psk,{},{}", hex(identity), key.len()),
    }
}

fn credentials(text: &str) -> Option<Credentials> {
    if text.is_empty() {
        return Some(Credentials::NoSec);
    }
    let (identity, length) = text.strip_prefix("psk,")?.split_once(',')?;
    let length: u16 = length.parse().ok()?;
    Some(Credentials::Psk { identity: unhex(identity)?, key: vec![0; usize::from(length)] })
}

/// Text in a word: what would end it is written as in URIs.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_ascii_graphic() && !matches!(character, '%' | ',') {
            escaped.push(character);
        } else {
            let mut bytes = [0; 4];
            character.encode_utf8(&mut bytes).bytes().for_each(|byte| {
                let _ = write!(escaped, "%{byte:02x}");
            });
        }
    }
    escaped
}

fn unescape(word: &str) -> Option<String> {
    let mut parts = word.split('%');
    let mut bytes = parts.next()?.to_string().into_bytes();
    for part in parts {
        bytes.extend(unhex(part.get(..2)?)?);
        bytes.extend(part.get(2..)?.bytes());
    }
    String::from_utf8(bytes).ok()
}
