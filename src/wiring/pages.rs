use super::use_cases::UseCases;
use crate::{
    config::Profile,
    grpc::DevMailboxHandler,
    http::{AstrayLinks, BrowserRules, PageRules, pages_router},
};
use axum::Router;

impl UseCases<'_> {
    /// Only with the `dev` profile, while mails are written to files, and while only this machine can connect: somebody
    /// who reads the mails can take over every account.
    pub(super) fn dev_mailbox_handler(&self) -> Option<DevMailboxHandler> {
        let is_private = self.config.profile == Profile::Dev && self.config.listen.ip().is_loopback();
        let mailbox = self.adapters.mailbox.clone().filter(|_| is_private)?;
        Some(DevMailboxHandler { mailbox })
    }

    /// The account pages, unless the operator serves their own.
    pub(super) fn pages(&self) -> Router {
        if self.config.browser.pages { pages_router(self.page_rules()) } else { Router::new() }
    }

    pub(super) fn astray_links(&self) -> Option<AstrayLinks> {
        self.config.browser.pages.then(|| AstrayLinks::new(self.page_rules()))
    }

    fn page_rules(&self) -> PageRules {
        let https = self.config.public_url.scheme() == "https";
        let captcha = self.config.captcha.as_ref().map(|captcha| captcha.provider);
        PageRules { mailbox: self.dev_mailbox_handler().is_some(), https, captcha }
    }

    /// The settings for calls of browsers.
    pub(super) fn browser_rules(&self) -> BrowserRules {
        BrowserRules { origins: self.config.browser.allowed_origins.clone(), clock: self.clock() }
    }
}
