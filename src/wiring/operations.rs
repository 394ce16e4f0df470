//! The use cases of operators, built alike for a command and for a serving process: from the database, from the key of
//! events for acts in the audit log, and from the key-encryption key for keys.

use crate::{
    runtime::Clock,
    store::Store,
    usecase::{
        UnitsOfWork,
        account::{CreateAccount, DisableAccount, EnableAccount, FindAccount, ListAccounts},
        audience::{CreateAudience, ListAudiences, RegisterAudienceKey},
        audit::ReadAudit,
        factor::{ListFactors, ListRememberedDevices, ResetFactors},
        key::{KeyMaker, ListKeys, RetireKey, RewrapKeys, RotateKeys},
        mail::{ListOutbox, RequeueMail},
        role::{GrantRole, ListRoles, RevokeRole},
        service::{
            AddServiceSecret, CreateService, DisableService, EnableService, FindService, ListServices,
            RetireServiceSecret,
        },
        session::EndSessions,
    },
};

/// Operations that need only the database.
#[derive(Clone, Debug)]
pub struct StoreOperations {
    pub list_accounts: ListAccounts,
    pub find_account: FindAccount,
    pub list_factors: ListFactors,
    pub list_remembered_devices: ListRememberedDevices,
    pub list_roles: ListRoles,
    pub list_services: ListServices,
    pub find_service: FindService,
    pub list_keys: ListKeys,
    pub list_audiences: ListAudiences,
    pub read_audit: ReadAudit,
    pub list_outbox: ListOutbox,
    pub requeue_mail: RequeueMail,
}

/// Operations that are recorded in the audit log: the code of each event needs a key.
#[derive(Clone, Debug)]
pub struct RecordedOperations {
    pub create_account: CreateAccount,
    pub disable_account: DisableAccount,
    pub enable_account: EnableAccount,
    pub reset_factors: ResetFactors,
    pub grant_role: GrantRole,
    pub revoke_role: RevokeRole,
    pub add_service_secret: AddServiceSecret,
    pub retire_service_secret: RetireServiceSecret,
    pub disable_service: DisableService,
    pub enable_service: EnableService,
    pub end_sessions: EndSessions,
}

/// Operations that create or open keys, and so need the key-encryption key.
#[derive(Clone, Debug)]
pub struct KeyOperations {
    pub rotate: RotateKeys,
    pub retire: RetireKey,
    pub rewrap: RewrapKeys,
    pub create_audience: CreateAudience,
    pub register_audience_key: RegisterAudienceKey,
    /// A new service account may need a new audience, which has keys.
    pub create_service: CreateService,
}

impl StoreOperations {
    pub(super) fn new(store: &Store, clock: &Clock) -> Self {
        let store = || store.clone();
        Self {
            list_accounts: ListAccounts { store: store() },
            find_account: FindAccount { store: store() },
            list_factors: ListFactors { store: store() },
            list_remembered_devices: ListRememberedDevices { store: store(), clock: clock.clone() },
            list_roles: ListRoles { store: store() },
            list_services: ListServices { store: store() },
            find_service: FindService { store: store() },
            list_keys: ListKeys { store: store() },
            list_audiences: ListAudiences { store: store() },
            read_audit: ReadAudit { store: store() },
            list_outbox: ListOutbox { store: store() },
            requeue_mail: RequeueMail { store: store(), clock: clock.clone() },
        }
    }
}

impl RecordedOperations {
    pub(super) fn new(work: &UnitsOfWork) -> Self {
        let work = || work.clone();
        Self {
            create_account: CreateAccount { work: work() },
            disable_account: DisableAccount { work: work() },
            enable_account: EnableAccount { work: work() },
            reset_factors: ResetFactors { work: work() },
            grant_role: GrantRole { work: work() },
            revoke_role: RevokeRole { work: work() },
            add_service_secret: AddServiceSecret { work: work() },
            retire_service_secret: RetireServiceSecret { work: work() },
            disable_service: DisableService { work: work() },
            enable_service: EnableService { work: work() },
            end_sessions: EndSessions { work: work() },
        }
    }
}

impl KeyOperations {
    pub(super) fn new(work: &UnitsOfWork, key_maker: &KeyMaker) -> Self {
        let (work, key_maker) = (|| work.clone(), || key_maker.clone());
        let create_audience = || CreateAudience { work: work(), key_maker: key_maker() };
        Self {
            rotate: RotateKeys { work: work(), key_maker: key_maker() },
            retire: RetireKey { work: work(), key_maker: key_maker() },
            rewrap: RewrapKeys { work: work(), key_maker: key_maker() },
            create_audience: create_audience(),
            register_audience_key: RegisterAudienceKey { work: work(), key_maker: key_maker() },
            create_service: CreateService { work: work(), create_audience: create_audience() },
        }
    }
}
