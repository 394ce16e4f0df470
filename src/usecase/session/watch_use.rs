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

/// Looks at the generation of an access token that our own RPCs are called with: a use says that an answer has reached
/// somebody.
#[derive(Clone, Debug)]
pub struct WatchUse {
    pub uses: FirstUses,
    pub end_stolen: EndStolen,
    pub lives: SessionLives,
    pub clock: Clock,
}

impl WatchUse {
    /// Of a caller. `newest` is the generation of the latest refresh token that came along, of the same session.
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
            // An answer that was given up arrives in a browser after all, and overwrites the access cookie. Whoever
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

    /// Of a token that a backend asks about: whether it still belongs to its session. The backend is not who stole it,
    /// and a browser may have brought it by mistake, so nothing ends.
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
