//! Counts of what was dropped, rejected, refused or said once more, by cause.
//!
//! They are left out unless the feature `statistics` asks for them: a [`Counter`] has no size then, and to count is
//! nothing. What succeeds is not counted: it costs nothing beside a comparison of what it became.

use core::hash::{Hash, Hasher};

/// How often something happened since the client started; of no size where statistics are left out.
///
/// It is no state: nothing that leaves depends on it. So two are always equal, as two clients are that will do the
/// same from now on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counter(#[cfg(feature = "statistics")] u32);

impl Counter {
    /// Once more. It stops at the largest number.
    #[inline]
    #[allow(clippy::needless_pass_by_ref_mut, reason = "without the feature there is nothing to count")]
    pub(crate) const fn count(&mut self) {
        #[cfg(feature = "statistics")]
        {
            self.0 = self.0.saturating_add(1);
        }
    }

    #[cfg(feature = "statistics")]
    pub(crate) const fn get(self) -> u32 {
        self.0
    }
}

impl PartialEq for Counter {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Counter {}

impl Hash for Counter {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A row for each cause: [`Statistics`] has all of them, [`Counters`] those that have no better place.
macro_rules! causes {
    ($($(#[doc = $words:literal])+ $cause:ident,)+ elsewhere { $($(#[doc = $other_words:literal])+ $other:ident,)+ }) => {
        /// How often something was dropped, rejected, refused or said once more, by cause, since the client started
        /// or was [restored](crate::Client::restore). A counter stops at its largest number.
        ///
        /// What an [`Endpoint`](crate::exchange::Endpoint) alone has no notion of is 0 there: strangers, sessions,
        /// observations, bodies and events are the client's.
        ///
        /// ```
        /// use lwm2m_core::{Client, Config, Credentials, Instant, Key, NoObjects, exchange::Peer};
        ///
        /// let config = Config::new("tm-1", Key([7; 16])).server(1, "coap://dm.example", Credentials::NoSec, 600);
        /// let mut client = Client::new(config, Instant::ZERO)?;
        /// client.handle_datagram(Instant::ZERO, Peer(9), b"\x40\x01\x00\x07", &mut NoObjects);
        /// assert_eq!(client.statistics().strangers, 1);
        /// for (cause, count) in client.statistics().iter().filter(|(_, count)| *count > 0) {
        ///     println!("{count} {cause}");
        /// }
        /// # Ok::<(), lwm2m_core::ConfigError>(())
        /// ```
        #[cfg(feature = "statistics")]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub struct Statistics {
            $($(#[doc = $words])+ pub $cause: u32,)+
            $($(#[doc = $other_words])+ pub $other: u32,)+
        }

        #[cfg(feature = "statistics")]
        impl Statistics {
            /// Each cause by the name of its field, and its count.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> + use<> {
                let Self { $($cause,)+ $($other,)+ } = *self;
                [$((stringify!($cause), $cause),)+ $((stringify!($other), $other),)+].into_iter()
            }
        }

        /// The sum, for a fleet, or for a device that was restarted.
        #[cfg(feature = "statistics")]
        impl core::ops::AddAssign for Statistics {
            fn add_assign(&mut self, more: Self) {
                $(self.$cause = self.$cause.saturating_add(more.$cause);)+
                $(self.$other = self.$other.saturating_add(more.$other);)+
            }
        }

        /// The counters of the message layer, the request layer and the client.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub(crate) struct Counters {
            $(pub(crate) $cause: Counter,)+
        }

        #[cfg(feature = "statistics")]
        impl Counters {
            pub(crate) const fn read(&self) -> Statistics {
                Statistics { $($cause: self.$cause.get(),)+ $($other: 0,)+ }
            }
        }
    };
}

causes! {
    /// Datagrams from a peer that is none of ours; dropped.
    strangers,
    /// Datagrams with a message format error: rejected when they say that they are confirmable, else dropped
    /// (RFC 7252, sections 3 and 4.2).
    malformed,
    /// Datagrams of another version of CoAP, dropped in silence (RFC 7252, section 3).
    other_versions,
    /// Messages that nobody may send like this: a code that its type does not allow, a reserved class of codes, an
    /// Empty message that is not confirmable; by multicast, anything but a GET that is not confirmable (RFC 7252,
    /// sections 4.2, 4.3 and 8.1). Rejected when they are confirmable and came by unicast, else dropped.
    misplaced,
    /// Messages that had come before; what was answered to them is said again (RFC 7252, section 4.5).
    duplicates,
    /// Pings, answered with a Reset (RFC 7252, section 4.3).
    pings,
    /// Requests of a server that may not ask now: not registered with, given up, or by multicast and with a secured
    /// session; dropped (OMA LwM2M 1.0, 5.3.1).
    unwelcome,
    /// Responses to nothing that is waited for: rejected when they are confirmable, else dropped (RFC 7252, section
    /// 5.3.2). Most are late.
    unmatched_responses,
    /// Acknowledgements of nothing that waits for one, dropped (RFC 7252, section 4.2). Most are duplicates.
    unmatched_acknowledgements,
    /// Responses that ended their exchange without being of use, for a critical option (RFC 7252, section 5.4.1).
    unusable_responses,
    /// Resets that came, whatever they were about (RFC 7252, sections 4.2 and 4.3).
    resets_received,
    /// Resets that were sent (RFC 7252, sections 4.2 and 4.3).
    resets_sent,
    /// Resets and answers 5.03 that were not sent, because there were too many in a second
    /// ([`Transmission::rejections`](crate::exchange::Transmission::rejections); RFC 7252, section 11.3).
    rejections_withheld,
    /// Requests that were refused with 5.03, or dropped, because
    /// [`Limits::deduplication`](crate::Limits::deduplication) others are remembered (RFC 7252, section 4.5).
    unremembered,
    /// Requests that were refused with 5.03, or by multicast dropped, while none could be kept for an answer later:
    /// [`Limits::deferred`](crate::Limits::deferred) others are, or it is longer than a buffer (RFC 7252, section
    /// 5.2.2).
    undeferred,
    /// Requests answered 4.xx (RFC 7252, section 5.9.2); one that comes twice counts once.
    client_errors,
    /// Requests answered 5.xx (RFC 7252, section 5.9.3), 5.03 for want of room included; one that comes twice
    /// counts once.
    server_errors,
    /// Answers that were not sent because the request does not want them (RFC 7967).
    unwanted_answers,
    /// Messages that were not written because no buffer was free ([`Limits::slots`](crate::Limits::slots)): an
    /// answer is lost, and anything else is tried again.
    no_buffer,
    /// Messages that were not written because all Message IDs were used within EXCHANGE_LIFETIME (RFC 7252,
    /// section 4.4).
    no_message_id,
    /// Messages that did not fit a buffer ([`Limits::datagram`](crate::Limits::datagram)), and were not sent.
    too_long,
    /// Confirmable messages that were sent once more (RFC 7252, section 4.2).
    retransmissions,
    /// Exchanges given up: no acknowledgement after MAX_RETRANSMIT retransmissions, or no response in time
    /// (RFC 7252, sections 4.2 and 5.2.2).
    timeouts,
    elsewhere {
        /// Acknowledgements, Resets and repeated answers that were lost because nobody polled those before them.
        unpolled,
        /// Bodies that came in blocks, and whose next block did not come in time (RFC 7959, section 2.4).
        abandoned_bodies,
        /// Requests to observe that were answered as plain reads, because
        /// [`Limits::observations`](crate::Limits::observations) are going on (RFC 7641, section 4.1).
        refused_observations,
        /// Changes of an observed value while an earlier one was still to be told: both are told at once (RFC 7641,
        /// section 1.3).
        merged_notifications,
        /// As [`Client::dropped_notifications`](crate::Client::dropped_notifications) says; a sleep does not end
        /// this count.
        dropped_notifications,
        /// As [`Client::dropped_events`](crate::Client::dropped_events) says.
        dropped_events,
    }
}

#[cfg(test)]
#[cfg(feature = "statistics")]
mod tests {
    use super::*;

    #[test]
    fn a_counter_stops_at_the_largest_number_and_is_no_state() {
        let mut counter = Counter(u32::MAX - 1);
        counter.count();
        counter.count();
        assert_eq!(counter.get(), u32::MAX);
        assert_eq!(counter, Counter::default());
    }

    #[test]
    fn sums_stop_there_as_well_and_each_cause_has_its_name_once() {
        let mut sum = Statistics { timeouts: u32::MAX, dropped_events: 1, ..Statistics::default() };
        sum += sum;
        assert_eq!((sum.timeouts, sum.dropped_events, sum.strangers), (u32::MAX, 2, 0));
        let mut names: alloc::vec::Vec<_> = sum.iter().map(|(cause, _)| cause).collect();
        assert_eq!(sum.iter().filter(|(_, count)| *count > 0).count(), 2);
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
