//! The requests of the lifecycle, as they are written (OMA LwM2M 1.0, 5.2.7.1 and 5.3).

use coap_codec::{ContentFormat, MessageWriter, OptionNumber, WriteError};

use super::Request;
use super::registration::Registration;

/// Writes what comes last: the object list, or a block of it, as the payload, if it is to be told.
pub(crate) type WriteList<'a> = dyn FnMut(&mut MessageWriter<'_>, bool) -> Result<(), WriteError> + 'a;

/// Writes the request that is due:
/// - a Bootstrap-Request: `/bs?ep=..` (OMA LwM2M 1.0, 5.2.7.1);
/// - a Register: `/rd?ep=..&lt=..&lwm2m=1.0&b=..` (5.3.1);
/// - an Update: only what changed, to where the registration lives;
/// - a De-register: there, and nothing else.
pub(super) fn write(
    own: Option<&Registration>,
    endpoint: &str,
    object_list: &mut WriteList<'_>,
    writer: &mut MessageWriter<'_>,
) -> Result<(), WriteError> {
    let Some(own) = own else {
        writer.append(OptionNumber::URI_PATH, b"bs")?;
        query(writer, "ep=", endpoint.as_bytes())?;
        return object_list(writer, false);
    };
    let (request, told) = (own.request(), own.told);
    let known = own.lease.map_or(told, |lease| lease.terms);
    let register = request == Request::Register;
    let tells = |differs| register || (differs && request == Request::Update);
    let objects = tells(known.objects != told.objects);
    if register {
        writer.append(OptionNumber::URI_PATH, b"rd")?;
    } else {
        own.location.write_path(writer)?;
    }
    if objects {
        writer.append_uint(OptionNumber::CONTENT_FORMAT, ContentFormat::LINK_FORMAT.0.into())?;
    }
    if register {
        query(writer, "ep=", endpoint.as_bytes())?;
    } else {
        own.location.write_query(writer)?;
    }
    if tells(known.lifetime != told.lifetime) {
        lifetime_query(writer, told.lifetime)?;
    }
    if register {
        query(writer, "lwm2m=1.0", b"")?;
    }
    if tells(known.binding != told.binding) {
        query(writer, "b=", told.binding.as_str().as_bytes())?;
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
