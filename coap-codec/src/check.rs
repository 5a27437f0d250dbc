//! What a receiver owes a well-formed message: the rules of RFC 7252 §5.4, asked in one call.

use core::fmt;

use crate::view::Carrier;
use crate::{
    BlockError, CoapOption, Code, Message, MessageKind, MessageType, MessageView, OptionContext, OptionFormat,
    OptionNumber, Options,
};

/// A well-formed message that must not be processed, and what to do instead.
///
/// Its text is what a 4.02 should have for a diagnostic payload: it names the option
/// (RFC 7252 §5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The message is none of the [kinds](MessageKind) that there are: see [`Header::kind`](crate::Header::kind).
    #[error("the code has no meaning in a message of this type")]
    Kind(Reaction),
    /// An option that cannot be passed over cannot be honoured.
    #[error("{number} option: {reason}")]
    Option {
        /// Which option it is.
        number: OptionNumber,
        /// What is wrong with it.
        reason: OptionFaultReason,
        /// What to do with the message.
        reaction: Reaction,
    },
}

impl Refusal {
    /// What to do with the message.
    #[must_use]
    pub const fn reaction(&self) -> Reaction {
        match self {
            Self::Kind(reaction) | Self::Option { reaction, .. } => *reaction,
        }
    }

    /// The option that is to blame, if it is one.
    #[must_use]
    pub const fn option(&self) -> Option<OptionNumber> {
        match self {
            Self::Kind(_) => None,
            Self::Option { number, .. } => Some(*number),
        }
    }
}

/// What to do with a message that is refused. A response that is refused has failed its request,
/// whatever is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// Drop it in silence. A NON may be answered by a Reset, too, unless it came by multicast
    /// (RFC 7252 §4.3).
    Ignore,
    /// A Reset with its Message ID: [`Header::reset`](crate::Header::reset).
    Reset,
    /// A response of this code, to the request ([`Header::response`](crate::Header::response)) or, for a proxy with a bad
    /// response, to its own client. The text of the [`Refusal`] is its diagnostic payload.
    Respond(Code),
}

/// Such as `ignore`, `Reset` and `respond 4.02 Bad Option`.
impl fmt::Display for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ignore => f.write_str("ignore"),
            Self::Reset => f.write_str("Reset"),
            Self::Respond(code) => write!(f, "respond {code:?}"),
        }
    }
}

/// Why an option counts as one that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OptionFaultReason {
    /// The caller does not know it (RFC 7252 §5.4.1).
    #[error("not understood")]
    NotUnderstood,
    /// It has no meaning in a request, in a response, or with this method (§5.4).
    #[error("not defined for this kind of message")]
    OutOfPlace,
    /// It is there once more, and may be there once only (§5.4.5).
    #[error("more than one")]
    Repeated,
    /// Its value is shorter or longer than it may be (§5.4.3).
    #[error("length out of range")]
    Length,
    /// It should be text, and is no UTF-8 (§3.2).
    #[error("not UTF-8")]
    NotUtf8,
    /// A path segment `.` or `..` (§5.10.1, §5.10.7).
    #[error("path segment \".\" or \"..\"")]
    DotSegment,
    /// A block of the reserved size, in a datagram (RFC 7959 §2.2).
    #[error("reserved block size")]
    BlockSize,
    /// A Hop-Limit of 0, at a proxy (RFC 8768 §3).
    #[error("out of range")]
    HopLimit,
    /// It wants a proxy, and the caller does not know the option (RFC 7252 §5.10.2).
    #[error("proxying is not supported")]
    Proxy,
    /// One of the numbers that are kept free for parts of a location, beside a location: what was
    /// made cannot be named without it (§5.10.7).
    #[error("an unknown part of the location")]
    Location,
}

/// An option that breaks a rule, so that it counts as one that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OptionFault<'a> {
    /// The option.
    pub option: CoapOption<'a>,
    /// What is wrong with it.
    pub reason: OptionFaultReason,
    /// What follows for the message.
    pub consequence: Consequence,
}

/// What follows from an option that counts as one that is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consequence {
    /// It is elective: go on as if it were not there.
    TreatAsAbsent,
    /// The message must not be processed.
    Refuse(Reaction),
}

/// All faults of a message's options, in their order; made by [`Message::option_faults`].
#[derive(Clone)]
#[must_use = "iterators are lazy"]
pub struct OptionFaults<'a, F> {
    options: Options<'a>,
    message: MessageView<'a>,
    role: Role,
    is_known: F,
    previous: Option<OptionNumber>,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Whoever the message is for.
    Endpoint,
    /// Who passes it on.
    Proxy,
}

impl<'a, F: Fn(OptionNumber) -> bool> OptionFaults<'a, F> {
    const fn new(message: MessageView<'a>, role: Role, is_known: F) -> Self {
        Self { options: message.options(), message, role, is_known, previous: None }
    }

    fn first_refusal(self) -> Result<(), Refusal> {
        for OptionFault { option, reason, consequence } in self {
            if let Consequence::Refuse(reaction) = consequence {
                return Err(Refusal::Option { number: option.number, reason, reaction });
            }
        }
        Ok(())
    }

    /// The first rule that an option breaks.
    fn reason(&self, option: CoapOption<'a>, repeated: bool) -> Option<OptionFaultReason> {
        use OptionFaultReason as Reason;
        let number = option.number;
        let code = self.message.code();
        if !(self.is_known)(number) {
            return Some(match number {
                OptionNumber::PROXY_URI | OptionNumber::PROXY_SCHEME if code.is_request() => Reason::Proxy,
                _ if is_reserved_location(number) && self.has_location() => Reason::Location,
                _ => Reason::NotUnderstood,
            });
        }
        let definition = number.definition()?;
        let in_place = match definition.context {
            OptionContext::Request => code.is_request(),
            OptionContext::Response => code.is_response(),
            // Observing is defined for what only reads (RFC 7641 §2, RFC 8132 §2.4).
            OptionContext::Any => number != OptionNumber::OBSERVE || !code.is_request() || code.is_safe(),
        };
        if !in_place {
            return Some(Reason::OutOfPlace);
        }
        // The registry allows many ETags; that is for requests (RFC 7252 §5.10.6).
        let one_etag = number == OptionNumber::ETAG && code.is_response();
        if repeated && (one_etag || !definition.repeatable) {
            return Some(Reason::Repeated);
        }
        if !definition.length_range().contains(&option.value.len()) {
            return Some(Reason::Length);
        }
        if definition.format == OptionFormat::String && option.as_str().is_none() {
            return Some(Reason::NotUtf8);
        }
        match number {
            OptionNumber::URI_PATH | OptionNumber::LOCATION_PATH if matches!(option.value, b"." | b"..") => {
                Some(Reason::DotSegment)
            }
            OptionNumber::BLOCK1 if is_reserved_size(self.message.block1()) => Some(Reason::BlockSize),
            OptionNumber::BLOCK2 if is_reserved_size(self.message.block2()) => Some(Reason::BlockSize),
            OptionNumber::HOP_LIMIT if self.role == Role::Proxy && option.as_uint() == Some(0) => {
                Some(Reason::HopLimit)
            }
            _ => None,
        }
    }

    /// What the message is refused by for it; `None` if the option is ignored, or passed on by a proxy.
    fn reaction(&self, number: OptionNumber, reason: OptionFaultReason) -> Option<Reaction> {
        let is_request = self.message.code().is_request();
        match (self.role, reason) {
            // Rules that name the answer.
            (_, OptionFaultReason::HopLimit) => Some(Reaction::Respond(Code::BAD_REQUEST)),
            (_, OptionFaultReason::BlockSize) if is_request => Some(Reaction::Respond(Code::BAD_REQUEST)),
            (_, OptionFaultReason::Proxy) => Some(Reaction::Respond(Code::PROXYING_NOT_SUPPORTED)),
            (Role::Proxy, _) if !number.is_unsafe() => None,
            (Role::Proxy, _) if is_request => Some(Reaction::Respond(Code::BAD_OPTION)),
            (Role::Proxy, _) => Some(Reaction::Respond(Code::BAD_GATEWAY)),
            (Role::Endpoint, OptionFaultReason::Location) => Some(self.rejection()),
            (Role::Endpoint, _) => number.is_critical().then(|| self.rejection()),
        }
    }

    /// RFC 7252 §5.4.1: what a critical option leads to that is not understood.
    const fn rejection(&self) -> Reaction {
        let is_request = self.message.code().is_request();
        match self.message.carrier() {
            Carrier::Datagram(MessageType::Confirmable) | Carrier::Stream if is_request => {
                Reaction::Respond(Code::BAD_OPTION)
            }
            Carrier::Datagram(MessageType::Confirmable) => Reaction::Reset,
            Carrier::Datagram(_) | Carrier::Stream => Reaction::Ignore,
        }
    }

    fn has_location(&self) -> bool {
        self.message.code().is_response()
            && (self.message.location_path().next().is_some() || self.message.location_query().next().is_some())
    }
}

const fn is_reserved_location(number: OptionNumber) -> bool {
    matches!(number.0, 128 | 132 | 136 | 140)
}

fn is_reserved_size<T>(block: Option<Result<T, BlockError>>) -> bool {
    matches!(block, Some(Err(BlockError::ReservedSize)))
}

impl<'a, F: Fn(OptionNumber) -> bool> Iterator for OptionFaults<'a, F> {
    type Item = OptionFault<'a>;

    fn next(&mut self) -> Option<OptionFault<'a>> {
        loop {
            let option = self.options.next()?;
            let repeated = self.previous.replace(option.number) == Some(option.number);
            if let Some(reason) = self.reason(option, repeated) {
                let reaction = self.reaction(option.number, reason);
                let consequence = reaction.map_or(Consequence::TreatAsAbsent, Consequence::Refuse);
                return Some(OptionFault { option, reason, consequence });
            }
        }
    }
}

impl<F> fmt::Debug for OptionFaults<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OptionFaults").field("rest", &self.options).finish_non_exhaustive()
    }
}

impl<'a> Message<'a> {
    /// Whether whoever this message is for may process it: the one question left after
    /// [`parse`](Self::parse). `is_known` tells which options the caller understands.
    ///
    /// Asked for the kind of message (RFC 7252 §4.2, §4.3), and for every option whether it is
    /// known (§5.4.1), belongs in a request or a response (§5.4), is there more often than it may
    /// (§5.4.5), and has a value of a right length (§5.4.3) and form. An option that fails counts as
    /// unknown: an elective one as absent, and [`option_faults`](Self::option_faults) lists those; a
    /// critical one has the message refused. What the message is about (path, method, formats) is for
    /// the caller to judge.
    ///
    /// Three of these rules are our reading of the standard: that a wrong length counts as unknown in
    /// responses, too (§5.4.3 says it of requests), and so do text that is not UTF-8 and a path segment
    /// `.` or `..`, for which it names no answer.
    ///
    /// | the first critical option that fails, in | answer |
    /// |---|---|
    /// | a confirmable request | 4.02; 4.00 for a reserved block size; 5.05 for Proxy-Uri and Proxy-Scheme |
    /// | a non-confirmable request | none, but for the 4.00 and the 5.05 |
    /// | a confirmable response | a Reset; the request has failed |
    /// | any other response | none; the request has failed |
    ///
    /// # Errors
    ///
    /// A [`Refusal`], with the [`Reaction`] that is due. What type and code make of the message
    /// otherwise is in `Ok`. Of that, a Ping is still to be answered by a Reset and a confirmable
    /// response by an acknowledgement, and 4.04, 4.05 and their like are for the caller to find out.
    ///
    /// ```
    /// use coap_codec::{Code, Message, MessageKind, OptionNumber, Reaction};
    ///
    /// // Uri-Host and Uri-Port among them: every client may name the host that it means.
    /// let known = |number: OptionNumber| number.is_request_target() || number == OptionNumber::ACCEPT;
    /// let request = Message::parse(b"\x40\x01\x00\x01\xb1\x33\x60")?;
    /// assert_eq!(request.check(known), Ok(MessageKind::Request));
    ///
    /// // If-Match, which this server does not understand.
    /// let request = Message::parse(b"\x40\x03\x00\x01\x11\xaa\xa1\x33\xffx")?;
    /// let refusal = request.check(known).unwrap_err();
    /// assert_eq!(refusal.reaction(), Reaction::Respond(Code::BAD_OPTION));
    /// assert_eq!(refusal.to_string(), "If-Match option: not understood");
    /// # Ok::<(), coap_codec::ParseError>(())
    /// ```
    pub fn check(&self, is_known: impl Fn(OptionNumber) -> bool) -> Result<MessageKind, Refusal> {
        let kind = self.known_kind()?;
        self.view().check(is_known).map(|()| kind)
    }

    /// As [`check`](Self::check), for a proxy: options that are not understood go on unless they are
    /// unsafe to forward, whether they are critical or not (RFC 7252 §5.4.2, §5.7.2).
    ///
    /// An unsafe one in a request is answered by 4.02; for one in a response, a 5.02 goes to the
    /// client of the proxy.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn check_to_forward(&self, is_known: impl Fn(OptionNumber) -> bool) -> Result<MessageKind, Refusal> {
        let kind = self.known_kind()?;
        self.view().check_to_forward(is_known).map(|()| kind)
    }

    /// Every option that counts as one that is not understood, the elective ones included: for a log,
    /// or to know which of them to pass over.
    ///
    /// ```
    /// use coap_codec::{Consequence, Message, OptionFaultReason, OptionNumber};
    ///
    /// // Content-Format twice: the second counts for nothing.
    /// let message = Message::parse(b"\x40\x02\x00\x01\xc1\x28\x01\x2a\xffx")?;
    /// let mut faults = message.option_faults(|_| true);
    /// let fault = faults.next().ok_or("a fault")?;
    /// assert_eq!(fault.option.number, OptionNumber::CONTENT_FORMAT);
    /// assert_eq!(fault.reason, OptionFaultReason::Repeated);
    /// assert_eq!(fault.consequence, Consequence::TreatAsAbsent);
    /// assert_eq!(faults.next(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn option_faults<F: Fn(OptionNumber) -> bool>(&self, is_known: F) -> OptionFaults<'a, F> {
        self.view().option_faults(is_known)
    }

    fn known_kind(&self) -> Result<MessageKind, Refusal> {
        let rejection = || self.header().rejection().map_or(Reaction::Ignore, |_| Reaction::Reset);
        self.kind().ok_or_else(|| Refusal::Kind(rejection()))
    }
}

impl<'a> MessageView<'a> {
    /// As [`Message::check`], of the options alone. Signaling messages have options of their own,
    /// for which ask [`tcp::Signal`](crate::tcp::Signal).
    ///
    /// A view remembers the type of the datagram that it is of, so that the [`Reaction`] is right:
    /// none to a NON. Over TCP a request is answered as a CON is, and there is no Reset.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that names an option.
    pub fn check(&self, is_known: impl Fn(OptionNumber) -> bool) -> Result<(), Refusal> {
        OptionFaults::new(*self, Role::Endpoint, is_known).first_refusal()
    }

    /// As [`Message::check_to_forward`], of the options alone.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] that names an option.
    pub fn check_to_forward(&self, is_known: impl Fn(OptionNumber) -> bool) -> Result<(), Refusal> {
        OptionFaults::new(*self, Role::Proxy, is_known).first_refusal()
    }

    /// As [`Message::option_faults`].
    pub fn option_faults<F: Fn(OptionNumber) -> bool>(&self, is_known: F) -> OptionFaults<'a, F> {
        OptionFaults::new(*self, Role::Endpoint, is_known)
    }
}
