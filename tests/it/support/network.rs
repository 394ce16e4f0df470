use super::requirement::{binary, missing};
use std::{
    env,
    net::IpAddr,
    process::{Command, Stdio},
};

/// Set inside the network, to an address of this machine that is not on loopback.
const ADDRESS: &str = "COUNTERSIGN_TEST_OWN_NETWORK";

/// The address must be one without a route.
const GIVE_ADDRESS: &str =
    "PATH=$PATH:/usr/sbin:/sbin && ip link set lo up && ip address add 192.0.2.77/32 dev lo && exec \"$@\"";

/// Gives a test a network of its own, in which the machine has an address besides loopback: a call from there comes
/// from another client, as far as the service can see. `test` is the full name of the calling test, which runs once
/// more inside. Does nothing, with a message, where namespaces are not allowed.
pub(crate) fn in_own_network(test: &str, within: impl FnOnce(IpAddr)) {
    if let Ok(address) = env::var(ADDRESS) {
        return within(address.parse().unwrap());
    }
    let Some(mut unshare) = own_network() else { return };
    unshare.args(["sh", "-c", GIVE_ADDRESS, "sh"]).arg(env::current_exe().unwrap());
    unshare.args(["--exact", test, "--nocapture"]).env(ADDRESS, "192.0.2.77");
    let output = unshare.stdin(Stdio::null()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// As root, or as an ordinary user where that is allowed.
fn own_network() -> Option<Command> {
    let unshare = binary("unshare", &[])?;
    binary("ip", &["/usr/sbin".into(), "/sbin".into()])?;
    for arguments in [&["--net"][..], &["--net", "--map-root-user"]] {
        let allowed = Command::new(&unshare).args(arguments).arg("true").output();
        if allowed.is_ok_and(|output| output.status.success()) {
            let mut command = Command::new(&unshare);
            command.args(arguments);
            return Some(command);
        }
    }
    missing("the right to make a network namespace");
    None
}
