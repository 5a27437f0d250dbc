//! CoRE link-format (RFC 6690), with what LwM2M peers send besides.

use coap_codec::link_format::{Attribute, Link, LinkError, LinkErrorKind, LinkWriter, Links};
use coap_codec::{ContentFormat, WriteError};
use proptest::prelude::*;

fn links(text: &str) -> Result<Vec<Link<'_>>, LinkError> {
    Links::new(text).collect()
}

/// Targets and attributes in one spelling: what was meant, one link a line.
fn shown(text: &str) -> String {
    let show = |attribute: Attribute<'_>| match attribute.value {
        Some(value) => format!(" {}=[{value}]", attribute.name),
        None => format!(" {}", attribute.name),
    };
    let line = |link: Link<'_>| format!("{}{}", link.target(), link.attributes().map(show).collect::<String>());
    links(text).unwrap().into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn xf_10_links_are_read_with_all_their_attributes() {
    for (text, expected) in [
        ("", ""),
        ("</1/0>,</3/0>", "/1/0\n/3/0"),
        ("<>", ""),
        ("</a>;x", "/a x"),
        ("</a>;x=1;y=\"2\";z", "/a x=[1] y=[2] z"),
        ("</a>;t=\"\"", "/a t=[]"),
        ("</a>;t=\"a,b;c<d>e\"", "/a t=[a,b;c<d>e]"),
        (r#"</a>;t="say \"hi\" \\o\/""#, r#"/a t=[say "hi" \o/]"#),
        ("</a>;t=\"Grüße 温度\"", "/a t=[Grüße 温度]"),
        ("</a>;t=\"\\ü\"", "/a t=[ü]"),
        ("</a>;title*=UTF-8''%c3%a4", "/a title*=[UTF-8''%c3%a4]"),
        ("</a>;x=a/b:c=d<e>?[f]", "/a x=[a/b:c=d<e>?[f]]"),
        ("<coap://[::1]:5683/a?b=c&d,e;f>;rel=self", "coap://[::1]:5683/a?b=c&d,e;f rel=[self]"),
        // Twice the same: both are there, and the first counts.
        ("</a>;rt=x;rt=y", "/a rt=[x] rt=[y]"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn xf_10_spaces_and_tabs_around_separators_are_passed_over() {
    let expected = "/1/0 ver=[1.1] x\n/3";
    for text in [
        "</1/0>;ver=1.1;x,</3>",
        "</1/0>; ver=1.1; x, </3>",
        " </1/0> ;\tver = 1.1 ; x\t, </3> ",
        "</1/0>;ver = \"1.1\";x ,</3>",
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn xf_10_a_version_may_stand_in_quotes_or_not() {
    for text in ["</1>;ver=1.1", "</1>;ver=\"1.1\"", "</1>;ver = 1.1"] {
        let link = links(text).unwrap().remove(0);
        let version = link.value("ver").unwrap();
        assert_eq!(version, "1.1");
        assert_eq!((version.as_str(), version.to_string()), (Some("1.1"), "1.1".to_string()));
        assert_eq!(version.is_quoted(), text.contains('"'));
    }
}

// LwM2M 1.0, Bootstrap-Discover: the version is an element of its own.
#[test]
fn xf_10_the_version_of_lwm2m_1_0_stands_before_the_links() {
    for text in [
        "lwm2m=\"1.0\",</0/0>;ssid=101,</1>",
        " lwm2m = \"1.0\" , </0/0>;ssid=101, </1>",
        "lwm2m=1.0,</0/0>;ssid=101,</1>",
    ] {
        let mut read = Links::new(text);
        let head: Vec<_> = read.head().collect();
        assert_eq!(head.len(), 1);
        assert_eq!((head[0].name, head[0].value.unwrap().to_string()), ("lwm2m", "1.0".into()), "{text}");
        let security = read.next().unwrap().unwrap();
        assert_eq!((security.target(), security.value("ssid").unwrap().as_u64()), ("/0/0", Some(101)));
        assert_eq!(read.next().unwrap().unwrap().target(), "/1");
        assert!(read.next().is_none());
    }
    let mut alone = Links::new("lwm2m=\"1.0\"");
    assert_eq!(alone.head().count(), 1);
    assert!(alone.next().is_none());
    assert_eq!(Links::new("a=1;b=2,</c>").head().count(), 2);
    assert_eq!(Links::new("</1>;lwm2m=1.1").head().count(), 0);
}

#[test]
fn xf_10_the_register_payload_of_lwm2m_passes_through() {
    let text = "</>;rt=\"oma.lwm2m\";ct=\"110 112\",</lwm2m>;rt=oma.lwm2m;ct=11543,</1/0>,</3/0>;ver=1.2;dim=8";
    let read = links(text).unwrap();
    assert!(read[0].resource_types().eq(["oma.lwm2m"]));
    assert!(read[1].resource_types().eq(["oma.lwm2m"]));
    assert!(read[0].content_formats().eq([ContentFormat::SENML_JSON, ContentFormat::SENML_CBOR]));
    assert!(read[1].content_formats().eq([ContentFormat::LWM2M_JSON]));
    assert_eq!(read[3].value("dim").unwrap().as_u64(), Some(8));
    assert_eq!(read[3].value("dim").unwrap(), read[3].value("dim").unwrap());
}

// RFC 6690 §5 has these two; the third is that of RFC 7641 §6.
#[test]
fn the_attributes_of_the_standards_have_methods() {
    let text = "</sensors>;ct=40;title=\"Sensor Index\",</sensors/temp>;rt=\"temperature-c\";if=\"sensor\",\
        </t>;anchor=\"/sensors/temp\";rel=\"alternate describedby\";sz=64512;obs;if=\"a  b\"";
    let read = links(text).unwrap();
    assert!(read[0].content_formats().eq([ContentFormat::LINK_FORMAT]));
    assert_eq!(read[0].title().unwrap(), "Sensor Index");
    assert!(read[1].resource_types().eq(["temperature-c"]));
    assert!(read[1].interfaces().eq(["sensor"]));
    assert_eq!((read[1].size(), read[1].is_observable()), (None, false));
    assert_eq!(read[2].anchor().unwrap(), "/sensors/temp");
    assert!(read[2].relations().eq(["alternate", "describedby"]));
    assert_eq!((read[2].size(), read[2].is_observable()), (Some(64_512), true));
    assert!(read[2].interfaces().eq(["a", "b"]));
    assert_eq!(read[2].relations().count(), 2);
    assert_eq!(read[0].relations().count(), 0);
    let odd = links("</a>;sz=1x;ct=\"40 x 70000 42\"").unwrap().remove(0);
    assert_eq!(odd.size(), None);
    assert!(odd.content_formats().eq([ContentFormat(40), ContentFormat(42)]));
}

#[test]
fn a_query_selects_links() {
    let link = links("</sensors/light>;rt=\"light-lux core.sen\";if=sensor;sz=12;obs").unwrap().remove(0);
    for query in [
        "rt=light-lux",
        "rt=core.sen",
        "rt=core*",
        "rt=light-lux core.sen",
        "if=sensor",
        "sz=12",
        "sz=1*",
        "obs",
        "obs=*",
        "href=/sensors/light",
        "href=/sensors*",
        "href=*",
        "rt=*",
        "rt",
    ] {
        assert!(link.matches(query), "{query}");
    }
    for query in ["rt=light", "rt=lux", "if=sens", "href=/sensors", "ct=*", "ct", "obs=1", "", "=*"] {
        assert!(!link.matches(query), "{query}");
    }
}

#[test]
fn xf_10_mistakes_are_told_with_their_place() {
    use LinkErrorKind as Kind;
    for (text, kind, position) in [
        ("1/0", Kind::Link, 0),
        ("garbage", Kind::Link, 0),
        ("/a>", Kind::Link, 0),
        (",", Kind::Link, 0),
        ("</a>,", Kind::Link, 5),
        ("</a>,,</b>", Kind::Link, 5),
        ("</a>, b=1", Kind::Link, 6),
        ("x=1,", Kind::Link, 4),
        ("</a", Kind::Unclosed, 0),
        ("</a>,</b", Kind::Unclosed, 5),
        ("</a<b>", Kind::Target, 3),
        ("</a b>", Kind::Target, 3),
        ("</a>;", Kind::Name, 5),
        ("</a>;;b", Kind::Name, 5),
        ("</a>;=1", Kind::Name, 5),
        ("</a>;ü", Kind::Name, 5),
        ("</a>;b=", Kind::Value, 7),
        ("</a>;b=;c", Kind::Value, 7),
        ("</a>;b=,</c>", Kind::Value, 7),
        ("</a>;b=ü", Kind::Value, 7),
        ("</a>;b=\"c", Kind::Quote, 7),
        ("</a>;b=\"c\\\"", Kind::Quote, 7),
        ("</a>;b=\"c\"d", Kind::Separator, 10),
        ("</a>;b=c\"d", Kind::Separator, 8),
        ("</a>;b c", Kind::Separator, 7),
        ("</a></b>", Kind::Separator, 4),
        ("</a>b", Kind::Separator, 4),
        ("x=1 </a>", Kind::Separator, 4),
        ("</a>\n", Kind::Separator, 4),
    ] {
        let error = links(text).expect_err(text);
        assert_eq!((error.kind(), error.position()), (kind, position), "{text}");
        assert_eq!(error.to_string(), format!("{kind}, at byte {position}"));
    }
    let error = Links::from_utf8(b"</a>,</\xff>").unwrap_err();
    assert_eq!((error.kind(), error.position()), (Kind::NotUtf8, 7));
    assert_eq!(error.to_string(), "not UTF-8, at byte 7");
}

#[test]
fn links_before_a_mistake_are_read_and_none_behind_it() {
    let mut read = Links::new("</a>;x,</b>;,</c>");
    assert_eq!(read.next().unwrap().unwrap().target(), "/a");
    assert!(read.next().unwrap().is_err());
    assert!(read.next().is_none());
    assert!(read.next().is_none());
}

// RFC 6690 §2: what a backslash stands before is meant, in quotes alone.
#[test]
fn a_value_is_the_text_that_is_meant() {
    let link = links(r#"</a>;p=x;q="x";e="a\"b""#).unwrap().remove(0);
    let value = |name| link.value(name).unwrap();
    assert_eq!(value("p").as_str(), Some("x"));
    assert_eq!(value("q").as_str(), Some("x"));
    assert_eq!((value("e").as_str(), value("e").to_string()), (None, "a\"b".into()), "it takes a copy");
    assert!(value("e") == "a\"b" && value("e") == *"a\"b");
    assert!(value("e") != "a\\\"b" && value("e") != *"ab");
    assert_eq!(links(r"</a>;u=a\b").unwrap_err().position(), 8, "without quotes there is no backslash");
}

#[test]
fn debug_shows_the_text() {
    let link = links("</a> ; t = \"x\\\"y\" ;b").unwrap().remove(0);
    assert_eq!(format!("{link:?}"), "</a>;t=\"x\\\"y\";b");
    assert_eq!(format!("{:?}", link.attributes()), "[t=\"x\\\"y\", b]");
    assert_eq!(format!("{:?}", link.title()), "None");
}

#[test]
fn the_writer_writes_what_it_is_told() {
    let mut buffer = [0xee; 200];
    let mut writer = LinkWriter::new(&mut buffer);
    assert!(writer.is_empty());
    assert_eq!(writer.flag("obs"), Err(WriteError::OutOfOrder), "nothing to say it about");
    writer.head("lwm2m", "1.0").unwrap();
    assert_eq!(writer.token("x", "1"), Err(WriteError::OutOfOrder));
    writer.link("/0/0").unwrap();
    writer.number("ssid", 101).unwrap();
    assert_eq!(writer.head("x", "1"), Err(WriteError::OutOfOrder));
    writer.link("").unwrap();
    writer.token("ver", "1.1").unwrap();
    writer.flag("obs").unwrap();
    writer.number("sz", u64::MAX).unwrap();
    writer.number("z", 0).unwrap();
    writer.quoted("title", "\"\\\" ü \\").unwrap();
    writer.quoted("e", "").unwrap();
    let expected = r#"lwm2m="1.0",</0/0>;ssid=101,<>;ver=1.1;obs;sz=18446744073709551615;z=0;title="\"\\\" ü \\";e="""#;
    assert_eq!(writer.len(), expected.len());
    assert_eq!(core::str::from_utf8(writer.finish()).unwrap(), expected);
}

#[test]
fn the_writer_refuses_what_would_not_be_read() {
    let mut buffer = [0; 100];
    let mut writer = LinkWriter::new(&mut buffer);
    writer.link("/a").unwrap();
    let invalid = Err(WriteError::InvalidValue);
    for target in ["a b", "<", ">", "\"", "ü", "\n"] {
        assert_eq!(writer.link(target), invalid, "{target}");
    }
    for name in ["", "a b", "a=b", "ü", "a\"", "a/b"] {
        assert_eq!(writer.flag(name), invalid, "{name}");
        assert_eq!(writer.quoted(name, "x"), invalid, "{name}");
    }
    for value in ["", "a b", "a,b", "a;b", "a\"b", "a\\b", "ü"] {
        assert_eq!(writer.token("x", value), invalid, "{value}");
    }
    assert_eq!(writer.finish(), b"</a>");
}

#[test]
fn what_does_not_fit_changes_nothing_and_says_what_it_needs() {
    type Step = fn(&mut LinkWriter<'_>) -> Result<(), WriteError>;
    let steps: [Step; 6] = [
        |writer| writer.link("/abc"),
        |writer| writer.quoted("t", "a\"b\\c"),
        |writer| writer.number("n", 1234),
        |writer| writer.token("v", "1.1"),
        |writer| writer.flag("obs"),
        |writer| writer.link("/d"),
    ];
    for size in 0..60 {
        let mut buffer = vec![0; size];
        let mut writer = LinkWriter::new(&mut buffer);
        for (at, step) in steps.into_iter().enumerate() {
            let before = writer.as_bytes().to_vec();
            if let Err(error) = step(&mut writer) {
                let WriteError::NoSpace { needed } = error else { panic!("{error:?}") };
                assert!(needed > size);
                assert_eq!(writer.as_bytes(), before);
                // As many bytes as it says are enough, and not one too many.
                let mut exact = vec![0; needed];
                let mut again = LinkWriter::new(&mut exact);
                steps[..=at].iter().for_each(|step| step(&mut again).unwrap());
                assert_eq!(again.len(), needed);
                break;
            }
        }
        assert!(links(core::str::from_utf8(writer.finish()).unwrap()).is_ok());
    }
}

/// Text of what matters to the grammar.
fn almost_links() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("<"),
            Just(">"),
            Just(","),
            Just(";"),
            Just("="),
            Just("\""),
            Just("\\"),
            Just(" "),
            Just("a"),
            Just("</1/0>"),
            Just("</>;rt=\"x\""),
            Just("ver=1.1"),
            Just("ü"),
        ],
        0..14,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_and_places_are_inside(text in prop_oneof![almost_links(), any::<String>()]) {
        for link in Links::new(&text) {
            match link {
                Ok(link) => {
                    let _ = (format!("{link:?}"), link.matches(&text), link.size(), link.content_formats().count());
                }
                Err(error) => prop_assert!(text.is_char_boundary(error.position())),
            }
        }
    }

    /// What was read is written, and read again to the same.
    #[test]
    fn what_is_read_can_be_written(text in almost_links()) {
        let Ok(read) = links(&text) else { return Ok(()) };
        let mut buffer = [0; 400];
        let mut writer = LinkWriter::new(&mut buffer);
        for link in &read {
            let Ok(()) = writer.link(link.target()) else { return Ok(()) };
            for attribute in link.attributes() {
                match attribute.value {
                    None => writer.flag(attribute.name).unwrap(),
                    Some(value) if value.is_quoted() => writer.quoted(attribute.name, &value.to_string()).unwrap(),
                    Some(value) => writer.token(attribute.name, value.raw()).unwrap(),
                }
            }
        }
        let written = core::str::from_utf8(writer.finish()).unwrap();
        let again = links(written).unwrap();
        prop_assert_eq!(again.len(), read.len());
        for (one, other) in read.iter().zip(&again) {
            prop_assert_eq!(one.target(), other.target());
            prop_assert!(one.attributes().eq(other.attributes()));
        }
    }

    #[test]
    fn any_value_survives_quotes(value: String) {
        let mut buffer = vec![0; 2 * value.len() + 20];
        let mut writer = LinkWriter::new(&mut buffer);
        writer.link("/a").unwrap();
        writer.quoted("t", &value).unwrap();
        let text = core::str::from_utf8(writer.finish()).unwrap();
        prop_assert_eq!(links(text).unwrap()[0].title(), None);
        prop_assert_eq!(links(text).unwrap()[0].value("t").unwrap().to_string(), value);
    }
}

#[test]
fn links_are_compared_by_what_they_say() {
    let one = |text| Links::new(text).next().unwrap().unwrap();
    let link = one("</1>;a=x;b");
    for same in ["</1>;a=x;b", "</1> ; a = \"x\" ;b", "</1>;a=\"\\x\";b"] {
        assert_eq!(one(same), link, "{same}");
    }
    for other in ["</2>;a=x;b", "</1>;b;a=x", "</1>;a=x", "</1>;a=x;b=\"\"", "</1>;a=X;b"] {
        assert_ne!(one(other), link, "{other}");
    }
    assert_eq!(one("</1> ; a = \"x y\" ;b").to_string(), "</1>;a=\"x y\";b");
}

// A name that no parser gave out must not make another attribute, or a link.
#[test]
fn an_attribute_is_copied_only_where_it_may_stand() {
    use coap_codec::WriteError;
    use coap_codec::link_format::Attribute;

    let mut buffer = [0; 16];
    let mut links = LinkWriter::new(&mut buffer);
    let flag = |name| Attribute { name, value: None };
    assert_eq!(links.attribute(flag("obs")), Err(WriteError::OutOfOrder));
    links.link("/1").unwrap();
    assert_eq!(links.attribute(flag("a;b")), Err(WriteError::InvalidValue));
    assert_eq!(links.attribute(flag("")), Err(WriteError::InvalidValue));
    links.attribute(flag("obs")).unwrap();
    assert_eq!(links.attribute(flag("too-long")), Err(WriteError::NoSpace { needed: 17 }));
    assert!(!links.is_empty());
    assert_eq!(links.finish(), b"</1>;obs");
}

#[test]
fn an_attribute_is_copied_as_it_was_written() {
    let text = r#"</1>;ver=1.1;title="a \"b\"";obs;ct="40""#;
    let link = links(text).unwrap().remove(0);
    let mut buffer = [0; 64];
    let mut writer = LinkWriter::new(&mut buffer);
    writer.link(link.target()).unwrap();
    link.attributes().for_each(|attribute| writer.attribute(attribute).unwrap());
    assert_eq!(core::str::from_utf8(writer.finish()).unwrap(), text);
}
