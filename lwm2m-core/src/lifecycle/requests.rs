//! The requests of the lifecycle, as they are written (OMA LwM2M 1.0, 5.2.7.1 and 5.3).

use coap_codec::{ContentFormat, MessageWriter, OptionNumber, WriteError};

use super::Due;
use super::location::Location;
use super::registration::Request;

/// Writes what comes last: the object list, or a block of it, as the payload, if it is to be told.
pub(crate) type WriteList<'a> = dyn FnMut(&mut MessageWriter<'_>, bool) -> Result<(), WriteError> + 'a;

/// Writes the request that is due:
/// - a Bootstrap-Request: `/bs?ep=..` (OMA LwM2M 1.0, 5.2.7.1);
/// - a Register: `/rd?ep=..&lt=..&lwm2m=1.0&b=..` (5.3.1);
/// - an Update: only what changed, to where the registration lives;
/// - a De-register: there, and nothing else.
pub(super) fn write(
    due: Due,
    location: Option<&Location>,
    endpoint: &str,
    object_list: &mut WriteList<'_>,
    writer: &mut MessageWriter<'_>,
) -> Result<(), WriteError> {
    let (entry, [lifetime, binding, objects]) = match due {
        Due::Bootstrap => (Some("bs"), [false; 3]),
        Due::Registration(Request::Register, _) => (Some("rd"), [true; 3]),
        Due::Registration(Request::Update { lifetime, binding, objects }, _) => (None, [lifetime, binding, objects]),
        Due::Registration(Request::Deregister, _) => (None, [false; 3]),
    };
    match (entry, location) {
        (Some(entry), _) => writer.append(OptionNumber::URI_PATH, entry.as_bytes())?,
        (None, Some(location)) => location.write_path(writer)?,
        // Nothing else is due without one.
        (None, None) => {}
    }
    if objects {
        writer.append_uint(OptionNumber::CONTENT_FORMAT, ContentFormat::LINK_FORMAT.0.into())?;
    }
    match (entry, location) {
        (Some(_), _) => query(writer, "ep=", endpoint.as_bytes())?,
        (None, Some(location)) => location.write_query(writer)?,
        (None, None) => {}
    }
    if let Due::Registration(request, terms) = due {
        if lifetime {
            lifetime_query(writer, terms.lifetime)?;
        }
        if request == Request::Register {
            query(writer, "lwm2m=1.0", b"")?;
        }
        if binding {
            query(writer, "b=", terms.binding.as_str().as_bytes())?;
        }
    }
    object_list(writer, objects)
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
            writer.append(OptionNumber::URI_QUERY, room)
        }
        None => Err(WriteError::ValueTooLong),
    }
}

fn lifetime_query(writer: &mut MessageWriter<'_>, seconds: u32) -> Result<(), WriteError> {
    let mut digits = [0; 10];
    let len = crate::base::decimal::write_u64(u64::from(seconds), &mut digits).unwrap_or(0);
    query(writer, "lt=", digits.get(..len).unwrap_or_default())
}
