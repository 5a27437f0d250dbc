//! How the platform reads TLV and link-format: written from the standards, and sharing nothing with
//! the readers and writers of the client, so that neither can hide the other's mistakes.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// One TLV (OMA LwM2M 1.0, 6.4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An Object Instance: its id, and its resources.
    Instance(u16, Vec<Self>),
    /// A multiple resource: its id, and its resource instances.
    Multiple(u16, Vec<Self>),
    /// A resource: its id, and the bytes of its value.
    Resource(u16, Vec<u8>),
    /// A resource instance: its id, and the bytes of its value.
    ResourceInstance(u16, Vec<u8>),
}

/// What may stand beside each other.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// Nothing around: instances, or the resources of one, or the instances of a resource.
    Payload,
    Instance,
    Multiple,
}

impl Node {
    /// Reads a whole payload; none when it is not well-formed.
    ///
    /// ```
    /// use lwm2m_core::sim::reader::Node;
    ///
    /// let nodes = Node::read(&[0x83, 0x0b, 0x41, 0x00, 0x00, 0xc1, 0x09, 0x64]).unwrap();
    /// assert_eq!(nodes, [
    ///     Node::Multiple(11, vec![Node::ResourceInstance(0, vec![0])]),
    ///     Node::Resource(9, vec![100]),
    /// ]);
    /// assert_eq!(nodes[1].integer(), Some(100));
    /// ```
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Vec<Self>> {
        Self::list(payload, Inside::Payload)
    }

    fn list(mut bytes: &[u8], inside: Inside) -> Option<Vec<Self>> {
        let mut nodes: Vec<Self> = Vec::new();
        while !bytes.is_empty() {
            let node = Self::one(&mut bytes, inside)?;
            // An instance never stands beside a bare resource, nor a resource instance beside one.
            if nodes.first().is_some_and(|first| first.level() != node.level()) {
                return None;
            }
            nodes.push(node);
        }
        Some(nodes)
    }

    fn one(bytes: &mut &[u8], inside: Inside) -> Option<Self> {
        let kind = number(bytes, 1)?;
        let id = number(bytes, if kind & 0x20 == 0 { 1 } else { 2 })?;
        let length = match kind >> 3 & 3 {
            0 => kind & 7,
            width => number(bytes, width as usize)?,
        };
        let (value, rest) = bytes.split_at_checked(length as usize)?;
        *bytes = rest;
        let id = id as u16;
        match (kind >> 6, inside) {
            (0, Inside::Payload) => Some(Self::Instance(id, Self::list(value, Inside::Instance)?)),
            (1, Inside::Payload | Inside::Multiple) => Some(Self::ResourceInstance(id, value.to_vec())),
            (2, Inside::Payload | Inside::Instance) => Some(Self::Multiple(id, Self::list(value, Inside::Multiple)?)),
            (3, Inside::Payload | Inside::Instance) => Some(Self::Resource(id, value.to_vec())),
            _ => None,
        }
    }

    const fn level(&self) -> u8 {
        match self {
            Self::Instance(..) => 0,
            Self::Multiple(..) | Self::Resource(..) => 1,
            Self::ResourceInstance(..) => 2,
        }
    }

    /// The id, whatever it is of.
    #[must_use]
    pub const fn id(&self) -> u16 {
        match self {
            Self::Instance(id, _) | Self::Multiple(id, _) | Self::Resource(id, _) | Self::ResourceInstance(id, _) => {
                *id
            }
        }
    }

    /// What is below: of an instance or a multiple resource.
    #[must_use]
    pub fn children(&self) -> &[Self] {
        match self {
            Self::Instance(_, children) | Self::Multiple(_, children) => children,
            Self::Resource(..) | Self::ResourceInstance(..) => &[],
        }
    }

    /// The value's bytes: of a resource or a resource instance.
    #[must_use]
    pub fn value(&self) -> Option<&[u8]> {
        match self {
            Self::Resource(_, value) | Self::ResourceInstance(_, value) => Some(value),
            Self::Instance(..) | Self::Multiple(..) => None,
        }
    }

    /// The value as an Integer, a Time or a Boolean: 1, 2, 4 or 8 bytes, two's complement.
    #[must_use]
    pub fn integer(&self) -> Option<i64> {
        let value = self.value().filter(|value| matches!(value.len(), 1 | 2 | 4 | 8))?;
        let sign = if value.first()? & 0x80 == 0 { 0 } else { -1 };
        Some(value.iter().fold(sign, |sum, byte| sum << 8 | i64::from(*byte)))
    }

    /// The value as a String.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(self.value()?).ok()
    }

    /// The node with an id in a list.
    #[must_use]
    pub fn find(nodes: &[Self], id: u16) -> Option<&Self> {
        nodes.iter().find(|node| node.id() == id)
    }
}

/// Takes a big-endian number of `width` bytes, at most three.
fn number(bytes: &mut &[u8], width: usize) -> Option<u32> {
    let (taken, rest) = bytes.split_at_checked(width)?;
    *bytes = rest;
    Some(taken.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

/// One link of a list in CoRE link-format (RFC 6690, section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is between `<` and `>`: `/3/0`.
    pub target: String,
    /// The attributes in their order, without quotes; the value is absent where there is no `=`.
    pub attributes: Vec<(String, Option<String>)>,
}

impl Link {
    /// Reads a whole list; none when it is not well-formed.
    ///
    /// ```
    /// use lwm2m_core::sim::reader::Link;
    ///
    /// let links = Link::read(b"</44>;ver=\"2.2\",</44/0>").unwrap();
    /// assert_eq!((links[0].attribute("ver"), &*links[1].target), (Some("2.2"), "/44/0"));
    /// assert_eq!(Link::read(b"</3/0"), None);
    /// ```
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Vec<Self>> {
        let mut rest = core::str::from_utf8(payload).ok()?;
        let mut links = Vec::new();
        if rest.is_empty() {
            return Some(links);
        }
        loop {
            let (target, after) = rest.strip_prefix('<')?.split_once('>')?;
            rest = after;
            let mut link = Self { target: target.to_string(), attributes: Vec::new() };
            while let Some(after) = rest.strip_prefix(';') {
                link.attributes.push(attribute(after, &mut rest)?);
            }
            links.push(link);
            if rest.is_empty() {
                return Some(links);
            }
            rest = rest.strip_prefix(',')?;
        }
    }

    /// The value of an attribute; empty when it has none.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }
}

/// `name`, `name=token` or `name="quoted \" string"`; `rest` is what follows.
fn attribute<'a>(text: &'a str, rest: &mut &'a str) -> Option<(String, Option<String>)> {
    let (name, after) = text.split_at(text.find(['=', ';', ',']).unwrap_or(text.len()));
    if name.is_empty() || name.contains(['"', '<', '>', ' ']) {
        return None;
    }
    let value = match after.strip_prefix('=') {
        None => {
            *rest = after;
            None
        }
        Some(after) => Some(match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted, rest)?,
            None => {
                let (token, after) = after.split_at(after.find([';', ',']).unwrap_or(after.len()));
                *rest = after;
                Some(token).filter(|token| !token.is_empty() && !token.contains(['"', ' ']))?.to_string()
            }
        }),
    };
    Some((name.to_string(), value))
}

fn unquote<'a>(quoted: &'a str, rest: &mut &'a str) -> Option<String> {
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => break,
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
    *rest = characters.as_str();
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use serde_json::Value as Json;

    fn vectors() -> Json {
        serde_json::from_str(include_str!("../../tests/data/tlv-vectors.json")).unwrap()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    fn rows<'a>(vectors: &'a Json, kind: &str) -> &'a [Json] {
        vectors[kind].as_array().unwrap()
    }

    /// The bytes of a row; the long ones tell their beginning and their length.
    fn payload(row: &Json) -> Vec<u8> {
        let hex = row["hex"].as_str().unwrap();
        let Some(beginning) = hex.strip_suffix("...") else { return bytes(hex) };
        let mut payload = bytes(beginning);
        let filling = *payload.last().unwrap();
        payload.resize(row["length"].as_u64().unwrap() as usize, filling);
        payload
    }

    fn tree(nodes: &Json) -> Vec<Node> {
        let node = |node: &Json| {
            let id = node[1].as_u64().unwrap() as u16;
            let value = || bytes(node[2].as_str().unwrap());
            match node[0].as_str().unwrap() {
                "instance" => Node::Instance(id, tree(&node[2])),
                "multiple" => Node::Multiple(id, tree(&node[2])),
                "resource" => Node::Resource(id, value()),
                "resource_instance" => Node::ResourceInstance(id, value()),
                other => panic!("{other}"),
            }
        };
        nodes.as_array().unwrap().iter().map(node).collect()
    }

    #[test]
    fn every_valid_vector_is_read_to_its_tree() {
        let vectors = vectors();
        let valid = rows(&vectors, "valid");
        assert_eq!(valid.len(), 47);
        for row in valid {
            let payload = payload(row);
            let nodes = Node::read(&payload);
            if row["tree"].is_null() {
                let length = row["id"].as_str().unwrap().rsplit('-').next().unwrap().parse::<usize>().unwrap();
                let value = payload[payload.len() - length..].to_vec();
                assert_eq!(nodes, Some(vec![Node::Resource(0, value)]), "{row}");
            } else {
                assert_eq!(nodes, Some(tree(&row["tree"])), "{row}");
            }
        }
    }

    #[test]
    fn longer_forms_mean_the_same_and_malformed_ones_nothing() {
        let vectors = vectors();
        for row in rows(&vectors, "non_canonical_accept") {
            let read = Node::read(&payload(row)).unwrap();
            match row["same_as"].as_str() {
                Some(same) => assert_eq!(Some(read), Node::read(&bytes(same)), "{row}"),
                None => assert_eq!(read[0].integer(), Some(1), "{row}"),
            }
        }
        let malformed = rows(&vectors, "malformed");
        assert_eq!(malformed.len(), 14);
        for row in malformed {
            assert_eq!(Node::read(&payload(row)), None, "{row}");
        }
    }

    #[test]
    fn numbers_are_as_the_vectors_tell_them() {
        let mut seen = 0;
        for row in rows(&vectors(), "valid") {
            let mut words = row["meaning"].as_str().unwrap().split(' ');
            if let (Some("Integer" | "Time"), Some(number)) = (words.next(), words.next()) {
                assert_eq!(Node::read(&payload(row)).unwrap()[0].integer(), number.parse().ok(), "{row}");
                seen += 1;
            }
        }
        assert_eq!(seen, 18);
    }

    #[test]
    fn what_the_platform_writes_it_reads() {
        use crate::sim::Tlv;
        for length in [0, 7, 8, 255, 256, 65_535, 65_536] {
            for id in [0, 255, 256, 65_535] {
                let value = vec![7; length];
                let instance = Tlv::new().instance(id, &Tlv::new().resource(id, &value).integer(1, -129));
                let resources = vec![Node::Resource(id, value), Node::Resource(1, vec![0xff, 0x7f])];
                assert_eq!(Node::read(instance.bytes()), Some(vec![Node::Instance(id, resources)]));
            }
        }
    }

    #[test]
    fn links_are_read_as_rfc_6690_has_them() {
        let list = br#"</>;rt="oma.lwm2m";ct=11543,</1/0>,</44>;ver="2.2",</5>;flag;x="a\"b,;<>""#;
        let links = Link::read(list).unwrap();
        let targets: Vec<_> = links.iter().map(|link| &*link.target).collect();
        assert_eq!(targets, ["/", "/1/0", "/44", "/5"]);
        assert_eq!((links[0].attribute("rt"), links[0].attribute("ct")), (Some("oma.lwm2m"), Some("11543")));
        assert_eq!(links[3].attributes[0], ("flag".to_string(), None));
        assert_eq!((links[3].attribute("x"), links[3].attribute("y")), (Some("a\"b,;<>"), None));
        assert_eq!(Link::read(b""), Some(vec![]));
        for bad in [
            "</1",
            "/1",
            "</1>,",
            "</1>;",
            "</1>;=1",
            "</1>;a=",
            "</1>;a=\"b",
            "</1>;a=\"b\"c",
            "</1> ,</2>",
            "</1></2>",
        ] {
            assert_eq!(Link::read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Link::read(b"</\xff>"), None);
    }
}
