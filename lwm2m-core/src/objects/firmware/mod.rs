//! Firmware Update, object 5 (OMA LwM2M 1.0, Appendix D.1.6): its state machine, ready for a device
//! that can store and install a package.

mod protocol;

use alloc::borrow::Cow;
use alloc::string::String;

use coap_codec::Code;

pub use self::protocol::Protocol;
use super::definitions::firmware_update as table;
use super::field::{Multiple, Readable};
use crate::base::origin::Origin;
use crate::base::path::{Leaf, Path};
use crate::base::value::{Sink, Value};
use crate::model::{Action, Args, Change, Ctx, DataModel, ObjectDef, Part, Refusal};

/// Where packages go that a server pushes: the device's flash, most often.
pub trait PackageStore {
    /// Takes the next bytes of a package. One that begins at offset 0 replaces what was there before.
    /// On the last part the package is whole: say so if it is not intact.
    ///
    /// # Errors
    /// [`StoreError::Later`] to be called again with the same part after
    /// [`Client::resume`](crate::Client::resume); anything else ends the download.
    fn store(&mut self, ctx: &Ctx, part: Part<'_>) -> Result<(), StoreError>;

    /// Throws the package away, pushed or downloaded: the server wants it no more.
    fn discard(&mut self);
}

/// Why a part of a package was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreError {
    /// Not yet: only for a part that came by block-wise transfer, whose request can be kept.
    Later,
    /// The package cannot be taken.
    Failed(DownloadError),
}

/// A device that is never pushed a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NoStore;

impl PackageStore for NoStore {
    fn store(&mut self, _: &Ctx, _: Part<'_>) -> Result<(), StoreError> {
        Err(StoreError::Failed(DownloadError::Type))
    }

    fn discard(&mut self) {}
}

/// The state (/5/0/3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FirmwareState {
    /// Nothing is to be done.
    #[default]
    Idle,
    /// A package is on its way.
    Downloading,
    /// A package is there, and can be installed.
    Downloaded,
    /// A package is being installed.
    Updating,
}

/// The result of the last download or update (/5/0/5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FirmwareResult {
    /// Nothing to tell.
    #[default]
    Initial,
    /// The firmware was updated.
    Success,
    /// A download failed.
    Download(DownloadError),
    /// The installation failed.
    UpdateFailed,
}

/// Why a download failed, with the number that the result has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DownloadError {
    /// The package does not fit into flash memory.
    Flash = 2,
    /// There is too little memory to download with.
    Memory,
    /// The connection was lost.
    Connection,
    /// The package is not intact.
    Integrity,
    /// It is no package for this device.
    Type,
    /// The URI is none, or leads to nothing.
    Uri,
    /// The device does not speak the protocol of the URI.
    Protocol = 9,
}

/// What the device has to do for the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FirmwareAction {
    /// Stop the download or the installation that it was asked for: the server wants it no more.
    Abort,
    /// Download the package at [`FirmwareUpdate::uri`], and say
    /// [`downloaded`](FirmwareUpdate::downloaded) or [`download_failed`](FirmwareUpdate::download_failed).
    Download,
    /// Install the package, and say [`installed`](FirmwareUpdate::installed) or
    /// [`installation_failed`](FirmwareUpdate::installation_failed): mostly after a restart.
    Install,
}

/// The machine; what the device was not told yet is in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Machine {
    Idle,
    /// The device downloads, or is `asked` to.
    Pulling {
        asked: bool,
    },
    /// This one sends the package; `next` is the offset at which it goes on.
    Pushing {
        by: Origin,
        next: u64,
    },
    Downloaded,
    /// The device installs, or is `asked` to.
    Updating {
        asked: bool,
    },
}

/// The Firmware Update object.
///
/// A server has the device download a package (Package URI) or pushes it (Package, into the
/// [`PackageStore`]), sees by State and Result how that went, and executes Update. What the device has
/// to do stands in [`take_action`](Self::take_action); what came of it, it tells the object, and
/// then the client with a [`notify`](crate::Client::notify) of [`PATH`](Self::PATH). The object does
/// not outlive a restart, or a sleep without memory: the device tells the new one that
/// [its package is still there](Self::still_downloaded), or how its [installation](Self::installed) went.
///
/// An empty Package URI, or a Package of one NUL byte, goes back to Idle from everywhere. What else a
/// server writes begins anew with another package, except while one is being installed (5.03). A push
/// that fails on the way is cut off (4.13, 4.00), since the rest of it would be sent in vain; what is
/// found wrong at its end shows in the result only, and the Write succeeds.
///
/// ```
/// use lwm2m_core::objects::{FirmwareAction, FirmwareState, FirmwareUpdate, Protocol};
///
/// let mut firmware = FirmwareUpdate::pulling([Protocol::Coaps]);
/// // After each call of the client:
/// match firmware.take_action() {
///     Some(FirmwareAction::Download) => println!("download {}", firmware.uri()),
///     Some(FirmwareAction::Install) => println!("install, restart, and say how it went"),
///     Some(FirmwareAction::Abort) => println!("stop"),
///     None => {}
/// }
/// assert_eq!(firmware.state(), FirmwareState::Idle);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FirmwareUpdate<S = NoStore> {
    /// Where packages go that a server pushes.
    pub store: S,
    /// The package's name (/5/0/6).
    pub package_name: Option<Cow<'static, str>>,
    /// The package's version (/5/0/7).
    pub package_version: Option<Cow<'static, str>>,
    protocols: Multiple<Protocol>,
    pushes: bool,
    machine: Machine,
    result: FirmwareResult,
    uri: String,
    /// Whether the device is to stop what it does, before anything else.
    abort: bool,
}

impl FirmwareUpdate {
    /// A device that downloads packages by itself, with these protocols.
    #[must_use]
    pub fn pulling<const N: usize>(protocols: [Protocol; N]) -> Self {
        Self { pushes: false, ..Self::new(NoStore, protocols) }
    }
}

impl<S: PackageStore> FirmwareUpdate<S> {
    /// The object's instance, for [`Client::notify`](crate::Client::notify).
    pub const PATH: Path = Path::instance(table::ID, 0);

    /// A device that takes packages into `store`, and downloads them with these protocols (or with
    /// none).
    #[must_use]
    pub fn new<const N: usize>(store: S, protocols: [Protocol; N]) -> Self {
        Self {
            store,
            package_name: None,
            package_version: None,
            protocols: protocols.into(),
            pushes: true,
            machine: Machine::Idle,
            result: FirmwareResult::Initial,
            uri: String::new(),
            abort: false,
        }
    }

    /// The state (/5/0/3).
    #[must_use]
    pub const fn state(&self) -> FirmwareState {
        match self.machine {
            Machine::Idle => FirmwareState::Idle,
            Machine::Pulling { .. } | Machine::Pushing { .. } => FirmwareState::Downloading,
            Machine::Downloaded => FirmwareState::Downloaded,
            Machine::Updating { .. } => FirmwareState::Updating,
        }
    }

    /// The result (/5/0/5).
    #[must_use]
    pub const fn result(&self) -> FirmwareResult {
        self.result
    }

    /// The URI that a server wrote last (/5/0/1).
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// What the device has to do now, once.
    pub const fn take_action(&mut self) -> Option<FirmwareAction> {
        if self.abort {
            self.abort = false;
            return Some(FirmwareAction::Abort);
        }
        match &mut self.machine {
            Machine::Pulling { asked: asked @ false } => {
                *asked = true;
                Some(FirmwareAction::Download)
            }
            Machine::Updating { asked: asked @ false } => {
                *asked = true;
                Some(FirmwareAction::Install)
            }
            _ => None,
        }
    }

    /// The package was downloaded, and is intact. Ignored when no download is wanted.
    pub const fn downloaded(&mut self) {
        if matches!(self.machine, Machine::Pulling { asked: true }) {
            self.machine = Machine::Downloaded;
        }
    }

    /// After a restart or a sleep: the package of before is still there, and intact. Ignored when
    /// something else has begun.
    pub const fn still_downloaded(&mut self) {
        if matches!(self.machine, Machine::Idle) {
            (self.machine, self.result) = (Machine::Downloaded, FirmwareResult::Initial);
        }
    }

    /// The download failed, or broke off; the server may begin again. Ignored when none is wanted.
    pub fn download_failed(&mut self, error: DownloadError) {
        match self.machine {
            Machine::Pulling { asked: true } => self.end(FirmwareResult::Download(error)),
            Machine::Pushing { .. } => {
                self.store.discard();
                self.end(FirmwareResult::Download(error));
            }
            _ => {}
        }
    }

    /// The new firmware runs. Ignored when an update was wanted and is not any more.
    pub fn installed(&mut self) {
        if matches!(self.machine, Machine::Idle | Machine::Updating { asked: true }) {
            self.end(FirmwareResult::Success);
        }
    }

    /// The old firmware still runs, and the package is still there. Ignored as in
    /// [`installed`](Self::installed).
    pub const fn installation_failed(&mut self) {
        if matches!(self.machine, Machine::Idle | Machine::Updating { asked: true }) {
            (self.machine, self.result) = (Machine::Downloaded, FirmwareResult::UpdateFailed);
        }
    }

    fn end(&mut self, result: FirmwareResult) {
        (self.machine, self.result) = (Machine::Idle, result);
    }

    /// Back to the beginning, whatever was going on (Appendix D.1.6, resource 3).
    fn reset(&mut self) {
        match self.machine {
            Machine::Idle => {}
            Machine::Pulling { asked } => self.abort |= asked,
            Machine::Pushing { .. } | Machine::Downloaded => self.store.discard(),
            Machine::Updating { asked } => {
                self.abort |= asked;
                self.store.discard();
            }
        }
        self.uri.clear();
        self.end(FirmwareResult::Initial);
    }

    fn pull(&mut self, uri: &str) {
        self.reset();
        self.uri.push_str(uri);
        // The Write itself succeeds; the result tells what is wrong (Appendix D.1.6, resource 5).
        match Protocol::of(uri) {
            Err(error) => self.end(FirmwareResult::Download(error)),
            Ok(protocol) if !self.protocols.iter().any(|(_, known)| *known == protocol) => {
                self.end(FirmwareResult::Download(DownloadError::Protocol));
            }
            Ok(_) => self.machine = Machine::Pulling { asked: false },
        }
    }

    /// Takes the next part of a package, or the first one of a new package.
    fn push(&mut self, ctx: &Ctx, part: Part<'_>) -> Result<(), StoreError> {
        let by = ctx.origin;
        if !self.goes_on(ctx, part.offset) {
            self.reset();
            self.machine = Machine::Pushing { by, next: 0 };
        }
        let stored = self.store.store(ctx, part);
        match stored {
            Ok(()) if part.last => self.machine = Machine::Downloaded,
            Ok(()) => {
                let length = u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
                self.machine = Machine::Pushing { by, next: part.offset.saturating_add(length) };
            }
            Err(StoreError::Later) => {}
            Err(StoreError::Failed(error)) => self.download_failed(error),
        }
        stored
    }

    /// Whether a part that begins there is the next one of the package that is being pushed. One at 0
    /// begins another, unless it waited for the store.
    fn goes_on(&self, ctx: &Ctx, offset: u64) -> bool {
        let awaited = matches!(self.machine, Machine::Pushing { by, next } if by == ctx.origin && next == offset);
        awaited && (offset > 0 || ctx.resumed)
    }

    /// Whether a server may begin with a package now: it may later, when one is being installed.
    const fn may_begin(&self, package: bool) -> Result<(), Refusal> {
        match self.machine {
            _ if package && !self.pushes => Err(Refusal::Code(Code::METHOD_NOT_ALLOWED)),
            Machine::Updating { .. } => Err(Refusal::Code(Code::SERVICE_UNAVAILABLE)),
            _ => Ok(()),
        }
    }

    fn value(&self, resource: u16) -> Option<Value<'_>> {
        let number = |number: u8| Value::Int(i64::from(number));
        Some(match resource {
            table::PACKAGE_URI => Value::Str(&self.uri),
            table::STATE => number(self.state() as u8),
            table::UPDATE_RESULT => number(self.result.number()),
            table::PKG_NAME => Value::Str(self.package_name.as_deref()?),
            table::PKG_VERSION => Value::Str(self.package_version.as_deref()?),
            // 0 pull, 1 push, 2 both.
            table::FIRMWARE_UPDATE_DELIVERY_METHOD => number(match (self.protocols.is_empty(), self.pushes) {
                (false, false) => 0,
                (true, _) => 1,
                (false, true) => 2,
            }),
            _ => return None,
        })
    }

    fn has(&self, resource: u16) -> bool {
        match resource {
            table::PACKAGE | table::UPDATE => true,
            table::FIRMWARE_UPDATE_PROTOCOL_SUPPORT => !self.protocols.is_empty(),
            _ => self.value(resource).is_some(),
        }
    }
}

impl FirmwareResult {
    const fn number(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::Success => 1,
            Self::Download(error) => error as u8,
            Self::UpdateFailed => 8,
        }
    }
}

/// What a Write asks for.
enum Wish<'a> {
    Nothing,
    Reset,
    Pull(&'a str),
    Push(&'a [u8]),
    /// Two packages at once.
    Both,
}

impl<'a> Wish<'a> {
    /// A whole instance names Package and Package URI, and one of them is empty then.
    fn of(change: &Change<'a>) -> Self {
        match (change.values.get(table::PACKAGE), change.values.get(table::PACKAGE_URI)) {
            (None, None) => Self::Nothing,
            (None | Some(Value::Opaque([] | [0])), None | Some(Value::Str(""))) => Self::Reset,
            (Some(Value::Opaque(package)), None | Some(Value::Str(""))) => Self::Push(package),
            (None | Some(Value::Opaque([] | [0])), Some(Value::Str(uri))) => Self::Pull(uri),
            _ => Self::Both,
        }
    }
}

impl<S: PackageStore> DataModel for FirmwareUpdate<S> {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < table::ID).then_some(&table::DEFINITION)
    }

    fn next_instance(&self, object: u16, after: Option<u16>) -> Option<u16> {
        (object == table::ID && after.is_none()).then_some(0)
    }

    fn next_resource(&self, object: u16, instance: u16, after: Option<u16>) -> Option<u16> {
        let mut ids = table::RESOURCES.iter().map(|resource| resource.id).filter(|id| self.has(*id));
        ids.find(|id| (object, instance) == (table::ID, 0) && after.is_none_or(|after| *id > after))
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        if at.resource == table::FIRMWARE_UPDATE_PROTOCOL_SUPPORT {
            return self.protocols.read(ctx, at, out);
        }
        Ok(out.value(at, self.value(at.resource).ok_or(Refusal::Code(Code::NOT_FOUND))?)?)
    }

    fn check(&self, _: &Ctx, change: &Change<'_>) -> Result<(), Refusal> {
        if matches!(change.action, Action::Create | Action::Delete) {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
        match Wish::of(change) {
            Wish::Nothing | Wish::Reset => Ok(()),
            Wish::Pull(_) => self.may_begin(false),
            Wish::Push(_) => self.may_begin(true),
            Wish::Both => Err(Refusal::Code(Code::BAD_REQUEST)),
        }
    }

    fn apply(&mut self, ctx: &Ctx, change: &Change<'_>) {
        match Wish::of(change) {
            Wish::Nothing | Wish::Both => {}
            Wish::Reset => self.reset(),
            Wish::Pull(uri) => self.pull(uri),
            Wish::Push(bytes) => {
                let total = u32::try_from(bytes.len()).ok();
                // What is wrong with it shows in the result; and here is no later.
                if self.push(ctx, Part { offset: 0, bytes, last: true, total }) == Err(StoreError::Later) {
                    self.download_failed(DownloadError::Memory);
                }
            }
        }
    }

    fn stream(&mut self, ctx: &Ctx, at: Leaf, part: Part<'_>) -> Result<(), Refusal> {
        if at.resource != table::PACKAGE {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
        if part.offset == 0 && part.last && matches!(part.bytes, [] | [0]) {
            self.reset();
            return Ok(());
        }
        self.may_begin(true)?;
        if part.offset > 0 && !self.goes_on(ctx, part.offset) {
            // Its beginning is missing, or something else began meanwhile (RFC 7959, section 2.9.2).
            return Err(Refusal::Code(Code::REQUEST_ENTITY_INCOMPLETE));
        }
        match self.push(ctx, part) {
            Ok(()) => Ok(()),
            Err(StoreError::Later) => Err(Refusal::Later),
            // The Write is whole, and the result tells what is wrong.
            Err(StoreError::Failed(_)) if part.last => Ok(()),
            Err(StoreError::Failed(DownloadError::Flash | DownloadError::Memory)) => {
                Err(Refusal::Code(Code::REQUEST_ENTITY_TOO_LARGE))
            }
            Err(StoreError::Failed(_)) => Err(Refusal::Code(Code::BAD_REQUEST)),
        }
    }

    fn execute(&mut self, _: &Ctx, at: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        if at.resource != table::UPDATE || self.machine != Machine::Downloaded {
            return Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
        }
        (self.machine, self.result) = (Machine::Updating { asked: false }, FirmwareResult::Initial);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
