//! What the client dropped, rejected, refused or said once more, in a sentence.

use lwm2m_core::Statistics;

/// Nothing where there is nothing to tell.
pub(crate) fn sentence(statistics: &Statistics) -> String {
    let counts = statistics.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<_> = counts.map(|(cause, count)| format!("{} {count}", cause.replace('_', " "))).collect();
    if counts.is_empty() { String::new() } else { format!("The terminal counted: {}.", counts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_what_there_is_to_tell() {
        let mut statistics = Statistics::default();
        assert_eq!(sentence(&statistics), "");
        (statistics.retransmissions, statistics.unmatched_responses) = (2, 1);
        assert_eq!(sentence(&statistics), "The terminal counted: unmatched responses 1, retransmissions 2.");
    }
}
