//! What Register and Update say: their query and their object list (OMA LwM2M 1.0, 5.3.1 and 5.3.2).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use coap_codec::{Code, ContentFormat};

use super::message::Inbound;
use crate::sim::reader::Link;

/// The code of a refusal, and what is wrong, if the standards do not allow it.
pub(super) type Refused = (Code, Option<String>);

/// 4.00, because of a fault.
pub(super) fn bad(fault: &str) -> Refused {
    (Code::BAD_REQUEST, Some(fault.to_string()))
}

/// The query of Register and Update.
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) endpoint: Option<String>,
    pub(super) lifetime: Option<u32>,
    pub(super) version: Option<String>,
    pub(super) binding: Option<String>,
}

impl Parameters {
    /// `expected` belongs to the location.
    pub(super) fn read(request: &Inbound, expected: &[String]) -> Result<Self, Refused> {
        let mut parameters = Self::default();
        for query in request.query.iter().filter(|query| !expected.contains(query)) {
            let (name, value) = query.split_once('=').ok_or_else(|| bad(query))?;
            let value = value.to_string();
            let twice = match name {
                "ep" => parameters.endpoint.replace(value).is_some(),
                "lwm2m" => parameters.version.replace(value).is_some(),
                "b" => parameters.binding.replace(value).is_some(),
                "lt" => {
                    let seconds = value.parse().ok().filter(|_| !value.starts_with(['+', '0']));
                    parameters.lifetime.replace(seconds.ok_or_else(|| bad(query))?).is_some()
                }
                _ => return Err(bad(query)),
            };
            if twice {
                return Err(bad(&format!("{name} twice")));
            }
        }
        Ok(parameters)
    }
}

/// The payload: none at all, or a list of objects, without Security and with Server. Device is as
/// mandatory, but a model under test need not have it.
pub(super) fn object_list(request: &Inbound) -> Result<Option<Vec<Link>>, Refused> {
    if request.payload.is_empty() && request.format.is_none() {
        return Ok(None);
    }
    if request.format != Some(ContentFormat::LINK_FORMAT) {
        return Err((Code::UNSUPPORTED_CONTENT_FORMAT, Some("an object list that is no link-format".to_string())));
    }
    let links = Link::read(&request.payload).ok_or_else(|| bad("an object list that cannot be read"))?;
    let is_root = |link: &&Link| link.attribute("rt") == Some("oma.lwm2m");
    let root = links.iter().find(is_root).map_or("", |link| link.target.trim_end_matches('/'));
    let lists = |object: &str| {
        let below = |target: &str| {
            let rest = target.strip_prefix(root).and_then(|path| path.strip_prefix(object));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        links.iter().any(|link| below(&link.target))
    };
    if lists("/0") {
        return Err(bad("an object list with Security"));
    }
    if !lists("/1") {
        return Err(bad("an object list without Server"));
    }
    Ok(Some(links))
}
