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
        let Means { news, hasher, .. } = self.means;
        let open = OpenSession {
            work: self.work(),
            lookout: self.lookout(),
            throttle: self.throttle(),
            tokens: self.issue_tokens(),
            lives: self.session_lives(),
        };
        Login {
            work: self.work(),
            lookout: self.lookout(),
            guesses: self.guess_gate(),
            password: self.password_gate(),
            open,
            news: news.clone(),
            throttle: self.throttle(),
            hasher: hasher.clone(),
            disable_after: i32::try_from(self.config.lockout.disable_after).unwrap_or(i32::MAX),
        }
    }

    fn refresh(&self) -> Refresh {
        let Means { ring, news, first_uses, .. } = self.means;
        let end_stolen = self.end_stolen();
        let watch = WatchClient {
            work: self.work(),
            lookout: self.lookout(),
            on_mismatch: self.config.risk.on_mismatch,
            end_stolen: end_stolen.clone(),
            throttle: self.throttle(),
        };
        Refresh {
            work: self.work(),
            ring: ring.clone(),
            news: news.clone(),
            tokens: self.issue_tokens(),
            lives: self.session_lives(),
            throttle: self.throttle(),
            watch,
            uses: first_uses.clone(),
            end_stolen,
        }
    }

    pub(super) fn guess_gate(&self) -> GuessGate {
        let Means { ring, lockout, .. } = self.means;
        GuessGate { lockout: lockout.clone(), captcha: self.captcha_gate(), ring: ring.clone() }
    }

    fn end_stolen(&self) -> EndStolen {
        EndStolen { work: self.work() }
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
        let Means { ring, news, .. } = self.means;
        AuthDoor {
            login: self.login(),
            refresh: self.refresh(),
            logout: Logout { work: self.work(), ring: ring.clone(), news: news.clone(), lives: self.session_lives() },
            issue_service_token: IssueServiceToken {
                work: self.work(),
                ring: ring.clone(),
                news: news.clone(),
                throttle: self.throttle(),
                issuer: self.config.keys.issuer.clone(),
                life: self.config.sessions.access_ttl,
                unknown_clients: Arc::new(LineBudget::new(1, Duration::from_mins(1))),
            },
            authenticate: self.authenticate(),
            recognise: self.recognise(),
        }
    }
}
