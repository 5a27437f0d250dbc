//! Discover (OMA LwM2M 1.0, 5.4.2): which instances and resources there are, and the attributes that
//! the server which asks has set.

use coap_codec::{ContentFormat, MessageWriter};

use super::content::{self, Head};
use super::operation::Operation;
use super::{Target, no_query, resolve};
use crate::base::attributes::{Assigned, Attributes, Name};
use crate::base::features::REPORTING;
use crate::base::path::{Leaf, Path};
use crate::base::rights::Rights;
use crate::base::value::{Sink, Stop, Value};
use crate::format::LinkWriter;
use crate::model::{Ctx, DataModel, ObjectDef, Refusal};

pub(super) fn serve(
    ctx: &Ctx,
    operation: &Operation<'_>,
    assigned: &dyn Assigned,
    model: &dyn DataModel,
    writer: &mut MessageWriter<'_>,
) -> Result<(), Refusal> {
    let path = operation.path;
    // What there is anybody may know (OMA LwM2M 1.0, 8.2.3).
    let target = resolve(ctx, path, Rights::NONE, model)?;
    no_query(operation)?;
    let head = Head { sequence: None, format: ContentFormat::LINK_FORMAT, block: operation.block2 };
    content::write(head, writer, &mut |output| {
        let mut links = Links {
            ctx,
            root: operation.places.root,
            object: target.object,
            assigned,
            model,
            writer: LinkWriter::new(output),
        };
        links.write(path, &target)?;
        Ok(links.writer.finish()?)
    })
}

/// The links of one answer.
struct Links<'a, 'b> {
    ctx: &'a Ctx,
    /// What all paths begin with.
    root: &'a str,
    object: &'static ObjectDef,
    assigned: &'a dyn Assigned,
    model: &'a dyn DataModel,
    writer: LinkWriter<'b>,
}

impl Links<'_, '_> {
    /// The target and all below it, each with what is set at its own level; a resource that is the
    /// target also with what it inherits (OMA LwM2M 1.0, 5.4.2).
    fn write(&mut self, path: Path, target: &Target) -> Result<(), Refusal> {
        match (path.instance_id(), target.resource) {
            (Some(instance), Some(resource)) => self.resource(instance, resource.id, self.assigned.effective(path)),
            (Some(instance), None) => self.instance(instance),
            (None, _) => {
                self.writer.object(self.root, self.object.version, path);
                self.attributes(self.assigned.at(path));
                let mut after = None;
                while let Some(instance) = self.model.next_instance(self.object.id, after) {
                    self.instance(instance)?;
                    after = Some(instance);
                }
                Ok(())
            }
        }
    }

    fn instance(&mut self, instance: u16) -> Result<(), Refusal> {
        let path = Path::instance(self.object.id, instance);
        self.writer.path(self.root, path);
        self.attributes(self.assigned.at(path));
        let mut after = None;
        while let Some(resource) = self.model.next_resource(self.object.id, instance, after) {
            let own = self.assigned.at(Path::resource(self.object.id, instance, resource));
            self.resource(instance, resource, own)?;
            after = Some(resource);
        }
        Ok(())
    }

    fn resource(&mut self, instance: u16, resource: u16, attributes: Attributes) -> Result<(), Refusal> {
        let at = Leaf::new(self.object.id, instance, resource);
        self.writer.path(self.root, at.path());
        if let Some(instances) = self.dimension(at)? {
            self.writer.attribute("dim").uint(instances);
        }
        self.attributes(attributes);
        Ok(())
    }

    fn attributes(&mut self, attributes: Attributes) {
        if !REPORTING {
            return;
        }
        for (name, seconds) in [(Name::Pmin, attributes.pmin), (Name::Pmax, attributes.pmax)] {
            if let Some(seconds) = seconds {
                self.writer.attribute(name.as_str()).uint(seconds.into());
            }
        }
        for (name, number) in [(Name::Gt, attributes.gt), (Name::Lt, attributes.lt), (Name::St, attributes.st)] {
            if let Some(number) = number {
                self.writer.attribute(name.as_str()).number(number);
            }
        }
    }

    /// How many instances a multiple resource has. They can be counted only by reading them, so a
    /// resource that cannot be read has no dimension here.
    fn dimension(&self, at: Leaf) -> Result<Option<u64>, Refusal> {
        let definition = self.object.resource(at.resource);
        if !definition.is_some_and(|definition| definition.multiple && definition.operations.readable()) {
            return Ok(None);
        }
        let mut count = Count(0);
        match self.model.read(self.ctx, at, &mut count) {
            // An 8-bit number (OMA LwM2M 1.0, 5.1.1).
            Ok(()) => Ok(Some(count.0.min(255))),
            Err(Refusal::Later) => Err(Refusal::Later),
            // No value to be had is no reason to hide the resource.
            Err(Refusal::Code(_)) => Ok(None),
        }
    }
}

/// Counts values.
struct Count(u64);

impl Sink for Count {
    fn value(&mut self, _: Leaf, _: Value<'_>) -> Result<(), Stop> {
        self.0 = self.0.saturating_add(1);
        Ok(())
    }

    fn opaque(&mut self, _: Leaf, _: usize, _: &mut dyn FnMut(usize, &mut [u8])) -> Result<(), Stop> {
        self.0 = self.0.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_counts_however_its_value_is_given() {
        let (mut count, at) = (Count(0), Leaf::new(9, 0, 1));
        count.value(at, Value::Int(7)).unwrap();
        count.opaque(at, 3, &mut |_, _| {}).unwrap();
        assert_eq!(count.0, 2);
    }
}
