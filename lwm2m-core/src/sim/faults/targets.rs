//! What of a model can be asked for.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::base::definition::ResourceDef;
use crate::base::origin::Origin;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::base::value::DataType;
use crate::format::{Digest, Encode};
use crate::model::{Ctx, DataModel, walk};

/// A resource of the model.
pub(in crate::sim) struct Target {
    pub(in crate::sim) path: Path,
    pub(in crate::sim) definition: &'static ResourceDef,
}

impl Target {
    /// A value of its type as text, from numbers below a limit.
    pub(in crate::sim) fn text(&self, below: &mut dyn FnMut(u64) -> u64) -> String {
        match self.definition.data_type {
            DataType::Boolean => below(2).to_string(),
            DataType::String => format!("text {}", below(1_000)),
            DataType::Float => format!("{}.5", below(100)),
            _ => below(100).to_string(),
        }
    }
}

/// All instances of a model, in order.
pub(in crate::sim) fn instances(model: &dyn DataModel) -> Vec<Path> {
    let mut found = Vec::new();
    let mut object = None;
    while let Some(definition) = model.next_object(object) {
        object = Some(definition.id);
        let mut instance = None;
        while let Some(id) = model.next_instance(definition.id, instance) {
            instance = Some(id);
            found.push(Path::instance(definition.id, id));
        }
    }
    found
}

/// All resources of a model, in order.
pub(in crate::sim) fn resources(model: &dyn DataModel) -> Vec<Target> {
    let mut found = Vec::new();
    for path in instances(model) {
        let (Some(object), Some(instance)) = (path.object_id(), path.instance_id()) else { continue };
        let mut resource = None;
        while let Some(id) = model.next_resource(object, instance, resource) {
            resource = Some(id);
            if let Some(definition) = model.object(object).and_then(|object| object.resource(id)) {
                found.push(Target { path: Path::resource(object, instance, id), definition });
            }
        }
    }
    found
}

/// All resources of a model, and what their values are, in 64 bits; 0 for what cannot be read.
pub(in crate::sim) fn digests(model: &dyn DataModel) -> Vec<(Path, u64)> {
    let ctx = Ctx { origin: Origin::Local, ticket: None, resumed: false, now: Instant::ZERO };
    let digest = |path| {
        let mut digest = Digest::new();
        let read = walk::values::<dyn Encode>(&ctx, path, model, &mut digest);
        read.map_or(0, |()| digest.finish())
    };
    resources(model).into_iter().map(|target| (target.path, digest(target.path))).collect()
}
