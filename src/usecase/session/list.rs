use crate::{
    runtime::Clock,
    store::{Store, StoreFault, session},
    usecase::gate::SignedIn,
};
use countersign_domain::{id::SessionId, session::Session};

/// Lists the live sessions of the caller.
#[derive(Clone, Debug)]
pub struct ListSessions {
    pub store: Store,
    pub clock: Clock,
}

/// A page of live sessions, the newest first.
#[derive(Clone, Debug)]
pub struct SessionPage {
    pub sessions: Vec<Session>,
    /// Where the next page begins, if there is one.
    pub next: Option<SessionId>,
}

impl ListSessions {
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "session.list", skip_all)]
    pub async fn list(
        &self,
        caller: &SignedIn,
        before: Option<SessionId>,
        limit: usize,
    ) -> Result<SessionPage, StoreFault> {
        let db = self.store.read();
        let (tenant, account, now) = (caller.tenant(), caller.account().id, self.clock.now());
        // One session more than the page holds shows whether there is another page.
        let mut sessions = session::list_live(&db, tenant, account, now, before, limit as u64 + 1).await?;
        let more = sessions.len() > limit;
        sessions.truncate(limit);
        let next = if more { sessions.last().map(|session| session.id) } else { None };
        Ok(SessionPage { sessions, next })
    }
}
