//! From a request to an operation: the routing matrix of Device Management, Bootstrap and
//! Information Reporting (OMA LwM2M 1.0, 5 and 8.2).

use coap_codec::{BlockError, BlockValue, CoapOption, Code, ContentFormat, Message, OptionNumber, Values};

use crate::base::config::segments;
use crate::base::features::{BLOCKWISE, REPORTING};
use crate::base::path::{MAX_ID, Path, PathError};
use crate::base::profile::LegacyFormats;

/// What a request asks for, its path and options still to be checked against the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation<'a> {
    pub(crate) kind: Kind,
    pub(crate) path: Path,
    /// Where its query is found.
    pub(crate) message: &'a Message<'a>,
    pub(crate) has_query: bool,
    pub(crate) content_format: Option<ContentFormat>,
    pub(crate) accept: Option<ContentFormat>,
    /// Which block of the request's body the payload is, when it comes in blocks (RFC 7959).
    pub(crate) block1: Option<BlockValue>,
    /// Which block of the answer is wanted.
    pub(crate) block2: Option<BlockValue>,
    /// Where it was looked for.
    pub(crate) places: Places<'a>,
    pub(crate) payload: &'a [u8],
}

/// What a Read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) path: Path,
    pub(crate) accept: Option<ContentFormat>,
    pub(crate) block2: Option<BlockValue>,
    pub(crate) has_query: bool,
    pub(crate) legacy: LegacyFormats,
}

impl Wanted {
    /// Of the root, with any format.
    pub(crate) const fn new(legacy: LegacyFormats) -> Self {
        Self { path: Path::ROOT, accept: None, block2: None, has_query: false, legacy }
    }

    /// Reads a plain GET: one with nothing but a path of the data model, and perhaps a format of values.
    /// False for any other, which may yet be an operation.
    #[inline(never)]
    pub(crate) fn read_plainly(&mut self, message: &Message<'_>) -> bool {
        for option in message.options() {
            let understood = match option.number {
                OptionNumber::URI_PATH => self.path.descend(option.value).is_ok(),
                OptionNumber::ACCEPT if self.accept.is_none() => {
                    self.accept = format(&option);
                    self.accept.is_some_and(|accept| accept != ContentFormat::LINK_FORMAT)
                }
                _ => false,
            };
            if !understood {
                return false;
            }
        }
        matches!(self.path.depth(), 1..=3) && self.path.instance_id() != Some(MAX_ID)
    }
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places<'a> {
    /// The alternate path, or nothing.
    pub(crate) root: &'a str,
    /// Whether there is `/.well-known/core`.
    pub(crate) well_known: bool,
    /// How the formats of their payloads are understood.
    pub(crate) legacy: LegacyFormats,
}

impl Places<'_> {
    /// What is left of a path behind the alternate path; none when it does not begin with that.
    fn below<'m>(&self, mut path: Values<'m>) -> Option<Values<'m>> {
        segments(self.root).all(|segment| path.next() == Some(segment)).then_some(path)
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

impl Unfit {
    /// Of several reasons the greatest is told: a proxy understands no option in place of another.
    const fn weight(self) -> u8 {
        match self {
            Self::Code(Code::PROXYING_NOT_SUPPORTED) => 2,
            Self::Option(_) => 1,
            Self::Code(_) => 0,
        }
    }
}

/// A block option: 4.00 for the reserved size (RFC 7959, section 2.2).
fn block(option: &CoapOption<'_>) -> Result<Option<BlockValue>, Unfit> {
    match BlockValue::from_value(option.value) {
        Ok(block) => Ok(Some(block)),
        Err(BlockError::ReservedSize) => Err(Unfit::Code(Code::BAD_REQUEST)),
        Err(_) => Err(Unfit::Option(option.number)),
    }
}

/// A format, unless its length is wrong.
const fn format(option: &CoapOption<'_>) -> Option<ContentFormat> {
    match *option.value {
        [] => Some(ContentFormat(0)),
        [low] => Some(ContentFormat(low as u16)),
        [high, low] => Some(ContentFormat(u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

/// What is taken down of the options of a request beside the operation.
#[derive(Default)]
struct Notes {
    observe: Option<u32>,
    /// Why the path is none.
    no_path: Option<PathError>,
    /// Why the request cannot be understood as a whole.
    unfit: Option<Unfit>,
}

impl Notes {
    #[cold]
    fn refuse(&mut self, unfit: Unfit) {
        // Of equals the first.
        if self.unfit.is_none_or(|known| known.weight() < unfit.weight()) {
            self.unfit = Some(unfit);
        }
    }
}

impl<'a> Operation<'a> {
    /// What a request asks for, before it is [read](Self::read).
    pub(crate) fn of(message: &'a Message<'a>, places: Places<'a>) -> Self {
        Self {
            kind: Kind::Finish,
            path: Path::ROOT,
            message,
            has_query: false,
            content_format: None,
            accept: None,
            block1: None,
            block2: None,
            places,
            payload: message.payload(),
        }
    }

    /// Reads the request's method, path and options.
    pub(crate) fn read(&mut self) -> Result<(), Unfit> {
        let notes = self.read_options();
        if let Some(unfit) = notes.unfit {
            return Err(unfit);
        }
        if !self.places.root.is_empty() || notes.no_path.is_some() {
            let path = match self.places.root {
                "" => Err(notes.no_path.unwrap_or(PathError::NotAnId)),
                _ => self.places.below(self.message.uri_path()).map_or(Err(PathError::NotAnId), Path::from_segments),
            };
            self.path = match path {
                Ok(path) => path,
                Err(error) => return self.read_elsewhere(error),
            };
        }
        if self.path.instance_id() == Some(MAX_ID) {
            return Err(Unfit::Code(Code::NOT_FOUND));
        }
        self.kind = self.route(notes.observe).ok_or(Unfit::Code(Code::METHOD_NOT_ALLOWED))?;
        Ok(())
    }

    /// Takes down what the options say, in one walk over them.
    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    fn read_options(&mut self) -> Notes {
        let mut notes = Notes::default();
        let mut previous = None;
        for option in self.message.options() {
            if option.number == OptionNumber::URI_PATH && notes.no_path.is_none() {
                // No id is too long for a segment.
                match self.path.descend(option.value) {
                    Ok(()) => continue,
                    Err(error) => notes.no_path = Some(error),
                }
            }
            let repeated = previous.replace(option.number) == Some(option.number);
            if let Err(unfit) = self.note(&option, repeated, &mut notes.observe) {
                notes.refuse(unfit);
            }
        }
        notes
    }

    /// Takes an option down. Fails for one that must be understood and is not (RFC 7252, section 5.4):
    /// unknown here, repeated, or of a wrong length.
    fn note(&mut self, option: &CoapOption<'_>, repeated: bool, observe: &mut Option<u32>) -> Result<(), Unfit> {
        // Only a body comes in blocks.
        let has_body = matches!(self.message.code(), Code::PUT | Code::POST);
        match option.number {
            OptionNumber::CONTENT_FORMAT if !repeated => self.content_format = format(option),
            OptionNumber::ACCEPT if !repeated => {
                self.accept = Some(format(option).ok_or(Unfit::Option(option.number))?);
            }
            OptionNumber::OBSERVE if !repeated => {
                *observe = option.as_uint().filter(|_| option.has_valid_length());
            }
            OptionNumber::BLOCK1 if BLOCKWISE && !repeated && has_body => self.block1 = block(option)?,
            OptionNumber::BLOCK2 if BLOCKWISE && !repeated => self.block2 = block(option)?,
            OptionNumber::URI_QUERY if option.has_valid_length() => self.has_query = true,
            OptionNumber::URI_PATH if option.has_valid_length() => {}
            OptionNumber::URI_HOST | OptionNumber::URI_PORT if !repeated && option.has_valid_length() => {}
            // Asked to be a proxy, which this is not (RFC 7252, section 5.10.2).
            OptionNumber::PROXY_URI | OptionNumber::PROXY_SCHEME => {
                return Err(Unfit::Code(Code::PROXYING_NOT_SUPPORTED));
            }
            number if number.is_critical() => return Err(Unfit::Option(number)),
            _ => {}
        }
        Ok(())
    }

    /// The same of a request whose path is none of the data model's.
    #[cold]
    fn read_elsewhere(&mut self, error: PathError) -> Result<(), Unfit> {
        self.path = Path::ROOT;
        self.kind = match (self.message.code(), special(self.message, self.places)) {
            (Code::POST, Some(Kind::Finish)) => Kind::Finish,
            (Code::GET, Some(Kind::WellKnown)) => Kind::WellKnown,
            (_, Some(Kind::WellKnown)) => return Err(Unfit::Code(Code::METHOD_NOT_ALLOWED)),
            _ => return Err(not_a_path(self.message, error)),
        };
        Ok(())
    }

    /// What it asks for as a Read.
    pub(crate) const fn wanted(&self) -> Wanted {
        let Self { path, accept, block2, has_query, places: Places { legacy, .. }, .. } = *self;
        Wanted { path, accept, block2, has_query, legacy }
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
    fn route(&self, observe: Option<u32>) -> Option<Kind> {
        // A Resource Instance has no path of its own before LwM2M 1.1.
        let depth = self.path.depth();
        if depth > 3 {
            return None;
        }
        Some(match self.message.code() {
            Code::GET if self.accept == Some(ContentFormat::LINK_FORMAT) => Kind::Discover,
            // Only the first block begins or ends an observation (RFC 7959, section 2.6).
            Code::GET => Kind::Read(match observe.filter(|_| REPORTING && self.begins_answer()) {
                Some(0) => Some(Observe::Register),
                Some(1) => Some(Observe::Cancel),
                _ => None,
            }),
            Code::PUT if self.content_format.is_none() && self.payload.is_empty() && self.has_query => {
                REPORTING.then_some(Kind::WriteAttributes)?
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

/// What a path stands for that is none of the data model's.
fn special(message: &Message<'_>, places: Places<'_>) -> Option<Kind> {
    let is = |path: &[&[u8]]| message.uri_path().eq(path.iter().copied());
    if is(&[b"bs"]) {
        return Some(Kind::Finish);
    }
    (places.well_known && is(&[b".well-known", b"core"])).then_some(Kind::WellKnown)
}

/// Why a request whose path is none of ours is refused.
fn not_a_path(message: &Message<'_>, error: PathError) -> Unfit {
    // Values that must not be sent, and are never resolved (RFC 7252, section 5.10.1).
    if message.uri_path().any(|segment| matches!(segment, b"." | b"..")) {
        return Unfit::Option(OptionNumber::URI_PATH);
    }
    Unfit::Code(if error == PathError::TooDeep { Code::METHOD_NOT_ALLOWED } else { Code::NOT_FOUND })
}

#[cfg(test)]
#[cfg(all(feature = "reporting", feature = "blockwise"))]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;
    use alloc::vec::Vec;
    use coap_codec::{Header, MessageId, MessageType, MessageWriter, Token};
    use proptest::prelude::*;

    const ROOT: Places<'static> = Places { root: "", well_known: true, legacy: LegacyFormats::Accepted };

    fn parse(method: Code, path: &str, write: impl FnOnce(&mut MessageWriter<'_>)) -> Result<(Kind, String), Unfit> {
        parse_in(ROOT, method, path, write)
    }

    fn parse_in(
        places: Places<'_>,
        method: Code,
        path: &str,
        write: impl FnOnce(&mut MessageWriter<'_>),
    ) -> Result<(Kind, String), Unfit> {
        let mut buffer = [0; 512];
        let header = Header { message_type: MessageType::Confirmable, code: method, message_id: MessageId(1) };
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        for segment in path.split('/').skip(1).filter(|_| path != "/") {
            writer.uri_path(segment).unwrap();
        }
        write(&mut writer);
        let message = Message::parse(writer.finish()).unwrap();
        let mut operation = Operation::of(&message, places);
        operation.read().map(|()| (operation.kind, std::format!("{}", operation.path)))
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
            let places = Places { root, ..ROOT };
            assert_eq!(parse_in(places, Code::GET, path, nothing), expected.map_err(Unfit::Code), "{root} {path}");
        }
        let places = Places { root: "/lwm2m", ..ROOT };
        assert_eq!(parse_in(places, Code::POST, "/bs", nothing), Ok((Kind::Finish, "/".into())));
    }

    #[test]
    fn what_there_is_can_be_asked_and_not_changed_where_it_is_offered() {
        let nothing = |_: &mut MessageWriter<'_>| {};
        for method in [Code::GET, Code::PUT, Code::POST, Code::DELETE, Code::FETCH] {
            let refused = Err(Unfit::Code(Code::METHOD_NOT_ALLOWED));
            let expected = if method == Code::GET { Ok((Kind::WellKnown, "/".into())) } else { refused };
            assert_eq!(parse(method, "/.well-known/core", nothing), expected);
            let hidden = parse_in(Places { well_known: false, ..ROOT }, method, "/.well-known/core", nothing);
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

    #[test]
    fn what_is_understood_must_have_a_length_that_it_may_have() {
        let with = |number: OptionNumber, length: usize| {
            parse(Code::GET, "/3", move |writer| writer.option(number, &[b'x'; 300][..length]).unwrap())
        };
        assert_eq!(with(OptionNumber::URI_QUERY, 255), Ok((Kind::Read(None), "/3".into())));
        for (number, length) in
            [(OptionNumber::URI_QUERY, 256), (OptionNumber::URI_HOST, 256), (OptionNumber::URI_PORT, 3)]
        {
            assert_eq!(with(number, length), Err(Unfit::Option(number)), "{length}");
        }
    }

    /// What a GET with these options asks for, read plainly.
    fn read_plainly(path: &str, write: impl FnOnce(&mut MessageWriter<'_>)) -> Option<Wanted> {
        let mut buffer = [0; 256];
        let header = Header { message_type: MessageType::Confirmable, code: Code::GET, message_id: MessageId(1) };
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        path.split('/').skip(1).for_each(|segment| writer.uri_path(segment).unwrap());
        write(&mut writer);
        let message = Message::parse(writer.finish()).unwrap();
        let mut wanted = Wanted::new(ROOT.legacy);
        if !wanted.read_plainly(&message) {
            return None;
        }
        let mut operation = Operation::of(&message, ROOT);
        assert_eq!(operation.read(), Ok(()), "what is read plainly is read either way");
        assert_eq!((operation.kind, operation.wanted()), (Kind::Read(None), wanted));
        Some(wanted)
    }

    #[test]
    fn a_plain_get_is_read_plainly_and_no_other() {
        let nothing = |_: &mut MessageWriter<'_>| {};
        for path in [Path::object(3), Path::instance(3, 0), Path::resource(3, 0, 9)] {
            let plain = Wanted { path, ..Wanted::new(ROOT.legacy) };
            assert_eq!(read_plainly(&std::format!("{path}"), nothing), Some(plain));
            let tlv = Wanted { accept: Some(ContentFormat(11_542)), ..plain };
            let asked = read_plainly(&std::format!("{path}"), |writer| writer.accept(ContentFormat(11_542)).unwrap());
            assert_eq!(asked, Some(tlv));
        }
        for path in ["/3/0/9/0", "/3/65535", "/a", "/03"] {
            assert_eq!(read_plainly(path, nothing), None, "{path}");
        }
        for (number, value) in [
            (OptionNumber::OBSERVE, &b""[..]),
            (OptionNumber::ACCEPT, b"\x28"),
            (OptionNumber::ACCEPT, b"123"),
            (OptionNumber::URI_QUERY, b"pmin=1"),
            (OptionNumber::BLOCK2, b""),
            (OptionNumber(9), b""),
            (OptionNumber(2_048), b""),
        ] {
            assert_eq!(read_plainly("/3", |writer| writer.option(number, value).unwrap()), None, "{number:?}");
        }
    }

    /// The same as [`Operation::read`], one question to the message after the other.
    fn plainly<'a>(message: &'a Message<'a>) -> Result<Operation<'a>, Unfit> {
        let block = |option: Option<Result<BlockValue, BlockError>>| {
            option.transpose().map_err(|_| Unfit::Code(Code::BAD_REQUEST))
        };
        let method = message.code();
        let proxy = [OptionNumber::PROXY_URI, OptionNumber::PROXY_SCHEME];
        if proxy.into_iter().any(|number| message.option(number).is_some()) {
            return Err(Unfit::Code(Code::PROXYING_NOT_SUPPORTED));
        }
        let understood = |number: OptionNumber| match number {
            OptionNumber::URI_HOST
            | OptionNumber::URI_PORT
            | OptionNumber::URI_PATH
            | OptionNumber::URI_QUERY
            | OptionNumber::ACCEPT
            | OptionNumber::BLOCK2 => true,
            OptionNumber::BLOCK1 => matches!(method, Code::PUT | Code::POST),
            number => !number.is_critical(),
        };
        if let Some(number) = message.unsupported_option(understood) {
            return Err(Unfit::Option(number));
        }
        let mut operation = Operation {
            kind: Kind::Finish,
            path: Path::ROOT,
            message,
            has_query: message.uri_query().next().is_some(),
            content_format: message.content_format(),
            accept: message.accept(),
            block1: block(message.block1())?,
            block2: block(message.block2())?,
            places: ROOT,
            payload: message.payload(),
        };
        if method == Code::POST && message.uri_path().eq([b"bs".as_slice()]) {
            return Ok(operation);
        }
        if message.uri_path().any(|segment| matches!(segment, b"." | b"..")) {
            return Err(Unfit::Option(OptionNumber::URI_PATH));
        }
        operation.path = Path::from_segments(message.uri_path()).map_err(|error| match error {
            PathError::TooDeep => Unfit::Code(Code::METHOD_NOT_ALLOWED),
            _ => Unfit::Code(Code::NOT_FOUND),
        })?;
        if operation.path.instance_id() == Some(MAX_ID) {
            return Err(Unfit::Code(Code::NOT_FOUND));
        }
        let kind = operation.route(message.observe());
        operation.kind = kind.ok_or(Unfit::Code(Code::METHOD_NOT_ALLOWED))?;
        Ok(operation)
    }

    /// Options that a request may have, good and bad.
    fn option() -> impl Strategy<Value = (u16, Vec<u8>)> {
        const SEGMENTS: [&str; 11] = ["3", "0", "9", "bs", "65535", "65536", "03", ".", "..", "a", ""];
        let segment = prop::sample::select(&SEGMENTS[..]).prop_map(|text| text.as_bytes().to_vec());
        const KNOWN: [u16; 18] = [1, 3, 4, 6, 7, 9, 12, 14, 15, 17, 19, 23, 27, 28, 35, 39, 60, 65_001];
        prop_oneof![
            3 => segment.prop_map(|value| (11, value)),
            2 => (prop::sample::select(&KNOWN[..]), prop::collection::vec(any::<u8>(), 0..4)),
            1 => (prop::sample::select(&[12, 17][..]), prop::sample::select(&[0u8, 40, 42][..]).prop_map(|it| vec![it])),
            1 => (prop::sample::select(&[6, 23][..]), (0u8..3).prop_map(|it| vec![it])),
        ]
    }

    proptest! {
        #[test]
        fn one_walk_finds_what_one_question_after_the_other_does(
            method in 1u8..8,
            mut options in prop::collection::vec(option(), 0..6),
            body in prop::collection::vec(any::<u8>(), 0..2),
        ) {
            options.sort_by_key(|(number, _)| *number);
            let mut buffer = [0; 256];
            let code = Code::from_byte(method);
            let header = Header { message_type: MessageType::Confirmable, code, message_id: MessageId(1) };
            let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
            for (number, value) in &options {
                writer.option(OptionNumber(*number), value).unwrap();
            }
            writer.payload(&body).unwrap();
            let message = Message::parse(writer.finish()).unwrap();
            let mut operation = Operation::of(&message, ROOT);
            prop_assert_eq!(operation.read().map(|()| operation), plainly(&message));
        }
    }

    // RFC 7252, sections 5.4.1 and 5.4.5; RFC 7959, section 2.1.
    #[test]
    #[cfg(feature = "blockwise")]
    fn a_block_of_a_body_is_understood_once_and_with_a_body_alone() {
        let block = |writer: &mut MessageWriter<'_>| writer.option(OptionNumber::BLOCK1, &[0x08]).unwrap();
        let twice = |writer: &mut MessageWriter<'_>| {
            block(writer);
            block(writer);
        };
        let refused = Err(Unfit::Option(OptionNumber::BLOCK1));
        assert_eq!(parse(Code::PUT, "/3/0", block), Ok((Kind::Replace, "/3/0".into())));
        assert_eq!(parse(Code::PUT, "/3/0", twice), refused);
        assert_eq!(parse(Code::GET, "/3/0", block), refused);
        assert_eq!(parse(Code::GET, "/3/0", twice), refused);
    }

    #[test]
    fn the_first_of_two_content_formats_is_that_of_the_body() {
        let mut buffer = [0; 64];
        let header = Header { message_type: MessageType::Confirmable, code: Code::PUT, message_id: MessageId(1) };
        let mut writer = MessageWriter::new(&mut buffer, header, Token::EMPTY).unwrap();
        writer.uri_path("3").unwrap();
        writer.content_format(ContentFormat::LWM2M_TLV).unwrap();
        writer.content_format(ContentFormat::OCTET_STREAM).unwrap();
        let message = Message::parse(writer.finish()).unwrap();
        let mut operation = Operation::of(&message, ROOT);
        operation.read().unwrap();
        assert_eq!(operation.content_format, Some(ContentFormat::LWM2M_TLV));
    }
}
