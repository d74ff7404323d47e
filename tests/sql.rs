//! The sqllogictest files of `sql/`, each in process, as simple and as extended queries.
//!
//! Columns are compared by type too: `B` boolean, `I` integers, `N` numeric, `R` floats, `T` text,
//! `D` dates and times, `?` everything else. Values stand in a row with ` | ` between them; NULL
//! is `NULL`, the empty text `(empty)`.

use std::path::Path;
use std::sync::Arc;

use cairn_query::Database;
use cairn_tests::client::{Address, Client, Protocol};
use cairn_tests::differences::{self, Difference};
use cairn_tests::embedded::Embedded;
use cairn_tests::files;
use cairn_tests::host::{self, Host};
use cairn_tests::outcome::{Outcome, Report, print_value};
use cairn_tests::reference::Reference;
use libtest_mimic::{Arguments, Failed, Trial};
use sqllogictest::{ColumnType, DB, DBOutput, Record, Runner, strict_column_validator};

const FOLDER: &str = "sql";
const SEPARATOR: &str = " | ";

fn main() {
    let scripts: Vec<Arc<Path>> = files::below(FOLDER, "slt").into_iter().map(Arc::from).collect();
    let trials = scripts.iter().flat_map(trials).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trials(path: &Arc<Path>) -> Vec<Trial> {
    let name = files::name(FOLDER, path);
    let trial = |way: &str, run: fn(&Path) -> Result<(), Failed>| {
        let path = path.clone();
        Trial::test(format!("{name} {way}"), move || run(&path))
    };
    if std::env::var_os("CAIRN_TEST_REFERENCE").is_some() {
        return vec![trial("regenerated", regenerate)];
    }
    vec![
        trial("embedded", embedded),
        trial("simple", |path| served(path, Protocol::Simple)),
        trial("extended", |path| served(path, Protocol::Extended)),
    ]
}

fn embedded(path: &Path) -> Result<(), Failed> {
    let database = Database::in_memory().map_err(|error| error.to_string())?;
    let connect = || {
        let session = Embedded::connect(&database);
        async move { Ok(Speaker::Embedded(Box::new(session))) }
    };
    run(runner(connect), path)?;
    host::check(&database);
    Ok(())
}

fn served(path: &Path, protocol: Protocol) -> Result<(), Failed> {
    let host = Host::start();
    let address = host.address();
    let mut runner = runner(|| connect(&address, protocol));
    if protocol == Protocol::Extended {
        runner.add_label("extended");
    }
    run(runner, path)
}

fn run<M>(mut runner: Runner<Speaker, M>, path: &Path) -> Result<(), Failed>
where
    M: sqllogictest::MakeConnection<Conn = Speaker>,
{
    let records = sqllogictest::parse_file::<Kind>(path).map_err(|error| error.to_string())?;
    // All differences of a file at once: a file is one topic, its statements go on.
    let differences = records.into_iter().filter_map(|record| {
        let statement = statement(&record);
        let report = runner.run(record).err()?.display(false).to_string();
        Some(Difference { statement, report })
    });
    let differences: Vec<Difference> = differences.collect();
    runner.shutdown();
    let script = format!("{FOLDER}/{}", files::name(FOLDER, path));
    Ok(differences::judge(&script, &differences)?)
}

fn statement(record: &Record<Kind>) -> String {
    match record {
        Record::Statement { sql, .. } | Record::Query { sql, .. } => sql.clone(),
        _ => String::new(),
    }
}

/// Writes the reference's answers into the file.
fn regenerate(path: &Path) -> Result<(), Failed> {
    let reference = Reference::from_environment().ok_or("no reference")?;
    let mut runner = runner(|| connect(reference.address(), Protocol::Simple));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let updated =
        runner.update_test_file(path, SEPARATOR, validate, normalize, strict_column_validator);
    let result = runtime.block_on(updated).map_err(|error| error.to_string());
    runner.shutdown();
    Ok(result?)
}

async fn connect(address: &Address, protocol: Protocol) -> Result<Speaker, Report> {
    match Client::connect(address, protocol) {
        Ok(client) => Ok(Speaker::Wire(Box::new(client))),
        Err(error) => Err(cairn_tests::client::refusal(error)),
    }
}

fn runner<M>(connect: M) -> Runner<Speaker, M>
where
    M: sqllogictest::MakeConnection<Conn = Speaker>,
{
    let mut runner = Runner::new(connect);
    runner.with_column_validator(strict_column_validator);
    runner.with_normalizer(normalize);
    runner.with_validator(validate);
    runner
}

#[expect(clippy::ptr_arg, reason = "the signature is the library's")]
fn normalize(text: &String) -> String {
    text.trim_end().to_owned()
}

fn validate(
    normalize: sqllogictest::Normalizer,
    actual: &[Vec<String>],
    expected: &[String],
) -> bool {
    let actual = actual.iter().map(|row| normalize(&row.join(SEPARATOR)));
    actual.eq(expected.iter().map(normalize))
}

/// One connection of a script.
enum Speaker {
    Embedded(Box<Embedded>),
    Wire(Box<Client>),
}

impl DB for Speaker {
    type Error = Report;
    type ColumnType = Kind;

    fn run(&mut self, sql: &str) -> Result<DBOutput<Kind>, Report> {
        let outcome = match self {
            Self::Embedded(session) => session.run(sql),
            Self::Wire(client) => client.run(sql),
        };
        output(outcome)
    }

    fn error_sql_state(error: &Report) -> Option<String> {
        Some(error.state.clone())
    }
}

fn output(outcome: Outcome) -> Result<DBOutput<Kind>, Report> {
    let count = outcome.count();
    if let Some(error) = outcome.error {
        return Err(error);
    }
    if outcome.columns.is_empty() {
        return Ok(DBOutput::StatementComplete(count));
    }
    let types = outcome.columns.iter().map(|column| Kind::of(&column.ty)).collect();
    let print =
        |row: &Vec<Option<String>>| row.iter().map(|value| print_value(value.as_ref())).collect();
    Ok(DBOutput::Rows { types, rows: outcome.rows.iter().map(print).collect() })
}

/// The type of a column, as one letter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kind(char);

impl Kind {
    fn of(ty: &str) -> Self {
        let base = ty.split('(').next().unwrap_or(ty);
        Self(match base {
            _ if ty.ends_with("[]") => '?',
            "boolean" => 'B',
            "smallint" | "integer" | "bigint" => 'I',
            "numeric" => 'N',
            "real" | "double precision" => 'R',
            "text" | "character varying" | "character" | "name" => 'T',
            "date" | "interval" => 'D',
            _ if base.starts_with("time") => 'D',
            _ => '?',
        })
    }
}

impl ColumnType for Kind {
    fn from_char(letter: char) -> Option<Self> {
        Some(Self(letter))
    }

    fn to_char(&self) -> char {
        self.0
    }
}
