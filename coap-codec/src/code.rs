//! Method and response codes, written `c.dd` (RFC 7252 §3, §12.1).

use core::fmt;

/// The code of a message: a class of three bits and a detail of five.
///
/// Any byte is a code; those that nobody has registered travel through untouched. A receiver
/// treats an unknown 4.xx as 4.00 and an unknown 5.xx as 5.00 (RFC 7252 §5.2): go by
/// [`is_client_error`](Self::is_client_error) and its like.
///
/// ```
/// use coap_codec::Code;
///
/// assert_eq!(Code::from_byte(0x45), Code::CONTENT);
/// assert_eq!(Code::CONTENT.to_string(), "2.05");
/// assert_eq!(format!("{:?}", Code::CONTENT), "2.05 Content");
/// assert!(Code::new(4, 30).is_some_and(Code::is_client_error));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u8);

macro_rules! codes {
    ($($byte:literal $constant:ident $dotted:literal $name:literal $rfc:literal)*) => {
        impl Code {
            $(
                #[doc = concat!($dotted, " ", $name, " (RFC ", $rfc, ").")]
                pub const $constant: Self = Self($byte);
            )*

            /// The registered name, such as `"Not Found"`; `None` for a code that has none.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)*
                    _ => None,
                }
            }
        }

        #[cfg(test)]
        const TABLE: &[(Code, &str, &str)] = &[$((Code::$constant, $dotted, $name)),*];
    };
}

codes! {
    0x00 EMPTY "0.00" "Empty" "7252 §4.1"
    0x01 GET "0.01" "GET" "7252 §5.8.1"
    0x02 POST "0.02" "POST" "7252 §5.8.2"
    0x03 PUT "0.03" "PUT" "7252 §5.8.3"
    0x04 DELETE "0.04" "DELETE" "7252 §5.8.4"
    0x05 FETCH "0.05" "FETCH" "8132 §2"
    0x06 PATCH "0.06" "PATCH" "8132 §3"
    0x07 IPATCH "0.07" "iPATCH" "8132 §3"
    0x41 CREATED "2.01" "Created" "7252 §5.9.1.1"
    0x42 DELETED "2.02" "Deleted" "7252 §5.9.1.2"
    0x43 VALID "2.03" "Valid" "7252 §5.9.1.3"
    0x44 CHANGED "2.04" "Changed" "7252 §5.9.1.4"
    0x45 CONTENT "2.05" "Content" "7252 §5.9.1.5"
    0x5f CONTINUE "2.31" "Continue" "7959 §2.9.1"
    0x80 BAD_REQUEST "4.00" "Bad Request" "7252 §5.9.2.1"
    0x81 UNAUTHORIZED "4.01" "Unauthorized" "7252 §5.9.2.2"
    0x82 BAD_OPTION "4.02" "Bad Option" "7252 §5.9.2.3"
    0x83 FORBIDDEN "4.03" "Forbidden" "7252 §5.9.2.4"
    0x84 NOT_FOUND "4.04" "Not Found" "7252 §5.9.2.5"
    0x85 METHOD_NOT_ALLOWED "4.05" "Method Not Allowed" "7252 §5.9.2.6"
    0x86 NOT_ACCEPTABLE "4.06" "Not Acceptable" "7252 §5.9.2.7"
    0x88 REQUEST_ENTITY_INCOMPLETE "4.08" "Request Entity Incomplete" "7959 §2.9.2"
    0x89 CONFLICT "4.09" "Conflict" "8132 §3.4"
    0x8c PRECONDITION_FAILED "4.12" "Precondition Failed" "7252 §5.9.2.8"
    0x8d REQUEST_ENTITY_TOO_LARGE "4.13" "Request Entity Too Large" "7252 §5.9.2.9"
    0x8f UNSUPPORTED_CONTENT_FORMAT "4.15" "Unsupported Content-Format" "7252 §5.9.2.10"
    0x96 UNPROCESSABLE_ENTITY "4.22" "Unprocessable Entity" "8132 §3.4"
    0x9d TOO_MANY_REQUESTS "4.29" "Too Many Requests" "8516"
    0xa0 INTERNAL_SERVER_ERROR "5.00" "Internal Server Error" "7252 §5.9.3.1"
    0xa1 NOT_IMPLEMENTED "5.01" "Not Implemented" "7252 §5.9.3.2"
    0xa2 BAD_GATEWAY "5.02" "Bad Gateway" "7252 §5.9.3.3"
    0xa3 SERVICE_UNAVAILABLE "5.03" "Service Unavailable" "7252 §5.9.3.4"
    0xa4 GATEWAY_TIMEOUT "5.04" "Gateway Timeout" "7252 §5.9.3.5"
    0xa5 PROXYING_NOT_SUPPORTED "5.05" "Proxying Not Supported" "7252 §5.9.3.6"
    0xa8 HOP_LIMIT_REACHED "5.08" "Hop Limit Reached" "8768"
    0xe1 CSM "7.01" "CSM" "8323 §5.3"
    0xe2 PING "7.02" "Ping" "8323 §5.4"
    0xe3 PONG "7.03" "Pong" "8323 §5.4"
    0xe4 RELEASE "7.04" "Release" "8323 §5.5"
    0xe5 ABORT "7.05" "Abort" "8323 §5.6"
}

impl Code {
    /// A code from its two parts; `None` unless `class` is at most 7 and `detail` at most 31.
    #[must_use]
    pub const fn new(class: u8, detail: u8) -> Option<Self> {
        if class <= 7 && detail <= 31 { Some(Self((class << 5) | detail)) } else { None }
    }

    /// The code that this byte of a header stands for.
    #[inline]
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// The byte that stands for it in a header.
    #[inline]
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self.0
    }

    /// The digit before the dot, 0 to 7.
    #[inline]
    #[must_use]
    pub const fn class(self) -> u8 {
        self.0 >> 5
    }

    /// The two digits behind the dot, 0 to 31.
    #[inline]
    #[must_use]
    pub const fn detail(self) -> u8 {
        self.0 & 0x1f
    }

    /// Whether it is 0.00, which marks a message that is its four header bytes and nothing else.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it is a method, known or not: 0.01 to 0.31.
    #[inline]
    #[must_use]
    pub const fn is_request(self) -> bool {
        self.class() == 0 && !self.is_empty()
    }

    /// Whether it is a method that changes nothing: GET and FETCH (RFC 7252 §5.1, RFC 8132 §2).
    #[inline]
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::GET | Self::FETCH)
    }

    /// Whether it is a method that may be carried out twice as well as once: the safe ones, PUT,
    /// DELETE and iPATCH (RFC 7252 §5.1, RFC 8132 §3).
    #[inline]
    #[must_use]
    pub const fn is_idempotent(self) -> bool {
        matches!(self, Self::GET | Self::FETCH | Self::PUT | Self::DELETE | Self::IPATCH)
    }

    /// Whether it is a method whose payload means nothing without a Content-Format: FETCH, PATCH
    /// and iPATCH, whose body is a selection or a change in some language (RFC 8132 §2, §3).
    ///
    /// The body of a FETCH is also a part of the key of its cached answers (§2.1).
    #[inline]
    #[must_use]
    pub const fn needs_content_format(self) -> bool {
        matches!(self, Self::FETCH | Self::PATCH | Self::IPATCH)
    }

    /// Whether it is an answer, known or not: class 2, 4 or 5.
    ///
    /// RFC 7252 §12.1 counts class 3 among the responses too, but no code was ever given out
    /// there; it is treated like the reserved classes 1 and 6.
    #[inline]
    #[must_use]
    pub const fn is_response(self) -> bool {
        matches!(self.class(), 2 | 4 | 5)
    }

    /// Whether it is 2.xx.
    #[inline]
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.class() == 2
    }

    /// Whether it is 4.xx or 5.xx.
    #[inline]
    #[must_use]
    pub const fn is_error(self) -> bool {
        matches!(self.class(), 4 | 5)
    }

    /// Whether it is 4.xx.
    #[inline]
    #[must_use]
    pub const fn is_client_error(self) -> bool {
        self.class() == 4
    }

    /// Whether it is 5.xx.
    #[inline]
    #[must_use]
    pub const fn is_server_error(self) -> bool {
        self.class() == 5
    }

    /// Whether it is 7.xx, which exists over TCP and WebSockets only (RFC 8323 §5).
    #[inline]
    #[must_use]
    pub const fn is_signaling(self) -> bool {
        self.class() == 7
    }
}

impl From<u8> for Code {
    fn from(byte: u8) -> Self {
        Self(byte)
    }
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// `c.dd`, as the standards write it.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.class(), self.detail())
    }
}

/// `c.dd` and the name, where there is one.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match self.name() {
            Some(name) => write!(f, " {name}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn every_row_of_the_table_is_one_code() {
        for &(code, dotted, name) in TABLE {
            assert_eq!(format!("{code}"), dotted);
            assert_eq!(format!("{code:?}"), format!("{dotted} {name}"));
            assert_eq!(Code::new(code.class(), code.detail()), Some(code));
        }
        assert!(TABLE.is_sorted_by_key(|&(code, ..)| code));
        assert_eq!(TABLE.len(), 40);
    }

    #[test]
    fn every_byte_is_one_of_five_kinds() {
        for byte in 0..=255 {
            let code = Code::from_byte(byte);
            assert_eq!(code.to_byte(), byte);
            assert_eq!(Code::new(code.class(), code.detail()), Some(code));
            let kinds = [
                code.is_empty(),
                code.is_request(),
                code.is_response(),
                code.is_signaling(),
                matches!(code.class(), 1 | 3 | 6),
            ];
            assert_eq!(kinds.iter().filter(|&&yes| yes).count(), 1, "{code}");
            let outcomes = [code.is_success(), code.is_client_error(), code.is_server_error()];
            assert_eq!(outcomes.contains(&true), code.is_response(), "{code}");
            assert_eq!(code.is_error(), code.is_response() && !code.is_success(), "{code}");
        }
    }

    // RFC 7252 §5.8, RFC 8132 §2 and §3.
    #[test]
    fn methods_have_their_properties() {
        for (method, safe, idempotent, needs_format) in [
            (Code::GET, true, true, false),
            (Code::POST, false, false, false),
            (Code::PUT, false, true, false),
            (Code::DELETE, false, true, false),
            (Code::FETCH, true, true, true),
            (Code::PATCH, false, false, true),
            (Code::IPATCH, false, true, true),
            (Code::from_byte(8), false, false, false),
            (Code::CONTENT, false, false, false),
        ] {
            assert_eq!(
                (method.is_safe(), method.is_idempotent(), method.needs_content_format()),
                (safe, idempotent, needs_format),
                "{method:?}"
            );
        }
    }

    #[test]
    fn an_unknown_code_shows_its_number_only() {
        assert_eq!(format!("{:?}", Code::from_byte(0x9e)), "4.30");
        assert_eq!(Code::from_byte(0x9e).name(), None);
        assert_eq!(Code::new(8, 0), None);
        assert_eq!(Code::new(0, 32), None);
    }
}
