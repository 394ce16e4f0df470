//! Devices from which accounts were logged in to.

use crate::{
    id::{AccountId, DeviceId},
    time::Timestamp,
};

/// The most remembered devices of an account.
pub const MAX_REMEMBERED_DEVICES: u64 = 10;
/// So many wrong passwords in a row from a remembered device make the account forget it: its owner may have lost it.
pub const REMEMBERED_TRIES: i32 = 5;

/// A device, and the accounts of one tenant that recognize it.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: DeviceId,
    /// The accounts that somebody logged in to from this device.
    pub known_to: Vec<AccountId>,
    /// The accounts that recognized the device until their password was set, or whose password was set on it.
    pub expected_by: Vec<AccountId>,
    /// The accounts of which a second factor was proven on this device.
    pub second_factor_of: Vec<AccountId>,
    /// The accounts that remember the device.
    pub remembered_by: Vec<AccountId>,
}

/// A device on which a second factor was proven, and whose next logins take the password alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedDevice {
    pub id: DeviceId,
    /// The name and the user agent of the login that remembered it.
    pub device_name: String,
    pub user_agent: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// How much a device is trusted at a login to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceTrust {
    /// Somebody logged in to the account from it before, with a second factor, and asked that it be remembered.
    Remembered,
    /// Somebody logged in to the account from it before.
    Known,
    /// The device was recognized until the password was set, or the password was set on it. Its login attempts are
    /// counted separately, and its login is reported to the owner as one from a new device.
    Expected,
    /// The device is unrecognized.
    Stranger,
}

impl Device {
    /// A device that no account recognizes.
    pub fn new(id: DeviceId) -> Self {
        Self {
            id,
            known_to: Vec::new(),
            expected_by: Vec::new(),
            second_factor_of: Vec::new(),
            remembered_by: Vec::new(),
        }
    }

    /// How much an account trusts the device.
    pub fn trust(&self, account: AccountId) -> DeviceTrust {
        if self.remembered_by.contains(&account) {
            DeviceTrust::Remembered
        } else if self.known_to.contains(&account) {
            DeviceTrust::Known
        } else if self.expected_by.contains(&account) {
            DeviceTrust::Expected
        } else {
            DeviceTrust::Stranger
        }
    }

    /// Whether a second factor of an account was proven on the device before. A password alone does not make a device
    /// recognized for that: whoever stole one would have recognized devices.
    pub fn proved_second_factor_of(&self, account: AccountId) -> bool {
        self.second_factor_of.contains(&account)
    }
}

impl DeviceTrust {
    /// Whether login attempts of the device are counted separately, so that wrong passwords from other devices do not
    /// delay them.
    pub const fn is_counted_alone(self) -> bool {
        matches!(self, Self::Remembered | Self::Known | Self::Expected)
    }

    /// Whether the account recognizes the device.
    pub const fn is_recognized(self) -> bool {
        matches!(self, Self::Remembered | Self::Known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_knows_a_device_does_not_merely_expect_it() {
        let account = |entropy| AccountId::new(Timestamp::from_seconds(1), [entropy; 10]);
        let (knows, expects, both, neither) = (account(1), account(2), account(3), account(4));
        let id = DeviceId::new(Timestamp::from_seconds(1), [5; 10]);
        let device = Device { id, known_to: vec![knows, both], expected_by: vec![expects, both], ..Device::new(id) };
        assert_eq!(device.trust(knows), DeviceTrust::Known);
        assert_eq!(device.trust(both), DeviceTrust::Known);
        assert_eq!(device.trust(expects), DeviceTrust::Expected);
        assert_eq!(device.trust(neither), DeviceTrust::Stranger);
        assert_eq!(Device::new(id).trust(knows), DeviceTrust::Stranger);
        let remembering = Device { remembered_by: vec![both], ..device };
        assert_eq!(remembering.trust(both), DeviceTrust::Remembered);
        assert_eq!(remembering.trust(knows), DeviceTrust::Known, "it is remembered by the other account");
    }
}
