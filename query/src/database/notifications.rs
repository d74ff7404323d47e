//! LISTEN and NOTIFY: messages between the sessions of a database.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use super::backends::Backend;

/// A message that a session listens for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Who sent it.
    pub process_id: i32,
    /// On which channel.
    pub channel: Arc<str>,
    /// What was sent.
    pub payload: Arc<str>,
}

/// Messages that one session has not looked at.
#[derive(Default)]
pub(crate) struct Inbox(Mutex<VecDeque<Notification>>);

impl Inbox {
    /// Takes all of them out, oldest first.
    pub(crate) fn take(&self) -> Vec<Notification> {
        self.0.lock().drain(..).collect()
    }

    /// Whether there is any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
}

struct Listener {
    backend: Arc<Backend>,
    inbox: Arc<Inbox>,
}

/// Who listens to what.
#[derive(Default)]
pub(crate) struct Notifications {
    /// By database and channel, then process id.
    channels: Mutex<BTreeMap<(u32, Arc<str>), BTreeMap<i32, Listener>>>,
}

impl Notifications {
    /// Begins to listen.
    pub(crate) fn listen(&self, channel: &str, backend: &Arc<Backend>, inbox: &Arc<Inbox>) {
        let listener = Listener { backend: backend.clone(), inbox: inbox.clone() };
        let key = (backend.database_oid, Arc::from(channel));
        self.channels.lock().entry(key).or_default().insert(backend.process_id, listener);
    }

    /// Ends listening to one channel or to all.
    pub(crate) fn unlisten(&self, channel: Option<&str>, backend: &Backend) {
        self.channels.lock().retain(|(database, name), listeners| {
            let is_meant = *database == backend.database_oid
                && channel.is_none_or(|channel| **name == *channel);
            if is_meant {
                listeners.remove(&backend.process_id);
            }
            !listeners.is_empty()
        });
    }

    /// The channels that a session listens to.
    pub(crate) fn channels_of(&self, backend: &Backend) -> Vec<Arc<str>> {
        let channels = self.channels.lock();
        let own = channels.iter().filter(|((database, _), listeners)| {
            *database == backend.database_oid && listeners.contains_key(&backend.process_id)
        });
        own.map(|((_, name), _)| name.clone()).collect()
    }

    /// Hands messages to everyone who listens in the sender's database.
    pub(crate) fn send(&self, database: u32, notifications: &[Notification]) {
        let channels = self.channels.lock();
        let mut woken: BTreeMap<i32, Arc<Backend>> = BTreeMap::new();
        for notification in notifications {
            let key = (database, notification.channel.clone());
            for listener in channels.get(&key).into_iter().flat_map(BTreeMap::values) {
                listener.inbox.0.lock().push_back(notification.clone());
                woken.insert(listener.backend.process_id, listener.backend.clone());
            }
        }
        drop(channels);
        for backend in woken.values() {
            backend.wake();
        }
    }
}
