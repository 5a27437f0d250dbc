//! What an XML definition says, read and checked: the schema of OMA's LwM2M registry.

use roxmltree::{Document, Node};

use crate::range::Range;

/// An object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) urn: String,
    pub(crate) version: (u8, u8),
    pub(crate) multiple: bool,
    pub(crate) mandatory: bool,
    /// In ascending order of their ids.
    pub(crate) resources: Vec<Resource>,
}

/// A resource.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Resource {
    pub(crate) id: u16,
    pub(crate) name: String,
    pub(crate) operations: Operations,
    pub(crate) multiple: bool,
    pub(crate) mandatory: bool,
    pub(crate) data_type: DataType,
    pub(crate) range: Range,
    pub(crate) unit: String,
}

/// What a server may do; the variants have the names that lwm2m-core gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operations {
    Bootstrap,
    R,
    W,
    RW,
    E,
}

/// Data types; the variants have the names that lwm2m-core gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataType {
    String,
    Integer,
    UnsignedInteger,
    Float,
    Boolean,
    Opaque,
    Time,
    ObjectLink,
    CoreLink,
    None,
}

/// Why a text is no definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("not XML: {0}")]
    Xml(#[from] roxmltree::Error),
    #[error("{0} objects in one file, where one belongs")]
    Objects(usize),
    #[error("{place}: no <{element}>")]
    Missing { place: String, element: &'static str },
    #[error("{place}: <{element}> is {found:?}")]
    Unknown { place: String, element: &'static str, found: String },
    #[error("resource {0} is defined twice")]
    Twice(u16),
    #[error("resource {0} can be read or written, and has no type")]
    NoType(u16),
}

impl Object {
    /// Reads a file's text.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        // Some of OMA's files begin with a byte order mark.
        let document = Document::parse(text.trim_start_matches('\u{feff}'))?;
        let objects: Vec<_> = document.descendants().filter(|node| node.has_tag_name("Object")).collect();
        let [node] = &*objects else { return Err(Error::Objects(objects.len())) };
        let element = Element { node: *node, place: "the object".into() };
        let mut resources = Vec::new();
        for item in node.children().filter(|node| node.has_tag_name("Resources")).flat_map(|list| list.children()) {
            if item.has_tag_name("Item") {
                resources.push(Resource::read(item)?);
            }
        }
        resources.sort_by_key(|resource| resource.id);
        if let Some(pair) = resources.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(Error::Twice(pair[0].id));
        }
        Ok(Self {
            id: element.number("ObjectID", element.text("ObjectID")?)?,
            name: element.text("Name")?,
            urn: element.text("ObjectURN").unwrap_or_default(),
            version: element.version()?,
            multiple: element.one_of("MultipleInstances", [("Single", false), ("Multiple", true)])?,
            mandatory: element.one_of("Mandatory", [("Optional", false), ("Mandatory", true)])?,
            resources,
        })
    }
}

impl Resource {
    fn read(item: Node<'_, '_>) -> Result<Self, Error> {
        let found = item.attribute("ID").unwrap_or_default();
        let anywhere = Element { node: item, place: "a resource".into() };
        let id = anywhere.number("Item ID", found.into())?;
        let element = Element { node: item, place: format!("resource {id}") };
        let operations = element.one_of(
            "Operations",
            [
                ("", Operations::Bootstrap),
                ("R", Operations::R),
                ("W", Operations::W),
                ("RW", Operations::RW),
                ("E", Operations::E),
            ],
        )?;
        let data_type = match element.one_of(
            "Type",
            [
                ("", DataType::None),
                ("String", DataType::String),
                ("Integer", DataType::Integer),
                ("Unsigned Integer", DataType::UnsignedInteger),
                ("Float", DataType::Float),
                ("Boolean", DataType::Boolean),
                ("Opaque", DataType::Opaque),
                ("Time", DataType::Time),
                ("Objlnk", DataType::ObjectLink),
                ("Corelnk", DataType::CoreLink),
            ],
        )? {
            DataType::None if operations != Operations::E => return Err(Error::NoType(id)),
            // What is executed takes arguments, not values, whatever the file says.
            _ if operations == Operations::E => DataType::None,
            other => other,
        };
        Ok(Self {
            id,
            name: element.text("Name")?,
            operations,
            multiple: element.one_of("MultipleInstances", [("Single", false), ("Multiple", true)])?,
            mandatory: element.one_of("Mandatory", [("Optional", false), ("Mandatory", true)])?,
            data_type,
            range: Range::parse(&element.text("RangeEnumeration").unwrap_or_default(), data_type),
            unit: element.text("Units").unwrap_or_default(),
        })
    }
}

/// An XML element, and what to call it when something is wrong.
struct Element<'a, 'i> {
    node: Node<'a, 'i>,
    place: String,
}

impl Element<'_, '_> {
    /// The text of a child, without space around it, and any other space as one blank.
    fn text(&self, element: &'static str) -> Result<String, Error> {
        let child = self.node.children().find(|node| node.has_tag_name(element));
        let child = child.ok_or_else(|| Error::Missing { place: self.place.clone(), element })?;
        let text: String = child.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn one_of<T: Copy, const N: usize>(&self, element: &'static str, known: [(&str, T); N]) -> Result<T, Error> {
        let found = self.text(element)?;
        let value = known.iter().find(|(name, _)| *name == found).map(|(_, value)| *value);
        value.ok_or_else(|| self.unknown(element, found))
    }

    fn number(&self, element: &'static str, found: String) -> Result<u16, Error> {
        found.parse().map_err(|_| self.unknown(element, found))
    }

    /// 1.0 where the file says nothing: so it was before there were versions.
    fn version(&self) -> Result<(u8, u8), Error> {
        let found = self.text("ObjectVersion").unwrap_or_default();
        if found.is_empty() {
            return Ok((1, 0));
        }
        let parsed = found.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
        parsed.ok_or_else(|| self.unknown("ObjectVersion", found))
    }

    fn unknown(&self, element: &'static str, found: String) -> Error {
        Error::Unknown { place: self.place.clone(), element, found }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An object with these items, as the registry writes them.
    pub(crate) fn xml(head: &str, items: &str) -> String {
        format!(
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- a licence -->\n<LWM2M><Object ObjectType=\"MODefinition\">
               <Name>Pump</Name><Description1><![CDATA[It <pumps>.]]></Description1><ObjectID>30000</ObjectID>
               <ObjectURN>urn:oma:lwm2m:x:30000</ObjectURN>{head}<Resources>{items}</Resources></Object></LWM2M>"
        )
    }

    pub(crate) const SINGLE: &str = "<MultipleInstances>Single</MultipleInstances><Mandatory>Optional</Mandatory>";

    pub(crate) fn item(id: &str, name: &str, operations: &str, rest: &str) -> String {
        format!("<Item ID=\"{id}\"><Name>{name}</Name>\n\t<Operations>{operations}</Operations>{rest}</Item>")
    }

    fn failure(head: &str, items: &str) -> String {
        Object::parse(&xml(head, items)).expect_err("it is no definition").to_string()
    }

    #[test]
    fn an_object_is_read_whole() {
        let head = "<LWM2MVersion>1.1</LWM2MVersion><ObjectVersion>2.1</ObjectVersion>\
                    <MultipleInstances>Multiple</MultipleInstances><Mandatory>Mandatory</Mandatory>";
        let litres = item(
            "7",
            "Litres",
            "R",
            &format!("{SINGLE}<Type>Float</Type><RangeEnumeration>0..9.5</RangeEnumeration><Units>l</Units>"),
        );
        let label = item(
            "2",
            " The\n\tLabel ",
            "\n RW ",
            "<MultipleInstances>Multiple</MultipleInstances>\
            <Mandatory>Mandatory</Mandatory><Type> String </Type><RangeEnumeration></RangeEnumeration><Units/>",
        );
        let object = Object::parse(&xml(head, &format!("{litres}{label}"))).unwrap();
        assert_eq!((object.id, object.name.as_str(), object.urn.as_str()), (30_000, "Pump", "urn:oma:lwm2m:x:30000"));
        assert_eq!((object.version, object.multiple, object.mandatory), ((2, 1), true, true));
        let [label, litres] = &*object.resources else { panic!("two, in order of their ids: {object:?}") };
        assert_eq!((label.id, label.name.as_str(), label.unit.as_str()), (2, "The Label", ""));
        assert_eq!((label.operations, label.data_type), (Operations::RW, DataType::String));
        assert!(label.multiple && label.mandatory && label.range == Range::Any);
        assert_eq!((litres.operations, litres.data_type), (Operations::R, DataType::Float));
        assert!(!litres.multiple && !litres.mandatory && litres.range == Range::Float(0.0, 9.5) && litres.unit == "l");
    }

    #[test]
    fn every_type_and_every_operation_has_its_name() {
        for (name, data_type) in [
            ("String", DataType::String),
            ("Integer", DataType::Integer),
            ("Unsigned Integer", DataType::UnsignedInteger),
            ("Float", DataType::Float),
            ("Boolean", DataType::Boolean),
            ("Opaque", DataType::Opaque),
            ("Time", DataType::Time),
            ("Objlnk", DataType::ObjectLink),
            ("Corelnk", DataType::CoreLink),
        ] {
            let one = item("0", "x", "R", &format!("{SINGLE}<Type>{name}</Type>"));
            assert_eq!(Object::parse(&xml(SINGLE, &one)).unwrap().resources[0].data_type, data_type);
        }
        for (name, operations) in
            [("", Operations::Bootstrap), ("R", Operations::R), ("W", Operations::W), ("RW", Operations::RW)]
        {
            let one = item("0", "x", name, &format!("{SINGLE}<Type>Integer</Type>"));
            assert_eq!(Object::parse(&xml(SINGLE, &one)).unwrap().resources[0].operations, operations);
        }
        for kind in ["", "String"] {
            let one = item("0", "x", "E", &format!("{SINGLE}<Type>{kind}</Type>"));
            let object = Object::parse(&xml(SINGLE, &one)).unwrap();
            let resource = &object.resources[0];
            assert_eq!((resource.operations, resource.data_type), (Operations::E, DataType::None));
            assert_eq!((object.version, object.multiple, object.mandatory), ((1, 0), false, false));
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let typed = |kind: &str| format!("{SINGLE}<Type>{kind}</Type>");
        let one = item("0", "x", "R", &typed("Integer"));
        for (head, items, message) in [
            (SINGLE, item("0", "x", "R", &typed("Integr")), "resource 0: <Type> is \"Integr\""),
            (SINGLE, item("4", "x", "R", &typed("")), "resource 4 can be read or written, and has no type"),
            (SINGLE, item("4", "x", "RX", &typed("Time")), "resource 4: <Operations> is \"RX\""),
            (SINGLE, item("70000", "x", "R", &typed("Time")), "a resource: <Item ID> is \"70000\""),
            (SINGLE, item("4", "x", "R", "<Type>Time</Type>"), "resource 4: no <MultipleInstances>"),
            (SINGLE, format!("{one}{one}"), "resource 0 is defined twice"),
            ("<Mandatory>Optional</Mandatory>", one.clone(), "the object: no <MultipleInstances>"),
            (
                "<MultipleInstances>Single</MultipleInstances><Mandatory>Maybe</Mandatory>",
                one.clone(),
                "the object: <Mandatory> is \"Maybe\"",
            ),
        ] {
            assert_eq!(failure(head, &items), message);
        }
        let version = format!("<ObjectVersion>one</ObjectVersion>{SINGLE}");
        assert_eq!(failure(&version, &one), "the object: <ObjectVersion> is \"one\"");
        assert_eq!(Object::parse("<LWM2M/>").unwrap_err().to_string(), "0 objects in one file, where one belongs");
        assert!(Object::parse("<LWM2M>").unwrap_err().to_string().starts_with("not XML: "));
    }
}
