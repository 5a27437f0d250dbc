//! An object that no standard knows: the vendor's own, made of a struct and the table in
//! `hour_meter_table.rs`, which `oma-def` wrote from `tools/interop/models/30000-hour-meter.xml`.

use lwm2m_core::objects::{Link, Multiple, Readable, Typed};
use lwm2m_core::{Args, Ctx, DataType, Instant, Leaf, Refusal, Sink, Value, object};

use super::hour_meter_table as table;

/// How long a part of the device has been at work. Servers may create more of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct HourMeter {
    pub(crate) name: String,
    time_at_work: Stopwatch,
    pub(crate) billed: Option<bool>,
    pub(crate) rate: Option<f32>,
    pub(crate) service_intervals: Multiple<u32>,
    pub(crate) seal: Option<Vec<u8>>,
    pub(crate) part: Option<Link>,
}

object! {
    HourMeter: table::DEFINITION,
    read { table::TIME_AT_WORK => time_at_work },
    write {
        table::NAME => name,
        table::BILLED => billed,
        table::RATE => rate,
        table::SERVICE_INTERVALS => service_intervals,
        table::SEAL => seal,
        table::PART => part,
    },
    execute { table::START => start },
}

impl HourMeter {
    /// One that runs since then.
    pub(crate) fn running(name: &str, since: Instant) -> Self {
        Self { name: name.into(), time_at_work: Stopwatch(Some(since)), part: Some(Link(3, 0)), ..Self::default() }
    }

    #[allow(clippy::unnecessary_wraps, reason = "the form of a method that is bound")]
    fn start(&mut self, ctx: &Ctx, _: Args<'_>) -> Result<(), Refusal> {
        self.time_at_work = Stopwatch(Some(ctx.now));
        Ok(())
    }
}

/// A value with a life of its own: the seconds since it was started.
#[derive(Clone, Copy, Debug, Default)]
struct Stopwatch(Option<Instant>);

impl Typed for Stopwatch {
    const DATA_TYPE: DataType = DataType::Integer;
    const MULTIPLE: bool = false;
}

impl Readable for Stopwatch {
    fn is_present(&self) -> bool {
        true
    }

    fn read(&self, ctx: &Ctx, at: Leaf, out: &mut dyn Sink) -> Result<(), Refusal> {
        let seconds = self.0.map_or(0, |since| ctx.now.saturating_duration_since(since).as_secs());
        Ok(out.value(at, Value::Int(i64::try_from(seconds).unwrap_or(i64::MAX)))?)
    }
}
