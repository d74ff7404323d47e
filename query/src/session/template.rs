//! Statements that came as text and differ from earlier ones in literals only.

use std::sync::Arc;

use super::Session;
use super::block::BlockStatus;
use super::plan_cache::is_lasting;
use super::plan_cache::shape::Shape;
use super::plan_cache::template::{Draft, Family, Template};
use super::prepared::Prepared;
use crate::parse::{self, Statement};
use crate::value::Value;
use crate::value::input::from_text;

impl Session {
    /// A plan for texts like this one, and this one's values. A literal that its column's type does
    /// not accept is left to the ordinary way, which knows where in the text the error is.
    pub(super) fn templated(&self, sql: &str) -> Option<(Arc<Prepared>, Vec<Value>)> {
        if self.status() == BlockStatus::Failed {
            return None;
        }
        let shape = Shape::of(sql)?;
        let family = self.family(&shape)?;
        let template = family.template(sql, &shape)?;
        let facts = self.state.facts();
        let typed = template.parameters.iter().zip(template.prepared.params.iter());
        let values = typed.map(|(position, ty)| {
            let literal = shape.literals.get(*position)?;
            from_text(&literal.value(sql), ty, &facts).ok()
        });
        Some((Arc::clone(&template.prepared), values.collect::<Option<_>>()?))
    }

    /// What is known of texts of this shape under the present definitions.
    fn family(&self, shape: &Shape) -> Option<Arc<Family>> {
        let (state, environment) = (&self.state, self.state.environment());
        let plans = &state.database.shared.plans;
        let family = plans.family(state.backend.database_oid, environment, &shape.text)?;
        Arc::ptr_eq(&family.catalog, &state.catalog).then_some(family)
    }

    /// Remembers the shape of a text that was prepared; the second text of a shape makes a
    /// template.
    pub(super) fn learn(&self, sql: &str, statement: &Statement, prepared: &Prepared) {
        if prepared.plan().is_none()
            || !prepared.is_short()
            || !is_lasting(sql)
            || !self.is_cacheable()
        {
            return;
        }
        let Some(shape) = Shape::of(sql) else { return };
        let family = match self.family(&shape) {
            None => Family { catalog: self.state.catalog.clone(), templates: Some(Vec::new()) },
            Some(family) if family.templates.is_none() => return,
            Some(family) => family.with(self.template_of(sql, &shape, statement, prepared)),
        };
        let (state, environment) = (&self.state, self.state.environment());
        let database = state.backend.database_oid;
        state.database.shared.plans.insert_family(database, environment, &shape.text, family);
    }

    /// A template that serves this text and others. `None` when it would not be the same
    /// statement.
    fn template_of(
        &self,
        sql: &str,
        shape: &Shape,
        statement: &Statement,
        prepared: &Prepared,
    ) -> Option<Template> {
        let offsets = statement.exchangeable_literals();
        let literals = shape.literals.iter().enumerate();
        let exchangeable = literals.filter(|(_, literal)| offsets.contains(&literal.range.start));
        let mut places: Vec<usize> = exchangeable.map(|(position, _)| position).collect();
        // The types are known when it is bound; what does not fit then stays as it is.
        for _ in 0..2 {
            let draft = Draft::new(sql, shape, |position| places.contains(&position));
            if draft.parameters.is_empty() {
                return None;
            }
            let mut parsed = parse::parse(&draft.text).ok()?;
            let general = self.bound(&draft.text, parsed.pop().as_ref(), &[]).ok()?;
            let misfits = draft.misfits(shape, &general.params);
            if misfits.is_empty() {
                let is_same = general.is_short() && general.columns == prepared.columns;
                return is_same.then(|| draft.finish(general));
            }
            places.retain(|position| !misfits.contains(position));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::database::Database;
    use crate::session::{Batched, Session};

    /// Runs a text as a client does; answers how many of its literals were parameters.
    fn run(session: &mut Session, sql: &str) -> usize {
        let statements = session.batch(sql).unwrap();
        let [statement] = statements.as_slice() else { panic!("one statement") };
        session.open(sql, statement).unwrap();
        while let crate::session::Step::Rows(_) = session.advance("", 10).unwrap() {}
        session.finish(true).unwrap();
        match statement {
            Batched::Cached(_, values) => values.len(),
            Batched::Parsed(_) => 0,
        }
    }

    fn session() -> Session {
        let database = Database::in_memory().unwrap();
        let mut session = database.connect("cairn", "cairn").unwrap();
        session.execute("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text)").unwrap();
        session
    }

    #[test]
    fn the_third_text_of_a_shape_is_served() {
        let mut session = session();
        for (n, served) in [(1, 0), (2, 0), (3, 2), (4, 2)] {
            let insert = format!("INSERT INTO t VALUES ({n}, -1, 'x{n}');\n");
            assert_eq!(run(&mut session, &insert), served, "{insert}");
            let select = format!("SELECT a + 1 FROM t WHERE id = {n} AND b <> 'y{n}'");
            assert_eq!(run(&mut session, &select), served, "{select}");
        }
    }

    #[test]
    fn lengths_of_columns_do_not_matter() {
        let mut session = session();
        session
            .execute("CREATE TABLE urls (code varchar(10) UNIQUE, target text, ends timestamptz)")
            .unwrap();
        let sql = |n| {
            format!(
                "SELECT target FROM urls WHERE code = 'c{n}' AND (ends IS NULL OR ends > now())"
            )
        };
        assert_eq!((0..4).map(|n| run(&mut session, &sql(n))).collect::<Vec<_>>(), [0, 0, 1, 1]);
    }

    #[test]
    fn each_set_of_fixed_literals_is_another_template_up_to_a_number() {
        let mut session = session();
        let select = |fixed: usize, id: usize| format!("SELECT a + {fixed} FROM t WHERE id = {id}");
        for fixed in 0..5 {
            run(&mut session, &select(fixed, 1));
        }
        assert_eq!(run(&mut session, &select(3, 7)), 1);
        for fixed in 5..20 {
            run(&mut session, &select(fixed, 1));
        }
        assert_eq!(run(&mut session, &select(3, 8)), 0, "too many: no longer tried");
    }

    #[test]
    fn what_is_no_lookup_is_planned_each_time() {
        let mut session = session();
        for n in 0..4 {
            assert_eq!(run(&mut session, &format!("SELECT b FROM t WHERE a = {n}")), 0);
            assert_eq!(run(&mut session, &format!("SELECT b FROM t WHERE id > {n}")), 0);
        }
        let sql = |n| format!("SELECT 'now'::timestamptz FROM t WHERE id = {n}");
        assert_eq!((0..4).map(|n| run(&mut session, &sql(n))).sum::<usize>(), 0);
    }
}
