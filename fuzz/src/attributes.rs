//! Write-Attributes and what Discover says of them.

use coap_codec::link_format::Links;
use coap_codec::{Code, ContentFormat, OptionNumber};

use crate::formats::Desk;

/// Where attributes may be set, and where not.
const PATHS: [&[u16]; 6] = [&[9], &[9, 0], &[9, 0, 1], &[9, 0, 3], &[1, 0, 1], &[9, 7]];

/// Lines: the first byte of each says of which path, the rest are the arguments. What is set is told by
/// Discover; set once more as it is told, it stays what it is; and what is refused changes nothing.
pub fn attributes(data: &[u8]) {
    let mut desk = Desk::new();
    let mut before = told(&mut desk);
    for line in data.split(|byte| *byte == b'\n').take(8) {
        let [selector, arguments @ ..] = line else { continue };
        let path = PATHS[usize::from(*selector) % PATHS.len()];
        let code = write(&mut desk, path, arguments);
        let after = told(&mut desk);
        assert_ne!(code, Code::INTERNAL_SERVER_ERROR);
        if !code.is_success() {
            assert_eq!(before, after, "{code} changes something");
            continue;
        }
        for (path, arguments) in set(&after[0]) {
            let code = write(&mut desk, &path, arguments.as_bytes());
            assert_eq!(code, Code::CHANGED, "{path:?} {arguments}");
        }
        assert_eq!(told(&mut desk), after, "set as it was told");
        before = after;
    }
}

fn write(desk: &mut Desk, path: &[u16], arguments: &[u8]) -> Code {
    let write = &mut |writer: &mut coap_codec::MessageWriter<'_>| {
        for argument in arguments.split(|byte| *byte == b'&').take(8) {
            writer.option(OptionNumber::URI_QUERY, argument).expect("room");
        }
    };
    desk.send(Code::PUT, path, write).code
}

/// What Discover says of both objects.
fn told(desk: &mut Desk) -> [String; 2] {
    [&[9], &[1]].map(|path| {
        let accept = &mut |writer: &mut coap_codec::MessageWriter<'_>| {
            writer.accept(ContentFormat::LINK_FORMAT).expect("room");
        };
        let answer = desk.send(Code::GET, path, accept);
        assert_eq!(answer.code, Code::CONTENT);
        String::from_utf8(answer.payload().to_vec()).expect("text")
    })
}

/// By path the notification attributes of a link list, as the query of a Write-Attributes.
fn set(links: &str) -> Vec<(Vec<u16>, String)> {
    let links = Links::new(links).map(|link| link.expect("a link"));
    let one = |link: coap_codec::link_format::Link<'_>| {
        let path = link.target().trim_start_matches('/').split('/').map(|id| id.parse().expect("an id")).collect();
        let known = link.attributes().filter(|attribute| ["pmin", "pmax", "gt", "lt", "st"].contains(&attribute.name));
        let arguments: Vec<_> =
            known.map(|attribute| format!("{}={}", attribute.name, attribute.value.expect("a value"))).collect();
        (path, arguments.join("&"))
    };
    links.map(one).filter(|(_, arguments)| !arguments.is_empty()).collect()
}
