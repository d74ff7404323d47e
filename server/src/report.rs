//! Errors and notices as messages.

use cairn_query::Error;
use cairn_query::result::Notice;
use pgwire::messages::response::{ErrorResponse, NoticeResponse};

/// How an error ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorLevel {
    /// The connection goes on.
    Error,
    /// The connection ends.
    Fatal,
}

/// An error as a message.
pub(crate) fn error_response(error: &Error, level: ErrorLevel) -> ErrorResponse {
    let severity = match level {
        ErrorLevel::Error => "ERROR",
        ErrorLevel::Fatal => "FATAL",
    };
    ErrorResponse::new(fields(error, severity))
}

/// A notice as a message.
pub(crate) fn notice_response(notice: &Notice) -> NoticeResponse {
    NoticeResponse::new(fields(&notice.report, notice.severity.name()))
}

/// The fields of a report, by their letters. (Postgres manual, "Error and Notice Message Fields".)
fn fields(error: &Error, severity: &str) -> Vec<(u8, String)> {
    let detail = error.fields();
    let mut fields = vec![
        (b'S', severity.to_owned()),
        (b'V', severity.to_owned()),
        (b'C', detail.state.0.to_owned()),
        (b'M', detail.message.clone()),
    ];
    let optional = [
        (b'D', detail.detail.clone()),
        (b'H', detail.hint.clone()),
        (b'P', detail.position.map(|position| position.to_string())),
        (b'W', detail.context.clone()),
        (b's', detail.schema.clone()),
        (b't', detail.table.clone()),
        (b'c', detail.column.clone()),
        (b'n', detail.constraint.clone()),
    ];
    fields.extend(optional.into_iter().filter_map(|(letter, text)| Some((letter, text?))));
    // A zero byte would end the field early and break the message.
    for (_, text) in &mut fields {
        if text.contains('\0') {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_query::SqlState;

    #[test]
    fn fields_by_letter() {
        let error = Error::new(SqlState::UNIQUE_VIOLATION, "duplicate\0key")
            .with_detail("Key (id)=(1) already exists.")
            .on_table("public", "t")
            .on_constraint("t_pkey")
            .at(8);
        let response = error_response(&error, ErrorLevel::Error);
        let letters: String =
            response.fields.iter().map(|(letter, _)| char::from(*letter)).collect();
        assert_eq!(letters, "SVCMDPstn");
        assert_eq!(response.fields[3].1, "duplicate\u{fffd}key");
    }
}
