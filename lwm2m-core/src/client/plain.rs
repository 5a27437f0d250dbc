//! A plain Read, the request that comes most: it is answered in as few steps as it takes. Whatever else a
//! request may be, or want, goes the way of all requests; so does a plain Read that anything speaks against.

use coap_codec::Message;

use super::incoming::Left;
use super::{Client, Connection, Received};
use crate::base::event::Event;
use crate::base::features::SHORTCUTS;
use crate::exchange::Verdict;
use crate::lifecycle::Role;
use crate::management::operation::Wanted;
use crate::management::{self, Served};
use crate::model::{Ctx, DataModel, Joined, Origin};

impl Client {
    /// Answers a plain Read of a peer, if its requests are served now. None for any other message: nothing has
    /// happened then.
    #[inline]
    pub(super) fn plain_read(
        &mut self,
        Connection { peer, role, .. }: Connection,
        serves: bool,
        message: &Message<'_>,
        model: &mut dyn DataModel,
    ) -> Option<(Received, Left)> {
        let now = self.now();
        let Self { exchange, accounts, events, config, clock, .. } = self;
        // Of the bootstrap server, whose session may linger, nothing is plain.
        let Role::Server(server) = role else { return None };
        let plain = SHORTCUTS
            && exchange.is_plain_get(now, peer, message)
            && config.device_management
            && config.alternate_path.is_none()
            && serves;
        let mut wanted = Wanted::new(config.legacy_formats);
        if !plain || !wanted.read_plainly(message) {
            return None;
        }
        let mut left = Left::Nothing;
        // Not sent for want of a buffer, it counts as lost; its sender repeats it.
        let _ = exchange.answer_plain(now, peer, message, &config.answer_within, |writer, ticket| {
            // What lies ready needs no later answer.
            let mut ctx =
                Ctx { origin: Origin::Server(server), ticket: None, resumed: false, now: clock.embedder(now) };
            let mut read = (Served::Answered, true);
            if management::serve_ready(&ctx, &wanted, (accounts, model), writer).is_none() {
                ctx.ticket = ticket();
                read = management::read(&ctx, &wanted, &Joined(accounts, model), writer);
            }
            if read.1 {
                events.push(Event::Read { origin: ctx.origin, path: wanted.path });
            }
            match read.0 {
                Served::Answered => Verdict::Send,
                Served::Later => {
                    left = Left::Planning;
                    Verdict::Later
                }
            }
        });
        Some((Received::Request, left))
    }
}
