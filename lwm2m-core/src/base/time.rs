//! Time as the embedder tells it, and as the core counts it.
//!
//! Nothing in this crate reads a clock: every input carries `now`. [`Instant`] is what the
//! embedder gives, [`Clock`] turns it into a time that never steps back.

use core::fmt;
use core::num::NonZeroU64;
use core::ops::Add;
use core::time::Duration;

/// A point in time: microseconds since an origin that the embedder chooses (boot, for example).
///
/// Only differences have a meaning. All arithmetic saturates, so no input can make it overflow; the last
/// microsecond that 64 bits could count is not told from the one before it.
///
/// ```
/// use core::time::Duration;
/// use lwm2m_core::Instant;
///
/// let boot = Instant::ZERO;
/// let later = boot + Duration::from_secs(3);
/// assert_eq!(later.as_micros(), 3_000_000);
/// assert_eq!(later.saturating_duration_since(boot), Duration::from_secs(3));
/// assert_eq!(boot.saturating_duration_since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(
    /// The microseconds and one: a deadline that there may be takes no more room than one that there is,
    /// and the sooner of two is found without asking for each whether there is one.
    NonZeroU64,
);

impl Instant {
    /// The origin of the embedder's clock.
    pub const ZERO: Self = Self(NonZeroU64::MIN);

    /// The instant `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(micros))
    }

    /// The instant `millis` milliseconds after the origin.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// The instant `seconds` seconds after the origin.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self::from_micros(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0.get().wrapping_sub(1)
    }

    /// Whole milliseconds since the origin.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.as_micros() / 1_000
    }

    /// The time from `earlier` to `self`, or zero when `earlier` is later.
    #[must_use]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.get().saturating_sub(earlier.0.get()))
    }

    /// The instant `duration` before `self`, or the origin when that lies before it.
    #[must_use]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self::from_micros(self.as_micros().saturating_sub(micros(duration)))
    }

    /// The instant `seconds` after this one.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn after_seconds(self, seconds: u32) -> Self {
        self + Micros::of_seconds(seconds)
    }

    /// The standard clock's `now` as an instant, `origin` being the embedder's zero.
    ///
    /// ```
    /// let origin = std::time::Instant::now();
    /// let now = lwm2m_core::Instant::from_std(origin, std::time::Instant::now());
    /// assert!(now < lwm2m_core::Instant::from_secs(60));
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn from_std(origin: std::time::Instant, now: std::time::Instant) -> Self {
        Self::ZERO + now.saturating_duration_since(origin)
    }
}

/// A span in whole microseconds, the unit of instants: what is added to them with every message is not
/// multiplied and divided each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Micros(pub(crate) u64);

impl Micros {
    /// A duration, but for its nanoseconds.
    pub(crate) const fn of(duration: Duration) -> Self {
        Self(micros(duration))
    }

    pub(crate) const fn of_seconds(seconds: u32) -> Self {
        Self(seconds as u64 * 1_000_000)
    }

    pub(crate) const fn of_millis(millis: u32) -> Self {
        Self(millis as u64 * 1_000)
    }

    /// For whom it leaves the crate.
    pub(crate) const fn duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    pub(crate) const fn saturating_add(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    pub(crate) const fn saturating_mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
}

impl Add<Micros> for Instant {
    type Output = Self;

    /// Saturates at the end of time.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn add(self, span: Micros) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// Microseconds of a duration; half a million years and more count as the largest value.
#[cfg_attr(target_pointer_width = "32", inline(never))]
const fn micros(duration: Duration) -> u64 {
    if duration.as_secs() >= u64::MAX / 1_000_000 {
        return u64::MAX;
    }
    duration.as_secs() * 1_000_000 + duration.subsec_micros() as u64
}

/// The earliest of some deadlines.
pub(crate) fn earliest(deadlines: impl Iterator<Item = Instant>) -> Option<Instant> {
    deadlines.fold(None, |earliest, deadline| sooner(earliest, Some(deadline)))
}

/// The earlier one of two deadlines.
#[cfg_attr(target_pointer_width = "32", inline(never))]
#[cfg_attr(not(target_pointer_width = "32"), inline)]
pub(crate) fn sooner(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    // None counts as later than all others.
    let count = |deadline: Option<Instant>| deadline.map_or(0, |at| at.0.get()).wrapping_sub(1);
    NonZeroU64::new(count(one).min(count(other)).wrapping_add(1)).map(Instant)
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of time.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn add(self, duration: Duration) -> Self {
        self + Micros::of(duration)
    }
}

impl Default for Instant {
    fn default() -> Self {
        Self::ZERO
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} s", self.as_micros() / 1_000_000, self.as_millis() % 1_000)
    }
}

/// As it is displayed, with the microseconds if there are any: instants that differ look different.
impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_micros() {
            micros if micros % 1_000 == 0 => fmt::Display::fmt(self, f),
            micros => write!(f, "{}.{:06} s", micros / 1_000_000, micros % 1_000_000),
        }
    }
}

/// Core time: the embedder's `now` plus an offset that grows whenever `now` steps back.
///
/// Deadlines live in core time, which never goes backwards, so a step back of any size delays
/// nothing: what was due in ten seconds stays due in ten seconds. Only the time since the last
/// call is lost with a step, because nobody told of it. A jump ahead is taken as time that passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Clock {
    offset: u64,
    latest: Instant,
}

/// Where core time starts, so that a client which wakes from a sleep can remember instants from
/// before the embedder's zero: 35 years.
const BEFORE_ZERO: u64 = 1 << 50;

/// Where core time stops, so that a deadline after any `now` is later than it: 292,000 years.
const END: Instant = Instant::from_micros(u64::MAX >> 1);

impl Clock {
    /// A clock for an embedder whose time is `now`.
    pub(crate) const fn starting_at(now: Instant) -> Self {
        Self { offset: BEFORE_ZERO, latest: Instant(now.0.saturating_add(BEFORE_ZERO)) }
    }

    /// Core time for the embedder's `now`.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn advance(&mut self, now: Instant) -> Instant {
        let mut core = self.core(now);
        if core < self.latest {
            self.offset = self.offset.saturating_add(self.latest.0.get().wrapping_sub(core.0.get()));
            core = self.latest;
        }
        self.latest = core;
        core
    }

    /// Core time of `now` without advancing: for getters.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn peek(&self, now: Instant) -> Instant {
        self.core(now).max(self.latest)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn core(&self, now: Instant) -> Instant {
        Instant(now.0.saturating_add(self.offset)).min(END)
    }

    /// Core time at the last call.
    #[cfg_attr(not(feature = "shortcuts"), inline(never))]
    pub(crate) const fn latest(&self) -> Instant {
        self.latest
    }

    /// A core deadline in the embedder's time.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn embedder(&self, deadline: Instant) -> Instant {
        NonZeroU64::new(deadline.0.get().saturating_sub(self.offset)).map_or(Instant::ZERO, Instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_back_keeps_the_distance_to_a_deadline() {
        let mut clock = Clock::starting_at(Instant::from_secs(1_000));
        let deadline = clock.advance(Instant::from_secs(1_000)) + Duration::from_secs(10);
        clock.advance(Instant::from_secs(4)); // stepped back by 996 s
        assert_eq!(clock.embedder(deadline), Instant::from_secs(14));
        assert!(clock.advance(Instant::from_secs(13)) < deadline);
        assert_eq!(clock.advance(Instant::from_secs(14)), deadline);
    }

    #[test]
    fn many_small_steps_back_add_up() {
        let mut clock = Clock::default();
        for _ in 0..3 {
            clock.advance(Instant::from_secs(5));
            clock.advance(Instant::from_secs(0));
        }
        assert_eq!(clock.advance(Instant::from_secs(1)), Instant::from_secs(16));
    }

    #[test]
    fn an_instant_prints_as_seconds_and_different_ones_differently() {
        for (micros, displayed, debugged) in [
            (0, "0.000 s", "0.000 s"),
            (7_030_000, "7.030 s", "7.030 s"),
            (7_030_012, "7.030 s", "7.030012 s"),
            (90_000_000_999, "90000.000 s", "90000.000999 s"),
        ] {
            let instant = Instant::from_micros(micros);
            assert_eq!(alloc::format!("{instant} {instant:?}"), alloc::format!("{displayed} {debugged}"));
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let end = Instant::from_micros(u64::MAX);
        assert_eq!(end + Duration::MAX, end);
        assert_eq!(Instant::from_secs(u64::MAX), end);
        assert_eq!(Instant::ZERO.saturating_sub(Duration::MAX), Instant::ZERO);
        let mut clock = Clock::default();
        clock.advance(end);
        clock.advance(Instant::ZERO);
        assert!(clock.advance(end) + Duration::from_secs(1) > clock.advance(end));
    }
}
