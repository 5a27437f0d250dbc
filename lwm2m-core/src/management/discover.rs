//! Discover (OMA LwM2M 1.0, 5.4.2): which instances and resources there are.

use coap_codec::{Code, ContentFormat, MessageWriter};

use super::content::{self, Head};
use super::operation::Operation;
use super::{Effects, has_resource, no_query, resolve};
use crate::base::path::Path;
use crate::format::LinkWriter;
use crate::model::{Ctx, DataModel, Refusal};

pub(super) fn serve(
    ctx: &Ctx,
    operation: &Operation<'_>,
    model: &dyn DataModel,
    writer: &mut MessageWriter<'_>,
) -> Result<Effects, Refusal> {
    let path = operation.path;
    let target = resolve(ctx, path, model)?;
    if let (Some(resource), Some(instance)) = (target.resource, path.instance_id())
        && !has_resource(model, target.object.id, instance, resource.id)
    {
        return Err(Refusal::Code(Code::NOT_FOUND));
    }
    no_query(operation)?;
    let head = Head { sequence: None, format: ContentFormat::LINK_FORMAT, block: operation.block2 };
    content::write(head, writer, &mut |output| {
        let mut links = LinkWriter::new(output);
        write_links(path, model, &mut links);
        Ok(links.finish()?)
    })?;
    Ok(Effects::default())
}

fn write_links(path: Path, model: &dyn DataModel, links: &mut LinkWriter<'_>) {
    links.path("", path);
    match (path.object_id(), path.instance_id(), path.resource_id()) {
        (Some(object), Some(instance), None) => write_resources(object, instance, model, links),
        (Some(object), None, _) => {
            let mut after = None;
            while let Some(instance) = model.next_instance(object, after) {
                links.path("", Path::instance(object, instance));
                write_resources(object, instance, model, links);
                after = Some(instance);
            }
        }
        _ => {}
    }
}

fn write_resources(object: u16, instance: u16, model: &dyn DataModel, links: &mut LinkWriter<'_>) {
    let mut after = None;
    while let Some(resource) = model.next_resource(object, instance, after) {
        links.path("", Path::resource(object, instance, resource));
        after = Some(resource);
    }
}
