//! x
#![allow(missing_docs)]
use std::time::{Duration, Instant as Std};
use endpoint_name::EndpointName;
use lwm2m_core::objects::Device;
use lwm2m_core::sim::{Conditions, Sim};
use lwm2m_core::{Config, Credentials, Key, Path};
fn main() {
    let battery = Path::resource(3, 0, 9);
    for (name, lifetime, every, loss) in [("quiet", 86_400u32, 3600u64, 0u16), ("busy", 3600, 300, 100)] {
        let t = Std::now();
        let mut days = 0;
        while t.elapsed() < Duration::from_secs(5) {
            let seed = days;
            let n = EndpointName::parse("490154203237518;460001234567890;;1.0").unwrap();
            let config = Config::dm(n, Key::from_seed(seed)).server(1, "coap://dm.example", Credentials::NoSec, lifetime);
            let mut sim = Sim::new(config, Device::new("Example Works", "TM-1"), seed);
            sim.trace.keep(false);
            sim.model.battery_level = Some(50);
            if loss > 0 {
                sim.network.set(Conditions { loss, duplication: 20, corruption: 10, ..Conditions::GOOD });
            }
            sim.network_up();
            sim.run_for(Duration::from_secs(60));
            sim.platform.servers[0].observe(battery, None);
            for i in 0..7 * 86_400 / every {
                sim.run_for(Duration::from_secs(every));
                sim.model.battery_level = Some((i % 100) as u8);
                sim.notify(battery);
            }
            days += 7;
        }
        println!("{name} {} dy/min", days as f64 / 365.0 * 60.0 / t.elapsed().as_secs_f64());
    }
}
