//! Settings of a session: what `SET`, `SHOW` and `set_config` read and write.
//!
//! A [`Settings`] is a cheap value: a transaction keeps a copy when it begins and at every
//! savepoint, and going back is putting the copy back. `SET LOCAL` lives in a second layer that
//! the end of the transaction drops.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result, SqlState};

mod definition;
mod kind;

pub(crate) use definition::{DEFINITIONS, Definition, definition};
pub(crate) use kind::{Kind, Unit, parse_time_zone, truth};

/// Values by setting, in the spelling of [`Definition::name`] (lower case for custom ones).
type Values = Arc<BTreeMap<Arc<str>, Arc<str>>>;

/// The settings of one session. A clone shares until one side changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// What the connection began with: `RESET` goes back to these.
    startup: Values,
    /// What `SET` changed.
    session: Values,
    /// What `SET LOCAL` changed in this transaction.
    local: Values,
}

/// For how long a change holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingScope {
    /// Until the session ends (or the transaction rolls back).
    Session,
    /// Until the transaction ends.
    Local,
}

impl Settings {
    /// The value, as `SHOW` prints it; `None` for a name that nobody knows.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<str>> {
        let known = definition(name);
        let custom;
        let key = match known {
            Some(definition) => definition.name,
            None => {
                custom = name.to_ascii_lowercase();
                custom.as_str()
            }
        };
        let layers = [&self.local, &self.session, &self.startup];
        let set = layers.into_iter().find_map(|layer| layer.get(key)).cloned();
        set.or_else(|| known.map(|definition| Arc::from(definition.default)))
    }

    /// Changes a value; answers the definition, unless the setting is a custom one.
    ///
    /// # Errors
    /// 42704, 22023, 55P02 for what cannot be changed.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: &str,
        scope: SettingScope,
    ) -> Result<Option<&'static Definition>> {
        let (key, value, definition) = check(name, value)?;
        match scope {
            SettingScope::Local => {
                Arc::make_mut(&mut self.local).insert(key, value);
            }
            SettingScope::Session => {
                if self.local.contains_key(&key) {
                    Arc::make_mut(&mut self.local).remove(&key);
                }
                Arc::make_mut(&mut self.session).insert(key, value);
            }
        }
        Ok(definition)
    }

    /// Gives a setting the value that the connection begins with.
    ///
    /// # Errors
    /// As [`Settings::set`].
    pub(crate) fn set_at_startup(&mut self, name: &str, value: &str) -> Result<()> {
        let (key, value, _) = check(name, value)?;
        Arc::make_mut(&mut self.startup).insert(key, value);
        Ok(())
    }

    /// Changes what no client may change: `is_superuser`, `session_authorization`.
    pub(crate) fn force(&mut self, name: &str, value: &str) {
        Arc::make_mut(&mut self.startup).insert(Arc::from(name), Arc::from(value));
    }

    /// `SET SESSION AUTHORIZATION`: no other way leads to that setting.
    pub(crate) fn authorize(&mut self, user: &str, scope: SettingScope) {
        let (name, user) = (Arc::from("session_authorization"), Arc::from(user));
        match scope {
            SettingScope::Local => Arc::make_mut(&mut self.local).insert(name, user),
            SettingScope::Session => Arc::make_mut(&mut self.session).insert(name, user),
        };
    }

    /// Back to what the connection began with.
    ///
    /// # Errors
    /// 42704.
    pub(crate) fn reset(&mut self, name: &str, scope: SettingScope) -> Result<()> {
        let key = match definition(name) {
            Some(definition) => definition.name.to_owned(),
            None if name.contains('.') => name.to_ascii_lowercase(),
            None => return Err(unrecognized(name)),
        };
        if scope == SettingScope::Local {
            let first = self.startup.get(key.as_str()).cloned();
            let value = first.or_else(|| definition(name).map(|known| Arc::from(known.default)));
            if let Some(value) = value {
                Arc::make_mut(&mut self.local).insert(Arc::from(key.as_str()), value);
            }
            return Ok(());
        }
        Arc::make_mut(&mut self.local).remove(key.as_str());
        Arc::make_mut(&mut self.session).remove(key.as_str());
        Ok(())
    }

    /// `RESET ALL`: everything but who acts.
    pub(crate) fn reset_all(&mut self) {
        let stays = |name: &str| matches!(name, "role" | "session_authorization");
        for values in [&mut self.local, &mut self.session] {
            if !values.is_empty() {
                Arc::make_mut(values).retain(|name, _| stays(name));
            }
        }
    }

    /// Ends the transaction: what was local goes. Answers whether anything went.
    pub(crate) fn end_transaction(&mut self) -> bool {
        let had_local = !self.local.is_empty();
        if had_local {
            self.local = Values::default();
        }
        had_local
    }

    /// Whether both hold the very same values; a quick test that may say no too often.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.startup, &other.startup)
            && Arc::ptr_eq(&self.session, &other.session)
            && Arc::ptr_eq(&self.local, &other.local)
    }

    /// A number with its unit removed: milliseconds, kilobytes, a count.
    pub(crate) fn number(&self, name: &str) -> i64 {
        let value = self.get(name).unwrap_or_default();
        definition(name).and_then(|known| known.kind.number(&value).ok()).unwrap_or(0)
    }

    /// Whether a boolean setting is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| &*value == "on")
    }

    /// Every known setting and its value, by name.
    pub(crate) fn all(&self) -> Vec<(&'static Definition, Arc<str>)> {
        let shown = DEFINITIONS.iter().filter(|definition| !definition.is_hidden);
        shown.map(|known| (known, self.get(known.name).unwrap_or_default())).collect()
    }

    /// `search_path`, name by name.
    pub(crate) fn search_path(&self, user: &str) -> Vec<String> {
        let path = self.get("search_path").unwrap_or_default();
        let names = kind::split_list(&path).into_iter();
        names.map(|name| if name == "$user" { user.to_owned() } else { name }).collect()
    }
}

type Checked = (Arc<str>, Arc<str>, Option<&'static Definition>);

fn check(name: &str, value: &str) -> Result<Checked> {
    let Some(known) = definition(name) else {
        if is_custom(name) {
            return Ok((Arc::from(name.to_ascii_lowercase()), Arc::from(value), None));
        }
        return Err(unrecognized(name));
    };
    if known.is_read_only {
        let message = format!("parameter \"{}\" cannot be changed", known.name);
        return Err(Error::new(SqlState("55P02"), message));
    }
    let value = known.kind.normalize(known.name, value)?;
    Ok((Arc::from(known.name), Arc::from(value), Some(known)))
}

/// Whether a name has the form `prefix.name` that extensions and applications use for theirs.
fn is_custom(name: &str) -> bool {
    let is_identifier = |part: &str| {
        let starts_well = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        starts_well && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    };
    name.contains('.') && name.split('.').all(is_identifier)
}

/// 42704 for a setting.
pub(crate) fn unrecognized(name: &str) -> Error {
    let message = format!("unrecognized configuration parameter \"{name}\"");
    Error::new(SqlState::UNDEFINED_SETTING, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(settings: &Settings, name: &str) -> String {
        settings.get(name).unwrap().to_string()
    }

    #[test]
    fn local_is_above_session() {
        let mut settings = Settings::default();
        settings.set("work_mem", "8MB", SettingScope::Session).unwrap();
        settings.set("WORK_MEM", "16384", SettingScope::Local).unwrap();
        assert_eq!(shown(&settings, "work_mem"), "16MB");
        assert_eq!(settings.number("work_mem"), 16_384);
        assert!(settings.end_transaction());
        assert_eq!(shown(&settings, "work_mem"), "8MB");
        settings.reset("work_mem", SettingScope::Session).unwrap();
        assert_eq!(shown(&settings, "work_mem"), "4MB");
    }

    #[test]
    fn errors_are_postgres() {
        let mut settings = Settings::default();
        let mut fail = |name: &str, value: &str| {
            let error = settings.set(name, value, SettingScope::Session).unwrap_err();
            (error.state().0, error.message().to_owned())
        };
        assert_eq!(
            fail("nonsense", "1"),
            ("42704", "unrecognized configuration parameter \"nonsense\"".into())
        );
        assert_eq!(
            fail("enable_seqscan", "maybe"),
            ("22023", "parameter \"enable_seqscan\" requires a Boolean value".into())
        );
        assert_eq!(
            fail("server_version", "16"),
            ("55P02", "parameter \"server_version\" cannot be changed".into())
        );
        assert_eq!(
            fail("statement_timeout", "-1"),
            (
                "22023",
                "-1 ms is outside the valid range for parameter \"statement_timeout\" \
                 (0 .. 2147483647)"
                    .into()
            )
        );
    }

    #[test]
    fn search_path_names() {
        let mut settings = Settings::default();
        assert_eq!(settings.search_path("bob"), ["bob", "public"]);
        settings.set("search_path", "a, \"B c\"", SettingScope::Session).unwrap();
        assert_eq!(settings.search_path("bob"), ["a", "B c"]);
    }

    #[test]
    fn custom_settings() {
        let mut settings = Settings::default();
        settings.set("app.tenant", "7", SettingScope::Session).unwrap();
        assert_eq!(shown(&settings, "App.Tenant"), "7");
        assert!(settings.get("app.other").is_none());
        assert!(settings.set("app.", "7", SettingScope::Session).is_err());
    }
}
