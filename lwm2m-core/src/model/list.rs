//! The list of objects and instances, as Register and Bootstrap-Discover tell it.

use super::{DataModel, ObjectDef};
use crate::base::path::{MAX_ID, Path};

/// Visits the objects and their instances in order, or those of one object. An object stands for
/// itself when it has no instance, or a version to tell (OMA LwM2M 1.0, 5.2.7.3 and 5.3.1).
pub(crate) fn visit(model: &dyn DataModel, only: Option<u16>, link: &mut dyn FnMut(&ObjectDef, Path)) {
    let mut after = only.and_then(|object| object.checked_sub(1));
    while let Some(object) = model.next_object(after).filter(|object| only.is_none_or(|only| only == object.id)) {
        after = Some(object.id);
        let mut instance = model.next_instance(object.id, None);
        if instance.is_none() || object.version != (1, 0) {
            link(object, Path::object(object.id));
        }
        while let Some(id) = instance {
            link(object, Path::instance(object.id, id));
            instance = model.next_instance(object.id, Some(id));
        }
    }
}

#[cfg_attr(not(feature = "shortcuts"), inline(never))]
pub(crate) fn has_instance(model: &dyn DataModel, object: u16, instance: u16) -> bool {
    model.next_instance(object, instance.checked_sub(1)) == Some(instance)
}

/// Whether there is what an instance of Access Control may speak of: an instance or, with 65535, an object.
/// Of an object that it does not have a model may say anything.
pub(crate) fn is_there(model: &dyn DataModel, object: u16, instance: u16) -> bool {
    model.object(object).is_some() && (instance == MAX_ID || has_instance(model, object, instance))
}

pub(crate) fn has_resource(model: &dyn DataModel, object: u16, instance: u16, resource: u16) -> bool {
    model.next_resource(object, instance, resource.checked_sub(1)) == Some(resource)
}
