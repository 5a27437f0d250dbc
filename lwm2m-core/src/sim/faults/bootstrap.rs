//! A bootstrap server that does not know what it does.

use alloc::vec::Vec;

use coap_codec::{Code, ContentFormat};

use super::Fault;
use super::operations::Dice;
use crate::base::path::Path;
use crate::sim::platform::{Ask, BootstrapCommand, BootstrapServer, DmServer};

/// Odd commands. What the device ends with, if it ends with anything, is what it should have.
pub(super) fn odd(fault: &Fault, bootstrap: &BootstrapServer, servers: &[DmServer]) -> Vec<BootstrapCommand> {
    let mut dice = Dice::of(fault);
    let proper = bootstrap.commands(servers);
    let is_write = |command: &&BootstrapCommand| matches!(command, BootstrapCommand::Write { .. });
    let writes = || proper.iter().filter(is_write).cloned();
    let ask = |method, path: &str, payload: &[u8]| {
        let format = (!payload.is_empty()).then_some(ContentFormat::LWM2M_TLV);
        BootstrapCommand::Try(Ask { format, payload: payload.to_vec(), ..Ask::new(method, path) })
    };
    let finish = || ask(Code::POST, "bs", &[]);
    let delete = |path: &str| ask(Code::DELETE, path, &[]);
    let write = |path: &str, payload: &[u8]| ask(Code::PUT, path, payload);
    let but_the_end = proper.iter().take(proper.len().saturating_sub(1)).cloned();
    let end = [BootstrapCommand::Finish];
    match dice.below(7) {
        // The end is never told.
        0 => but_the_end.collect(),
        // It is told before there is anything.
        1 => [delete("/"), finish()].into_iter().chain(proper).collect(),
        // It is told twice.
        2 => but_the_end.chain([finish(), BootstrapCommand::Finish]).collect(),
        // All is deleted in the middle.
        3 => {
            let some = 1 + dice.below(writes().count() as u64) as usize;
            writes().take(some).chain(proper.clone()).collect()
        }
        // The other way round.
        4 => {
            let backwards: Vec<_> = writes().collect();
            [BootstrapCommand::Delete(Path::ROOT)].into_iter().chain(backwards.into_iter().rev()).chain(end).collect()
        }
        // Objects that there are not, or that are not its own, and values that are none.
        5 => [
            write("/9999/0", &[0xc1, 0, b'x']),
            write("/0", &[0xc1, 0, b'x']),
            write("/3/0", &[0xc1, 0, b'x']),
            write("/1/7", &[0xc2, 0, 0, 9]),
            write("/0/7", b"no TLV"),
            delete("/3/0"),
            delete("/1/0/1"),
            ask(Code::GET, "/77", &[]),
            ask(Code::GET, "/3/0/9", &[]),
            ask(Code::POST, "/3/0/4", &[]),
        ]
        .into_iter()
        .chain(proper)
        .collect(),
        // Each twice.
        _ => but_the_end.flat_map(|command| [command.clone(), command]).chain(end).collect(),
    }
}
