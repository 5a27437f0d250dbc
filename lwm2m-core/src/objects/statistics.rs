//! Connectivity Statistics, object 7 (OMA LwM2M 1.0, Appendix D.1.8): counts what the device tells it.

use core::time::Duration;

use super::definitions::connectivity_statistics as table;
use super::field::Scalar;
use crate::base::time::Instant;
use crate::base::value::{DataType, Value};
use crate::model::{Args, Ctx, Refusal};

/// The Connectivity Statistics object. A server starts the collection, the device tells what it sends
/// and receives, and the server reads the sums.
///
/// Nothing is counted before a server executes Start (/7/0/6), after it executes Stop (/7/0/7), and
/// when the collection period is over that was written before the start (/7/0/8; 0 and none have no
/// end). Start begins from 0; Stop leaves the counters as they are.
///
/// ```
/// use lwm2m_core::Instant;
/// use lwm2m_core::objects::ConnectivityStatistics;
///
/// let mut statistics = ConnectivityStatistics::new();
/// statistics.start(Instant::ZERO);
/// statistics.sent(Instant::from_secs(1), 1_000);
/// statistics.received(Instant::from_secs(2), 600);
/// assert_eq!((statistics.max_message_size(), statistics.average_message_size()), (1_000, 800));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectivityStatistics {
    sms_tx: Option<u32>,
    sms_rx: Option<u32>,
    tx: Kilobytes,
    rx: Kilobytes,
    max_message_size: u32,
    average_message_size: u32,
    messages: u32,
    /// In seconds.
    period: Option<u32>,
    collecting: Collecting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Collecting {
    Stopped,
    Until(Instant),
    UntilStopped,
}

/// Bytes, which servers see as kilobytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kilobytes(u64);

impl Scalar for Kilobytes {
    const DATA_TYPE: DataType = DataType::Integer;

    fn value(&self) -> Value<'_> {
        Value::Int(i64::try_from(self.0 / 1_024).unwrap_or(i64::MAX))
    }
}

impl Default for ConnectivityStatistics {
    fn default() -> Self {
        Self::new()
    }
}

impl ConnectivityStatistics {
    /// Statistics of a device without SMS.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            sms_tx: None,
            sms_rx: None,
            tx: Kilobytes(0),
            rx: Kilobytes(0),
            max_message_size: 0,
            average_message_size: 0,
            messages: 0,
            period: Some(0),
            collecting: Collecting::Stopped,
        }
    }

    /// Statistics of a device with SMS: it counts these too.
    #[must_use]
    pub const fn with_sms() -> Self {
        Self { sms_tx: Some(0), sms_rx: Some(0), ..Self::new() }
    }

    /// Whether it counts at `now`.
    #[must_use]
    pub fn is_collecting(&self, now: Instant) -> bool {
        match self.collecting {
            Collecting::Stopped => false,
            Collecting::Until(end) => now < end,
            Collecting::UntilStopped => true,
        }
    }

    /// An IP message of so many bytes was sent.
    pub fn sent(&mut self, now: Instant, bytes: u32) {
        if self.is_collecting(now) {
            self.tx.0 = self.tx.0.saturating_add(u64::from(bytes));
            self.message(bytes);
        }
    }

    /// An IP message of so many bytes was received.
    pub fn received(&mut self, now: Instant, bytes: u32) {
        if self.is_collecting(now) {
            self.rx.0 = self.rx.0.saturating_add(u64::from(bytes));
            self.message(bytes);
        }
    }

    /// An SMS was sent.
    pub fn sms_sent(&mut self, now: Instant) {
        if self.is_collecting(now) {
            self.sms_tx = self.sms_tx.map(|count| count.saturating_add(1));
        }
    }

    /// An SMS was received.
    pub fn sms_received(&mut self, now: Instant) {
        if self.is_collecting(now) {
            self.sms_rx = self.sms_rx.map(|count| count.saturating_add(1));
        }
    }

    /// The largest message in bytes (/7/0/4).
    #[must_use]
    pub const fn max_message_size(&self) -> u32 {
        self.max_message_size
    }

    /// The average size of the messages in bytes (/7/0/5).
    #[must_use]
    pub const fn average_message_size(&self) -> u32 {
        self.average_message_size
    }

    fn message(&mut self, bytes: u32) {
        self.messages = self.messages.saturating_add(1);
        self.max_message_size = self.max_message_size.max(bytes);
        let all = self.tx.0.saturating_add(self.rx.0);
        let average = all.checked_div(u64::from(self.messages)).unwrap_or(0);
        self.average_message_size = u32::try_from(average).unwrap_or(u32::MAX);
    }

    /// Begins from 0, as a server does with Start (/7/0/6).
    pub fn start(&mut self, now: Instant) {
        let zero = |counter: Option<u32>| counter.map(|_| 0);
        let collecting = match self.period {
            None | Some(0) => Collecting::UntilStopped,
            Some(seconds) => Collecting::Until(now + Duration::from_secs(u64::from(seconds))),
        };
        let (sms_tx, sms_rx, period) = (zero(self.sms_tx), zero(self.sms_rx), self.period);
        *self = Self { sms_tx, sms_rx, period, collecting, ..Self::new() };
    }

    /// Counts no more, as a server has it with Stop (/7/0/7).
    pub const fn stop(&mut self) {
        self.collecting = Collecting::Stopped;
    }

    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    fn execute_start(&mut self, ctx: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        self.start(ctx.now);
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    const fn execute_stop(&mut self, _: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        self.stop();
        Ok(())
    }
}

crate::object! {
    ConnectivityStatistics: table::DEFINITION,
    read {
        table::SMS_TX_COUNTER => sms_tx,
        table::SMS_RX_COUNTER => sms_rx,
        table::TX_DATA => tx,
        table::RX_DATA => rx,
        table::MAX_MESSAGE_SIZE => max_message_size,
        table::AVERAGE_MESSAGE_SIZE => average_message_size,
    },
    write {
        table::COLLECTION_PERIOD => period,
    },
    execute {
        table::START => execute_start,
        table::STOP => execute_stop,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_and_the_average_are_those_of_all_messages() {
        let mut statistics = ConnectivityStatistics::new();
        assert_eq!((statistics.max_message_size(), statistics.average_message_size()), (0, 0));
        statistics.start(Instant::ZERO);
        statistics.sent(Instant::ZERO, 700);
        statistics.received(Instant::ZERO, 1_100);
        statistics.sent(Instant::ZERO, 300);
        assert_eq!((statistics.max_message_size(), statistics.average_message_size()), (1_100, 700));
        statistics.start(Instant::ZERO);
        assert_eq!((statistics.max_message_size(), statistics.average_message_size()), (0, 0), "it begins from 0");
    }
}
