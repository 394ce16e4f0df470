//! `[browser]`: settings for browsers.

use super::reader::Reader;
use super::value::Origins;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Whether the account pages are served.
    pub pages: bool,
    /// The origins whose pages may call, besides this service's own; each as a browser sends it.
    pub allowed_origins: Vec<String>,
}

impl Browser {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("browser", "Browsers: account pages and other origins.");
        Self {
            pages: section.value(
                "pages",
                true,
                "Whether the service serves the account pages: login, registration, and the pages that mailed links \
                 open. Without them, `links.base_url` must name a front end that has such pages.",
            ),
            allowed_origins: section
                .value(
                    "allowed_origins",
                    Origins::default(),
                    "Origins whose pages may call over grpc-web with the person's cookies, besides the service's own \
                     pages. Browsers send the cookies only from the same site: a subdomain of the same registrable \
                     domain.",
                )
                .0,
        }
    }
}
