use countersign_domain::client::Country;
use maxminddb::{MaxMindDbError, Reader, path};
use std::{fmt, net::IpAddr, path::Path, sync::Arc};

/// Finds the country of an address, if there is a database of countries.
#[derive(Clone, Default)]
pub struct Countries(Option<Arc<Reader<Vec<u8>>>>);

/// The file is of another kind, or cannot be read.
#[derive(Debug)]
pub struct PlacesFault(String);

impl fmt::Display for PlacesFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlacesFault {}

impl Countries {
    /// Loads a file into memory. It must contain countries, as all of GeoLite2's but `ASN` do.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or is of another kind.
    pub fn open(file: &Path) -> Result<Self, PlacesFault> {
        let fault = |error: MaxMindDbError| PlacesFault(format!("{} cannot be read: {error}", file.display()));
        let reader = Reader::open_readfile(file).map_err(fault)?;
        // Verified now, so that a damaged file stops the start and fails no call.
        reader.verify().map_err(fault)?;
        Ok(Self(Some(Arc::new(reader))))
    }

    /// `None` when the country is unknown.
    pub fn find(&self, address: IpAddr) -> Option<Country> {
        let found = self.0.as_ref()?.lookup(address.to_canonical()).ok()?;
        let code: Option<&str> = found.decode_path(&path!["country", "iso_code"]).ok()?;
        Country::parse(code?)
    }
}

impl fmt::Debug for Countries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Countries::Known" } else { "Countries::Unknown" })
    }
}
