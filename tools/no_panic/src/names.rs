//! Endpoint names: strict, lenient, and of other forms.

use core::hint::black_box;

use endpoint_name::{EndpointName, EndpointNameBuf, Leniency, LenientName, classify};

#[inline(never)]
pub(crate) fn read(text: &[u8]) {
    let text = core::str::from_utf8(text).unwrap_or_default();
    match EndpointName::parse(text) {
        Ok(name) => {
            black_box((name.imei(), name.imsi(), name.version(), EndpointNameBuf::from(name).as_str()));
            name.lints().for_each(|lint| {
                black_box(lint.position());
            });
        }
        Err(error) => {
            black_box((error.kind(), error.position()));
        }
    }
    if let Ok(name) = LenientName::parse(text, black_box(Leniency::ALL)) {
        black_box((name.used(), EndpointNameBuf::try_from(name).ok().map(|name| name.as_str().len())));
    }
    black_box(classify(text).is_ok());
}
