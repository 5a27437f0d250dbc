//! From a request to an operation: the routing matrix of Device Management, Bootstrap and
//! Information Reporting (OMA LwM2M 1.0, 5 and 8.2).

use coap_codec::{BlockError, BlockValue, Code, ContentFormat, Message, OptionNumber, Values};

use crate::base::config::LegacyFormats;
use crate::base::path::{MAX_ID, Path, PathError};

/// What a request asks for, its path and options still to be checked against the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation<'a> {
    pub(crate) kind: Kind,
    pub(crate) path: Path,
    /// Where its query is found.
    pub(crate) message: Message<'a>,
    pub(crate) content_format: Option<ContentFormat>,
    pub(crate) accept: Option<ContentFormat>,
    /// Which block of the request's body the payload is, when it comes in blocks (RFC 7959).
    pub(crate) block1: Option<BlockValue>,
    /// Which block of the answer is wanted.
    pub(crate) block2: Option<BlockValue>,
    /// How the two are understood.
    pub(crate) legacy: LegacyFormats,
    /// What stands in front of the paths of links in its answer: the alternate path, or nothing.
    pub(crate) root: &'a str,
    pub(crate) payload: &'a [u8],
}

/// The operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Read, with what the Observe option asks for besides.
    Read(Option<Observe>),
    Discover,
    /// Write that replaces an instance or a resource.
    Replace,
    /// Write that updates parts of an instance.
    Update,
    WriteAttributes,
    Execute,
    Create,
    Delete,
    /// Bootstrap-Finish.
    Finish,
    /// What there is, for those who do not know: GET `/.well-known/core` (RFC 6690).
    WellKnown,
}

/// Where operations are found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// The alternate path, or nothing.
    pub(crate) root: &'a str,
    /// Whether there is `/.well-known/core`.
    pub(crate) well_known: bool,
}

impl Places<'_> {
    /// Where the bootstrap server finds them.
    pub(crate) const BOOTSTRAP: Self = Self { root: "", well_known: false };

    /// What is left of a path behind the alternate path; none when it does not begin with that.
    fn below<'m>(&self, mut path: Values<'m>) -> Option<Values<'m>> {
        let mut root = self.root.split('/').skip(1).map(str::as_bytes);
        root.all(|segment| path.next() == Some(segment)).then_some(path)
    }
}

impl Kind {
    /// Whether it only asks.
    pub(crate) const fn is_read(self) -> bool {
        matches!(self, Self::Read(_) | Self::Discover | Self::WellKnown)
    }
}

/// The Observe option of a request (RFC 7641, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Observe {
    Register,
    Cancel,
}

/// Why a request is no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It has a critical option that is not understood: 4.02, or no answer when it is
    /// non-confirmable (RFC 7252, section 5.4.1).
    Option(OptionNumber),
    Code(Code),
}

/// The critical options that requests with this method may have here. Only a body comes in blocks.
fn understood(method: Code, number: OptionNumber) -> bool {
    !number.is_critical()
        || match number {
            OptionNumber::URI_HOST
            | OptionNumber::URI_PORT
            | OptionNumber::URI_PATH
            | OptionNumber::URI_QUERY
            | OptionNumber::ACCEPT
            | OptionNumber::BLOCK2 => true,
            OptionNumber::BLOCK1 => matches!(method, Code::PUT | Code::POST),
            _ => false,
        }
}

/// A block option: 4.00 for the reserved size (RFC 7959, section 2.2).
fn block(option: Option<Result<BlockValue, BlockError>>) -> Result<Option<BlockValue>, Unfit> {
    option.transpose().map_err(|_| Unfit::Code(Code::BAD_REQUEST))
}

impl<'a> Operation<'a> {
    /// Reads the request's method, path and options.
    pub(crate) fn parse(message: &Message<'a>, places: Places<'a>) -> Result<Self, Unfit> {
        // Asked to be a proxy, which this is not (RFC 7252, section 5.10.2).
        let proxy = [OptionNumber::PROXY_URI, OptionNumber::PROXY_SCHEME];
        if proxy.into_iter().any(|number| message.option(number).is_some()) {
            return Err(Unfit::Code(Code::PROXYING_NOT_SUPPORTED));
        }
        if let Some(number) = message.unsupported_option(|number| understood(message.code(), number)) {
            return Err(Unfit::Option(number));
        }
        let mut operation = Self {
            kind: Kind::Finish,
            path: Path::ROOT,
            message: *message,
            content_format: message.content_format(),
            accept: message.accept(),
            block1: block(message.block1())?,
            block2: block(message.block2())?,
            legacy: LegacyFormats::default(),
            root: places.root,
            payload: message.payload(),
        };
        if message.code() == Code::POST && message.uri_path().eq([b"bs".as_slice()]) {
            return Ok(operation);
        }
        // Values that must not be sent, and are never resolved (RFC 7252, section 5.10.1).
        if message.uri_path().any(|segment| matches!(segment, b"." | b"..")) {
            return Err(Unfit::Option(OptionNumber::URI_PATH));
        }
        if places.well_known && message.uri_path().eq([b".well-known".as_slice(), b"core"]) {
            operation.kind = Kind::WellKnown;
            return if message.code() == Code::GET {
                Ok(operation)
            } else {
                Err(Unfit::Code(Code::METHOD_NOT_ALLOWED))
            };
        }
        let path = places.below(message.uri_path()).ok_or(Unfit::Code(Code::NOT_FOUND))?;
        operation.path = Path::from_segments(path).map_err(|error| match error {
            PathError::TooDeep => Unfit::Code(Code::METHOD_NOT_ALLOWED),
            _ => Unfit::Code(Code::NOT_FOUND),
        })?;
        if operation.path.instance_id() == Some(MAX_ID) {
            return Err(Unfit::Code(Code::NOT_FOUND));
        }
        operation.kind = operation.route(message).ok_or(Unfit::Code(Code::METHOD_NOT_ALLOWED))?;
        Ok(operation)
    }

    /// Whether the whole answer is wanted, or the first block of it.
    pub(crate) fn begins_answer(&self) -> bool {
        self.block2.is_none_or(|block| block.num() == 0)
    }

    /// The arguments of its Uri-Query.
    pub(crate) fn query(&self) -> Values<'a> {
        self.message.uri_query()
    }

    /// The routing matrix; none is 4.05. The root is routed for the sake of bootstrap, which alone
    /// may use it.
    fn route(&self, message: &Message<'_>) -> Option<Kind> {
        // A Resource Instance has no path of its own before LwM2M 1.1.
        let depth = self.path.depth();
        if depth > 3 {
            return None;
        }
        Some(match message.code() {
            Code::GET if self.accept == Some(ContentFormat::LINK_FORMAT) => Kind::Discover,
            // Only the first block begins or ends an observation (RFC 7959, section 2.6).
            Code::GET => Kind::Read(match message.observe().filter(|_| self.begins_answer()) {
                Some(0) => Some(Observe::Register),
                Some(1) => Some(Observe::Cancel),
                _ => None,
            }),
            Code::PUT if self.content_format.is_none() && self.payload.is_empty() && self.query().next().is_some() => {
                Kind::WriteAttributes
            }
            Code::PUT => Kind::Replace,
            Code::POST => match depth {
                1 => Kind::Create,
                2 => Kind::Update,
                3 => Kind::Execute,
                _ => return None,
            },
            Code::DELETE => Kind::Delete,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use coap_codec::{Header, MessageId, MessageType, MessageWriter, Token};

    const ROOT: Places<'static> = Places { root: "", well_known: true };

    fn parse(method: Code, path: &str, write: impl FnOnce(&mut MessageWriter<'_>)) -> Result<(Kind, String), Unfit> {
        parse_in(ROOT, method, path, write)
    }

    fn parse_in(
        places: Places<'_>,
        method: Code,
        path: &str,
        write: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Result<(Kind, String), Unfit> {
        let mut buffer = [0; 256];
        let header = Header { message_type: MessageType::Confirmable, code: method, message_id: MessageId(1) };
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        for segment in path.split('/').skip(1).filter(|_| path != "/") {
            writer.uri_path(segment).unwrap();
        }
        write(&mut writer);
        let message = Message::parse(writer.finish()).unwrap();
        Operation::parse(&message, places).map(|operation| (operation.kind, std::format!("{}", operation.path)))
    }

    #[test]
    fn the_routing_matrix_of_the_reference() {
        let query = |writer: &mut MessageWriter<'_>| writer.option(OptionNumber::URI_QUERY, b"pmin=1").unwrap();
        let links = |writer: &mut MessageWriter<'_>| writer.accept(ContentFormat::LINK_FORMAT).unwrap();
        let body = |writer: &mut MessageWriter<'_>| writer.payload(b"1").unwrap();
        let nothing = |_: &mut MessageWriter<'_>| {};
        for (path, get, put, post, delete) in [
            ("/3", Kind::Read(None), Kind::Replace, Kind::Create, Kind::Delete),
            ("/3/0", Kind::Read(None), Kind::Replace, Kind::Update, Kind::Delete),
            ("/3/0/9", Kind::Read(None), Kind::Replace, Kind::Execute, Kind::Delete),
        ] {
            assert_eq!(parse(Code::GET, path, nothing), Ok((get, path.into())));
            assert_eq!(parse(Code::GET, path, links), Ok((Kind::Discover, path.into())));
            assert_eq!(parse(Code::PUT, path, body), Ok((put, path.into())));
            assert_eq!(parse(Code::PUT, path, query), Ok((Kind::WriteAttributes, path.into())));
            assert_eq!(parse(Code::POST, path, nothing), Ok((post, path.into())));
            assert_eq!(parse(Code::DELETE, path, nothing), Ok((delete, path.into())));
            assert_eq!(parse(Code::FETCH, path, nothing), Err(Unfit::Code(Code::METHOD_NOT_ALLOWED)));
        }
        assert_eq!(parse(Code::POST, "/bs", nothing), Ok((Kind::Finish, "/".into())));
    }

    #[test]
    fn observe_is_zero_or_one_and_anything_else_a_plain_read() {
        for (number, observe) in [(0, Some(Observe::Register)), (1, Some(Observe::Cancel)), (2, None)] {
            let request = parse(Code::GET, "/3/0/9", |writer| writer.observe(number).unwrap());
            assert_eq!(request, Ok((Kind::Read(observe), "/3/0/9".into())));
        }
    }

    #[test]
    fn what_is_no_lwm2m_path_is_refused() {
        let nothing = |_: &mut MessageWriter<'_>| {};
        for (path, code) in [
            ("/a/b", Code::NOT_FOUND),
            ("/03/0", Code::NOT_FOUND),
            ("/65536", Code::NOT_FOUND),
            ("/3/65535", Code::NOT_FOUND),
            ("/3//9", Code::NOT_FOUND),
            ("/3/0/11/0", Code::METHOD_NOT_ALLOWED),
            ("/3/0/11/0/0", Code::METHOD_NOT_ALLOWED),
            ("/bs", Code::NOT_FOUND),
        ] {
            assert_eq!(parse(Code::GET, path, nothing), Err(Unfit::Code(code)), "{path}");
        }
    }

    #[test]
    fn below_an_alternate_path_and_nowhere_else() {
        let nothing = |_: &mut MessageWriter<'_>| {};
        for (root, path, expected) in [
            ("/lwm2m", "/lwm2m/3/0/9", Ok((Kind::Read(None), "/3/0/9".into()))),
            ("/lwm2m", "/lwm2m", Ok((Kind::Read(None), "/".into()))),
            ("/a/b", "/a/b/3", Ok((Kind::Read(None), "/3".into()))),
            ("/lwm2m", "/3/0/9", Err(Code::NOT_FOUND)),
            ("/lwm2m", "/", Err(Code::NOT_FOUND)),
            ("/lwm2m", "/lwm2/3", Err(Code::NOT_FOUND)),
            ("/lwm2m", "/lwm2m2/3", Err(Code::NOT_FOUND)),
            ("/lwm2m", "/LWM2M/3", Err(Code::NOT_FOUND)),
            ("/lwm2m", "/lwm2m/lwm2m/3", Err(Code::NOT_FOUND)),
            ("/a/b", "/a/3", Err(Code::NOT_FOUND)),
            ("/lwm2m", "/lwm2m/3/0/11/0", Err(Code::METHOD_NOT_ALLOWED)),
            ("/lwm2m", "/.well-known/core", Ok((Kind::WellKnown, "/".into()))),
            ("/lwm2m", "/lwm2m/.well-known/core", Err(Code::NOT_FOUND)),
        ] {
            let places = Places { root, well_known: true };
            assert_eq!(parse_in(places, Code::GET, path, nothing), expected.map_err(Unfit::Code), "{root} {path}");
        }
        let places = Places { root: "/lwm2m", well_known: true };
        assert_eq!(parse_in(places, Code::POST, "/bs", nothing), Ok((Kind::Finish, "/".into())));
    }

    #[test]
    fn what_there_is_can_be_asked_and_not_changed_where_it_is_offered() {
        let nothing = |_: &mut MessageWriter<'_>| {};
        for method in [Code::GET, Code::PUT, Code::POST, Code::DELETE, Code::FETCH] {
            let refused = Err(Unfit::Code(Code::METHOD_NOT_ALLOWED));
            let expected = if method == Code::GET { Ok((Kind::WellKnown, "/".into())) } else { refused };
            assert_eq!(parse(method, "/.well-known/core", nothing), expected);
            let hidden = parse_in(Places::BOOTSTRAP, method, "/.well-known/core", nothing);
            assert_eq!(hidden, Err(Unfit::Code(Code::NOT_FOUND)));
        }
        for path in ["/.well-known", "/.well-known/coap", "/.well-known/core/3", "/.well-known//core"] {
            assert_eq!(parse(Code::GET, path, nothing), Err(Unfit::Code(Code::NOT_FOUND)), "{path}");
        }
    }

    #[test]
    fn critical_options_that_are_not_understood_are_named() {
        let with =
            |number: u16| parse(Code::GET, "/3", move |writer| writer.option(OptionNumber(number), b"x").unwrap());
        assert_eq!(with(9), Err(Unfit::Option(OptionNumber(9))));
        assert_eq!(with(1), Err(Unfit::Option(OptionNumber::IF_MATCH)));
        assert_eq!(with(35), Err(Unfit::Code(Code::PROXYING_NOT_SUPPORTED)));
        assert_eq!(with(10), Ok((Kind::Read(None), "/3".into())));
    }
}
