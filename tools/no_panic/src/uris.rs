//! URIs: taken apart. Not their options and back again: for that the standard library reads and prints IP
//! addresses, with checks of its own.

use core::hint::black_box;

use coap_codec::Uri;

#[inline(never)]
pub(crate) fn read(text: &[u8]) {
    match Uri::parse(core::str::from_utf8(text).unwrap_or_default()) {
        Ok(uri) => {
            black_box((uri.host(), uri.host_in_brackets(), uri.port(), uri.path(), uri.query(), uri.is_secure()));
        }
        Err(error) => {
            black_box(error);
        }
    }
}
