use super::{
    call::Call,
    wire::{self, Fields, proto::*},
};
use crate::usecase::session::{ListSessions, RevokeSessions};
use tonic::{Request, Response, Status};

/// `countersign.v1.SessionService`
#[derive(Clone, Debug)]
pub struct SessionHandler {
    pub list: ListSessions,
    pub revoke: RevokeSessions,
}

#[tonic::async_trait]
impl session_service_server::SessionService for SessionHandler {
    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let message = request.into_inner();
            let mut fields = Fields::default();
            let size = wire::page_size(&mut fields, message.page_size);
            let before = match message.page_token.as_str() {
                "" => Some(None),
                token => wire::session_id(&mut fields, "page_token", token).map(Some),
            };
            let (size, before) = fields.done(size.zip(before))?;
            let caller = call.person()?;
            let page = self.list.list(caller, before, size).await?;
            let current = caller.session().id;
            Ok(ListSessionsResponse {
                sessions: page.sessions.into_iter().map(|session| wire::session_info(session, current)).collect(),
                next_page_token: page.next.map_or_else(String::new, |id| id.to_string()),
            })
        })
        .await
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let mut fields = Fields::default();
            let id = wire::session_id(&mut fields, "session_id", &request.into_inner().session_id);
            let id = fields.done(id)?;
            let caller = call.person()?;
            self.revoke.one(&call.origin, caller, id).await?;
            if id == caller.session().id {
                call.session_is_over();
            }
            Ok(RevokeSessionResponse {})
        })
        .await
    }

    async fn revoke_other_sessions(
        &self,
        request: Request<RevokeOtherSessionsRequest>,
    ) -> Result<Response<RevokeOtherSessionsResponse>, Status> {
        let call = Call::of(&request)?;
        call.answer(async {
            let ended = self.revoke.others(&call.origin, call.person()?).await?;
            Ok(RevokeOtherSessionsResponse { revoked_count: i32::try_from(ended).unwrap_or(i32::MAX) })
        })
        .await
    }
}
