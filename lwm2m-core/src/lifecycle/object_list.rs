//! The payload of Register: the objects and instances of the client
//! (OMA LwM2M 1.0, 5.3.1; RFC 6690).

use core::num::NonZeroU64;

use coap_codec::WriteError;

use crate::base::mixer::Mixer;
use crate::base::path::Path;
use crate::format::{LinkWriter, Output};
use crate::model::{DataModel, ObjectDef, list};
use crate::objects::SECURITY;

/// Writes `</1/0>,</3/0>,...`, below `root`: every instance, and objects that have none. Never Security.
/// `room` takes the part of it that begins at `offset`; the length of all of it comes back.
pub(crate) fn write(root: &str, model: &dyn DataModel, room: &mut [u8], offset: usize) -> Result<usize, WriteError> {
    let mut links = LinkWriter::new(Output::part(room, offset));
    links.root(root, !root.is_empty());
    visit(model, &mut |object, path| {
        links.object(root, object.version, path);
    });
    // Of a part, what lies outside is no fault.
    links.finish().map_err(|_| WriteError::ValueTooLong)
}

/// 64 bits of the list: has it changed since the server was told?
pub(crate) fn digest(model: &dyn DataModel) -> NonZeroU64 {
    let mut mixer = Mixer::new();
    visit(model, &mut |_, path| {
        // An object alone is none of its instances.
        let instance = path.instance_id().map_or(0, |id| u64::from(id) << 16 | 1);
        mixer.number(u64::from(path.object_id().unwrap_or(0)) << 32 | instance);
    });
    NonZeroU64::new(mixer.finish()).unwrap_or(NonZeroU64::MAX)
}

/// The links; Security is never among them.
fn visit(model: &dyn DataModel, link: &mut dyn FnMut(&ObjectDef, Path)) {
    list::visit(model, None, &mut |object, path| {
        if object.id != SECURITY {
            link(object, path);
        }
    });
}
