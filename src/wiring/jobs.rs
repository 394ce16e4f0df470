//! Builds the use cases of the jobs.

use super::use_cases::UseCases;
use crate::usecase::{
    action::Mint,
    housekeeping::{CountHashCosts, Purge, Ready, Retention},
    key::{CountTokens, MaintainKeys},
    mail::{DeliverMail, MailServerWatch, PrepareMail},
    revocation::FollowRevocations,
};
use std::sync::Arc;

impl UseCases<'_> {
    pub(super) fn deliver_mail(&self) -> DeliverMail {
        let mint = Mint { store: self.store(), ring: self.ring(), lives: self.action_lives(), entropy: self.entropy() };
        DeliverMail {
            store: self.store(),
            prepare: PrepareMail {
                email_codes: self.email_codes(),
                store: self.store(),
                mint,
                clock: self.clock(),
                pages_url: self.config.links.base_url.as_ref().unwrap_or(&self.config.public_url).to_string(),
                product: self.config.mail.product().to_owned(),
            },
            renderer: self.adapters.renderer.clone(),
            composer: self.adapters.composer.clone(),
            transport: self.adapters.transport.clone(),
            watch: MailServerWatch::default(),
            clock: self.clock(),
            entropy: self.entropy(),
            max_attempts: self.config.mail.max_attempts,
            timeout: self.config.mail.timeout,
        }
    }

    pub(super) fn purge(&self) -> Purge {
        let retention = Retention {
            unverified: self.config.accounts.unverified_retention,
            dead_mails: self.config.mail.dead_retention,
            audit: self.config.audit.retention,
        };
        Purge { store: self.store(), forget_events: self.forget_events(), retention, clock: self.clock() }
    }

    pub(super) fn tend_keys(&self) -> MaintainKeys {
        MaintainKeys {
            count: CountTokens { store: self.store(), ring: self.ring() },
            rotate: self.key_operations().rotate,
            reload: self.adapters.reload.clone(),
            reseal: self.reseal_factors(),
        }
    }

    /// Its first count is complete, if that takes only a moment.
    pub(super) async fn count_hash_costs(&self) -> CountHashCosts {
        let count = CountHashCosts { store: self.store(), costs: self.adapters.decoy_costs.clone() };
        count.run_at_start().await;
        count
    }

    pub(super) fn follow_revocations(&self) -> FollowRevocations {
        FollowRevocations {
            store: self.store(),
            feed: self.adapters.feed.clone(),
            clock: self.clock(),
            reload: self.adapters.reload.clone(),
            looking: Arc::default(),
        }
    }

    pub(super) fn ready(&self) -> Ready {
        Ready { store: self.store(), clock: self.clock() }
    }
}
