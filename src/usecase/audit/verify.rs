use super::{
    Finding, Summary,
    code::{Code, Deletions},
    fault::{ends, hold_bare},
    forget::bare_up_to,
    upgrade::is_ahead,
    walk::Walk,
};
use crate::{
    keys::ChainKeys,
    runtime::Clock,
    store::{Store, Tx, audit, audit::AuditRow, audit_chain, audit_chain::Head, audit_rejected},
    usecase::Failure,
};
use countersign_domain::{
    audit::chain::NO_LINK,
    id::{AccountId, TenantId},
};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// Goes along the chains of the audit trail and says what is not as it was left. Changes nothing, and holds nobody up.
#[derive(Clone, Debug)]
pub struct VerifyAuditLog {
    pub store: Store,
    pub keys: Arc<ChainKeys>,
    pub clock: Clock,
}

/// What somebody kept of a chain: that this link was at this position. Since the link is bound to everything before it, they vouch for
/// the restarts before it as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub position: i64,
    pub link: Vec<u8>,
}

const PAGE: u64 = 1_000;
/// A running service seals within a fraction of a second, and without one nobody does.
const LONG: Duration = Duration::from_secs(5 * 60);

impl VerifyAuditLog {
    /// The chain of a tenant, or every chain there is. All of one moment. `seen` is looked for in each of them.
    ///
    /// # Errors
    /// When the database does not answer.
    #[tracing::instrument(level = "debug", name = "audit.verify", skip_all)]
    pub async fn run(&self, tenant: Option<TenantId>, seen: Option<&Seen>) -> Result<Vec<Summary>, Failure> {
        let tx = self.store.snapshot().await?;
        let tenants = match tenant {
            Some(tenant) => vec![tenant],
            None => audit_chain::tenants(&tx).await?,
        };
        let mut summaries = Vec::new();
        for tenant in tenants {
            summaries.push(self.chain(&tx, tenant, seen).await?);
        }
        Ok(summaries)
    }

    async fn chain(&self, tx: &Tx, tenant: TenantId, seen: Option<&Seen>) -> Result<Summary, Failure> {
        let head = audit_chain::head(tx, tenant).await?;
        let (first, link) = match &head {
            Some(head) => (head.anchor_position, Some(head.anchor_link.clone())),
            None => (0, Some(NO_LINK.to_vec())),
        };
        let bare = head.as_ref().map_or(i64::MAX, bare_up_to);
        let takes_bare = match head.as_ref().and_then(|head| head.bare.as_ref()) {
            Some(bare) => self.clock.now() < bare.until,
            None => is_ahead(tx, tenant).await?,
        };
        let deletions = Deletions { keys: &self.keys, head: head.as_ref(), takes_bare };
        let mut walk = Walk::from(&self.keys, tenant, (first, link), bare);
        let mut has_codes = false;
        let mut is_as_seen = seen.is_none_or(|seen| is_at(seen, first, walk.link()));
        // Whatever stands before the beginning should have been forgotten.
        let mut at = i64::MIN;
        loop {
            let page = audit::after(tx, tenant, at, PAGE).await?;
            let deleted = deleted(tx, tenant, deletions, &page).await?;
            let is_last = (page.len() as u64) < PAGE;
            for row in page {
                let Some(position) = row.position else { continue };
                at = position;
                has_codes |= row.mac.is_some();
                let is_outside = position <= first || head.as_ref().is_some_and(|head| position > head.position);
                if is_outside {
                    walk.note(Some(position), Some(&row), Finding::Outside);
                } else {
                    is_as_seen |= seen.is_some_and(|seen| is_at(seen, position, row.link.as_deref()));
                    walk.step(row, &deleted);
                }
            }
            if is_last {
                break;
            }
        }
        if let Some(seen) = seen {
            judge_seen(seen, is_as_seen, first, &mut walk);
        }
        self.judge_head(head.as_ref(), has_codes, &mut walk);
        self.judge_waiting(tx, tenant, takes_bare, &mut walk).await?;
        let (events, last) = (walk.events(), head.as_ref().map_or_else(|| walk.position(), |head| head.position));
        let link = head.map_or_else(|| walk.link().unwrap_or_default().to_vec(), |head| head.link);
        let (found, more) = walk.end();
        Ok(Summary { tenant, events, first: first.saturating_add(1), last, link, found, more })
    }

    fn judge_head(&self, head: Option<&Head>, has_codes: bool, walk: &mut Walk<'_>) {
        let Some(head) = head else {
            if walk.events() > 0 {
                walk.note(None, None, Finding::HeadMissing);
            }
            return;
        };
        match self.keys.find(&head.mac_key) {
            None => walk.note(None, None, Finding::HeadKeyUnknown),
            Some(key) if !key.is_mac(&head.mac, ends(head)) => walk.note(None, None, Finding::HeadChanged),
            // Whoever seals events with codes records where those without end.
            Some(_) if hold_bare(head, &self.keys).is_err() || head.bare.is_none() && has_codes => {
                walk.note(None, None, Finding::HeadChanged);
            }
            Some(_) => {}
        }
        if walk.position() < head.position {
            walk.note(Some(walk.position() + 1), None, Finding::CutOff { up_to: head.position });
        } else if walk.link() != Some(head.link.as_slice()) {
            walk.note(Some(head.position), None, Finding::EndDiffers);
        }
    }

    /// What waits is judged as the service will when it seals, so that nothing made up is passed over because it is not sealed yet.
    async fn judge_waiting(
        &self,
        tx: &Tx,
        tenant: TenantId,
        takes_bare: bool,
        walk: &mut Walk<'_>,
    ) -> Result<(), Failure> {
        for row in audit_rejected::rejected(tx, tenant, PAGE).await? {
            walk.note(None, Some(&row), Finding::MadeUp);
        }
        for row in audit_chain::unsealed(tx, tenant, PAGE).await? {
            let is_made_up = match Code::of(&row, &self.keys) {
                Code::Holds => false,
                Code::Missing => !takes_bare,
                Code::UnknownKey | Code::Wrong => true,
            };
            if is_made_up {
                walk.note(None, Some(&row), Finding::MadeUp);
            }
        }
        let waiting = audit_chain::waiting_of(tx, tenant).await?;
        let age = waiting.oldest.map_or(Duration::ZERO, |oldest| self.clock.now().since(oldest));
        if age > LONG {
            walk.note(None, None, Finding::Waiting { events: waiting.events, age });
        }
        Ok(())
    }
}

async fn deleted(
    tx: &Tx,
    tenant: TenantId,
    deletions: Deletions<'_>,
    page: &[AuditRow],
) -> Result<HashSet<AccountId>, Failure> {
    let blanked = page.iter().filter(|row| row.salt.is_none());
    Ok(deletions.among(tx, tenant, &blanked.flat_map(AuditRow::accounts).collect()).await?)
}

fn judge_seen(seen: &Seen, is_as_seen: bool, first: i64, walk: &mut Walk<'_>) {
    if is_as_seen {
        walk.vouch(seen.position);
        return;
    }
    let finding = if seen.position < first { Finding::SeenForgotten } else { Finding::NotAsSeen };
    walk.note(Some(seen.position), None, finding);
}

fn is_at(seen: &Seen, position: i64, link: Option<&[u8]>) -> bool {
    seen.position == position && link == Some(seen.link.as_slice())
}
