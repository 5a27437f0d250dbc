//! The requests of the lifecycle, as they are written (OMA LwM2M 1.0, 5.2.7.1 and 5.3).

use coap_codec::{ContentFormat, MessageWriter, OptionNumber, WriteError};

use super::location::Location;
use super::registration::Terms;

/// Writes the object list, or a block of it, as the payload.
pub(crate) type WriteList<'a> = dyn FnMut(&mut MessageWriter<'_>) -> Result<(), WriteError> + 'a;

/// Writes a Bootstrap-Request: `/bs?ep=..` (OMA LwM2M 1.0, 5.2.7.1).
pub(super) fn write_bootstrap(endpoint: &str, writer: &mut MessageWriter<'_>) -> Result<(), WriteError> {
    writer.uri_path("bs")?;
    query(writer, "ep=", endpoint.as_bytes())
}

/// Writes a Register: `/rd?ep=..&lt=..&lwm2m=1.0&b=..` (OMA LwM2M 1.0, 5.3.1).
pub(super) fn write_register(
    endpoint: &str,
    terms: Terms,
    object_list: &mut WriteList<'_>,
    writer: &mut MessageWriter<'_>,
) -> Result<(), WriteError> {
    writer.uri_path("rd")?;
    writer.content_format(ContentFormat::LINK_FORMAT)?;
    query(writer, "ep=", endpoint.as_bytes())?;
    lifetime_query(writer, terms.lifetime)?;
    writer.uri_query("lwm2m=1.0")?;
    query(writer, "b=", terms.binding.as_str().as_bytes())?;
    object_list(writer)
}

/// Writes an Update: only what changed.
pub(super) fn write_update(
    location: &Location,
    (lifetime, binding, objects): (bool, bool, bool),
    terms: Terms,
    object_list: &mut WriteList<'_>,
    writer: &mut MessageWriter<'_>,
) -> Result<(), WriteError> {
    location.write(writer)?;
    if objects {
        writer.content_format(ContentFormat::LINK_FORMAT)?;
    }
    if lifetime {
        lifetime_query(writer, terms.lifetime)?;
    }
    if binding {
        query(writer, "b=", terms.binding.as_str().as_bytes())?;
    }
    if objects { object_list(writer) } else { Ok(()) }
}

/// A Uri-Query of a name and a value. Longer than 255 bytes it is refused by the writer.
fn query(writer: &mut MessageWriter<'_>, name: &str, value: &[u8]) -> Result<(), WriteError> {
    let mut text = [0; 255];
    let len = name.len().saturating_add(value.len());
    match text.get_mut(..len) {
        Some(room) => {
            let (head, tail) = room.split_at_mut(name.len().min(len));
            head.copy_from_slice(name.as_bytes());
            tail.copy_from_slice(value);
            writer.option(OptionNumber::URI_QUERY, room)
        }
        None => Err(WriteError::ValueTooLong),
    }
}

fn lifetime_query(writer: &mut MessageWriter<'_>, seconds: u32) -> Result<(), WriteError> {
    let mut digits = [0; 10];
    let len = crate::base::decimal::write_u64(u64::from(seconds), &mut digits).unwrap_or(0);
    query(writer, "lt=", digits.get(..len).unwrap_or_default())
}
