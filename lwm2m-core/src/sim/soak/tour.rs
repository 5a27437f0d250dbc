//! Everything once, before anything goes wrong.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, ContentFormat};

use super::{Failure, Life, Profile, Soak, Subject, World, caught};
use crate::base::path::Path;
use crate::base::value::DataType;
use crate::model::DataModel;
use crate::sim::faults::{Plan, instances, resources};
use crate::sim::{DmServer, OperationId, WriteMode};

/// What is written besides what may be: to most types it is no value.
const NO_VALUE: &[u8] = b"\xff no value";

/// Something that a server asks, and its name.
struct Step(String, Box<dyn Fn(&mut DmServer) -> OperationId>);

/// How long a device may take from its first network to its registration.
const PATIENCE: Duration = Duration::from_secs(3_600);

impl<S: Subject> Soak<S> {
    /// A life on a good network, in which a server does everything that there is to do: reads each resource in each
    /// format, observes it, writes what may be written (and what is no value at all), executes what may be executed,
    /// discovers, creates and deletes. An operation that the objects answer with 5.00 is a failure, too: that is what
    /// becomes of a value that is not as it was defined.
    ///
    /// A life from a seed does only some of this, but in the middle of all that goes wrong: begin with the tour.
    ///
    /// ```
    /// use core::time::Duration;
    /// use lwm2m_core::sim::soak::{Profile, Soak, Terminal};
    ///
    /// let soak = Soak { subject: Terminal, profile: Profile::Wild, length: Duration::from_secs(86_400) };
    /// assert_eq!(soak.tour().failure, None);
    /// ```
    #[must_use]
    pub fn tour(&self) -> Life {
        let mut world = World::new(&self.subject, Profile::Quiet, 0, PATIENCE, Plan::default());
        let mut failure = caught(|| world.enter());
        // What there is changes while it goes on: objects first, then what may be written, and created last.
        for steps in [inquiries, changes, creations] {
            let steps = if failure.is_none() { steps(&world.sim.model) } else { Vec::new() };
            for step in steps {
                failure = failure.or_else(|| match caught(|| world.take(&step)) {
                    Some(Failure::Panicked(words)) => Some(Failure::Panicked(format!("{words}, at {}", step.0))),
                    other => other,
                });
            }
        }
        let statistics = world.sim.statistics();
        Life { lived: world.lived(), steps: world.steps(), faults: Vec::new(), statistics, failure }
    }
}

impl<S: Subject> World<'_, S> {
    /// The device comes to be registered.
    fn enter(&mut self) -> Option<Failure> {
        self.sim.network_up();
        let registered = self.sim.run_until(PATIENCE, |sim| {
            sim.platform.servers.first().is_some_and(|server| server.registration().is_some())
        });
        let violated = self.sim.violations().first().cloned().map(Failure::Violated);
        let late = || Failure::Subject(format!("it was not registered within {} s", PATIENCE.as_secs()));
        violated.or_else(|| (!registered).then(late))
    }

    /// The first server asks, and is answered.
    fn take(&mut self, Step(name, ask): &Step) -> Option<Failure> {
        let answer = self.sim.ask(0, ask);
        if let Some(violation) = self.sim.violations().first() {
            return Some(Failure::Violated(violation.clone()));
        }
        match answer.result {
            Ok(response) if response.code != Code::INTERNAL_SERVER_ERROR => None,
            Ok(response) => Some(Failure::Subject(format!("{name} was answered {}", response.code))),
            Err(reason) => Some(Failure::Subject(format!("{name} was not answered: {reason:?}"))),
        }
    }
}

fn step(name: &str, path: Path, ask: impl Fn(&mut DmServer) -> OperationId + 'static) -> Step {
    Step(format!("{name} {path}"), Box::new(ask))
}

/// Resources, instances and objects are read, discovered and observed: the first answer that fails is that of the
/// smallest thing.
fn inquiries(model: &dyn DataModel) -> Vec<Step> {
    let (instances, resources) = (instances(model), resources(model));
    let mut objects: Vec<_> = instances.iter().filter_map(|path| path.object_id()).map(Path::object).collect();
    objects.dedup();
    let paths = resources.into_iter().map(|target| target.path).chain(instances).chain(objects);
    let of_path = |path| {
        let accept = [None, Some(ContentFormat::LWM2M_TLV), Some(ContentFormat::TEXT_PLAIN)];
        let reads = accept.map(|accept| step("Read", path, move |server| server.read(path, accept)));
        let others = [
            step("Discover", path, move |server| server.discover(path)),
            step("Observe", path, move |server| server.observe(path, None)),
            step("Cancel Observation", path, |server| {
                let newest = server.observations().last().map(|known| known.operation);
                match newest {
                    Some(newest) => server.cancel(newest),
                    None => server.read(Path::object(1), None),
                }
            }),
        ];
        reads.into_iter().chain(others)
    };
    paths.flat_map(of_path).collect()
}

/// What may be written is, and what may be executed.
fn changes(model: &dyn DataModel) -> Vec<Step> {
    let mut steps = Vec::new();
    for target in resources(model) {
        let (path, operations) = (target.path, target.definition.operations);
        if operations.writable() {
            let format = match target.definition.data_type {
                DataType::Opaque => ContentFormat::OCTET_STREAM,
                _ => ContentFormat::TEXT_PLAIN,
            };
            let value = target.text(&mut |limit| limit / 2).into_bytes();
            for payload in [value, NO_VALUE.into(), Vec::new()] {
                steps.push(step("Write", path, move |server| server.write(path, format, &payload, WriteMode::Replace)));
            }
        }
        if operations.executable() {
            for arguments in ["", "0='a',1"] {
                steps.push(step("Execute", path, move |server| server.execute(path, arguments)));
            }
        }
    }
    steps
}

/// Instances are created, and deleted.
fn creations(model: &dyn DataModel) -> Vec<Step> {
    let mut steps = Vec::new();
    for path in instances(model) {
        if let Some(object) = path.object_id().map(Path::object) {
            steps.push(step("Create", object, move |server| server.create(object, ContentFormat::LWM2M_TLV, &[])));
        }
        steps.push(step("Delete", path, move |server| server.delete(path)));
    }
    steps
}
