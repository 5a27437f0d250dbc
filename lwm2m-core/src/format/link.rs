//! Link lists as Register and Discover send them: `</1/0>,</3/0>;pmin=10` (RFC 6690 section 2).

use coap_codec::ContentFormat;

use super::output::Output;
use crate::base::decimal;
use crate::base::path::Path;
use crate::base::value::Stop;

/// The value of a link's attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum LinkValue<'a> {
    /// `dim=8`
    Uint(u64),
    /// `lt=42.2`
    Float(f64),
    /// `rt="oma.lwm2m"`: in quotes, so it must not contain any.
    Quoted(&'a str),
    /// `ver="2.2"`: an object's version, quoted (OMA LwM2M 1.0, 6.2).
    Version(u8, u8),
}

/// Writes links into a buffer. What no longer fits is noticed at the end.
#[derive(Debug)]
pub(crate) struct LinkWriter<'b> {
    output: Output<'b>,
    failed: Option<Stop>,
}

impl<'b> LinkWriter<'b> {
    /// A writer that fills `output`.
    pub(crate) const fn new(output: Output<'b>) -> Self {
        Self { output, failed: None }
    }

    /// Begins the list with `lwm2m="1.0"`, which is no link (OMA LwM2M 1.0, 5.2.7.3).
    pub(crate) fn enabler_version(&mut self, major: u8, minor: u8) -> &mut Self {
        self.note(|output| {
            output.put(b"lwm2m=\"")?;
            put_uint(output, major.into())?;
            output.put(b".")?;
            put_uint(output, minor.into())?;
            output.put(b"\"")
        })
    }

    /// Begins a link to `path` below `prefix`, the alternate path, which is empty or as `/lwm2m`.
    pub(crate) fn path(&mut self, prefix: &str, path: Path) -> &mut Self {
        self.note(|output| {
            output.put(if output.used() == 0 { b"<" } else { b",<" })?;
            output.put(prefix.as_bytes())?;
            if prefix.is_empty() && path.depth() == 0 {
                output.put(b"/")?;
            }
            for id in path.levels() {
                output.put(b"/")?;
                put_uint(output, (*id).into())?;
            }
            output.put(b">")
        })
    }

    /// The link to the root below `prefix`, with what there is to say of it: that LwM2M is here, if it is
    /// to be said, and that JSON is spoken (OMA LwM2M 1.0, 5.3.1). Nothing where there is nothing to say.
    pub(crate) fn root(&mut self, prefix: &str, named: bool) -> &mut Self {
        if named || cfg!(feature = "json") {
            self.path(prefix, Path::ROOT);
        }
        if named {
            self.attribute("rt", LinkValue::Quoted("oma.lwm2m"));
        }
        if cfg!(feature = "json") {
            self.attribute("ct", LinkValue::Uint(ContentFormat::LWM2M_JSON.0.into()));
        }
        self
    }

    /// The link of an object or one of its instances, as Register tells it: with the version, if the
    /// object has one to tell.
    pub(crate) fn object(&mut self, prefix: &str, (major, minor): (u8, u8), path: Path) -> &mut Self {
        self.path(prefix, path);
        if path.instance_id().is_none() && (major, minor) != (1, 0) {
            self.attribute("ver", LinkValue::Version(major, minor));
        }
        self
    }

    /// Adds an attribute to the link that was begun last.
    pub(crate) fn attribute(&mut self, name: &str, value: LinkValue<'_>) -> &mut Self {
        self.note(|output| {
            output.put(b";")?;
            output.put(name.as_bytes())?;
            output.put(b"=")?;
            match value {
                LinkValue::Uint(number) => put_uint(output, number),
                LinkValue::Float(number) => output.put_with(|room| decimal::write_f64(number, room)),
                LinkValue::Quoted(text) => {
                    output.put(b"\"")?;
                    output.put(text.as_bytes())?;
                    output.put(b"\"")
                }
                LinkValue::Version(major, minor) => {
                    output.put(b"\"")?;
                    put_uint(output, major.into())?;
                    output.put(b".")?;
                    put_uint(output, minor.into())?;
                    output.put(b"\"")
                }
            }
        })
    }

    /// How many bytes the list has.
    ///
    /// # Errors
    /// When it does not fit into a buffer that is to hold it as a whole.
    pub(crate) fn finish(self) -> Result<usize, Stop> {
        match self.failed {
            Some(stop) => Err(stop),
            None => Ok(self.output.used()),
        }
    }

    fn note(&mut self, write: impl FnOnce(&mut Output<'b>) -> Result<(), Stop>) -> &mut Self {
        if self.failed.is_none() {
            self.failed = write(&mut self.output).err();
        }
        self
    }
}

fn put_uint(output: &mut Output<'_>, number: u64) -> Result<(), Stop> {
    output.put_with(|room| decimal::write_u64(number, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: fn(&mut LinkWriter<'_>), text: &str) {
        let mut room = [0; 256];
        let mut writer = LinkWriter::new(Output::new(&mut room));
        write(&mut writer);
        let length = writer.finish().unwrap();
        assert_eq!(core::str::from_utf8(&room[..length]), Ok(text));
        for less in 0..length {
            let mut writer = LinkWriter::new(Output::new(&mut room[..less]));
            write(&mut writer);
            assert!(writer.finish().is_err(), "{text} in {less} bytes");
        }
    }

    #[test]
    fn the_lists_of_register_are_written() {
        check(|_| (), "");
        check(
            |links| {
                links.path("", Path::instance(1, 0)).path("", Path::instance(3, 0)).path("", Path::object(5));
            },
            "</1/0>,</3/0>,</5>",
        );
        check(
            |links| {
                links.object("", (2, 2), Path::object(44)).object("", (2, 2), Path::instance(44, 65_534));
                links.object("", (1, 0), Path::object(5));
            },
            r#"</44>;ver="2.2",</44/65534>,</5>"#,
        );
    }

    #[test]
    fn the_root_is_told_where_there_is_something_to_say_of_it() {
        let spoken = if cfg!(feature = "json") { ";ct=11543" } else { "" };
        let nothing = if cfg!(feature = "json") { "</>;ct=11543,</1/0>" } else { "</1/0>" };
        check(
            |links| {
                links.root("", false).path("", Path::instance(1, 0));
            },
            nothing,
        );
        let text = std::format!(r#"</>;rt="oma.lwm2m"{spoken}"#);
        check(
            |links| {
                links.root("", true);
            },
            &text,
        );
        let text = std::format!(r#"</lwm2m>;rt="oma.lwm2m"{spoken},</lwm2m/1/0>"#);
        check(
            |links| {
                links.root("/lwm2m", true).path("/lwm2m", Path::instance(1, 0));
            },
            &text,
        );
    }

    #[test]
    fn the_attributes_of_discover_are_written() {
        check(
            |links| {
                links.path("", Path::resource(3, 0, 7)).attribute("dim", LinkValue::Uint(8));
                links.attribute("pmin", LinkValue::Uint(10)).attribute("pmax", LinkValue::Uint(60));
                links.attribute("gt", LinkValue::Float(50.0)).attribute("lt", LinkValue::Float(42.2));
                links.path("", Path::resource_instance(3, 0, 7, 1)).attribute("st", LinkValue::Float(-0.5));
            },
            "</3/0/7>;dim=8;pmin=10;pmax=60;gt=50;lt=42.2,</3/0/7/1>;st=-0.5",
        );
    }
}
