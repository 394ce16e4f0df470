use super::EndStolen;
use crate::{
    cache::FirstUses,
    keys::{AccessClaims, generation_of},
    runtime::Clock,
    usecase::{Failure, Origin},
};
use countersign_domain::{
    account::Account,
    refresh::{UseVerdict, judge_use},
    refusal::Reason,
    session::{EndReason, Session, SessionLives, TokenDelivery},
};

/// Checks the generation of an access token that is used for our own RPCs: its use shows that the answer with it has
/// reached a client.
#[derive(Clone, Debug)]
pub struct WatchUse {
    pub uses: FirstUses,
    pub end_stolen: EndStolen,
    pub lives: SessionLives,
    pub clock: Clock,
}

impl WatchUse {
    /// For a caller. `newest` is the generation of the latest refresh token of the same session in the call.
    ///
    /// # Errors
    /// TOKEN_EXPIRED, SESSION_ENDED.
    #[tracing::instrument(level = "debug", name = "session.watch_use", skip_all)]
    pub async fn caller(
        &self,
        origin: &Origin,
        session: &Session,
        account: &Account,
        claims: &AccessClaims,
        newest: Option<i64>,
    ) -> Result<(), Failure> {
        match self.judge(session, account, claims) {
            UseVerdict::Good | UseVerdict::FirstSeen => Ok(()),
            UseVerdict::Outdated => Err(Reason::TokenExpired.into()),
            // An answer that was given up may still arrive in a browser and overwrite the access cookie. A client that
            // holds a later refresh token got the answer that replaced it (docs/adr/0017-late-answers-and-cookies.md).
            UseVerdict::Reused if newest > session.void_generation => Err(Reason::TokenExpired.into()),
            UseVerdict::Reused => {
                let (why, told) = (EndReason::RefreshReused, Reason::RefreshTokenReused);
                if Box::pin(self.end_stolen.end(origin, session, account, why, told)).await? {
                    tracing::warn!(
                        session = %session.id,
                        "an access token of a void generation was used: the session was ended"
                    );
                }
                Err(Reason::SessionEnded.into())
            }
        }
    }

    /// For a token that a backend introspects: whether the token still belongs to its session. The backend is not the
    /// thief, and a browser may have sent the token by mistake, so no session ends.
    pub fn holds(&self, session: &Session, account: &Account, claims: &AccessClaims) -> bool {
        matches!(self.judge(session, account, claims), UseVerdict::Good | UseVerdict::FirstSeen)
    }

    fn judge(&self, session: &Session, account: &Account, claims: &AccessClaims) -> UseVerdict {
        let Some(generation) = generation_of(&claims.token_id) else { return UseVerdict::Good };
        let succession = self.lives.succession(TokenDelivery::Client);
        let verdict = judge_use(&session.lineage(), generation, self.clock.now(), succession);
        if verdict == UseVerdict::FirstSeen {
            self.uses.note(account.tenant, session.id, generation);
        }
        verdict
    }
}
