//! DM terminal specification 7.5: De-register.

use coap_codec::{Code, MessageType};

use crate::terminal::*;

#[test]
fn dm_7_5_a_power_off_deletes_the_location() {
    let mut sim = registered(1);
    let location = server(&sim).registration().expect("it is registered").location.clone();
    sim.shutdown();
    sim.run_for(secs(1));
    let deletes = requests(&sim, Code::DELETE, &format!("/{}", location.join("/")));
    let [delete] = &*deletes else { panic!("one De-register: {deletes:?}\n{}", sim.trace) };
    let message = delete.message();
    assert_eq!(message.message_type(), MessageType::Confirmable);
    assert_eq!((message.uri_query().count(), message.payload()), (0, &[][..]));
}
