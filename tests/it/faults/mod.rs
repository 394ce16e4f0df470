//! The statements that calls execute, and that an answer and the database agree, whatever fails in the middle of a
//! call.

mod acts;
mod every_statement;
mod query_plans;
mod statements;

use crate::support::{self, App, AppOptions, Faults};

fn on_each_database(test: impl AsyncFn(&mut App, &Faults)) {
    on_each_database_with(AppOptions::default(), test);
}

fn on_each_database_with(options: AppOptions, test: impl AsyncFn(&mut App, &Faults)) {
    let faults = Faults::default();
    let options = options.interfered_with(faults.interference()).expecting_errors();
    support::on_each_database_with(options, async |app| {
        faults.none();
        test(app, &faults).await;
        faults.none();
    });
}
