//! How to read a ladder.

/// Stands above every ladder.
pub(crate) const LEGEND: &str = "\
 How to read it: time goes down, as the terminal's clock has it. A row with a number is a datagram.
   ├────▶   a datagram, from its sender to its receiver;  ├──✗ lost on the way;  ↻ the same bytes again
   ●        what the client tells the device that it runs in;  ◇ what the device tells the client
   CON      wants an acknowledgement, and is sent again until one comes;  NON wants none
   ACK      the acknowledgement, mostly with the answer in it;  RST rejects a message
   id       the message's number; an ACK has that of its CON
   token    the question's mark; its answer has the same (the first digits of it)
   GET      reads or observes;  PUT writes;  DELETE deletes, or de-registers
   POST     the rest: begins or ends a bootstrap, registers, updates, executes, creates, writes a part
   2.xx     is done;  4.xx refused;  5.xx failed
   /3/0/9   object 3 (Device), its instance 0, resource 9 (Battery Level);  0 is Security, 1 is Server
   TLV      a binary list of values, shown as number, name = value
";
