//! The list of objects and instances, as Register and Bootstrap-Discover tell it.

use super::{DataModel, ObjectDef};
use crate::base::path::Path;

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
