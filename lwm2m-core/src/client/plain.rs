//! A plain Read, the request that comes most: it is answered in as few steps as it takes. Whatever else a
//! request may be, or want, goes the way of all requests; so does a plain Read that anything speaks against.

use coap_codec::Message;

use super::{Client, Connection, Left, Link, Received};
use crate::base::event::Event;
use crate::base::time::Instant;
use crate::exchange::Verdict;
use crate::lifecycle::Role;
use crate::management::operation::Wanted;
use crate::management::{self, Effects, Served};
use crate::model::{Ctx, DataModel, Joined, Origin};

impl Client {
    /// Answers a plain Read. None for any other message: nothing has happened then.
    #[inline]
    pub(super) fn plain_read(
        &mut self,
        now: Instant,
        connection: &Connection,
        message: &Message<'_>,
        model: &mut dyn DataModel,
    ) -> Option<(Received, Left)> {
        let Self { exchange, accounts, lifecycle, events, config, clock, .. } = self;
        let Role::Server(server) = connection.role else { return None };
        let plain = exchange.is_plain_get(now, connection.peer, message)
            && config.device_management
            && config.root().is_empty()
            && !matches!(connection.link, Link::Lingering { .. })
            && lifecycle.serves(now, connection.role, config);
        let mut wanted = Wanted::new(config.legacy_formats);
        if !plain || !wanted.read_plainly(message) {
            return None;
        }
        let joined = Joined(accounts, model);
        let deadline = || now + config.answer_within;
        let (mut effects, mut left) = (Effects::default(), Left::Nothing);
        // Not sent for want of a buffer, it counts as lost; its sender repeats it.
        let _ = exchange.answer_plain(now, connection.peer, message, deadline, |writer, ticket| {
            let ctx = Ctx { origin: Origin::Server(server), ticket, resumed: false, now: clock.embedder(now) };
            if management::serve_ready(&ctx, &wanted, &joined, writer).is_some() {
                effects.news = Some(Event::Read { origin: ctx.origin, path: wanted.path });
                return Verdict::Send;
            }
            match management::read(&ctx, &wanted, (None, None), &joined, writer, &mut effects) {
                Served::Answered => Verdict::Send,
                Served::Later => {
                    left = Left::Planning;
                    Verdict::Later
                }
            }
        });
        if let Some(news) = effects.news {
            events.push(news);
        }
        Some((Received::Request, left))
    }
}
