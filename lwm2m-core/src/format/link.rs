//! Link lists as Register and Discover send them: `</1/0>,</3/0>;pmin=10` (RFC 6690 section 2).

use coap_codec::ContentFormat;

use super::FAILED;
use super::output::Output;
use crate::base::decimal;
use crate::base::number::Number;
use crate::base::path::Path;
use crate::base::value::Stop;

/// Writes links into a buffer. What no longer fits is noticed at the end.
#[derive(Debug)]
pub(crate) struct LinkWriter<'b> {
    output: Output<'b>,
    failed: bool,
}

impl<'b> LinkWriter<'b> {
    /// A writer that fills `output`.
    pub(crate) const fn new(output: Output<'b>) -> Self {
        Self { output, failed: false }
    }

    /// Begins the list with `lwm2m="1.0"`, which is no link (OMA LwM2M 1.0, 5.2.7.3).
    pub(crate) fn enabler_version(&mut self) -> &mut Self {
        self.put("lwm2m=\"1.0\"")
    }

    /// Adds a link that was written elsewhere.
    pub(crate) fn written(&mut self, link: &[u8]) {
        self.put(if self.output.used() == 0 { "" } else { "," });
        self.failed = self.failed || self.output.put(link).is_err();
    }

    /// Begins a link to `path` below `prefix`, the alternate path, which is empty or as `/lwm2m`.
    pub(crate) fn path(&mut self, prefix: &str, path: Path) -> &mut Self {
        self.put(if self.output.used() == 0 { "<" } else { ",<" }).put(prefix);
        if prefix.is_empty() && path.depth() == 0 {
            self.put("/");
        }
        for id in path.levels() {
            self.put("/").uint((*id).into());
        }
        self.put(">")
    }

    /// The link to the root below `prefix`, with what there is to say of it: that LwM2M is here, if it is
    /// to be said, and that JSON is spoken (OMA LwM2M 1.0, 5.3.1). Nothing where there is nothing to say.
    pub(crate) fn root(&mut self, prefix: &str, named: bool) -> &mut Self {
        if named || cfg!(feature = "json") {
            self.path(prefix, Path::ROOT);
        }
        if named {
            self.put(";rt=\"oma.lwm2m\"");
        }
        if cfg!(feature = "json") {
            self.attribute("ct").uint(ContentFormat::LWM2M_JSON.0.into());
        }
        self
    }

    /// The link of an object or one of its instances, as Register tells it: with the version, if the
    /// object has one to tell.
    pub(crate) fn object(&mut self, prefix: &str, version: (u8, u8), path: Path) -> &mut Self {
        self.path(prefix, path).version(version, path)
    }

    /// Adds the version to the link that was begun last, if it is an object's and not 1.0 (OMA LwM2M 1.0, 6.2).
    pub(crate) fn version(&mut self, (major, minor): (u8, u8), path: Path) -> &mut Self {
        if path.depth() > 1 || (major, minor) == (1, 0) {
            return self;
        }
        self.put(";ver=\"").uint(major.into()).put(".").uint(minor.into()).put("\"")
    }

    /// Adds an attribute to the link that was begun last. Its value follows.
    pub(crate) fn attribute(&mut self, name: &str) -> &mut Self {
        self.put(";").put(name).put("=")
    }

    /// Its value, as in `dim=8`.
    pub(crate) fn uint(&mut self, number: u64) -> &mut Self {
        self.put_with(&mut |room| decimal::write_u64(number, room))
    }

    /// The same, as in `lt=42.2`.
    pub(crate) fn number(&mut self, number: Number) -> &mut Self {
        self.put_with(&mut |room| number.write(room))
    }

    /// How many bytes the list has.
    ///
    /// # Errors
    /// When it does not fit into a buffer that is to hold it as a whole.
    pub(crate) fn finish(self) -> Result<usize, Stop> {
        if self.failed { Err(FAILED) } else { Ok(self.output.used()) }
    }

    fn put(&mut self, text: &str) -> &mut Self {
        self.failed = self.failed || self.output.put(text.as_bytes()).is_err();
        self
    }

    fn put_with(&mut self, write: &mut dyn FnMut(&mut [u8]) -> Option<usize>) -> &mut Self {
        self.failed = self.failed || self.output.put_with(write).is_err();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::Value;

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
        fn number(number: f64) -> Number {
            Number::of(Value::Float(number)).unwrap()
        }
        check(
            |links| {
                links.path("", Path::resource(3, 0, 7)).attribute("dim").uint(8);
                links.attribute("pmin").uint(10).attribute("pmax").uint(60);
                links.attribute("gt").number(number(50.0)).attribute("lt").number(number(42.2));
                links.path("", Path::resource_instance(3, 0, 7, 1)).attribute("st").number(number(-0.5));
            },
            "</3/0/7>;dim=8;pmin=10;pmax=60;gt=50;lt=42.2,</3/0/7/1>;st=-0.5",
        );
    }
}
