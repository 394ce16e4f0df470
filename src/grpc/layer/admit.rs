use super::callers;
use crate::{
    grpc::call::Call,
    runtime::Entropy,
    usecase::{
        Failure, Origin,
        gate::{Authenticate, FindTenant},
    },
};
use countersign_domain::{
    caller::{CallerKind, CallerRule, may_call},
    id::TenantId,
    refusal::Reason,
    secret::SecretText,
};
use http::{Extensions, HeaderMap, header};
use std::sync::Arc;
use tonic::transport::server::TcpConnectInfo;

/// Decides who is calling and whether they may. What no line of the table allows is refused.
#[derive(Clone, Debug)]
pub struct Admit {
    pub find_tenant: FindTenant,
    pub authenticate: Authenticate,
    pub entropy: Entropy,
    /// Whether the `dev` profile is on.
    pub development: bool,
}

/// The metadata by which a call names its tenant.
const TENANT: &str = "x-countersign-tenant";
/// Bytes of a user agent that are looked at.
const MAX_USER_AGENT_BYTES: usize = 256;

impl Admit {
    /// Where a call comes from, before anything is known about it.
    pub(super) fn origin(&self, headers: &HeaderMap, extensions: &Extensions) -> Origin {
        let peer = extensions.get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
        let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Origin {
            named_tenant: None,
            address: peer.map_or_else(String::new, |peer| peer.ip().to_canonical().to_string()),
            user_agent: user_agent.chars().take(MAX_USER_AGENT_BYTES).collect(),
            trace_id: format!("{:032x}", u128::from_le_bytes(self.entropy.bytes())),
        }
    }

    /// # Errors
    /// METHOD_UNKNOWN, TENANT_UNKNOWN, TOKEN_MISSING, and whatever is wrong with the token.
    pub(super) async fn run(&self, path: &str, headers: &HeaderMap, mut origin: Origin) -> Result<Call, Failure> {
        let (_, rule) = callers::find(path).ok_or(Reason::MethodUnknown)?;
        if rule == CallerRule::Development && !self.development {
            return Err(Reason::MethodUnknown.into());
        }
        origin.named_tenant = self.tenant(headers).await?;
        let bearer = bearer(headers);
        if rule != CallerRule::Account {
            // Whatever stands beside a login or a refresh is no reason to refuse it.
            return Ok(Call { origin, bearer: bearer.unwrap_or_default(), signed_in: None });
        }
        let bearer = bearer?;
        let token = bearer.as_ref().ok_or(Reason::TokenMissing)?;
        let signed_in = self.authenticate.run(&origin, token).await?;
        if !may_call(rule, CallerKind::Account, self.development) {
            return Err(Reason::CallerNotAllowed.into());
        }
        Ok(Call { origin, bearer, signed_in: Some(Arc::new(signed_in)) })
    }

    async fn tenant(&self, headers: &HeaderMap) -> Result<Option<TenantId>, Failure> {
        let mut values = headers.get_all(TENANT).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let name = value.to_str().ok().filter(|_| values.next().is_none()).ok_or(Reason::TenantUnknown)?;
        self.find_tenant.run(name).await.map(Some)
    }
}

/// The token of `authorization: Bearer …` (RFC 6750 section 2.1). Two of them are none: which would be meant?
fn bearer(headers: &HeaderMap) -> Result<Option<SecretText>, Reason> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().filter(|_| values.next().is_none()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| SecretText::new(token.trim().to_owned()))
    });
    token.map(Some).ok_or(Reason::TokenInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Option<SecretText>, Reason> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        bearer(&headers)
    }

    #[test]
    fn a_bearer_token_is_read_and_anything_else_is_refused() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer abc"]), Ok(Some(SecretText::new("abc".into()))));
        assert_eq!(read(&["bearer abc"]), Ok(Some(SecretText::new("abc".into()))));
        for values in [&["Basic abc"][..], &["Bearer"], &["abc"], &["Bearer a", "Bearer b"]] {
            assert_eq!(read(values), Err(Reason::TokenInvalid), "{values:?}");
        }
    }
}
