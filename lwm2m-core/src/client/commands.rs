//! What the application says: values that changed, rights, an Update now, an answer that is there.

use super::due::After;
use super::{Client, CommandError};
use crate::base::config::AccessControl;
use crate::base::features::SHORTCUTS;
use crate::base::path::Path;
use crate::base::time::Instant;
use crate::model::{DataModel, Joined, Ticket};
use crate::objects::ACCESS_CONTROL;
use crate::objects::rows::Row;

impl Client {
    /// Something at or below `path` changed by itself: observers are told when they want to be, which
    /// is for their servers to say with attributes (OMA LwM2M 1.0, 5.1.2). Say it of every change,
    /// however small. A path without levels means everything; use an object's path when its instances
    /// came or went: servers hear of that with an Update.
    pub fn notify(&mut self, now: Instant, path: Path, model: &mut dyn DataModel) {
        self.clock.advance(now);
        self.calmly(
            model,
            |client, model| if path.depth() < 2 { None } else { client.tell_calmly(path, &mut **model) },
            |client, model| client.tell_of(path, model),
        );
    }

    /// Tells of a change, whatever it takes.
    #[inline(never)]
    fn tell_of(&mut self, path: Path, model: &mut dyn DataModel) {
        let now = self.now();
        let wall = self.clock.embedder(now);
        // Most changes are of a value that is told at once, and looked at only then.
        let at_once = SHORTCUTS && path.depth() >= 2 && self.is_settled() && !self.exchange.owes_answers();
        if at_once {
            self.reporting.suspect((now, wall), path, &Joined(&mut self.accounts, model));
        } else {
            self.changed(path, model);
        }
        if path.depth() < 2 {
            self.keep_notifications(true, Some(model));
            self.detach(path, false, model);
            self.renew_periods();
            self.reconsider(model);
        }
        if at_once {
            self.send_due(After::Suspicion, true, Some(model));
        } else {
            self.pump(After::Change, Some(model));
        }
    }

    /// Says who may do what with an instance, or who may create instances of an object, in place of what
    /// Access Control said of it: for instances that the device makes by itself while several servers
    /// know it. A server's own Create needs nothing. Say it also to
    /// [`notify`](Self::notify), as of every instance that comes.
    ///
    /// # Errors
    /// [`CommandError::UnknownServer`] when owner or ACL name a server without an account,
    /// [`CommandError::AccessControl`] when there is no room, or `path` is neither an object nor an
    /// instance.
    pub fn set_access(
        &mut self,
        now: Instant,
        about: &AccessControl,
        model: &mut dyn DataModel,
    ) -> Result<(), CommandError> {
        let now = self.clock.advance(now);
        let said = Row::said(about);
        if !self.accounts.knows_all(&said) {
            return Err(CommandError::UnknownServer);
        }
        if !self.accounts.say(said) {
            return Err(CommandError::AccessControl);
        }
        self.touch();
        let wall = self.clock.embedder(now);
        self.rights_changed(wall, about.path.object_id().zip(about.path.instance_id()), model);
        self.changed(Path::object(ACCESS_CONTROL), model);
        self.reconsider(model);
        self.pump(After::Anything, Some(model));
        Ok(())
    }

    /// Access Control says something else of an instance: whoever observes may see more now, or less.
    pub(super) fn rights_changed(&mut self, wall: Instant, subject: Option<(u16, u16)>, model: &mut dyn DataModel) {
        let Some((object, instance)) = subject else { return };
        self.reporting.withhold(wall, (object, instance), &Joined(&mut self.accounts, model));
        self.changed(Path::instance(object, instance), model);
    }

    /// Updates the registration with a server now, or as soon as it may be. A device in queue mode that
    /// woke by itself says so with this: its server sends what it kept, and is told what was kept for it.
    /// There is no order yet: the Update leaves with the next [`handle_timeout`](Self::handle_timeout), which is due at
    /// once.
    ///
    /// # Errors
    /// [`CommandError::UnknownServer`], [`CommandError::NotRegistered`].
    pub fn update(&mut self, now: Instant, server: u16) -> Result<(), CommandError> {
        let now = self.clock.advance(now);
        let registration = self.lifecycle.registration(server).ok_or(CommandError::UnknownServer)?;
        if !registration.update_now(now) {
            return Err(CommandError::NotRegistered);
        }
        // Perhaps: that is for the timeout to see.
        self.wake = Some(self.wake.map_or(now, |wake| wake.min(now)));
        Ok(())
    }

    /// Runs a request again that the model deferred with [`Refusal::Later`](crate::Refusal::Later).
    ///
    /// # Errors
    /// [`CommandError::StaleTicket`] when the request was answered, or its peer is gone.
    pub fn resume(&mut self, now: Instant, ticket: Ticket, model: &mut dyn DataModel) -> Result<(), CommandError> {
        let now = self.clock.advance(now);
        if !self.exchange.resume(now, ticket) {
            return Err(CommandError::StaleTicket);
        }
        self.pump(After::Anything, Some(model));
        Ok(())
    }
}
