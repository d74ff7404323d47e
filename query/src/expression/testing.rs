//! What the tests of values and expressions share.

use std::sync::Arc;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::expression::context::{
    AdvisoryKey, AdvisoryMode, EvalContext, Services, SlotValues, StatementFacts,
};
use crate::value::datetime::Interval;
use crate::value::{EnumLabel, OutputStyle, Range, Type, Value, json};

/// Facts of a statement that runs at 2000-01-01 in UTC.
pub(crate) fn facts() -> StatementFacts {
    StatementFacts {
        transaction_time: 0,
        statement_time: 0,
        time_zone: jiff::tz::TimeZone::UTC,
        user: "tester".into(),
        database: "test".into(),
        search_path: Arc::new(["public".to_owned()]),
        text_config: "english".into(),
        output: OutputStyle::default(),
        process_id: 1,
    }
}

/// One value of nearly every type.
pub(crate) fn sample_values() -> Vec<Value> {
    let number = |text: &str| Value::numeric(text.parse().unwrap());
    let interval = Interval { months: -13, days: 4, micros: 5_000_001 };
    let range = Range::new(Type::Int4, (Value::Int4(1), true), (Value::Null, false)).unwrap();
    vec![
        Value::Bool(true),
        Value::Bool(false),
        Value::Int2(-7),
        Value::Int4(i32::MIN),
        Value::Int8(i64::MAX),
        Value::Oid(u32::MAX),
        Value::Float4(1.5),
        Value::Float8(f64::NAN),
        number("0"),
        number("0.00"),
        number("-12345.6789"),
        number("123456789012345678901234567890123456789012345678901234567890.5"),
        number("0.0000000001"),
        number("NaN"),
        number("-Infinity"),
        Value::text("käse"),
        Value::text(""),
        Value::Enum(Arc::new(EnumLabel { position: 3, label: "blue".into() })),
        Value::bytea([0_u8, 1, 255].as_slice()),
        Value::Date(-1),
        Value::Date(i32::MAX),
        Value::Time(86_399_999_999),
        Value::TimeTz(1, -3600),
        Value::Timestamp(i64::MIN),
        Value::TimestampTz(123_456_789),
        Value::interval(interval),
        Value::Uuid(Arc::new([7; 16])),
        Value::jsonb(json::parse(r#"{"a":[1,2.50,"x",null,true],"b":{}}"#).unwrap()),
        Value::array(Type::Text, vec![Value::text("a"), Value::Null]),
        Value::Range(Arc::new(range)),
        Value::Record([Value::Int4(1), Value::Null, Value::text("x")].into()),
    ]
}

/// Services of a database that has nothing.
pub(crate) struct NoServices(pub(crate) Arc<Catalog>);

impl Services for NoServices {
    fn sequence_next(&self, _: u32) -> Result<i64> {
        Err(Error::unsupported("nextval"))
    }

    fn sequence_current(&self, _: u32) -> Result<i64> {
        Err(Error::unsupported("currval"))
    }

    fn sequence_last(&self) -> Result<i64> {
        Err(Error::unsupported("lastval"))
    }

    fn sequence_set(&self, _: u32, value: i64, _: bool) -> Result<i64> {
        Ok(value)
    }

    fn catalog(&self) -> &Arc<Catalog> {
        &self.0
    }

    fn setting(&self, _: &str) -> Option<String> {
        None
    }

    fn set_setting(&self, _: &str, _: &str, _: bool) -> Result<()> {
        Ok(())
    }

    fn run_subplan(
        &self,
        _: usize,
        _: &SlotValues,
        _: &mut dyn FnMut(&[Value]) -> Result<bool>,
    ) -> Result<()> {
        Ok(())
    }

    fn advisory_lock(&self, _: AdvisoryKey, _: AdvisoryMode) -> Result<bool> {
        Ok(true)
    }

    fn advisory_unlock(&self, _: Option<AdvisoryKey>, _: bool) -> bool {
        true
    }

    fn check_cancelled(&self) -> Result<()> {
        Ok(())
    }

    fn system_call(&self, name: &str, _: &[Value]) -> Result<Value> {
        Err(Error::unsupported(name))
    }
}

/// Runs `body` in a context without parameters or slots.
pub(crate) fn with_context<R>(body: impl FnOnce(&EvalContext<'_>) -> R) -> R {
    let (slots, statement) = (SlotValues::default(), facts());
    let services = NoServices(Arc::new(Catalog::default()));
    body(&EvalContext { params: &[], slots: &slots, statement: &statement, services: &services })
}
