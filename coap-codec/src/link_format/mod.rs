//! CoRE link-format, `application/link-format`: lists of links with attributes (RFC 6690).
//!
//! [`Links`] reads a payload link by link and [`LinkWriter`] writes one; neither allocates. What the
//! attributes mean is left to the caller, but for those of the CoRE standards, which have a method in
//! [`Link`]; all others pass through, so that `</1/0>;ver=1.1;ssid=101` needs nothing special.
//!
//! The reader takes what peers are known to send beside the grammar, and nothing more:
//!
//! - spaces and tabs around `,`, `;` and `=`;
//! - values with and without quotes, whatever the attribute is;
//! - before the first link, attributes with a value and without a link, as in the
//!   `lwm2m="1.0",</1/0>` of LwM2M 1.0: they are the [`head`](Links::head).
//!
//! ```
//! use coap_codec::ContentFormat;
//! use coap_codec::link_format::{LinkWriter, Links};
//!
//! let payload = br#"</>;rt="oma.lwm2m";ct="110 112",</1/0>;ver=1.1,</3>;title="a \"b\"""#;
//! let mut links = Links::from_utf8(payload)?;
//!
//! let root = links.next().ok_or("a link")??;
//! assert_eq!(root.target(), "/");
//! assert!(root.resource_types().eq(["oma.lwm2m"]));
//! assert!(root.content_formats().eq([ContentFormat::SENML_JSON, ContentFormat::SENML_CBOR]));
//!
//! let server = links.next().ok_or("a link")??;
//! assert_eq!(server.value("ver").ok_or("a version")?, "1.1");
//!
//! let device = links.next().ok_or("a link")??;
//! assert_eq!(device.title().ok_or("a title")?.to_string(), "a \"b\"");
//! assert!(links.next().is_none());
//!
//! let mut buffer = [0; 64];
//! let mut writer = LinkWriter::new(&mut buffer);
//! writer.link("/sensors/temp")?;
//! writer.quoted("rt", "temperature-c")?;
//! writer.flag("obs")?;
//! assert_eq!(writer.finish(), br#"</sensors/temp>;rt="temperature-c";obs"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod link;
mod parse;
mod write;

pub use link::{Attribute, AttributeValue, Attributes, Characters, Link, Words};
pub use parse::{LinkError, LinkErrorKind, Links};
pub use write::LinkWriter;
