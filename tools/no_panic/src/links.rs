//! Link lists: read and written.

use core::hint::black_box;

use coap_codec::WriteError;
use coap_codec::link_format::{LinkWriter, Links};

#[inline(never)]
pub(crate) fn read(payload: &[u8]) {
    let Ok(links) = Links::from_utf8(payload) else { return };
    let query = core::str::from_utf8(black_box(payload)).unwrap_or_default();
    for link in links {
        match link {
            Ok(link) => {
                black_box((link.target(), link.size(), link.title(), link.is_observable(), link.matches(query)));
                link.content_formats().for_each(|format| {
                    black_box(format);
                });
                link.resource_types().chain(link.interfaces()).for_each(|word| {
                    black_box(word);
                });
                for attribute in link.attributes() {
                    black_box((attribute.name, attribute.value.and_then(|value| value.as_u64())));
                    attribute.value.into_iter().flat_map(|value| value.chars()).for_each(|one| {
                        black_box(one);
                    });
                }
            }
            Err(error) => {
                black_box((error.kind(), error.position()));
            }
        }
    }
}

#[inline(never)]
pub(crate) fn write<'b>(buffer: &'b mut [u8], value: &[u8]) -> Result<&'b [u8], WriteError> {
    let text = core::str::from_utf8(value).unwrap_or_default();
    let mut writer = LinkWriter::new(buffer);
    writer.head(text, text)?;
    while black_box(true) {
        writer.link(text)?;
        writer.quoted(text, text)?;
        writer.token(text, text)?;
        writer.number(text, black_box(7))?;
        writer.flag(text)?;
    }
    Ok(writer.finish())
}
