//! How to read a ladder.

/// Stands above every ladder.
pub(crate) const LEGEND: &str = "\
 How to read it: time goes down, as the terminal's clock has it. A row with a number is a datagram.
   ├────▶   a datagram, from its sender to its receiver;  ├──✗ lost on the way;  ↻ sent again
   ●        what the client tells the device that it runs in;  ◇ what the device tells the client
   CON      wants an acknowledgement, and is sent again until one comes;  NON wants none
   ACK      the acknowledgement, mostly with the answer in it;  RST rejects a message
   id       the message's number; an ACK has that of its CON
   token    the question's mark; its answer has the same (the first digits of it)
   GET      reads or observes;  PUT writes;  DELETE deletes, or de-registers
   POST     the rest: begins or ends a bootstrap, registers, updates, executes, creates
   2.xx     is done;  4.xx refused;  5.xx failed
   /3/0/9   object 3 (Device), its instance 0, resource 9 (Battery Level)
   objects  0 Security, 1 Server, 4 Connectivity Monitoring, 5 Firmware Update;
            30000 is the vendor's own: Hour Meter
   block    a part of what is too long for one message; one row stands for those in the middle
   TLV      a binary list of values, shown as number, name = value
";

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_no_wider_than_the_ladder() {
        assert!(super::LEGEND.lines().all(|line| line.chars().count() <= crate::draw::WIDTH));
    }
}
