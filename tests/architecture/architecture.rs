//! Reads the sources and fails on a broken arrow. ARCHITECTURE.md and `arrows.rs` say which arrows there are and why;
//! `broken.rs` shows that each of them can fail.
//!
//! A package of its own that depends on proc-macro2 alone, so that `.ci/run` can build and run it before anything else.

mod arrow;
mod arrows;
mod broken;
mod habit;
mod manifest;
mod path;
mod proofs;
mod query;
mod query_broken;
mod reading;
mod source;
mod token;

use arrow::Arrow;
use manifest::Fence;
use source::SourceFile;

#[test]
fn the_rules_are_pure() {
    holds(&arrows::DOMAIN_IS_PURE);
    fences(&manifest::DOMAIN);
}

#[test]
fn argon2_names_nothing_of_ours() {
    fences(&manifest::ARGON2);
}

#[test]
fn the_wire_format_names_nothing_of_ours() {
    holds(&arrows::TOKEN_NAMES_NOTHING_OF_OURS);
    fences(&manifest::TOKEN);
}

#[test]
fn the_verifier_names_only_the_wire_format() {
    holds(&arrows::VERIFIER_NAMES_ONLY_TOKEN);
    if source::root().join(manifest::VERIFIER.manifest).exists() {
        fences(&manifest::VERIFIER);
    }
}

#[test]
fn a_migration_names_nothing_of_ours() {
    holds(&arrows::MIGRATIONS_NAME_NOTHING_OF_OURS);
}

#[test]
fn each_proof_is_made_in_one_place() {
    holds(&proofs::PASSWORDS_ARE_PROVEN_IN_ONE_PLACE);
    holds(&proofs::FACTORS_ARE_PROVEN_IN_ONE_PLACE);
    holds(&proofs::EMAIL_CODES_ARE_PROVEN_IN_ONE_PLACE);
}

#[test]
fn tonic_and_generated_code_stay_in_the_grpc_transport() {
    holds(&arrows::GRPC_STAYS_IN_ITS_TRANSPORT);
}

#[test]
fn axum_stays_in_the_transports() {
    holds(&arrows::AXUM_STAYS_IN_THE_TRANSPORTS);
}

#[test]
fn sql_stays_in_the_store() {
    holds(&arrows::SQL_STAYS_IN_THE_STORE);
}

#[test]
fn database_errors_are_read_in_one_file() {
    holds(&arrows::DATABASE_ERRORS_ARE_READ_ONCE);
}

#[test]
fn what_makes_tokens_reads_none() {
    holds(&arrows::TOKEN_MAKERS_NEVER_READ);
}

#[test]
fn hashes_stay_in_the_pool() {
    holds(&arrows::HASHES_STAY_IN_THE_POOL);
}

#[test]
fn redis_stays_in_the_cache() {
    holds(&arrows::REDIS_STAYS_IN_THE_CACHE);
}

#[test]
fn http_calls_go_out_in_one_place() {
    holds(&arrows::HTTP_CALLS_GO_OUT_IN_ONE_PLACE);
}

#[test]
fn passkeys_are_checked_in_one_place() {
    holds(&arrows::PASSKEYS_ARE_CHECKED_IN_ONE_PLACE);
}

#[test]
fn few_call_others() {
    holds(&arrows::FEW_CALL_OTHERS);
}

#[test]
fn the_environment_is_read_in_config() {
    holds(&arrows::ENVIRONMENT_IS_READ_IN_CONFIG);
}

#[test]
fn main_alone_ends_the_process() {
    holds(&arrows::MAIN_ALONE_ENDS_THE_PROCESS);
}

#[test]
fn time_comes_from_the_runtime() {
    holds(&arrows::TIME_COMES_FROM_THE_RUNTIME);
}

#[test]
fn chance_comes_from_the_runtime() {
    holds(&arrows::CHANCE_COMES_FROM_THE_RUNTIME);
}

#[test]
fn tasks_and_threads_come_from_the_runtime() {
    holds(&arrows::TASKS_COME_FROM_THE_RUNTIME);
}

#[test]
fn adapters_never_name_each_other() {
    holds(&arrows::ADAPTERS_NEVER_NAME_EACH_OTHER);
}

#[test]
fn adapters_never_name_use_cases() {
    holds(&arrows::ADAPTERS_NEVER_NAME_USE_CASES);
}

#[test]
fn use_cases_know_no_transport() {
    holds(&arrows::USE_CASES_KNOW_NO_TRANSPORT);
}

#[test]
fn transports_never_name_each_other() {
    holds(&arrows::TRANSPORTS_NEVER_NAME_EACH_OTHER);
}

#[test]
fn transports_call_use_cases() {
    holds(&arrows::TRANSPORTS_CALL_USE_CASES);
}

#[test]
fn what_listens_is_given_its_settings() {
    holds(&arrows::TRANSPORTS_ARE_CONFIGURED);
}

#[test]
fn jobs_call_use_cases() {
    holds(&arrows::JOBS_CALL_USE_CASES);
}

#[test]
fn configuration_names_only_the_rules() {
    holds(&arrows::CONFIG_NAMES_ONLY_THE_RULES);
}

#[test]
fn everything_in_src_has_a_place_in_the_arrows() {
    let names = source::names_in("src");
    let without: Vec<_> = names.iter().filter(|name| !arrows::TOP_LEVEL.contains(&name.as_str())).collect();
    assert!(without.is_empty(), "in src/, but in none of the arrows of tests/architecture/arrows.rs: {without:?}");
}

#[test]
fn a_library_with_one_home_is_not_handed_on() {
    every_file_keeps(habit::handed_on);
}

#[test]
fn there_is_no_unsafe_code() {
    every_file_keeps(habit::unsafe_code);
}

#[test]
fn nothing_is_unwrapped_outside_tests() {
    every_file_keeps(habit::unwraps);
}

#[test]
fn no_file_is_too_long() {
    every_file_keeps(habit::too_long);
}

#[test]
fn no_file_is_a_drawer() {
    every_file_keeps(habit::drawers);
}

#[test]
fn a_query_of_a_tenants_table_begins_in_scope() {
    let tables = query::tables_of_tenants(&source::ALL);
    assert!(tables.len() > 15, "found only the tables of {tables:?}");
    every_file_keeps(|file| query::begun_out_of_scope(file, &tables));
}

#[test]
fn sql_is_put_together_by_hand_in_few_files() {
    every_file_keeps(query::built_by_hand);
}

#[test]
fn raw_sql_stands_in_few_files() {
    every_file_keeps(query::raw);
}

#[test]
fn databases_are_told_apart_in_one_file() {
    every_file_keeps(query::told_apart);
}

fn holds(arrow: &Arrow) {
    every_file_keeps(|file| arrow.broken_in(file));
}

fn fences(fence: &Fence) {
    let broken = fence.broken_in(&source::content(&source::root().join(fence.manifest)));
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn every_file_keeps(broken_in: impl Fn(&SourceFile) -> Vec<String>) {
    let broken: Vec<_> = source::ALL.iter().flat_map(broken_in).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}
