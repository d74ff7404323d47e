//! Values on their way in: parameters as text and as bytes.

use super::Session;
use crate::error::{Error, Result, SqlState};
use crate::value::{SqlType, Type, Value};

impl Session {
    /// The type that a client means by an OID; `None` for 0, which leaves it open.
    ///
    /// # Errors
    /// 42704 when there is no such type.
    pub fn type_of_oid(&self, oid: u32) -> Result<Option<SqlType>> {
        if oid == 0 || oid == UNKNOWN_OID {
            return Ok(None);
        }
        let known = Type::from_oid(oid).or_else(|| self.user_type(oid));
        known.map(|ty| Some(SqlType::new(ty))).ok_or_else(|| {
            let message = format!("type with OID {oid} does not exist");
            Error::new(SqlState::UNDEFINED_OBJECT, message)
        })
    }

    fn user_type(&self, oid: u32) -> Option<Type> {
        let types = &self.state.catalog.types;
        if types.contains_key(&oid) {
            return Some(Type::Enum(oid));
        }
        let element = types.values().find(|ty| ty.array_oid == oid)?;
        Some(Type::Enum(element.oid).array())
    }

    /// A parameter that came as text.
    ///
    /// # Errors
    /// 22P02 and its kind.
    pub fn value_from_text(&self, text: &str, ty: &SqlType) -> Result<Value> {
        crate::value::input::from_text(text, ty, &self.state.facts())
    }

    /// A parameter that came in its type's binary form.
    ///
    /// # Errors
    /// 22P03 and its kind.
    pub fn value_from_binary(&self, bytes: &[u8], ty: &SqlType) -> Result<Value> {
        crate::value::binary::decode(bytes, ty, &self.state.facts())
    }
}

/// What drivers send for a literal without a type.
const UNKNOWN_OID: u32 = 705;
