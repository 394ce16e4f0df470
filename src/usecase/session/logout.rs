use crate::{
    keys::KeyRing,
    runtime::Clock,
    store::{Store, device, session, session::Session},
    usecase::{About, Failure, Journal, Origin, gate::SignedIn, key::KeyNews},
};
use countersign_domain::{
    audit::EventKind,
    id::{SessionId, TenantId},
    refusal::Reason,
    secret::SecretText,
    session::{EndReason, Keeping, RefreshVerdict, SessionLives, judge_refresh},
};
use std::sync::Arc;

/// Somebody logs out, here or everywhere.
#[derive(Clone, Debug)]
pub struct Logout {
    pub store: Store,
    pub ring: Arc<KeyRing>,
    pub news: KeyNews,
    pub lives: SessionLives,
    pub journal: Journal,
    pub clock: Clock,
}

/// By what somebody who leaves is recognised.
#[derive(Debug)]
pub enum Leaving {
    RefreshToken(SecretText),
    AccessToken(Box<SignedIn>),
}

impl Logout {
    /// A session that is over already is a success: it is what was asked for.
    ///
    /// # Errors
    /// TOKEN_INVALID.
    pub async fn run(&self, origin: &Origin, leaving: &Leaving, everywhere: bool) -> Result<(), Failure> {
        match leaving {
            Leaving::AccessToken(caller) => {
                let tenant = caller.tenant();
                self.end(origin, tenant, caller.session(), everywhere).await
            }
            Leaving::RefreshToken(token) => {
                let opened = self.news.open(|| self.ring.open_refresh(token)).await;
                let token = opened.map_err(|_| Reason::TokenInvalid)?;
                let tenant = TenantId::from_uuid(token.tenant_id);
                origin.admit(tenant, Reason::TokenInvalid)?;
                let id = SessionId::from_uuid(token.session_id);
                let Some((session, account)) = session::find_with_account(&self.store.read(), tenant, id).await? else {
                    return Ok(());
                };
                // An old token may end its own session: that can only do good. It has no say over the others.
                let (facts, now) = (session.facts(&account), self.clock.now());
                let verdict = judge_refresh(&facts, token.generation, now, self.lives.succession(Keeping::Client));
                // `Contended` is what the live generation is when nobody advances it.
                let is_good = matches!(verdict, RefreshVerdict::Contended | RefreshVerdict::Repeat);
                self.end(origin, tenant, &session, everywhere && is_good).await
            }
        }
    }

    async fn end(&self, origin: &Origin, tenant: TenantId, session: &Session, everywhere: bool) -> Result<(), Failure> {
        let (id, account, now) = (session.id, session.account, self.clock.now());
        let tx = self.store.begin().await?;
        let ended = if everywhere {
            let ended = session::end_all(&tx, tenant, account, None, EndReason::LoggedOutEverywhere, now).await?;
            // Somebody who leaves everywhere may have reasons; here they are known again.
            device::forget_all(&tx, tenant, account, session.device).await?;
            ended
        } else {
            u64::from(session::end(&tx, tenant, account, id, EndReason::LoggedOut, now).await?)
        };
        if ended == 0 {
            return Ok(());
        }
        let about = About::own(account).in_session(id);
        self.journal.did(&tx, tenant, origin, EventKind::LoggedOut, about).await?;
        tx.commit().await?;
        Ok(())
    }
}
