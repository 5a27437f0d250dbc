//! What the fuzz targets do with their bytes. Each function panics when something is wrong.

mod attributes;
mod coap_write;
mod codec;
#[cfg(feature = "peers")]
mod differential;
mod exchange;
mod formats;
mod life;
mod requests;
mod snapshot;
#[cfg(test)]
mod tests;

use lwm2m_core::{Config, Credentials, Key};

pub use attributes::attributes;
pub use coap_write::coap_write;
pub use codec::{coap_check, coap_message, coap_tcp, endpoint_name, link_format, uri};
#[cfg(feature = "peers")]
pub use differential::differential;
pub use exchange::exchange;
pub use formats::formats;
pub use life::client;
pub use requests::requests;
pub use snapshot::snapshot;

fn config() -> Config {
    Config::new("fuzz", Key::from_seed(1)).server(1, "coap://dm.example", Credentials::NoSec, 3_600)
}
