//! Differences between clients, and their consequences.

use crate::{
    client::{Country, DeviceSignal, Signals},
    device::DeviceTrust,
};

/// The consequence of a refresh by a client that is very different from the one that opened the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnClientChange {
    /// An audit event records it.
    Audit,
    /// The owner gets a mail as well.
    Mail,
    /// The refresh is refused, and the client has to log in. The session continues for its own client.
    Reauthenticate,
    /// The session ends.
    EndSession,
}

/// The signals of a client, and its country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientObservation {
    pub signals: Signals,
    /// `None` when it is unknown.
    pub place: Option<Country>,
}

/// What is new about a login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoginNews {
    pub new_device: bool,
    pub new_place: bool,
}

impl LoginNews {
    pub fn is_any(self) -> bool {
        self.new_device || self.new_place
    }
}

/// This number of different signals makes another client. A single difference is usual: a phone that leaves the house
/// changes its network, a browser that imitates another changes its program, and one that clears its cookies loses its
/// device.
const VERY_DIFFERENT: usize = 2;

/// Whether a client differs in program and network from the one last stored.
pub fn is_elsewhere(noted: &Signals, refreshing: &Signals) -> bool {
    let networks = (noted.network, refreshing.network);
    noted.program != refreshing.program && matches!(networks, (Some(one), Some(other)) if one != other)
}

/// Whether the client that refreshes a session seems to be the one that opened it.
pub fn is_same_client(opened: &Signals, refreshing: &Signals) -> bool {
    let program = opened.program != refreshing.program;
    let network = matches!((opened.network, refreshing.network), (Some(one), Some(other)) if one != other);
    let device = match (opened.device, refreshing.device) {
        (DeviceSignal::Shown(one), DeviceSignal::Shown(other)) => one != other,
        (DeviceSignal::Shown(_), DeviceSignal::Missing) => true,
        _ => false,
    };
    [program, network, device].into_iter().filter(|differs| *differs).count() < VERY_DIFFERENT
}

/// Whether anything about a login could be new. If not, there is no need to know the earlier ones.
pub fn may_be_news(trust: DeviceTrust, seen: &ClientObservation) -> bool {
    !trust.is_recognized() || seen.place.is_some()
}

/// What is new about a login, compared with earlier logins to the account.
///
/// A recognized device is not new. A device without a token that looks like an earlier one is not new either: otherwise
/// every login by a program that keeps no device token would be reported. Without earlier logins nothing is new.
pub fn judge_login(trust: DeviceTrust, seen: &ClientObservation, before: &[ClientObservation]) -> LoginNews {
    let looks_like = |earlier: &ClientObservation| {
        earlier.signals.program == seen.signals.program && earlier.signals.network == seen.signals.network
    };
    let new_device = !trust.is_recognized() && !before.is_empty() && !before.iter().any(looks_like);
    let mut places = before.iter().filter_map(|earlier| earlier.place).peekable();
    let new_place = seen.place.is_some_and(|here| places.peek().is_some() && places.all(|place| place != here));
    LoginNews { new_device, new_place }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        client::{Network, Program},
        id::DeviceId,
    };
    use DeviceTrust::{Expected, Known, Stranger};
    use uuid::Uuid;

    fn device(number: u128) -> DeviceSignal {
        DeviceSignal::Shown(DeviceId::from_uuid(Uuid::from_u128(number)))
    }

    fn signals(program: &str, address: &str, device: DeviceSignal) -> Signals {
        let network = address.parse().ok().map(Network::of);
        Signals { program: Program::of(program), network, device }
    }

    fn sighting(program: &str, address: &str, place: &str) -> ClientObservation {
        ClientObservation { signals: signals(program, address, DeviceSignal::Unasked), place: Country::parse(place) }
    }

    #[test]
    fn a_phone_that_changes_its_address_is_the_same_client_and_so_is_any_other_single_change() {
        let opened = signals("app/1.0", "192.0.2.1", device(1));
        for (what, same) in [
            ("nothing", signals("app/1.0", "192.0.2.1", device(1))),
            ("the network", signals("app/1.0", "198.51.100.7", device(1))),
            ("the version", signals("app/2.0", "198.51.100.7", device(1))),
            ("the program", signals("other/1.0", "192.0.2.9", device(1))),
            ("the device", signals("app/1.0", "192.0.2.1", device(2))),
            ("nothing that the call can show", signals("app/1.0", "198.51.100.7", DeviceSignal::Unasked)),
            ("nothing that is known", signals("other/1.0", "", DeviceSignal::Unasked)),
        ] {
            assert!(is_same_client(&opened, &same), "{what}");
        }
    }

    #[test]
    fn two_changes_at_once_make_another_client() {
        let opened = signals("app/1.0", "192.0.2.1", device(1));
        for (what, other) in [
            ("program and network", signals("other/1.0", "198.51.100.7", device(1))),
            ("program and network, no device asked", signals("other/1.0", "198.51.100.7", DeviceSignal::Unasked)),
            ("network and device", signals("app/1.0", "198.51.100.7", device(2))),
            ("network, without its device", signals("app/1.0", "198.51.100.7", DeviceSignal::Missing)),
            ("program, without its device", signals("other/1.0", "192.0.2.1", DeviceSignal::Missing)),
        ] {
            assert!(!is_same_client(&opened, &other), "{what}");
        }
    }

    #[test]
    fn a_client_is_elsewhere_when_program_and_network_are_others_whatever_device_it_shows() {
        let noted = signals("app/1.0", "192.0.2.1", device(1));
        assert!(is_elsewhere(&noted, &signals("other/1.0", "198.51.100.7", device(1))));
        for same in [
            signals("app/2.0", "198.51.100.7", DeviceSignal::Missing),
            signals("other/1.0", "192.0.2.9", DeviceSignal::Missing),
            signals("other/1.0", "", DeviceSignal::Missing),
        ] {
            assert!(!is_elsewhere(&noted, &same), "{same:?}");
        }
    }

    #[test]
    fn a_session_that_has_no_device_misses_none() {
        let opened = signals("app/1.0", "192.0.2.1", DeviceSignal::Unasked);
        assert!(is_same_client(&opened, &signals("app/1.0", "198.51.100.7", DeviceSignal::Missing)));
        assert!(is_same_client(&opened, &signals("app/1.0", "198.51.100.7", device(1))));
    }

    #[test]
    fn a_login_is_news_when_neither_the_device_nor_its_looks_are_known() {
        let before = [sighting("app/1.0", "192.0.2.1", "DE"), sighting("Mozilla/5.0 Firefox/1", "198.51.100.1", "FR")];
        let judge = |trust, program, address, place| judge_login(trust, &sighting(program, address, place), &before);
        let news = |new_device, new_place| LoginNews { new_device, new_place };
        assert_eq!(judge(Stranger, "app/2.0", "192.0.2.77", "DE"), news(false, false));
        assert_eq!(judge(Stranger, "app/2.0", "198.51.100.1", "FR"), news(true, false), "known parts, never together");
        assert_eq!(judge(Known, "curl/8", "203.0.113.1", "DE"), news(false, false));
        assert_eq!(judge(Stranger, "curl/8", "203.0.113.1", "BR"), news(true, true));
        assert_eq!(
            judge(Expected, "curl/8", "203.0.113.1", "DE"),
            news(true, false),
            "it was known before the password was set"
        );
        assert_eq!(judge(Known, "app/1.0", "192.0.2.1", "BR"), news(false, true));
        assert_eq!(judge(Known, "app/1.0", "192.0.2.1", ""), news(false, false), "a place nobody knows is no news");
    }

    #[test]
    fn what_cannot_be_news_is_none_whatever_came_before() {
        let before = [sighting("app/1.0", "192.0.2.1", "DE"), sighting("Mozilla/5.0 Firefox/1", "198.51.100.1", "")];
        let mut ruled_out = 0;
        for trust in [Known, Expected, Stranger] {
            for place in ["DE", "BR", ""] {
                let seen = sighting("curl/8", "203.0.113.1", place);
                if !may_be_news(trust, &seen) {
                    assert_eq!(judge_login(trust, &seen, &before), LoginNews::default(), "{trust:?} {place}");
                    ruled_out += 1;
                }
            }
        }
        assert_eq!(ruled_out, 1, "a known device at an unknown place");
    }

    #[test]
    fn the_first_login_is_no_news_nor_is_the_first_place_that_is_known() {
        let seen = sighting("app/1.0", "192.0.2.1", "DE");
        assert_eq!(judge_login(Stranger, &seen, &[]), LoginNews::default());
        let before = [sighting("app/1.0", "192.0.2.1", "")];
        assert_eq!(judge_login(Stranger, &seen, &before), LoginNews::default());
    }
}
