//! The CoAP endpoint alone: matching, deduplication, retransmission, separate answers, bounds.

mod common;

use coap_codec::{Code, Header, Message, MessageId, MessageType, MessageWriter, Token};
use common::{nothing, request, secs};
use lwm2m_core::exchange::{
    Endpoint, ExchangeId, Failure, Handled, Inbound, Output, Reply, SendError, Transmission, Verdict,
};
use lwm2m_core::{Instant, Key, Limits, Peer};

const SERVER: Peer = Peer(1);
const START: Instant = Instant::from_secs(100);

fn endpoint(transmission: Transmission) -> Endpoint {
    Endpoint::new(transmission, &Limits::DEVICE, Key::from_seed(1))
}

/// Everything that is queued.
fn sent(endpoint: &mut Endpoint) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(Output::Transmit(_, datagram)) = endpoint.poll_output() {
        all.push(datagram.to_vec());
    }
    all
}

fn get(endpoint: &mut Endpoint, now: Instant) -> Result<ExchangeId, SendError> {
    endpoint.request(now, SERVER, Code::GET, |_| Verdict::Send)
}

fn message(message_type: MessageType, code: Code, id: u16, token: Token) -> Vec<u8> {
    let mut buffer = [0; 32];
    let header = Header { message_type, code, message_id: MessageId(id) };
    MessageWriter::new(&mut buffer, header, token).unwrap().finish().to_vec()
}

/// Message ID and token of a datagram.
fn head(datagram: &[u8]) -> (u16, Token) {
    let message = Message::parse(datagram).unwrap();
    (message.message_id().0, message.token())
}

fn piggybacked(request: &[u8]) -> Vec<u8> {
    let (id, token) = head(request);
    message(MessageType::Acknowledgement, Code::CONTENT, id, token)
}

#[test]
fn a_retransmission_is_the_same_datagram_until_an_acknowledgement_stops_it() {
    let mut endpoint = endpoint(Transmission::default());
    let exchange = get(&mut endpoint, START).unwrap();
    let first = sent(&mut endpoint);
    let due = endpoint.poll_timeout().unwrap();
    assert_eq!(endpoint.expire(due), None);
    assert_eq!(sent(&mut endpoint), first);
    let (id, _) = head(&first[0]);
    let empty = message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY);
    assert!(matches!(endpoint.receive(due, SERVER, &empty), Inbound::Handled(Handled::Acknowledged)));
    assert!(endpoint.is_open(exchange));
    // Only the separate response is awaited now, for MAX_TRANSMIT_WAIT.
    assert_eq!(endpoint.poll_timeout(), Some(due + secs(93)));
    assert!(endpoint.expire(due + secs(93)).is_some());
    assert_eq!(sent(&mut endpoint), Vec::<Vec<u8>>::new());
}

#[test]
fn a_runtime_that_lags_behind_sends_a_message_once() {
    let mut endpoint = endpoint(Transmission::default());
    get(&mut endpoint, START).unwrap();
    let due = endpoint.poll_timeout().unwrap();
    endpoint.expire(due);
    assert_eq!(sent(&mut endpoint).len(), 1, "its repetition is not queued behind it");
}

#[test]
fn a_separate_response_is_acknowledged_and_its_duplicate_again_but_delivered_once() {
    let mut endpoint = endpoint(Transmission::default());
    let exchange = get(&mut endpoint, START).unwrap();
    assert!(endpoint.is_open(exchange));
    let (_, token) = head(&sent(&mut endpoint)[0]);
    // It comes before any acknowledgement.
    let response = message(MessageType::Confirmable, Code::CONTENT, 0x7777, token);
    match endpoint.receive(START, SERVER, &response) {
        Inbound::Response { exchange: answered, .. } => assert_eq!(answered, exchange),
        other => panic!("{other:?}"),
    }
    let acknowledgement = message(MessageType::Acknowledgement, Code::EMPTY, 0x7777, Token::EMPTY);
    assert_eq!(sent(&mut endpoint), core::slice::from_ref(&acknowledgement));
    assert!(matches!(endpoint.receive(START, SERVER, &response), Inbound::Handled(Handled::Duplicate)));
    assert_eq!(sent(&mut endpoint), [acknowledgement]);
    assert_eq!(endpoint.poll_timeout(), None, "nothing is retransmitted");
    assert!(!endpoint.is_open(exchange));
}

#[test]
fn what_does_not_match_is_not_delivered_and_retransmission_goes_on() {
    let mut endpoint = endpoint(Transmission::default());
    get(&mut endpoint, START).unwrap();
    let request = sent(&mut endpoint).remove(0);
    let (id, token) = head(&request);
    let due = endpoint.poll_timeout();
    let unexpected = |inbound: Inbound<'_>| matches!(inbound, Inbound::Handled(Handled::Unexpected));
    // A wrong Message ID; the right one with a wrong token; both right, from somebody else.
    let wrong_id = message(MessageType::Acknowledgement, Code::CONTENT, id.wrapping_add(1), token);
    assert!(unexpected(endpoint.receive(START, SERVER, &wrong_id)));
    let wrong_token = message(MessageType::Acknowledgement, Code::CONTENT, id, Token::new(b"other").unwrap());
    assert!(unexpected(endpoint.receive(START, SERVER, &wrong_token)));
    assert!(unexpected(endpoint.receive(START, Peer(2), &piggybacked(&request))));
    assert_eq!(sent(&mut endpoint), Vec::<Vec<u8>>::new());
    // A confirmable one from somebody else is rejected.
    let foreign = message(MessageType::Confirmable, Code::CONTENT, 9, token);
    assert!(unexpected(endpoint.receive(START, Peer(2), &foreign)));
    assert_eq!(sent(&mut endpoint), [message(MessageType::Reset, Code::EMPTY, 9, Token::EMPTY)]);
    assert_eq!(endpoint.poll_timeout(), due);
    assert!(matches!(endpoint.receive(START, SERVER, &piggybacked(&request)), Inbound::Response { .. }));
    // Late for what is over.
    assert!(unexpected(endpoint.receive(START, SERVER, &piggybacked(&request))));
}

#[test]
fn a_reset_fails_the_exchange_at_once() {
    let mut endpoint = endpoint(Transmission::default());
    let exchange = get(&mut endpoint, START).unwrap();
    let (id, _) = head(&sent(&mut endpoint)[0]);
    let reset = message(MessageType::Reset, Code::EMPTY, id, Token::EMPTY);
    match endpoint.receive(START, SERVER, &reset) {
        Inbound::Failed(failed, Failure::Reset) => assert_eq!(failed, exchange),
        other => panic!("{other:?}"),
    }
    assert!(!endpoint.is_open(exchange));
    assert_eq!(endpoint.usage().slots, 0);
}

#[test]
fn a_ping_is_answered_with_a_reset() {
    let mut endpoint = endpoint(Transmission::default());
    let ping = message(MessageType::Confirmable, Code::EMPTY, 0x1234, Token::EMPTY);
    assert!(matches!(endpoint.receive(START, SERVER, &ping), Inbound::Handled(Handled::Ping)));
    assert_eq!(sent(&mut endpoint), [[0x70, 0, 0x12, 0x34]]);
}

// RFC 7252, section 4.3: only an Empty confirmable message asks for a sign of life.
#[test]
fn what_is_neither_request_nor_response_is_no_ping() {
    let mut endpoint = endpoint(Transmission::default());
    let reserved = Code::from_byte(0x20);
    for (message_type, code, rejected) in [
        (MessageType::NonConfirmable, Code::EMPTY, 0),
        (MessageType::Confirmable, reserved, 1),
        (MessageType::NonConfirmable, reserved, 0),
        (MessageType::Reset, Code::CONTENT, 0),
    ] {
        let datagram = message(message_type, code, 1, Token::EMPTY);
        let received = endpoint.receive(START, SERVER, &datagram);
        assert!(matches!(received, Inbound::Handled(Handled::Malformed)), "{message_type} {code:?}");
        assert_eq!(sent(&mut endpoint).len(), rejected);
    }
}

// RFC 7252, section 11.3: a flood of rubbish in somebody's name brings them no flood.
#[test]
fn of_a_flood_so_many_are_rejected_in_a_second() {
    let mut endpoint = endpoint(Transmission { rejections: 4, ..Transmission::default() });
    let mut flood = |now| {
        for id in 0..50 {
            let ping = message(MessageType::Confirmable, Code::EMPTY, id, Token::EMPTY);
            assert!(matches!(endpoint.receive(now, SERVER, &ping), Inbound::Handled(Handled::Ping)));
        }
        sent(&mut endpoint).len()
    };
    assert_eq!((flood(START), flood(START), flood(START + secs(1))), (4, 0, 4));
}

#[test]
fn what_is_sent_and_kept_shows_in_the_usage() {
    let mut endpoint = endpoint(Transmission::default());
    let nothing_yet = endpoint.usage();
    assert_eq!((nothing_yet.exchanges, nothing_yet.slots, nothing_yet.deferred), (0, 0, 0));
    get(&mut endpoint, START).unwrap();
    let asking = endpoint.usage();
    assert_eq!((asking.exchanges, asking.slots), (1, 1));
    assert!(asking.buffer_bytes > nothing_yet.buffer_bytes && asking.table_bytes > nothing_yet.table_bytes);
    let read = request(MessageType::Confirmable, Code::GET, 1, "/3/0/9", nothing);
    let Inbound::Request { reply, .. } = endpoint.receive(START, SERVER, &read) else { panic!("a request") };
    assert_eq!(endpoint.usage().deduplication, 1);
    endpoint.answer(START, &reply, &read, START + secs(60), |_, _| Verdict::Later).unwrap();
    assert_eq!(endpoint.usage().deferred, 1);

    // Every place that a limit grants has its price.
    let memory = |limits: &Limits| {
        let mut endpoint = Endpoint::new(Transmission::default(), limits, Key::from_seed(1));
        endpoint.reserve();
        endpoint.usage().table_bytes
    };
    let more = Limits { deferred: Limits::DEVICE.deferred + 10, ..Limits::DEVICE };
    assert!(memory(&more) > memory(&Limits::DEVICE) + 10);
    let more = Limits { exchanges: Limits::DEVICE.exchanges + 10, ..Limits::DEVICE };
    assert!(memory(&more) > memory(&Limits::DEVICE) + 10);

    // A buffer that is free is given back on demand.
    endpoint.abandon(SERVER);
    sent(&mut endpoint);
    endpoint.trim();
    let trimmed = endpoint.usage();
    assert_eq!((trimmed.slots, trimmed.deferred, trimmed.exchanges), (0, 0, 0));
    assert!(trimmed.buffer_bytes < Limits::DEVICE.datagram, "no buffer is left, only their table");
}

#[test]
fn one_exchange_at_a_time_and_an_empty_acknowledgement_makes_room() {
    let mut endpoint = endpoint(Transmission::default());
    get(&mut endpoint, START).unwrap();
    assert_eq!(get(&mut endpoint, START), Err(SendError::Busy));
    let other = endpoint.request(START, Peer(2), Code::GET, |_| Verdict::Send);
    assert!(other.is_ok(), "another peer has room of its own");
    let (id, _) = head(&sent(&mut endpoint)[0]);
    endpoint.receive(START, SERVER, &message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY));
    assert!(get(&mut endpoint, START).is_ok());
}

#[test]
fn a_non_confirmable_request_holds_its_place_until_its_answer_and_is_never_repeated() {
    let mut endpoint = endpoint(Transmission::default());
    endpoint.request_non_confirmable(START, SERVER, Code::GET, |_| Verdict::Send).unwrap();
    let (_, token) = head(&sent(&mut endpoint)[0]);
    assert_eq!(get(&mut endpoint, START), Err(SendError::Busy));
    let response = message(MessageType::NonConfirmable, Code::CONTENT, 5, token);
    assert!(matches!(endpoint.receive(START, SERVER, &response), Inbound::Response { .. }));
    assert!(get(&mut endpoint, START).is_ok());
    assert_eq!(sent(&mut endpoint).len(), 1);
}

/// Takes a request and answers it with `code`.
#[track_caller]
fn serve(endpoint: &mut Endpoint, now: Instant, datagram: &[u8], code: Code) -> Option<Vec<u8>> {
    let reply: Reply = match endpoint.receive(now, SERVER, datagram) {
        Inbound::Request { reply, .. } => reply,
        Inbound::Handled(_) => return sent(endpoint).pop(),
        other => panic!("{other:?}"),
    };
    let answered = endpoint.answer(now, &reply, datagram, now + secs(60), |writer, _| {
        writer.restart(code);
        Verdict::Send
    });
    assert_eq!(answered, Ok(()));
    sent(endpoint).pop()
}

#[test]
fn a_repeated_post_is_answered_the_same_and_not_served_again_until_its_lifetime_is_over() {
    let mut endpoint = endpoint(Transmission::default());
    let post = request(MessageType::Confirmable, Code::POST, 7, "/3/0/4", nothing);
    let answer = serve(&mut endpoint, START, &post, Code::CHANGED);
    // Another code would be given now: the old one is repeated.
    assert_eq!(serve(&mut endpoint, START + secs(246), &post, Code::NOT_FOUND), answer);
    let anew = serve(&mut endpoint, START + secs(247), &post, Code::NOT_FOUND);
    assert_ne!(anew, answer);
    // The same Message ID from another peer is another request.
    assert!(matches!(endpoint.receive(START, Peer(2), &post), Inbound::Request { .. }));
}

#[test]
fn a_non_confirmable_request_is_served_once_and_answered_in_kind() {
    let mut endpoint = endpoint(Transmission::default());
    let post = request(MessageType::NonConfirmable, Code::POST, 7, "/3/0/4", nothing);
    let answer = serve(&mut endpoint, START, &post, Code::CHANGED).unwrap();
    let parsed = Message::parse(&answer).unwrap();
    assert_eq!((parsed.message_type(), parsed.token()), (MessageType::NonConfirmable, head(&post).1));
    assert_eq!(serve(&mut endpoint, START + secs(144), &post, Code::CHANGED), None);
    assert!(serve(&mut endpoint, START + secs(145), &post, Code::CHANGED).is_some());
}

#[test]
fn a_full_table_of_duplicates_refuses_changes_and_serves_again_when_they_expire() {
    let mut endpoint = endpoint(Transmission::default());
    for id in 0..Limits::DEVICE.deduplication as u16 {
        let post = request(MessageType::Confirmable, Code::POST, id, "/3/0/4", nothing);
        serve(&mut endpoint, START, &post, Code::CHANGED);
    }
    let post = request(MessageType::Confirmable, Code::POST, 999, "/3/0/4", nothing);
    assert!(matches!(endpoint.receive(START, SERVER, &post), Inbound::Handled(Handled::Refused)));
    let refusal = sent(&mut endpoint).pop().unwrap();
    assert_eq!(Message::parse(&refusal).unwrap().code(), Code::SERVICE_UNAVAILABLE);
    let read = request(MessageType::Confirmable, Code::GET, 1_000, "/3/0/9", nothing);
    assert!(serve(&mut endpoint, START, &read, Code::CONTENT).is_some(), "a read needs no memory");
    assert!(serve(&mut endpoint, START + secs(247), &post, Code::CHANGED).is_some());
}

#[test]
fn what_was_acknowledged_and_not_answered_counts_among_the_exchanges() {
    let limits = Limits { exchanges: 2, ..Limits::DEVICE };
    let mut endpoint = Endpoint::new(Transmission::default(), &limits, Key::from_seed(1));
    get(&mut endpoint, START).unwrap();
    let first = sent(&mut endpoint).remove(0);
    let (id, _) = head(&first);
    endpoint.receive(START, SERVER, &message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY));
    assert_eq!(endpoint.usage().exchanges, 1);
    endpoint.notify(START, SERVER, Token::EMPTY, true, |_| Verdict::Send).unwrap();
    assert_eq!(endpoint.usage().exchanges, 2);
    let one_more = |endpoint: &mut Endpoint| endpoint.request(START, Peer(2), Code::GET, |_| Verdict::Send);
    assert_eq!(one_more(&mut endpoint), Err(SendError::Busy));
    let (id, _) = head(&sent(&mut endpoint)[0]);
    endpoint.receive(START, SERVER, &message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY));
    assert!(one_more(&mut endpoint).is_ok());
}

#[test]
fn without_a_buffer_nothing_is_sent_and_service_returns_with_one() {
    let mut limits = Limits::DEVICE;
    (limits.slots, limits.exchanges) = (2, 8);
    let mut endpoint = Endpoint::new(Transmission::default(), &limits, Key::from_seed(1));
    for peer in 1..=2 {
        endpoint.request(START, Peer(peer), Code::GET, |_| Verdict::Send).unwrap();
    }
    let none = endpoint.request(START, Peer(3), Code::GET, |_| Verdict::Send);
    assert_eq!(none, Err(SendError::NoSlot));
    let first = sent(&mut endpoint).remove(0);
    endpoint.receive(START, SERVER, &piggybacked(&first));
    assert!(endpoint.request(START, Peer(3), Code::GET, |_| Verdict::Send).is_ok());
}

#[test]
fn a_peer_that_is_abandoned_hears_nothing_more() {
    let mut endpoint = endpoint(Transmission::default());
    get(&mut endpoint, START).unwrap();
    endpoint.abandon(SERVER);
    assert_eq!(sent(&mut endpoint), Vec::<Vec<u8>>::new());
    assert_eq!((endpoint.poll_timeout(), endpoint.usage().slots), (None, 0));
    assert!(endpoint.has_room(SERVER));
}

#[test]
fn a_peer_is_quiet_when_nothing_of_it_and_nothing_for_it_waits() {
    let mut endpoint = endpoint(Transmission::default());
    let quiet = |endpoint: &Endpoint| [SERVER, Peer(2)].map(|peer| endpoint.is_quiet(peer));
    assert_eq!(quiet(&endpoint), [true, true]);
    // A message, and then its response alone.
    get(&mut endpoint, START).unwrap();
    assert_eq!(quiet(&endpoint), [false, true]);
    let (id, _) = head(&sent(&mut endpoint)[0]);
    endpoint.receive(START, SERVER, &message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY));
    assert_eq!(quiet(&endpoint), [false, true]);
    endpoint.abandon(SERVER);
    assert_eq!((quiet(&endpoint), endpoint.poll_timeout()), ([true, true], None));
    // A request that is kept.
    let read = request(MessageType::Confirmable, Code::GET, 1, "/3/0/9", nothing);
    let Inbound::Request { reply, .. } = endpoint.receive(START, SERVER, &read) else { panic!("a request") };
    endpoint.answer(START, &reply, &read, START + secs(60), |_, _| Verdict::Later).unwrap();
    assert_eq!(quiet(&endpoint), [false, true]);
    endpoint.drop_deferred(SERVER);
    assert_eq!(quiet(&endpoint), [true, true]);
    // A notification is waited for until it is acknowledged.
    let told = endpoint.notify(START, SERVER, Token::EMPTY, true, |_| Verdict::Send).unwrap();
    assert!(endpoint.is_open(told.exchange) && !endpoint.is_quiet(SERVER));
    let acknowledged = message(MessageType::Acknowledgement, Code::EMPTY, told.message_id.0, Token::EMPTY);
    endpoint.receive(START, SERVER, &acknowledged);
    assert!(!endpoint.is_open(told.exchange) && endpoint.is_quiet(SERVER));
}

#[test]
fn an_answer_may_be_put_off_more_than_once() {
    let mut endpoint = endpoint(Transmission::default());
    let read = request(MessageType::Confirmable, Code::GET, 1, "/3/0/9", nothing);
    let Inbound::Request { reply, .. } = endpoint.receive(START, SERVER, &read) else { panic!("a request") };
    let mut given = None;
    let put_off = endpoint.answer(START, &reply, &read, START + secs(60), |_, ticket| {
        given = ticket;
        Verdict::Later
    });
    let ticket = given.expect("a ticket");
    assert_eq!(put_off, Ok(()));
    assert!(
        endpoint.resume(START + secs(8), ticket) && !endpoint.resume(START + secs(9), ticket),
        "it is about to be answered"
    );
    assert_eq!(endpoint.due(SERVER), Some((START + secs(8), ticket)));
    assert_eq!(endpoint.answer_late(START + secs(9), ticket, START + secs(69), |_, _| Verdict::Later), Ok(None));
    assert_eq!((endpoint.due(SERVER), endpoint.poll_timeout()), (None, Some(START + secs(69))));
    assert!(endpoint.resume(START + secs(9), ticket));
}

#[test]
fn what_is_ignored_is_ignored_when_it_comes_again() {
    let mut endpoint = endpoint(Transmission::default());
    let read = request(MessageType::Confirmable, Code::GET, 7, "/3", nothing);
    let Inbound::Request { reply, .. } = endpoint.receive(START, SERVER, &read) else { panic!("a request") };
    let long = |writer: &mut MessageWriter<'_>| {
        writer.restart(Code::CONTENT);
        writer.payload(&[7; 500]).unwrap();
        Verdict::Send
    };
    endpoint.answer(START, &reply, &read, START + secs(60), |writer, _| long(writer)).unwrap();
    assert_eq!(sent(&mut endpoint).len(), 1);
    // So long an answer is not kept but made again.
    let Inbound::Request { reply, .. } = endpoint.receive(START, SERVER, &read) else { panic!("a request") };
    assert!(reply.repeated);
    endpoint.ignore(&reply);
    assert!(matches!(endpoint.receive(START, SERVER, &read), Inbound::Handled(Handled::Duplicate)));
    assert_eq!(sent(&mut endpoint).len(), 0);
}

// A session that begins anew: who is there now may use the Message IDs of who was there.
#[test]
fn of_a_peer_that_is_forgotten_nothing_is_a_duplicate() {
    let mut endpoint = endpoint(Transmission::default());
    let post = request(MessageType::Confirmable, Code::POST, 7, "/3/0/4", nothing);
    let first = serve(&mut endpoint, START, &post, Code::CHANGED);
    endpoint.abandon(SERVER);
    assert_eq!(serve(&mut endpoint, START, &post, Code::NOT_FOUND), first, "it is still known");
    get(&mut endpoint, START).unwrap();
    endpoint.forget(SERVER);
    assert_eq!(endpoint.poll_timeout(), None, "nothing is awaited");
    assert_ne!(serve(&mut endpoint, START, &post, Code::NOT_FOUND), first);
}

#[test]
fn where_the_table_of_exchanges_is_full_there_is_no_room() {
    let limits = Limits { exchanges: 1, ..Limits::DEVICE };
    let mut endpoint = Endpoint::new(Transmission::default(), &limits, Key::from_seed(1));
    assert!(endpoint.has_room(SERVER));
    endpoint.request(START, Peer(2), Code::GET, |_| Verdict::Send).unwrap();
    assert!(!endpoint.has_room(SERVER), "although nothing is on its way to it");
    assert_eq!(get(&mut endpoint, START), Err(SendError::Busy));
    // It has arrived, and its answer is still to come.
    let (id, _) = head(&sent(&mut endpoint)[0]);
    endpoint.receive(START, Peer(2), &message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY));
    assert!(!endpoint.has_room(SERVER));
    assert_eq!(get(&mut endpoint, START), Err(SendError::Busy));
}

#[test]
fn all_parameters_can_be_set() {
    let transmission = Transmission {
        ack_timeout: secs(1),
        ack_random_percent: 100,
        max_retransmit: 1,
        nstart: 2,
        response_timeout: Some(secs(5)),
        ..Transmission::default()
    };
    let mut endpoint = endpoint(transmission);
    get(&mut endpoint, START).unwrap();
    get(&mut endpoint, START).unwrap();
    assert_eq!(get(&mut endpoint, START), Err(SendError::Busy));
    assert_eq!(sent(&mut endpoint).len(), 2);
    assert_eq!(endpoint.poll_timeout(), Some(START + secs(1)));
    assert_eq!(endpoint.expire(START + secs(1)), None);
    assert_eq!(sent(&mut endpoint).len(), 2);
    assert!(endpoint.expire(START + secs(3)).is_some());
    assert!(endpoint.expire(START + secs(3)).is_some());
    assert_eq!(endpoint.poll_timeout(), None);
}

/// A GET that is not confirmable.
fn non(id: u16) -> Vec<u8> {
    request(MessageType::NonConfirmable, Code::GET, id, "/time", nothing)
}

#[test]
fn what_came_by_multicast_is_kept_for_a_random_moment_and_answered_once() {
    for leisure in [0, 1, 5, 100] {
        let mut endpoint = endpoint(Transmission { leisure: secs(leisure), ..Transmission::default() });
        let datagram = non(7);
        let Inbound::Request { reply, message } = endpoint.receive_multicast(START, SERVER, &datagram) else {
            panic!("a request")
        };
        assert_eq!((reply.confirmable, message.code()), (false, Code::GET));
        endpoint.keep_for_leisure(START, &reply, &datagram).unwrap();
        let due = endpoint.poll_timeout().unwrap();
        assert!(due >= START && due <= START + secs(leisure));
        assert_eq!(endpoint.expire(due), None);
        if due > START {
            assert_eq!(endpoint.leisure_over(START), None);
        }
        assert_eq!(endpoint.leisure_over(due), Some(SERVER));
        // It is no answer that the application gives late.
        assert_eq!(endpoint.due(SERVER), None);
        endpoint.answer_at_leisure(due, |writer, request| {
            assert_eq!(request.as_bytes(), datagram);
            writer.payload(b"9").unwrap();
            Verdict::Send
        });
        let [answer] = &*sent(&mut endpoint) else { panic!("one answer") };
        let answer = Message::parse(answer).unwrap();
        assert_eq!((answer.message_type(), answer.code()), (MessageType::NonConfirmable, Code::CONTENT));
        assert_eq!((answer.token(), answer.payload()), (message.token(), &b"9"[..]));
        assert_eq!((endpoint.leisure_over(due), endpoint.poll_timeout()), (None, None));
        assert_eq!((endpoint.usage().deferred, endpoint.usage().slots), (0, 0));
        let again = endpoint.receive_multicast(due, SERVER, &datagram);
        assert!(matches!(again, Inbound::Handled(Handled::Duplicate)), "{again:?}");
    }
}

#[test]
fn by_multicast_what_is_not_sent_or_has_no_place_leaves_nothing_behind() {
    let mut endpoint = endpoint(Transmission::default());
    let keep = |endpoint: &mut Endpoint, id| match endpoint.receive_multicast(START, SERVER, &non(id)) {
        Inbound::Request { reply, .. } => endpoint.keep_for_leisure(START, &reply, &non(id)),
        other => panic!("{other:?}"),
    };
    assert_eq!((keep(&mut endpoint, 1), keep(&mut endpoint, 2)), (Ok(()), Ok(())));
    assert_eq!(keep(&mut endpoint, 3), Err(SendError::TooManyDeferred));
    for verdict in [Verdict::Drop, Verdict::Later] {
        assert_eq!(endpoint.leisure_over(START + secs(5)), Some(SERVER));
        endpoint.answer_at_leisure(START + secs(5), |_, _| verdict);
    }
    assert_eq!(sent(&mut endpoint), Vec::<Vec<u8>>::new());
    assert_eq!((endpoint.poll_timeout(), endpoint.usage().deferred, endpoint.usage().slots), (None, 0, 0));
    // The answer finds no buffer: it is lost, and the place is free again.
    keep(&mut endpoint, 4).unwrap();
    while endpoint.notify(START, SERVER, Token::EMPTY, false, |_| Verdict::Send).is_ok() {}
    assert_eq!(endpoint.usage().slots, Limits::DEVICE.slots);
    assert_eq!(keep(&mut endpoint, 5), Err(SendError::NoSlot));
    endpoint.answer_at_leisure(START + secs(5), |_, _| Verdict::Send);
    assert_eq!((endpoint.leisure_over(START + secs(5)), endpoint.usage().deferred), (None, 0));
    // So it is with a request that is longer than a buffer.
    sent(&mut endpoint);
    let Inbound::Request { reply, .. } = endpoint.receive_multicast(START, SERVER, &non(6)) else { panic!() };
    assert_eq!(endpoint.keep_for_leisure(START, &reply, &[0; 2_000]), Err(SendError::TooLong));
    assert_eq!((endpoint.usage().deferred, endpoint.usage().slots), (0, 0));
    // And whoever is abandoned is not answered.
    let mut endpoint = Endpoint::new(Transmission::default(), &Limits::DEVICE, Key::from_seed(1));
    keep(&mut endpoint, 7).unwrap();
    endpoint.abandon(SERVER);
    assert_eq!((endpoint.poll_timeout(), endpoint.usage().slots), (None, 0));
}

#[test]
fn a_request_that_wants_no_errors_hears_none_where_there_is_no_room_for_it() {
    let limits = Limits { deduplication: 1, deferred: 0, ..Limits::DEVICE };
    let mut endpoint = Endpoint::new(Transmission::default(), &limits, Key::from_seed(1));
    let ask = |method, id, classes| {
        request(MessageType::Confirmable, method, id, "/a", |writer| {
            writer.no_response(coap_codec::NoResponse(classes)).unwrap();
        })
    };
    let empty = |id| message(MessageType::Acknowledgement, Code::EMPTY, id, Token::EMPTY);
    let unavailable = |id: u16| {
        message(MessageType::Acknowledgement, Code::SERVICE_UNAVAILABLE, id, Token::new(&id.to_be_bytes()).unwrap())
    };
    // It cannot be kept for an answer that comes later.
    for (id, classes, expected) in [(1, 16, empty(1)), (2, 2, unavailable(2))] {
        let datagram = ask(Code::GET, id, classes);
        let Inbound::Request { reply, .. } = endpoint.receive(START, SERVER, &datagram) else { panic!("a request") };
        let kept = endpoint.answer(START, &reply, &datagram, START + secs(60), |_, _| Verdict::Later);
        assert_eq!(kept, Err(SendError::TooManyDeferred));
        assert_eq!(sent(&mut endpoint), [expected]);
    }
    // It cannot be remembered.
    assert!(matches!(endpoint.receive(START, SERVER, &ask(Code::POST, 3, 0)), Inbound::Request { .. }));
    for (id, classes, expected) in [(4, 26, empty(4)), (5, 8, unavailable(5))] {
        let datagram = ask(Code::POST, id, classes);
        let refused = endpoint.receive(START, SERVER, &datagram);
        assert!(matches!(refused, Inbound::Handled(Handled::Refused)), "{refused:?}");
        assert_eq!(sent(&mut endpoint), [expected]);
    }
}
