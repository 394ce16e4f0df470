//! The schema of Countersign, one file for each change.
//!
//! Changes expand first and contract later: a migration never breaks the previous release, which runs at the same time
//! while replicas are replaced one by one. The entities in `src/store/` document the columns.

#![expect(elided_lifetimes_in_paths, reason = "the signatures of MigrationTrait elide them")]

mod columns;
mod m0001_tenants;
mod m0002_accounts;
mod m0003_sessions;
mod m0004_actions;
mod m0005_outbox;
mod m0006_keys;
mod m0007_audit;
mod m0008_request_ids;
mod m0009_roles;
mod m0010_key_lives;
mod m0011_services;
mod m0012_revocations;
mod m0013_audit_chain;
mod m0014_devices;
mod m0015_write_probe;
mod m0016_expected_devices;
mod m0017_reserved_usernames;
mod m0018_refresh_lineage;
mod m0019_event_codes;
mod m0020_username_skeletons;
mod m0021_events_of_an_account;
mod m0022_reauthentication;
mod m0023_factors;
mod m0024_passkeys;
mod m0025_remembered_devices;
mod m0026_short_passwords;
mod m0027_factor_policy;

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

/// Every change, in order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_tenants::Migration),
            Box::new(m0002_accounts::Migration),
            Box::new(m0003_sessions::Migration),
            Box::new(m0004_actions::Migration),
            Box::new(m0005_outbox::Migration),
            Box::new(m0006_keys::Migration),
            Box::new(m0007_audit::Migration),
            Box::new(m0008_request_ids::Migration),
            Box::new(m0009_roles::Migration),
            Box::new(m0010_key_lives::Migration),
            Box::new(m0011_services::Migration),
            Box::new(m0012_revocations::Migration),
            Box::new(m0013_audit_chain::Migration),
            Box::new(m0014_devices::Migration),
            Box::new(m0015_write_probe::Migration),
            Box::new(m0016_expected_devices::Migration),
            Box::new(m0017_reserved_usernames::Migration),
            Box::new(m0018_refresh_lineage::Migration),
            Box::new(m0019_event_codes::Migration),
            Box::new(m0020_username_skeletons::Migration),
            Box::new(m0021_events_of_an_account::Migration),
            Box::new(m0022_reauthentication::Migration),
            Box::new(m0023_factors::Migration),
            Box::new(m0024_passkeys::Migration),
            Box::new(m0025_remembered_devices::Migration),
            Box::new(m0026_short_passwords::Migration),
            Box::new(m0027_factor_policy::Migration),
        ]
    }
}
