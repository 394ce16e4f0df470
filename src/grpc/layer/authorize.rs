use super::{Listener, callers};
use crate::{
    grpc::{Peer, browser::Browser, call::Call},
    runtime::Entropy,
    telemetry::{LineBudget, RefusalLog},
    usecase::{
        Failure, Origin,
        gate::{
            Authenticate, Caller, FindTenant, OperatorGate, OperatorProven, RecordDenial, Throttle, require_fresh_proof,
        },
        session::{Newest, RecogniseSession},
    },
};
use countersign_domain::{
    caller::{CallerKind, CallerRule, Requirement, may_call},
    client_address::TrustedProxies,
    id::TenantId,
    limit::AddressPrefix,
    refusal::Reason,
    secret::SecretText,
};
use http::{Extensions, HeaderMap, HeaderName, Uri, header, request::Parts, uri::Authority};
use std::{net::IpAddr, sync::Arc};

/// Authenticates the caller of an RPC and decides whether the caller may call it. An RPC without a rule is refused.
#[derive(Clone, Debug)]
pub struct Authorize {
    pub listener: Listener,
    pub find_tenant: FindTenant,
    pub authenticate: Authenticate,
    pub recognise: RecogniseSession,
    pub entropy: Entropy,
    pub throttle: Throttle,
    pub proxies: TrustedProxies,
    pub refusals: RefusalLog,
    pub denial: Arc<RecordDenial>,
    /// Limits the log lines about wrong operators' tokens.
    pub wrong_tokens: Arc<LineBudget>,
    /// Whether the `dev` profile is on.
    pub development: bool,
}

/// The metadata with the tenant of a call.
const TENANT: &str = "x-countersign-tenant";
/// Older than `Forwarded` (RFC 7239), and the one that proxies write.
const FORWARDED: &str = "x-forwarded-for";
/// Bytes of a user agent that are read.
const MAX_USER_AGENT_BYTES: usize = 256;

impl Authorize {
    /// The origin of a call, before authentication.
    pub(super) fn origin(&self, rpc: &'static str, headers: &HeaderMap, extensions: &Extensions) -> Origin {
        let peer = extensions.get::<Peer>().and_then(|peer| peer.address);
        let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Origin {
            named_tenant: None,
            address: peer
                .map_or_else(String::new, |peer| self.proxies.client(peer.ip(), forwarded(headers)).to_string()),
            // `to_str` accepts ASCII alone.
            user_agent: user_agent.get(..MAX_USER_AGENT_BYTES).unwrap_or(user_agent).to_owned(),
            rpc,
            trace_id: self.trace_id(),
        }
    }

    /// The client of a trusted proxy, if the proxy names one.
    pub(super) fn forwarded_for(&self, peer: &Peer, origin: &Origin) -> Option<AddressPrefix> {
        let peer = peer.address?.ip();
        let client = client(origin).filter(|_| self.proxies.trusts(peer))?;
        (client != AddressPrefix::of(peer)).then_some(client)
    }

    pub(super) fn trace_id(&self) -> String {
        format!("{:032x}", u128::from_le_bytes(self.entropy.bytes()))
    }

    /// # Errors
    /// METHOD_UNKNOWN, RATE_LIMITED, TENANT_UNKNOWN, TOKEN_MISSING, CALLER_NOT_ALLOWED, STEP_UP_REQUIRED, and the
    /// reasons for a wrong token.
    pub(super) async fn authorize(&self, head: &Parts, mut origin: Origin) -> Result<Call, Failure> {
        let Parts { uri, headers, extensions, .. } = head;
        let browser = extensions.get::<Arc<Browser>>().cloned();
        let (_, required) = self.listener.find(uri.path()).ok_or(Reason::MethodUnknown)?;
        if required.caller == CallerRule::Development {
            self.check(required, self.developer(head).kind())?;
        }
        // Calls of services are counted by service: many services share an address and call often.
        if required.caller != CallerRule::Service {
            self.throttle.call(&origin).await?;
        }
        // The standard services are the same for every tenant: an unknown tenant is no reason to refuse them.
        if !callers::is_standard(uri.path()) {
            origin.named_tenant = self.tenant(headers).await?;
        }
        let bearer = bearer(headers);
        let mut refused = None;
        let (caller, bearer) = match required.caller {
            // A wrong credential in the header is no reason to refuse a login or a refresh.
            CallerRule::Anyone => (Caller::Anonymous, bearer.unwrap_or_default()),
            CallerRule::Development => (self.developer(head), bearer.unwrap_or_default()),
            CallerRule::Account | CallerRule::Service | CallerRule::Operator => {
                let bearer = bearer?;
                (self.identify(&origin, required, bearer.as_ref(), browser.as_deref()).await?, bearer)
            }
            // Only the message says whether the call is made for a challenge: then its tokens do not matter.
            CallerRule::AccountOrChallenge => {
                let identified = match &bearer {
                    Ok(bearer) => self.identify(&origin, required, bearer.as_ref(), browser.as_deref()).await,
                    Err(reason) => Err((*reason).into()),
                };
                let caller = match identified {
                    Ok(caller) => caller,
                    Err(Failure::Refused(refusal)) => {
                        refused = Some(refusal);
                        Caller::Anonymous
                    }
                    Err(failure) => return Err(failure),
                };
                (caller, bearer.unwrap_or_default())
            }
        };
        self.check(required, caller.kind())?;
        match &caller {
            Caller::Person(person) => self.throttle.caller(person.tenant(), Some(person.account().id)).await?,
            Caller::Service(service) => self.throttle.caller(service.service().tenant, None).await?,
            _ => self.throttle.caller(origin.tenant(), None).await?,
        }
        if let Caller::Person(person) = &caller
            && required.fresh_proof
        {
            let fresh = require_fresh_proof(person, person.account(), self.authenticate.clock.now());
            match required.caller {
                CallerRule::AccountOrChallenge => refused = fresh.err(),
                _ => fresh?,
            }
        }
        Ok(Call { bearer, browser, caller, refused, ..self.call(origin) })
    }

    /// Decides whether a caller of this kind may call.
    fn check(&self, required: Requirement, caller: CallerKind) -> Result<(), Reason> {
        if may_call(required, caller, &[]) {
            return Ok(());
        }
        let is_hidden = required.caller == CallerRule::Development && !self.development;
        Err(if is_hidden { Reason::MethodUnknown } else { Reason::CallerNotAllowed })
    }

    /// Authenticates the caller by the credentials of the call. A kind of caller that may not call is refused before
    /// the database is queried.
    async fn identify(
        &self,
        origin: &Origin,
        required: Requirement,
        bearer: Option<&SecretText>,
        browser: Option<&Browser>,
    ) -> Result<Caller, Failure> {
        if let Listener::Operators(gate) = &self.listener {
            return Ok(Caller::Operator(self.operator(gate, origin, bearer).await?));
        }
        // Cookies are a credential of people, and no other RPC reads them.
        let is_for_people = matches!(required.caller, CallerRule::Account | CallerRule::AccountOrChallenge);
        let browser = browser.filter(|_| is_for_people);
        let (token, newest, cookies) = match (bearer, browser) {
            (None, Some(browser)) => {
                // A browser drops the cookie when its token expires.
                let missing = if browser.refresh.is_empty() { Reason::TokenMissing } else { Reason::TokenExpired };
                let access = browser.access.as_ref().ok_or(missing)?;
                (access, self.recognise.newest(&browser.refresh).await, Some(browser))
            }
            (bearer, _) => (bearer.ok_or(Reason::TokenMissing)?, None, None),
        };
        let identified = self.holder(origin, required, token, newest).await;
        identified.inspect_err(|failure| {
            let is_certain = required.caller != CallerRule::AccountOrChallenge;
            if let Some(cookies) = cookies.filter(|_| is_certain && failure.reason().ends_session()) {
                cookies.forget();
            }
        })
    }

    /// The holder of an access token.
    async fn holder(
        &self,
        origin: &Origin,
        required: Requirement,
        token: &SecretText,
        newest: Option<Newest<'_>>,
    ) -> Result<Caller, Failure> {
        let opened = self.authenticate.open(origin, token).await?;
        if let Err(reason) = self.check(required, opened.kind()) {
            return Err(self.authenticate.deny(origin, &opened, reason).await);
        }
        match self.authenticate.known_service(&opened).filter(|_| required.from_feed) {
            Some(known) => Ok(known),
            None => self.authenticate.caller(origin, opened, newest).await,
        }
    }

    /// A program on this machine that makes the call itself, under the `dev` profile; otherwise an unauthenticated
    /// caller.
    fn developer(&self, head: &Parts) -> Caller {
        let peer = head.extensions.get::<Peer>().and_then(|peer| peer.address).map(|peer| peer.ip());
        let is_proxy = peer.is_some_and(|peer| self.proxies.trusts(peer));
        let is_local = self.development && !is_proxy && is_from_this_machine(peer, &head.uri, &head.headers);
        if is_local { Caller::Developer } else { Caller::Anonymous }
    }

    /// A call without credentials.
    fn call(&self, origin: Origin) -> Call {
        Call::new(origin, self.refusals.clone(), self.denial.clone())
    }

    /// Checks an operators' token. A genuine access token in its place is recorded. Every wrong token is counted, and
    /// one is logged each minute.
    async fn operator(
        &self,
        gate: &OperatorGate,
        origin: &Origin,
        bearer: Option<&SecretText>,
    ) -> Result<OperatorProven, Reason> {
        let proven = gate.prove(bearer);
        if let (Err(reason @ Reason::TokenInvalid), Some(presented)) = (&proven, bearer) {
            self.authenticate.deny_operator(origin, presented, *reason).await;
            if let Some(left_out) = self.wrong_tokens.take() {
                let (request_id, address) = (&origin.trace_id, &origin.address);
                tracing::warn!(request_id, address, left_out, "a call with a wrong operators' token was refused");
            }
        }
        proven
    }

    async fn tenant(&self, headers: &HeaderMap) -> Result<Option<TenantId>, Failure> {
        let mut values = headers.get_all(TENANT).iter();
        let Some(value) = values.next() else { return Ok(None) };
        let name = value.to_str().ok().filter(|_| values.next().is_none()).ok_or(Reason::TenantUnknown)?;
        self.find_tenant.find(name).await.map(Some)
    }
}

/// The address prefix that counts as one caller.
pub(super) fn client(origin: &Origin) -> Option<AddressPrefix> {
    origin.address.parse::<IpAddr>().ok().map(AddressPrefix::of)
}

/// The header lines in which proxies name their clients. A line that is not text counts as empty, and so as no address.
fn forwarded(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = &str> {
    headers.get_all(FORWARDED).iter().map(|line| line.to_str().unwrap_or_default())
}

/// The headers that proxies add to a call, besides those that begin with `x-forwarded-`.
const PASSED_ON: [&str; 3] = ["forwarded", "via", "x-real-ip"];

/// Whether a program on this machine makes the call itself. The connection must come from this machine; no proxy may
/// have forwarded the call; and the call must name a loopback host, so that a site cannot point its own name at this
/// machine (DNS rebinding).
fn is_from_this_machine(peer: Option<IpAddr>, uri: &Uri, headers: &HeaderMap) -> bool {
    let passed_on = |name: &HeaderName| PASSED_ON.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-");
    peer.is_some_and(|peer| peer.to_canonical().is_loopback())
        && !headers.keys().any(passed_on)
        && is_loopback_name(uri, headers)
}

/// Whether a call names this machine by a loopback name.
fn is_loopback_name(uri: &Uri, headers: &HeaderMap) -> bool {
    let header = || headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let Some(authority) = uri.authority().cloned().or_else(header) else { return false };
    // No client writes user information into it (RFC 9110 section 7.2).
    if authority.as_str().contains('@') {
        return false;
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The token of `authorization: Bearer …` (RFC 6750 section 2.1). Two tokens are refused, because it is unclear which
/// one counts.
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
    fn only_names_of_this_machine_reach_what_is_for_development() {
        let asked = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            is_loopback_name(&Uri::from_static("/"), &headers)
        };
        for host in ["localhost:50051", "LOCALHOST", "127.0.0.1:1", "127.9.9.9", "[::1]:50051"] {
            assert!(asked(host), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "a@localhost:x"]
        {
            assert!(!asked(host), "{host}");
        }
        let over_http2 = Uri::from_static("http://evil.example:50051/");
        assert!(!is_loopback_name(&over_http2, &HeaderMap::new()));
    }

    #[test]
    fn what_is_for_development_is_for_programs_on_this_machine() {
        let asked = |peer: &str, header: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "localhost".parse().unwrap());
            headers.insert(header, "10.0.0.1".parse().unwrap());
            is_from_this_machine(peer.parse().ok(), &Uri::from_static("/"), &headers)
        };
        for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(asked(peer, "x-anything"), "{peer}");
        }
        for peer in ["192.0.2.1", "10.0.0.1", "fd00::1", "::ffff:10.0.0.1", "unknown"] {
            assert!(!asked(peer, "x-anything"), "{peer} called itself localhost");
        }
        for header in ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via", "x-real-ip"] {
            assert!(!asked("127.0.0.1", header), "a call with {header} was passed on");
        }
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
