//! The application's side: object definitions, the [`DataModel`] trait, and how models compose.
//!
//! The model stays the application's own. It is lent to each call of the client that may need it,
//! is asked synchronously, and must never block. Whoever cannot answer at once says
//! [`Refusal::Later`] and is asked again after [`Client::resume`](crate::Client::resume).

mod compose;
pub(crate) mod list;
mod resources;
pub(crate) mod walk;

use core::fmt;

use coap_codec::Code;

use crate::base::path::{Leaf, Path};
use crate::base::rights::Rights;
use crate::base::time::Instant;
use crate::base::value::{Sink, Stop, Value};
use crate::format::Values;

pub use crate::base::definition::{ObjectDef, Operations, Range, ResourceDef};
pub use crate::base::origin::{Origin, Ticket};
pub(crate) use compose::Viewed;
pub use compose::{Joined, NoObjects};
pub use resources::Resources;

/// The objects of a device, as the client sees them.
///
/// [`object!`](crate::object!) makes one of a struct. Implement it by hand for objects with rules of
/// their own, and join two with a tuple: `(device, pump)`, or `(device, (pump, valve))`. Security and Server are the client's own and never reach the model.
///
/// ```
/// use lwm2m_core::coap_codec::Code;
/// use lwm2m_core::{Action, Args, Change, Ctx, DataModel, DataType, Leaf, ObjectDef, Operations, Refusal, ResourceDef, Sink, Value};
///
/// static PUMP: ObjectDef = ObjectDef::new(30_000, "Pump", &[
///     ResourceDef::new(0, "Litres", Operations::R, DataType::Integer).mandatory(),
///     ResourceDef::new(1, "Label", Operations::RW, DataType::String),
///     ResourceDef::new(2, "Reset", Operations::E, DataType::None),
/// ]);
///
/// struct Pump { litres: i64, label: String }
///
/// impl DataModel for Pump {
///     fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
///         after.is_none_or(|after| after < PUMP.id).then_some(&PUMP)
///     }
///
///     fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
///         after.is_none().then_some(0)
///     }
///
///     fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
///         PUMP.resources.iter().map(|resource| resource.id).find(|id| after.is_none_or(|after| *id > after))
///     }
///
///     fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
///         match at.resource {
///             0 => out.value(at, Value::Int(self.litres))?,
///             1 => out.value(at, Value::Str(&self.label))?,
///             _ => return Err(Refusal::Code(Code::NOT_FOUND)),
///         }
///         Ok(())
///     }
///
///     fn check(&self, _: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
///         match change.action {
///             // There is one pump, and it stays.
///             Action::Create | Action::Delete => Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)),
///             _ => Ok(()),
///         }
///     }
///
///     fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
///         if let Some(Value::Str(label)) = change.values.get(1) {
///             self.label = label.into();
///         }
///     }
///
///     fn execute(&mut self, _: &Ctx, _: Leaf, _: Args<'_>) -> Result<(), Refusal> {
///         self.litres = 0;
///         Ok(())
///     }
/// }
/// # assert_eq!(Pump { litres: 7, label: String::new() }.object(30_000), Some(&PUMP));
/// ```
///
/// What the client guarantees before it calls:
/// * the object, instance and resource of a [`read`](Self::read), [`execute`](Self::execute) or
///   [`stream`](Self::stream) exist, as [`next_instance`](Self::next_instance) and
///   [`next_resource`](Self::next_resource) say;
/// * the operation is one that the definition allows to the origin;
/// * values in a [`Change`] have the type, range and multiplicity of the definition;
/// * [`apply`](Self::apply) comes only after [`check`](Self::check) accepted the same change, and
///   after every other change of the same request was accepted too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model of a device",
    label = "not a `DataModel`",
    note = "`object!` makes one of a struct, and a pair of models is one: `(a, b)`, and `(a, (b, c))` for three"
)]
pub trait DataModel {
    /// The definition of the first object after `after`, in ascending order of Object IDs.
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef>;

    /// The first Object Instance ID of `object` after `after`.
    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16>;

    /// The first Resource ID after `after` that the instance has, executable ones included.
    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16>;

    /// Gives the value of a resource to `out`: one call for a single resource; for a multiple one
    /// a call per Resource Instance, or only the one that [`Leaf::index`] asks for.
    ///
    /// # Errors
    /// A [`Refusal`]; also what the sink returned.
    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal>;

    /// The value that [`read`](Self::read) would give now, where the instance has the resource, and it is a
    /// single one that lies ready: a Read of it takes fewer steps then. None says nothing.
    fn ready(&self, ctx: &Ctx, at: Leaf) -> Option<Value<'_>> {
        let _ = (ctx, at);
        None
    }

    /// Gives all resources of an instance to `out`, in ascending order: what
    /// [`next_resource`](Self::next_resource) and [`read`](Self::read) give one by one, and in as few
    /// steps as the model can do it.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_instance(&self, ctx: &Ctx, object: u16, instance: u16, out: &mut dyn Resources) -> Result<(), Refusal> {
        let Some(definition) = self.object(object) else { return Ok(()) };
        let mut after = None;
        while let Some(resource) = self.next_resource(object, instance, after) {
            if let Some(definition) = definition.resource(resource)
                && out.resource(definition)?
            {
                self.read(ctx, Leaf::new(object, instance, resource), out)?;
            }
            after = Some(resource);
        }
        Ok(())
    }

    /// Says whether [`apply`](Self::apply) could carry the change out. Changes nothing. It sees every
    /// kind of [`Action`]: whoever does not want instances to come and go refuses Create and Delete.
    ///
    /// # Errors
    /// A [`Refusal`]: the whole request is answered with it, and nothing is applied.
    fn check(&self, ctx: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        let _ = (ctx, change);
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED))
    }

    /// Carries out a change that [`check`](Self::check) accepted.
    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        let _ = (ctx, change);
    }

    /// Takes a part of one large opaque resource that a server writes block by block (RFC 7959,
    /// section 2.5): a firmware image (/5/0/0) above all. Memory need not hold more than a block.
    ///
    /// It is called for a Write (PUT) of a single opaque resource that the instance has, in blocks of
    /// `application/octet-stream`. Whatever else is written, and any value in one datagram, comes as a
    /// [`Change`]. The default, [`Code::METHOD_NOT_ALLOWED`] for the part at offset 0, says that
    /// this resource is taken as a whole as well: it is collected, up to `Limits::body`.
    ///
    /// * Parts come in order and without a gap, each with the offset where the one before it ended,
    ///   and each once: a block that comes again is answered again by the client.
    /// * Offset 0 begins anew, whatever came before: drop it.
    /// * A part that was not taken ([`Refusal::Later`], or 5.03) may come again; with `Later` it is
    ///   run again after [`Client::resume`](crate::Client::resume), and the next part does not come before.
    /// * With `last` the value is complete: check it, and answer for all of it. `Ok` is 2.04; the error
    ///   is the answer otherwise.
    /// * Nothing tells of a transfer that its server gave up. The client forgets it after
    ///   EXCHANGE_LIFETIME (247 s) without a block, and with the session: no part follows then but one at
    ///   offset 0. A device that wants to tell of it, or to free what it holds, watches its own clock.
    /// * Several servers may write at the same time; [`Ctx::origin`] tells whose part it is.
    ///
    /// ```
    /// use lwm2m_core::coap_codec::Code;
    /// use lwm2m_core::{Part, Refusal};
    ///
    /// /// A slot of flash memory that takes an image as it comes.
    /// struct Slot { flash: Vec<u8>, size: usize }
    ///
    /// impl Slot {
    ///     // What `DataModel::stream` does for /5/0/0.
    ///     fn take(&mut self, part: Part<'_>) -> Result<(), Refusal> {
    ///         if part.offset == 0 {
    ///             self.flash.clear(); // and state 1, Downloading
    ///         }
    ///         let announced = part.total.map_or(0, |total| total as usize);
    ///         if announced.max(self.flash.len() + part.bytes.len()) > self.size {
    ///             return Err(Refusal::Code(Code::REQUEST_ENTITY_TOO_LARGE));
    ///         }
    ///         self.flash.extend_from_slice(part.bytes);
    ///         if part.last {
    ///             // Check the signature; state 2, Downloaded.
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # let mut slot = Slot { flash: Vec::new(), size: 4 };
    /// # slot.take(Part { offset: 0, bytes: b"abc", last: false, total: None }).unwrap();
    /// # slot.take(Part { offset: 3, bytes: b"de", last: true, total: None }).unwrap_err();
    /// ```
    ///
    /// # Errors
    /// A [`Refusal`] with a code ends the transfer and is the answer, but for 5.03, after which the
    /// same part may come again.
    fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        let _ = (ctx, at, part);
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED))
    }

    /// Executes a resource. The answer leaves before anything that the device does later, so a
    /// reboot is best noted here and done once [`Client::poll_output`](crate::Client::poll_output)
    /// has nothing more to send.
    ///
    /// # Errors
    /// A [`Refusal`].
    fn execute(&mut self, ctx: &Ctx, at: Leaf, args: Args<'_>) -> Result<(), Refusal> {
        let _ = (ctx, at, args);
        Err(Refusal::Code(Code::METHOD_NOT_ALLOWED))
    }

    /// What whoever asks may do with an instance; with [`MAX_ID`](crate::MAX_ID) whether it may create
    /// instances of the object. This is the application's own say, beside that of Access Control (object
    /// 2): an operation needs its right from both, else it is 4.01, and a Read of an object leaves the
    /// instance out. It is asked for every object of the device.
    fn rights(&self, ctx: &Ctx, object: u16, instance: u16) -> Rights {
        let _ = (ctx, object, instance);
        Rights::ALL
    }

    /// The definition of one object.
    fn object(&self, id: u16) -> Option<&'static ObjectDef> {
        self.next_object(id.checked_sub(1)).filter(|object| object.id == id)
    }
}

/// Who asks, and in which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ctx {
    /// Who caused the operation.
    pub origin: Origin,
    /// Names this request, for [`Client::resume`](crate::Client::resume) after [`Refusal::Later`].
    /// None where an operation cannot be deferred (a notification, a local call).
    pub ticket: Option<Ticket>,
    /// Whether the operation was deferred before and now runs again.
    pub resumed: bool,
    /// The time of the call, as the embedder gave it.
    pub now: Instant,
}

/// Why a model does not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No, and this is the answer: a 4.xx or 5.xx code. Any other is no refusal, and answered 5.00.
    Code(Code),
    /// Not yet. The client acknowledges the request, keeps it, and runs the operation again when
    /// [`Client::resume`](crate::Client::resume) is called with the ticket of [`Ctx`]. Begin on
    /// the first call, answer on the second; at its deadline the request is answered 5.03.
    Later,
}

/// The code of a refusal, as it is answered: an application's mistake must not look like success.
pub(crate) const fn refusing(code: Code) -> Code {
    if code.is_client_error() || code.is_server_error() { code } else { Code::INTERNAL_SERVER_ERROR }
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        Self::Code(stop.code())
    }
}

/// A change of one Object Instance, its values decoded and checked against the definition.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// What becomes of the instance.
    pub action: Action,
    /// Object ID.
    pub object: u16,
    /// Object Instance ID.
    pub instance: u16,
    /// The values given, none for a Delete.
    pub values: Values<'a>,
    /// How many instances of the same object the same request creates before this one: a table with
    /// room for one more must refuse the second.
    pub earlier: u16,
}

impl Change<'_> {
    /// The path that changes: the resource for [`Action::Resource`], else the instance.
    #[must_use]
    pub const fn path(&self) -> Path {
        match self.action {
            Action::Resource(resource) => Path::resource(self.object, self.instance, resource),
            _ => Path::instance(self.object, self.instance),
        }
    }
}

/// What a [`Change`] does to its instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The instance comes to be, with these values.
    Create,
    /// The instance keeps what servers cannot write, and otherwise has exactly these values
    /// (Write on an instance, 'replace'; OMA LwM2M 1.0, 5.4.3).
    Replace,
    /// These values are set, all others stay; instances of a multiple resource are merged
    /// (Write on an instance, 'partial update').
    Update,
    /// This resource takes exactly these values: one, or all instances of a multiple resource
    /// (Write on a resource).
    Resource(u16),
    /// The instance goes away.
    Delete,
}

/// A part of a large opaque value that arrives block by block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Where the part begins, in bytes from the start of the value.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether this is the last part.
    pub last: bool,
    /// The size of the whole, when the sender estimates it (Size1).
    pub total: Option<u32>,
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({}..+{}, last: {})", self.offset, self.bytes.len(), self.last)
    }
}

/// The arguments of an Execute: text of the grammar in OMA LwM2M 1.0, 5.4.5, already checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args<'a> {
    text: &'a str,
}

impl<'a> Args<'a> {
    /// Checks `text` against the argument grammar: `0`, `2='10.3'`, `0,1='a'`, or nothing.
    ///
    /// # Errors
    /// [`ArgsError`] with the byte offset of what does not fit.
    ///
    /// ```
    /// use lwm2m_core::Args;
    ///
    /// let args = Args::parse(b"5,2='10.3'").unwrap();
    /// assert_eq!(args.iter().collect::<Vec<_>>(), [(5, None), (2, Some("10.3"))]);
    /// assert_eq!(Args::parse(b"5,").unwrap_err().position, 2);
    /// ```
    pub fn parse(text: &'a [u8]) -> Result<Self, ArgsError> {
        let mut state = Grammar::Start;
        for (position, &byte) in text.iter().enumerate() {
            state = state.step(byte).ok_or(ArgsError { position })?;
        }
        match state {
            Grammar::Start if text.is_empty() => {}
            Grammar::Digit | Grammar::Closed => {}
            _ => return Err(ArgsError { position: text.len() }),
        }
        // The grammar is ASCII, so this cannot fail; it is the check that the type wants.
        match core::str::from_utf8(text) {
            Ok(text) => Ok(Self { text }),
            Err(error) => Err(ArgsError { position: error.valid_up_to() }),
        }
    }

    /// The arguments in their order: the digit, and the value when one is given.
    pub fn iter(self) -> impl Iterator<Item = (u8, Option<&'a str>)> {
        let mut rest = self.text;
        core::iter::from_fn(move || {
            let digit = rest.bytes().next()?.wrapping_sub(b'0');
            let after = rest.get(1..)?;
            let (value, after) = match after.strip_prefix("='") {
                Some(quoted) => {
                    let (value, after) = quoted.split_once('\'')?;
                    (Some(value), after)
                }
                None => (None, after),
            };
            rest = after.strip_prefix(',').unwrap_or(after);
            Some((digit, value))
        })
    }

    /// The arguments as they came.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.text
    }
}

/// Where the reader of the argument grammar stands.
#[derive(Clone, Copy)]
enum Grammar {
    Start,
    Digit,
    Equals,
    Quoted,
    Closed,
}

impl Grammar {
    const fn step(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Start, b'0'..=b'9') => Some(Self::Digit),
            (Self::Digit, b'=') => Some(Self::Equals),
            (Self::Digit | Self::Closed, b',') => Some(Self::Start),
            (Self::Equals, b'\'') => Some(Self::Quoted),
            (Self::Quoted, b'\'') => Some(Self::Closed),
            (Self::Quoted, b'!' | 0x23..=0x26 | 0x28..=0x5B | 0x5D..=0x7E) => Some(Self::Quoted),
            _ => None,
        }
    }
}

/// A text that is no argument list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad execute arguments at byte {position}")]
pub struct ArgsError {
    /// Byte offset of what does not fit the grammar.
    pub position: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// What can only be read says no more than that.
    #[test]
    fn whatever_is_not_written_by_hand_is_refused() {
        struct Sign;

        static SIGN: ObjectDef = ObjectDef::new(30_000, "Sign", &[]);

        impl DataModel for Sign {
            fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
                after.is_none_or(|after| after < SIGN.id).then_some(&SIGN)
            }

            fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
                after.is_none().then_some(0)
            }

            fn next_resource(&self, _: u16, _: u16, _: Option<u16>) -> Option<u16> {
                None
            }

            fn read(&self, _: &Ctx, _: Leaf, _: &mut dyn Sink) -> Result<(), Refusal> {
                Ok(())
            }
        }

        let (ctx, at) = (CTX, Leaf::new(SIGN.id, 0, 0));
        let refused = Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        for action in [Action::Create, Action::Replace, Action::Update, Action::Resource(0), Action::Delete] {
            let change = Change { action, object: SIGN.id, instance: 0, values: Values::none(), earlier: 0 };
            assert_eq!(Sign.check(&ctx, &change), refused, "{action:?}");
        }
        assert_eq!(Sign.stream(&ctx, at, Part { offset: 0, bytes: &[], last: true, total: None }), refused);
        assert_eq!(Sign.execute(&ctx, at, Args::default()), refused);
        assert_eq!((Sign.ready(&ctx, at), Sign.rights(&ctx, SIGN.id, 0)), (None, Rights::ALL));
    }

    const CTX: Ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };

    #[test]
    fn the_valid_argument_lists_of_the_reference_are_read() {
        for (text, expected) in [
            ("", Vec::new()),
            ("5", std::vec![(5, None)]),
            ("2='10.3'", std::vec![(2, Some("10.3"))]),
            ("7,0='coap://a.example/b?c=1'", std::vec![(7, None), (0, Some("coap://a.example/b?c=1"))]),
            ("0,1,2,3,4", std::vec![(0, None), (1, None), (2, None), (3, None), (4, None)]),
            ("0=''", std::vec![(0, Some(""))]),
        ] {
            let args = Args::parse(text.as_bytes()).unwrap();
            assert_eq!(args.iter().collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(args.as_str(), text);
        }
    }

    #[test]
    fn the_invalid_ones_are_refused_where_they_break() {
        for (text, position) in [
            ("a", 0),
            ("10", 1),
            ("5,", 2),
            (",5", 0),
            ("0=", 2),
            ("0=5", 2),
            ("0='a", 4),
            ("0='a'b", 5),
            ("0='a b'", 4),
            ("0='a\"b'", 4),
            ("0='\\'", 3),
            ("0, 1", 2),
            ("0='\u{e9}'", 3),
        ] {
            assert_eq!(Args::parse(text.as_bytes()), Err(ArgsError { position }), "{text}");
        }
    }

    /// The grammar once more, by cutting instead of stepping.
    fn read_by_cutting(text: &str) -> Option<Vec<(u8, Option<&str>)>> {
        let mut args = Vec::new();
        let mut rest = Some(text).filter(|text| !text.is_empty());
        while let Some(text) = rest {
            let digit = text.chars().next().filter(char::is_ascii_digit)?;
            let mut after = &text[1..];
            let mut value = None;
            if let Some(quoted) = after.strip_prefix("='") {
                let (inside, outside) = quoted.split_once('\'')?;
                let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
                value = Some(inside).filter(|inside| inside.bytes().all(fits));
                value?;
                after = outside;
            }
            args.push((digit as u8 - b'0', value));
            rest = match after {
                "" => None,
                more => Some(more.strip_prefix(',')?),
            };
        }
        Some(args)
    }

    proptest! {
        #[test]
        fn an_argument_list_is_what_the_grammar_says(text in "([0-9](='[!-~&&[^'\"]]{0,4}')?,?){0,4}[0-9=', a\"\\\\]{0,3}") {
            let read = Args::parse(text.as_bytes()).ok().map(|args| args.iter().collect::<Vec<_>>());
            prop_assert_eq!(read, read_by_cutting(&text));
        }

        #[test]
        fn no_bytes_are_too_odd_for_an_argument_list(text: Vec<u8>) {
            let read = Args::parse(&text).map(|args| args.iter().count());
            prop_assert_eq!(read.is_ok(), core::str::from_utf8(&text).is_ok_and(|text| read_by_cutting(text).is_some()));
            prop_assert!(read.is_ok_and(|count| count <= text.len()) || read.is_err_and(|error| error.position <= text.len()));
        }
    }
}
