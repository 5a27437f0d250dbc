//! The machine alone: parts of packages, and every order of events.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::base::origin::Origin;
use crate::base::time::Instant;
use crate::format::Values;

#[test]
fn states_and_results_have_the_numbers_of_the_definition() {
    let states = [FirmwareState::Idle, FirmwareState::Downloading, FirmwareState::Downloaded, FirmwareState::Updating];
    assert_eq!(states.map(|state| state as u8), [0, 1, 2, 3]);
    let errors = [
        DownloadError::Flash,
        DownloadError::Memory,
        DownloadError::Connection,
        DownloadError::Integrity,
        DownloadError::Type,
        DownloadError::Uri,
        DownloadError::Protocol,
    ];
    assert_eq!(errors.map(|error| FirmwareResult::Download(error).number()), [2, 3, 4, 5, 6, 7, 9]);
    let others = [FirmwareResult::Initial, FirmwareResult::Success, FirmwareResult::UpdateFailed];
    assert_eq!(others.map(FirmwareResult::number), [0, 1, 8]);
}

const CTX: Ctx = Ctx { origin: Origin::Server(1), ticket: None, resumed: false, now: Instant::ZERO };
const AT: Leaf = Leaf::new(5, 0, 0);

/// Keeps what it is given, and says what it was told to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shelf {
    bytes: Vec<u8>,
    says: Option<StoreError>,
    discarded: u32,
}

impl PackageStore for Shelf {
    fn store(&mut self, _: &Ctx, part: Part<'_>) -> Result<(), StoreError> {
        if let Some(error) = self.says {
            return Err(error);
        }
        if part.offset == 0 {
            self.bytes.clear();
        }
        assert_eq!(usize::try_from(part.offset), Ok(self.bytes.len()), "parts come in order");
        self.bytes.extend(part.bytes);
        Ok(())
    }

    fn discard(&mut self) {
        self.bytes.clear();
        self.discarded += 1;
    }
}

fn firmware() -> FirmwareUpdate<Shelf> {
    FirmwareUpdate::new(Shelf::default(), [Protocol::Coap])
}

const fn part(offset: u64, bytes: &[u8], last: bool) -> Part<'_> {
    Part { offset, bytes, last, total: None }
}

fn stream(firmware: &mut FirmwareUpdate<Shelf>, offset: u64, bytes: &[u8], last: bool) -> Result<(), Refusal> {
    firmware.stream(&CTX, AT, part(offset, bytes, last))
}

fn write(firmware: &mut FirmwareUpdate<Shelf>, values: Values<'_>) -> Result<(), Refusal> {
    let change = Change { action: Action::Update, object: 5, instance: 0, values, earlier: 0 };
    firmware.check(&CTX, &change)?;
    firmware.apply(&CTX, &change);
    Ok(())
}

fn pull(firmware: &mut FirmwareUpdate<Shelf>, uri: &str) -> Result<(), Refusal> {
    write(firmware, Values::of(table::PACKAGE_URI, Value::Str(uri)))
}

fn update(firmware: &mut FirmwareUpdate<Shelf>) -> Result<(), Refusal> {
    firmware.execute(&CTX, Leaf::new(5, 0, table::UPDATE), Args::default())
}

fn progress<S: PackageStore>(firmware: &FirmwareUpdate<S>) -> (u8, u8) {
    (firmware.state() as u8, firmware.result().number())
}

const NOT_ALLOWED: Result<(), Refusal> = Err(Refusal::Code(Code::METHOD_NOT_ALLOWED));
const INCOMPLETE: Result<(), Refusal> = Err(Refusal::Code(Code::REQUEST_ENTITY_INCOMPLETE));

#[test]
fn a_package_comes_part_by_part() {
    let mut firmware = firmware();
    for (offset, bytes, last, state) in [(0, b"abcd", false, 1), (4, b"efgh", false, 1), (8, b"ijkl", true, 2)] {
        assert_eq!(stream(&mut firmware, offset, bytes, last), Ok(()));
        assert_eq!(progress(&firmware), (state, 0));
    }
    assert_eq!(firmware.store.bytes, b"abcdefghijkl");
    // Another one takes its place.
    assert_eq!(stream(&mut firmware, 0, b"AB", true), Ok(()));
    assert_eq!((progress(&firmware), &*firmware.store.bytes), ((2, 0), &b"AB"[..]));
}

#[test]
fn a_part_without_its_beginning_is_refused() {
    let mut firmware = firmware();
    assert_eq!(stream(&mut firmware, 4, b"efgh", true), INCOMPLETE);
    assert_eq!(progress(&firmware), (0, 0));
    assert_eq!(stream(&mut firmware, 0, b"abcd", false), Ok(()));
    assert_eq!(stream(&mut firmware, 8, b"ijkl", true), INCOMPLETE);
    assert_eq!(progress(&firmware), (1, 0));
    // The server took it back meanwhile.
    assert_eq!(pull(&mut firmware, ""), Ok(()));
    assert_eq!(stream(&mut firmware, 4, b"efgh", true), INCOMPLETE);
    assert_eq!((progress(&firmware), firmware.store.discarded), ((0, 0), 1));
}

#[test]
fn only_the_package_comes_in_parts() {
    let uri = Leaf::new(5, 0, table::PACKAGE_URI);
    assert_eq!(firmware().stream(&CTX, uri, part(0, b"coap://a", true)), NOT_ALLOWED);
}

#[test]
fn a_push_that_fails_on_the_way_is_cut_off_and_one_that_fails_at_its_end_is_not() {
    for (error, cut, number) in [
        (DownloadError::Flash, Code::REQUEST_ENTITY_TOO_LARGE, 2),
        (DownloadError::Memory, Code::REQUEST_ENTITY_TOO_LARGE, 3),
        (DownloadError::Integrity, Code::BAD_REQUEST, 5),
        (DownloadError::Type, Code::BAD_REQUEST, 6),
    ] {
        for (last, answer) in [(false, Err(Refusal::Code(cut))), (true, Ok(()))] {
            let mut firmware = firmware();
            assert_eq!(stream(&mut firmware, 0, b"abcd", false), Ok(()));
            firmware.store.says = Some(StoreError::Failed(error));
            assert_eq!(stream(&mut firmware, 4, b"efgh", last), answer);
            assert_eq!((progress(&firmware), firmware.store.bytes.len()), ((0, number), 0));
            assert_eq!(stream(&mut firmware, 8, b"ijkl", true), INCOMPLETE);
        }
    }
}

#[test]
fn a_store_that_is_busy_gets_the_same_part_again() {
    let mut firmware = firmware();
    for (offset, bytes, last) in [(0, b"abcd", false), (4, b"efgh", true)] {
        firmware.store.says = Some(StoreError::Later);
        assert_eq!(stream(&mut firmware, offset, bytes, last), Err(Refusal::Later));
        assert_eq!(progress(&firmware), (1, 0));
        firmware.store.says = None;
        assert_eq!(firmware.stream(&Ctx { resumed: true, ..CTX }, AT, part(offset, bytes, last)), Ok(()));
    }
    assert_eq!((progress(&firmware), &*firmware.store.bytes), ((2, 0), &b"abcdefgh"[..]));
    assert_eq!(firmware.store.discarded, 0);
    // A package in one message cannot wait.
    firmware.store.says = Some(StoreError::Later);
    assert_eq!(write(&mut firmware, Values::of(table::PACKAGE, Value::Opaque(b"abcd"))), Ok(()));
    assert_eq!(progress(&firmware), (0, 3));
}

type Deed = fn(&mut FirmwareUpdate<Shelf>) -> Result<(), Refusal>;

#[test]
fn what_resets_does_so_from_everywhere() {
    let resets: [Deed; 5] = [
        |firmware| pull(firmware, ""),
        |firmware| write(firmware, Values::of(table::PACKAGE, Value::Opaque(&[0]))),
        |firmware| write(firmware, Values::of(table::PACKAGE, Value::Opaque(&[]))),
        |firmware| stream(firmware, 0, &[0], true),
        |firmware| stream(firmware, 0, &[], true),
    ];
    let ways: [Deed; 6] = [
        |_| Ok(()),
        |firmware| pull(firmware, "nowhere"),
        |firmware| pull(firmware, "coap://a.example/b"),
        |firmware| stream(firmware, 0, b"abcd", false),
        |firmware| stream(firmware, 0, b"abcd", true),
        |firmware| stream(firmware, 0, b"abcd", true).and_then(|()| update(firmware)),
    ];
    for (way, before) in ways.into_iter().zip([(0, 0), (0, 7), (1, 0), (1, 0), (2, 0), (3, 0)]) {
        for reset in resets {
            let mut firmware = firmware();
            way(&mut firmware).unwrap();
            assert_eq!(progress(&firmware), before);
            let asked = firmware.take_action();
            reset(&mut firmware).unwrap();
            assert_eq!((progress(&firmware), firmware.uri(), firmware.store.bytes.len()), ((0, 0), "", 0));
            // What the device was asked to do, it is asked to stop.
            assert_eq!(firmware.take_action(), asked.map(|_| FirmwareAction::Abort));
            assert_eq!(firmware.take_action(), None);
        }
    }
}

#[test]
fn an_installation_is_not_disturbed_but_by_a_reset() {
    let busy = Err(Refusal::Code(Code::SERVICE_UNAVAILABLE));
    let mut firmware = firmware();
    stream(&mut firmware, 0, b"abcd", true).unwrap();
    update(&mut firmware).unwrap();
    assert_eq!(stream(&mut firmware, 0, b"efgh", true), busy);
    assert_eq!(write(&mut firmware, Values::of(table::PACKAGE, Value::Opaque(b"efgh"))), busy);
    assert_eq!(pull(&mut firmware, "coap://a.example/b"), busy);
    assert_eq!((progress(&firmware), &*firmware.store.bytes), ((3, 0), &b"abcd"[..]));
}

#[test]
fn two_servers_do_not_mix_their_packages() {
    let mut firmware = firmware();
    let second = Ctx { origin: Origin::Server(2), ..CTX };
    assert_eq!(stream(&mut firmware, 0, b"abcd", false), Ok(()));
    assert_eq!(firmware.stream(&second, AT, part(4, b"EFGH", true)), INCOMPLETE);
    assert_eq!(firmware.stream(&second, AT, part(0, b"ABCD", false)), Ok(()));
    assert_eq!(stream(&mut firmware, 4, b"efgh", true), INCOMPLETE);
    assert_eq!(firmware.stream(&second, AT, part(4, b"EFGH", true)), Ok(()));
    assert_eq!((progress(&firmware), &*firmware.store.bytes), ((2, 0), &b"ABCDEFGH"[..]));
}

#[test]
fn another_uri_ends_the_download_of_the_first() {
    let mut firmware = firmware();
    pull(&mut firmware, "coap://a.example/1").unwrap();
    assert_eq!(firmware.take_action(), Some(FirmwareAction::Download));
    pull(&mut firmware, "coap://a.example/2").unwrap();
    // The first one was ready just then.
    firmware.downloaded();
    assert_eq!(progress(&firmware), (1, 0));
    assert_eq!(firmware.take_action(), Some(FirmwareAction::Abort));
    assert_eq!((firmware.take_action(), firmware.uri()), (Some(FirmwareAction::Download), "coap://a.example/2"));
    firmware.downloaded();
    assert_eq!(progress(&firmware), (2, 0));
}

#[test]
fn a_package_is_still_there_after_a_sleep() {
    let mut firmware = firmware();
    firmware.still_downloaded();
    assert_eq!((progress(&firmware), update(&mut firmware)), ((2, 0), Ok(())));
    firmware.still_downloaded();
    assert_eq!(progress(&firmware), (3, 0), "it is being installed by now");
}

#[test]
fn package_and_uri_together_are_one_package_or_none() {
    let both = |package, uri| {
        let given = [
            crate::Given { resource: table::PACKAGE, index: None, value: Value::Opaque(package) },
            crate::Given { resource: table::PACKAGE_URI, index: None, value: Value::Str(uri) },
        ];
        let mut firmware = firmware();
        let answer = write(&mut firmware, Values::list(&given));
        (answer, progress(&firmware))
    };
    assert_eq!(both(&[0], ""), (Ok(()), (0, 0)));
    assert_eq!(both(b"abcd", ""), (Ok(()), (2, 0)));
    assert_eq!(both(&[0], "coap://a.example/b"), (Ok(()), (1, 0)));
    assert_eq!(both(b"abcd", "coap://a.example/b"), (Err(Refusal::Code(Code::BAD_REQUEST)), (0, 0)));
}

#[test]
fn a_device_that_only_pulls_or_only_takes_says_so() {
    let method = |value: Option<Value<'_>>| value == Some(Value::Int(0));
    let mut pulls = FirmwareUpdate::pulling([Protocol::Http, Protocol::Https]);
    assert!(method(pulls.value(table::FIRMWARE_UPDATE_DELIVERY_METHOD)));
    assert_eq!(pulls.stream(&CTX, AT, part(0, b"abcd", true)), NOT_ALLOWED);
    assert_eq!(pulls.stream(&CTX, AT, part(0, &[0], true)), Ok(()), "there is nothing to take");
    assert_eq!(progress(&pulls), (0, 0));

    let mut takes = FirmwareUpdate::new(Shelf::default(), []);
    assert_eq!(takes.value(table::FIRMWARE_UPDATE_DELIVERY_METHOD), Some(Value::Int(1)));
    assert!(!takes.has(table::FIRMWARE_UPDATE_PROTOCOL_SUPPORT));
    pull(&mut takes, "coap://a.example/b").unwrap();
    assert_eq!(progress(&takes), (0, 9));
}

#[derive(Clone, Debug)]
enum Step {
    Stream(u64, bool),
    Pull(&'static str),
    Reset,
    Update,
    Take,
    Says(Option<StoreError>),
    Downloaded,
    DownloadFailed,
    Installed,
    InstallationFailed,
}

fn step() -> impl Strategy<Value = Step> {
    let uri = prop::sample::select(std::vec!["coap://a.example/b", "ftp://a.example", "nonsense"]);
    let says = [None, Some(StoreError::Later), Some(StoreError::Failed(DownloadError::Flash))];
    prop_oneof![
        4 => (prop::sample::select(std::vec![0u64, 4, 8]), any::<bool>()).prop_map(|(at, last)| Step::Stream(at, last)),
        2 => uri.prop_map(Step::Pull),
        1 => Just(Step::Reset),
        2 => Just(Step::Update),
        3 => Just(Step::Take),
        1 => prop::sample::select(says.to_vec()).prop_map(Step::Says),
        1 => Just(Step::Downloaded),
        1 => Just(Step::DownloadFailed),
        1 => Just(Step::Installed),
        1 => Just(Step::InstallationFailed),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_state_and_result_fit(steps in prop::collection::vec(step(), 0..40)) {
        let mut firmware = firmware();
        for step in steps {
            let before = progress(&firmware);
            match step {
                Step::Stream(offset, last) => drop(stream(&mut firmware, offset, b"abcd", last)),
                Step::Pull(uri) => drop(pull(&mut firmware, uri)),
                Step::Reset => {
                    pull(&mut firmware, "").unwrap();
                    prop_assert_eq!(progress(&firmware), (0, 0));
                }
                Step::Update => prop_assert_eq!(update(&mut firmware).is_ok(), before.0 == 2),
                Step::Take => {
                    let allowed = match firmware.take_action() {
                        Some(FirmwareAction::Download) => before.0 == 1,
                        Some(FirmwareAction::Install) => before.0 == 3,
                        Some(FirmwareAction::Abort) | None => true,
                    };
                    prop_assert!(allowed);
                }
                Step::Says(says) => firmware.store.says = says,
                Step::Downloaded => firmware.downloaded(),
                Step::DownloadFailed => firmware.download_failed(DownloadError::Connection),
                Step::Installed => firmware.installed(),
                Step::InstallationFailed => firmware.installation_failed(),
            }
            let fits = match firmware.state() {
                FirmwareState::Idle => firmware.result() != FirmwareResult::UpdateFailed,
                FirmwareState::Downloaded => {
                    matches!(firmware.result(), FirmwareResult::Initial | FirmwareResult::UpdateFailed)
                }
                FirmwareState::Downloading | FirmwareState::Updating => firmware.result() == FirmwareResult::Initial,
            };
            prop_assert!(fits, "{:?}", progress(&firmware));
        }
    }
}
