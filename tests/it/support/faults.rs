use super::App;
use countersign::store::{Fate, Interference, Step};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use tokio::sync::Notify;

/// Makes the database of an app fail, one step at a time.
#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Plan>);

#[derive(Default)]
struct Plan {
    state: Mutex<State>,
    struck: Notify,
}

#[derive(Default)]
struct State {
    /// The statements since the plan was made.
    steps: Vec<&'static str>,
    /// The step that fails, and how.
    doomed: Option<(usize, Fate)>,
    /// The texts of the statements.
    texts: Vec<String>,
}

impl Faults {
    pub(crate) fn interference(&self) -> Interference {
        let (plan, reader) = (self.0.clone(), self.0.clone());
        let decide = move |step| {
            let mut state = plan.state.lock().unwrap();
            let number = state.steps.len();
            state.steps.push(match step {
                Step::Begin => "BEGIN",
                Step::Statement(name) => name,
                Step::Commit => "COMMIT",
            });
            match state.doomed {
                Some((doomed, fate)) if doomed == number => {
                    plan.struck.notify_one();
                    fate
                }
                _ => Fate::Done,
            }
        };
        Interference::new(decide, move |sql| reader.state.lock().unwrap().texts.push(sql.to_owned()))
    }

    /// From now on no step fails, and the steps are counted from zero.
    pub(crate) fn none(&self) {
        *self.0.state.lock().unwrap() = State::default();
    }

    /// From now on this step fails, counted from the next one.
    pub(crate) fn at(&self, step: usize, fate: Fate) {
        *self.0.state.lock().unwrap() = State { doomed: Some((step, fate)), ..State::default() };
    }

    /// Waits until the failing step was reached.
    pub(crate) async fn struck(&self) {
        self.0.struck.notified().await;
    }

    /// The texts of the statements since the plan was made.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.0.state.lock().unwrap().texts.clone()
    }

    /// The statements since the plan was made.
    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.0.state.lock().unwrap().steps.clone()
    }
}

/// Every row of every table, as text, without the number of tries spent: a try is spent before anything is checked.
pub(crate) struct Contents(BTreeMap<String, BTreeSet<String>>);

/// How many rows of each table were removed and added.
pub(crate) type Change = BTreeMap<String, (usize, usize)>;

impl Contents {
    /// Reads over a connection of its own, and so only what is committed.
    pub(crate) async fn of(app: &App) -> Self {
        let backend = app.database.get_database_backend();
        let (tables, row) = match backend {
            DbBackend::Sqlite => (
                "SELECT m.name, group_concat('quote(' || c.name || ')', ' || ''|'' || ') FROM sqlite_master m \
                 JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name NOT IN ('password_failures', 'code_tries', 'tries') \
                 GROUP BY m.name",
                "SELECT $columns FROM $table",
            ),
            _ => (
                "SELECT table_name::text, '' FROM information_schema.tables WHERE table_schema = current_schema()",
                "SELECT (to_jsonb(t) - 'password_failures' - 'code_tries' - 'tries')::text FROM $table t",
            ),
        };
        let ask = async |sql: String| app.database.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
        let mut contents = BTreeMap::new();
        for table in ask(tables.to_owned()).await {
            let (name, columns): (String, String) =
                (table.try_get_by_index(0).unwrap(), table.try_get_by_index(1).unwrap());
            let rows = ask(row.replace("$columns", &columns).replace("$table", &name)).await;
            let rows = rows.into_iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
            contents.insert(name, rows);
        }
        Self(contents)
    }

    /// The difference between these contents and later ones.
    pub(crate) fn change(&self, now: &Self) -> Change {
        let tables = self.0.iter().map(|(table, before)| {
            let after = &now.0[table];
            (table.clone(), (after.difference(before).count(), before.difference(after).count()))
        });
        tables.filter(|(_, change)| *change != (0, 0)).collect()
    }
}
