//! XD: Execute, requests that no object has a say in, and applications that answer late or fail.

use coap_codec::{Code, ContentFormat, MessageType};
use lwm2m_core::sim::{Ask, Sim, Tlv};
use lwm2m_core::{
    Args, Change, Credentials, Ctx, DataModel, DataType, Event, Leaf, ObjectDef, Operations, Origin, Path, Refusal,
    ResourceDef, Sink, Value, object,
};

use crate::terminal::operations::*;
use crate::terminal::*;

const BAD: Code = Code::BAD_REQUEST;
const NOT_ALLOWED: Code = Code::METHOD_NOT_ALLOWED;

static MOTOR: ObjectDef =
    ObjectDef::new(30_002, "Motor", &[ResourceDef::new(0, "Run", Operations::E, DataType::None).mandatory()]);

/// Remembers the arguments that it was run with.
#[derive(Clone, Debug, Default)]
struct Motor(Runs);

type Runs = Vec<Vec<(u8, Option<String>)>>;

impl Motor {
    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    fn run(&mut self, _: &Ctx, args: Args<'_>) -> Result<(), Refusal> {
        self.0.push(args.iter().map(|(digit, value)| (digit, value.map(str::to_string))).collect());
        Ok(())
    }
}

object! { Motor: MOTOR, execute { 0 => run } }

fn execute(path: &str, arguments: &[u8]) -> Ask {
    with(Code::POST, path, TEXT_PLAIN, arguments)
}

#[test]
fn xd_17_what_is_a_value_is_not_executed() {
    let mut sim = online(roomy(), device());
    sim.model.current_time = Some((0, sim.now()));
    let before = sim.model.clone();
    for path in ["/3/0/0", "/3/0/13", "/3/0/11", "/1/0/1", "/1/0/0"] {
        refused(&mut sim, Ask::new(Code::POST, path), NOT_ALLOWED);
        refused(&mut sim, execute(path, b"5"), NOT_ALLOWED);
    }
    assert_eq!(sim.model, before);
    nobody_complains(&sim);
}

#[test]
fn xd_18_what_is_not_there_is_not_executed() {
    let mut sim = online(roomy(), device());
    for path in ["/3/0/99", "/9/0/0", "/3/1/4", "/1/1/8", "/3/0/13"] {
        refused(&mut sim, Ask::new(Code::POST, path), Code::NOT_FOUND);
        refused(&mut sim, execute(path, b"5"), Code::NOT_FOUND);
    }
    assert_eq!(sim.model.take_action(), None);
    nobody_complains(&sim);
}

#[test]
fn xd_19_arguments_are_parsed_or_refused() {
    let mut sim = online(roomy(), (device(), Motor::default()));
    let one = |digit, value: &str| (digit, Some(value.to_string()));
    let valid: [(&[u8], Vec<_>); 8] = [
        (b"", vec![]),
        (b"5", vec![(5, None)]),
        (b"2='10.3'", vec![one(2, "10.3")]),
        (b"7,0='coap://a.example/b?c=1'", vec![(7, None), one(0, "coap://a.example/b?c=1")]),
        (b"0,1,2,3,4", (0..5).map(|digit| (digit, None)).collect()),
        (b"0=''", vec![one(0, "")]),
        (b"9='!#&([]~,='", vec![one(9, "!#&([]~,=")]),
        // The same digit twice is not forbidden before 1.2.
        (b"1,1='a'", vec![(1, None), one(1, "a")]),
    ];
    let executed = Event::Executed { origin: Origin::Server(1), path: Path::resource(30_002, 0, 0) };
    for (number, (text, parsed)) in (1..).zip(valid) {
        assert_eq!(code(&mut sim, execute("/30002/0/0", text)), Code::CHANGED, "{}", text.escape_ascii());
        assert_eq!(sim.model.1.0.last(), Some(&parsed), "{}", text.escape_ascii());
        assert_eq!((sim.model.1.0.len(), happened(&sim, executed)), (number, number));
    }
    assert_eq!(code(&mut sim, Ask::new(Code::POST, "/30002/0/0")), Code::CHANGED, "without a format, too");
    assert_eq!(sim.model.1.0.len(), 9);
    let invalid: [&[u8]; 22] = [
        b"a",
        b"10",
        b"5,",
        b",5",
        b"0=",
        b"0=5",
        b"0='a",
        b"0='a'b",
        b"0='a b'",
        b"0='a\"b'",
        b"0='a\\b'",
        b"0='",
        b"1, 2",
        b" 1",
        b"1 ",
        b"1,,2",
        b"0='a''b'",
        b"'a'",
        b"=",
        b",",
        b"0='\x7f'",
        b"0='\xc3\xa4'",
    ];
    for text in invalid {
        refused(&mut sim, execute("/30002/0/0", text), BAD);
        assert_eq!(sim.model.1.0.len(), 9, "{}", text.escape_ascii());
    }
    nobody_complains(&sim);
}

#[test]
fn xd_20_arguments_are_text() {
    let mut sim = online(roomy(), (device(), Motor::default()));
    for format in [11_542, 11_543, 40, 42, 50, 99] {
        for arguments in [&b"5"[..], b""] {
            let ask = with(Code::POST, "/30002/0/0", ContentFormat(format), arguments);
            refused(&mut sim, ask, Code::UNSUPPORTED_CONTENT_FORMAT);
        }
    }
    assert!(sim.model.1.0.is_empty());
    assert_eq!(code(&mut sim, execute("/30002/0/0", b"5")), Code::CHANGED);
    nobody_complains(&sim);
}

#[test]
fn xd_21_paths_that_are_none() {
    let mut sim = online(roomy(), device());
    let before = sim.model.clone();
    for (method, path) in [
        (Code::POST, "/3/0/0/0"),
        (Code::GET, "/3/0/11/0"),
        (Code::PUT, "/3/0/14/0"),
        (Code::DELETE, "/3/0/11/0"),
        (Code::GET, "/3/0/11/0/0"),
    ] {
        refused(&mut sim, Ask::new(method, path), NOT_ALLOWED);
    }
    for path in ["/a/b", "/03/0", "/65536", "/3/65535", "/3/0/65536", "/+3/0", "/-1", "/3 /0", "/3/0x0", "/rd", "/３/0"]
    {
        for method in [Code::GET, Code::PUT, Code::POST, Code::DELETE] {
            refused(&mut sim, Ask::new(method, path), Code::NOT_FOUND);
        }
    }
    // A segment of nothing, in the middle and at the end.
    for segments in [&["3", "", "9"][..], &["3", "0", ""], &[""]] {
        let path = segments.iter().map(ToString::to_string).collect();
        refused(&mut sim, Ask { path, ..Ask::new(Code::GET, "/") }, Code::NOT_FOUND);
    }
    assert_eq!(sim.model, before);
    nobody_complains(&sim);
}

#[test]
fn xd_22_the_root_is_not_for_servers() {
    let mut sim = stored(roomy());
    let (accounts, before) = (content(&mut sim, Path::object(1)), format!("{:?}", sim.model));
    let timezone = Tlv::new().instance(0, &Tlv::new().text(15, "UTC"));
    for ask in [
        Ask::new(Code::GET, "/"),
        get("/", Some(ContentFormat::LINK_FORMAT)),
        get("/", Some(TLV)),
        Ask { observe: Some(0), ..Ask::new(Code::GET, "/") },
        Ask::new(Code::PUT, "/"),
        tlv(Code::PUT, "/", &timezone),
        Ask { query: vec!["pmin=5".into()], ..Ask::new(Code::PUT, "/") },
        Ask::new(Code::POST, "/"),
        tlv(Code::POST, "/", &timezone),
        Ask::new(Code::DELETE, "/"),
    ] {
        refused(&mut sim, ask.clone(), NOT_ALLOWED);
        assert_eq!(format!("{:?}", sim.model), before, "{ask:?}");
        assert_eq!(content(&mut sim, Path::object(1)), accounts, "{ask:?}");
    }
    // The account is there to the end: security, too.
    sim.update(1).unwrap();
    sim.run_for(2 * DAY);
    assert_eq!((server(&sim).history().len(), server(&sim).registers_seen()), (1, 1), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xd_23_objects_are_not_replaced_and_neither_objects_nor_resources_deleted() {
    let mut sim = stored(roomy());
    let before = format!("{:?}", sim.model);
    let text = Tlv::new().instance(0, &Tlv::new().text(0, "new"));
    for ask in [
        Ask::new(Code::PUT, "/3"),
        tlv(Code::PUT, "/3", &Tlv::new().instance(0, &Tlv::new().text(15, "UTC"))),
        tlv(Code::PUT, "/30001", &text),
        Ask::new(Code::DELETE, "/3"),
        Ask::new(Code::DELETE, "/30001"),
        Ask::new(Code::DELETE, "/3/0/0"),
        Ask::new(Code::DELETE, "/30001/0/1"),
        Ask::new(Code::DELETE, "/1"),
    ] {
        refused(&mut sim, ask.clone(), NOT_ALLOWED);
        assert_eq!(format!("{:?}", sim.model), before, "{ask:?}");
    }
    nobody_complains(&sim);
}

#[test]
fn xd_27_security_is_not_for_servers() {
    const KEY: &[u8] = b"a key of 16 byte";
    let psk = Credentials::Psk { identity: b"terminal".to_vec(), key: KEY.to_vec() };
    let mut config = dm(1).server(1, "coaps://dm.example", psk, 86_400);
    config.limits.deduplication = 2_000;
    let mut sim = online(config, device());
    let uri = Tlv::new().text(0, "coap://evil.example");
    let begun = sent(&sim).len();
    for path in ["/0", "/0/0", "/0/0/0", "/0/0/3", "/0/0/5", "/0/0/99", "/0/7", "/0/7/5"] {
        let attributes = Ask { query: vec!["pmin=10".into()], ..Ask::new(Code::PUT, path) };
        let observe = |accept| Ask { observe: Some(0), ..get(path, accept) };
        for ask in [
            get(path, None),
            get(path, Some(TLV)),
            get(path, Some(JSON)),
            get(path, Some(TEXT_PLAIN)),
            get(path, Some(ContentFormat::OCTET_STREAM)),
            get(path, Some(ContentFormat::LINK_FORMAT)),
            observe(None),
            observe(Some(TLV)),
            attributes,
            tlv(Code::PUT, path, &uri),
            with(Code::PUT, path, TEXT_PLAIN, b"coap://evil.example"),
            Ask::new(Code::POST, path),
            tlv(Code::POST, path, &uri),
            tlv(Code::POST, path, &Tlv::new().instance(7, &uri)),
            Ask::new(Code::DELETE, path),
        ] {
            refused(&mut sim, ask, Code::UNAUTHORIZED);
        }
    }
    assert!(sent(&sim).len() >= begun + 8 * 15, "{}", sim.trace);
    // It is as it was: the account serves on, and its key was in nothing that left.
    sim.update(1).unwrap();
    sim.run_for(secs(1));
    assert_eq!(happened(&sim, Event::Updated { server: 1 }), 1, "{}", sim.trace);
    let sent = sent(&sim);
    assert!(!sent.iter().any(|sent| sent.bytes.windows(4).any(|part| KEY.windows(4).any(|key| key == part))));
    assert!(sent.iter().all(|sent| sent.host == "dm.example:5684"), "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xd_31_a_query_that_is_not_known_is_refused() {
    let mut sim = stored(roomy());
    let before = format!("{:?}", sim.model);
    let query = |ask, query: &str| Ask { query: vec![query.into()], ..ask };
    let text = Tlv::new().text(0, "new");
    for ask in [
        query(Ask::new(Code::GET, "/3/0"), "pmin=5"),
        query(get("/3/0", Some(ContentFormat::LINK_FORMAT)), "pmin=5"),
        query(Ask { observe: Some(0), ..get("/3/0", None) }, "pmin=5"),
        query(Ask::new(Code::POST, "/3/0/4"), "x"),
        query(Ask::new(Code::POST, "/30001/0/2"), ""),
        query(tlv(Code::PUT, "/30001/0", &text), "x=1"),
        query(tlv(Code::POST, "/30001/0", &text), "x=1"),
        query(tlv(Code::POST, "/30001", &text), "x=1"),
        query(Ask::new(Code::DELETE, "/30001/0"), "x=1"),
    ] {
        refused(&mut sim, ask.clone(), BAD);
        assert_eq!(format!("{:?}", sim.model), before, "{ask:?}");
    }
    // Nothing is observed.
    sim.model.0.battery_level = Some(7);
    sim.notify(BATTERY);
    let before = sent(&sim).len();
    sim.run_for(secs(600));
    assert_eq!(sent(&sim).len(), before, "{}", sim.trace);
    nobody_complains(&sim);
}

#[test]
fn xd_34_a_reset_to_the_answer_that_came_later_ends_the_exchange() {
    let mut sim = racked(one_server(1));
    sim.model.1.later = true;
    server_mut(&mut sim).go_down();
    for (id, (method, path, code)) in
        (1..).zip([(Code::GET, "/30000/0/0", Code::CONTENT), (Code::POST, "/30000/0/1", Code::CHANGED)])
    {
        let ask = request(method, path, id, b"later", None);
        // It takes longer than one may wait for an acknowledgement.
        sim.forge(DM, &ask);
        sim.run_for(secs(10));
        let acknowledgement = sent(&sim).pop().unwrap();
        assert_eq!(acknowledgement.bytes, empty(MessageType::Acknowledgement, id), "{}", sim.trace);
        let ticket = sim.model.1.ticket();
        sim.resume(ticket).unwrap();
        sim.run_for(millis(10));
        let answer = sent(&sim).pop().unwrap();
        assert_eq!((answer.kind(), answer.code()), (MessageType::Confirmable, code), "{path}");
        assert_eq!(answer.token(), b"later");
        let asked = sim.model.1.asked.get();

        let reset = empty(MessageType::Reset, answer.id());
        assert_eq!(said(&mut sim, DM, &reset), [[0; 0]; 0]);
        sim.run_for(secs(120));
        assert_eq!(sent(&sim).last(), Some(&answer), "it is not sent again\n{}", sim.trace);
        assert_eq!(sim.model.1.asked.get(), asked, "nor done again");
        assert!(sim.resume(ticket).is_err(), "there is nothing left to resume");
    }
    assert_eq!(sim.model.1.done, ["run 0"]);
    nobody_complains(&sim);
}

/// Fails at everything in the same way, if it does.
#[derive(Clone, Debug)]
struct Broken(Result<(), Refusal>);

static BROKEN: ObjectDef = ObjectDef::new(
    30_003,
    "Broken",
    &[
        ResourceDef::new(0, "Value", Operations::RW, DataType::Integer).mandatory(),
        ResourceDef::new(1, "Run", Operations::E, DataType::None),
    ],
)
.multiple();

impl DataModel for Broken {
    fn next_object(&self, after: Option<u16>) -> Option<&'static ObjectDef> {
        after.is_none_or(|after| after < BROKEN.id).then_some(&BROKEN)
    }

    fn next_instance(&self, _: u16, after: Option<u16>) -> Option<u16> {
        after.is_none().then_some(0)
    }

    fn next_resource(&self, _: u16, _: u16, after: Option<u16>) -> Option<u16> {
        BROKEN.resources.iter().map(|resource| resource.id).find(|id| after.is_none_or(|after| *id > after))
    }

    /// It fails in the middle: what was written so far must not leave.
    fn read(&self, _: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        out.value(at, Value::Int(if self.0.is_ok() { 7 } else { 1_234_567 }))?;
        self.0
    }

    fn check(&self, _: &Ctx, _: &Change<'_>) -> Result<(), Refusal> {
        self.0
    }

    fn apply(&mut self, _: &Ctx, change: &Change<'_>) {
        panic!("it was refused: {change:?}");
    }

    fn execute(&mut self, _: &Ctx, _: Leaf, _: Args<'_>) -> Result<(), Refusal> {
        self.0
    }
}

/// Every way in which the application is asked.
fn every_way() -> [Ask; 9] {
    let value = Tlv::new().integer(0, 7);
    [
        get("/30003/0/0", None),
        get("/30003/0", None),
        get("/30003", Some(JSON)),
        Ask { observe: Some(0), ..get("/30003/0/0", None) },
        with(Code::PUT, "/30003/0/0", TEXT_PLAIN, b"7"),
        tlv(Code::PUT, "/30003/0", &value),
        tlv(Code::POST, "/30003", &value),
        Ask::new(Code::DELETE, "/30003/0"),
        Ask::new(Code::POST, "/30003/0/1"),
    ]
}

fn broken(refusal: Refusal) -> Sim<(lwm2m_core::objects::Device, Broken)> {
    online(roomy(), (device(), Broken(Err(refusal))))
}

#[test]
fn xd_35_an_application_fails_with_a_code_of_its_own_or_else_5_00() {
    for own in
        [Code::CONFLICT, Code::FORBIDDEN, Code::SERVICE_UNAVAILABLE, Code::NOT_IMPLEMENTED, Code::INTERNAL_SERVER_ERROR]
    {
        let mut sim = broken(Refusal::Code(own));
        every_way().into_iter().for_each(|ask| refused(&mut sim, ask, own));
        nobody_complains(&sim);
    }
    // What is no error cannot be the code of a failure.
    for wrong in [Code::CONTENT, Code::CHANGED, Code::CONTINUE, Code::EMPTY, Code::GET] {
        let mut sim = broken(Refusal::Code(wrong));
        every_way().into_iter().for_each(|ask| refused(&mut sim, ask, Code::INTERNAL_SERVER_ERROR));
        nobody_complains(&sim);
        // Nor of a notification, or of a part of a large value.
        sim.model.1.0 = Ok(());
        let observation = watch(&mut sim, 0, Path::resource(30_003, 0, 0));
        sim.model.1.0 = Err(Refusal::Code(wrong));
        sim.notify(observation.path);
        sim.run_for(secs(1));
        let [last] = &*observation.notifications(&sim) else { panic!("one notification\n{}", sim.trace) };
        assert_eq!((last.code(), last.message().payload()), (Code::INTERNAL_SERVER_ERROR, &b""[..]), "{wrong}");
        let mut sim = stored(roomy());
        sim.model.1.refuse = Some((0, Refusal::Code(wrong)));
        let image = with(Code::PUT, "/5/0/0", ContentFormat::OCTET_STREAM, &[0; 40]);
        refused(&mut sim, Ask { block_size: Some(16), ..image }, Code::INTERNAL_SERVER_ERROR);
        assert!(sim.model.1.refuse.is_none(), "it was asked");
    }
}
