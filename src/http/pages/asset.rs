//! The files of `web/account/dist`, embedded by `build.rs`.

/// A file that the pages load.
pub(super) struct Asset {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) plain: &'static [u8],
    pub(super) gzip: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));
