use super::{Means, doors::Stories};
use crate::{
    grpc::AuthDoor,
    telemetry::LineBudget,
    usecase::{
        gate::{GuessGate, Lookout},
        service::IssueServiceToken,
        session::{EndStolen, Logout, NoteUses, Refresh, WatchClient, WatchUse},
        sign_in::{Login, OpenSession},
    },
};
use std::{sync::Arc, time::Duration};

impl Stories<'_> {
    fn login(&self) -> Login {
        let Means { store, news, hasher, world, .. } = self.means;
        let open = OpenSession {
            store: store.clone(),
            lookout: self.lookout(),
            throttle: self.throttle(),
            tokens: self.issue_tokens(),
            lives: self.session_lives(),
            post: self.post(),
            journal: self.journal(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
        };
        Login {
            store: store.clone(),
            lookout: self.lookout(),
            guesses: self.guess_gate(),
            password: self.password_gate(),
            open,
            news: news.clone(),
            throttle: self.throttle(),
            hasher: hasher.clone(),
            post: self.post(),
            journal: self.journal(),
            disable_after: i32::try_from(self.config.lockout.disable_after).unwrap_or(i32::MAX),
        }
    }

    fn refresh(&self) -> Refresh {
        let Means { store, ring, news, first_uses, world, .. } = self.means;
        let end_stolen = self.end_stolen();
        let watch = WatchClient {
            store: store.clone(),
            lookout: self.lookout(),
            on_mismatch: self.config.risk.on_mismatch,
            end_stolen: end_stolen.clone(),
            throttle: self.throttle(),
            post: self.post(),
            journal: self.journal(),
            clock: world.clock.clone(),
        };
        Refresh {
            store: store.clone(),
            ring: ring.clone(),
            news: news.clone(),
            tokens: self.issue_tokens(),
            lives: self.session_lives(),
            throttle: self.throttle(),
            watch,
            uses: first_uses.clone(),
            end_stolen,
            journal: self.journal(),
            clock: world.clock.clone(),
        }
    }

    pub(super) fn guess_gate(&self) -> GuessGate {
        let Means { ring, lockout, .. } = self.means;
        GuessGate { lockout: lockout.clone(), captcha: self.captcha_gate(), ring: ring.clone() }
    }

    fn end_stolen(&self) -> EndStolen {
        let Means { store, world, .. } = self.means;
        EndStolen { store: store.clone(), post: self.post(), journal: self.journal(), clock: world.clock.clone() }
    }

    pub(super) fn watch_use(&self) -> WatchUse {
        WatchUse {
            uses: self.means.first_uses.clone(),
            end_stolen: self.end_stolen(),
            lives: self.session_lives(),
            clock: self.means.world.clock.clone(),
        }
    }

    pub(super) fn note_uses(&self) -> NoteUses {
        NoteUses { store: self.means.store.clone(), uses: self.means.first_uses.clone() }
    }

    pub(super) fn lookout(&self) -> Lookout {
        let Means { store, places, world, .. } = self.means;
        Lookout { store: store.clone(), places: places.clone(), entropy: world.entropy.clone() }
    }

    pub(super) fn auth_door(&self) -> AuthDoor {
        let Means { store, ring, news, world, .. } = self.means;
        AuthDoor {
            login: self.login(),
            refresh: self.refresh(),
            logout: Logout {
                store: store.clone(),
                ring: ring.clone(),
                news: news.clone(),
                lives: self.session_lives(),
                journal: self.journal(),
                clock: world.clock.clone(),
            },
            issue_service_token: IssueServiceToken {
                store: store.clone(),
                ring: ring.clone(),
                news: news.clone(),
                throttle: self.throttle(),
                journal: self.journal(),
                issuer: self.config.keys.issuer.clone(),
                life: self.config.sessions.access_ttl,
                unknown_clients: Arc::new(LineBudget::new(1, Duration::from_mins(1))),
                clock: world.clock.clone(),
                entropy: world.entropy.clone(),
            },
            authenticate: self.authenticate(),
            recognise: self.recognise(),
        }
    }
}
