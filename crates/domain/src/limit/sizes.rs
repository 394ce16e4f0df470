use super::Quota;
use crate::closed_list::closed_list;
use std::time::Duration;

closed_list! {
    /// All rate limits.
    ///
    /// OWASP ASVS 5.0 requires controls against brute force and credential stuffing (6.3.1), and against excessive
    /// calls (2.4.1). A limit of an IP address counts many people: those behind one router, one company or one
    /// carrier's NAT (RFC 6888). So these limits are generous, and what needs more protection is limited by its target
    /// as well: a recipient, a session.
    pub enum Limit {
        /// All calls from an IP address, except those that only a service may make: 50 a second. A person makes a few
        /// in a minute, so a thousand may share an address; one program cannot take a whole service for itself.
        CallsPerIp = "calls_per_ip": "all calls from an IP address, except those of services",
        /// All calls of a tenant: 10,000 a second. About what one database can serve, so it only stops one tenant from
        /// starving the others.
        CallsPerTenant = "calls_per_tenant": "all calls of a tenant",
        /// All calls with access tokens of an account: 5 a second. The account pages make a few calls when they open;
        /// more come from a faulty program or an attacker.
        CallsPerAccount = "calls_per_account": "all calls with access tokens of an account",
        /// Logins from an IP address: 6 a minute. In an office of hundreds people rarely log in, because sessions live
        /// for weeks; lists of stolen passwords have millions of lines, and would need years. A login from a recognized
        /// device, after a solved captcha, or with a passkey counts a tenth: credential stuffing has none of these.
        LoginsPerIp = "logins_per_ip": "Login, and CompleteLogin with a passkey alone, from an IP address",
        /// Registrations from an IP address: 20 an hour, enough for a school class. Each costs a hash, a row for a
        /// month and a mail.
        RegistrationsPerIp = "registrations_per_ip": "Register from an IP address",
        /// Mails that an IP address causes, to any recipient: 30 an hour. Registrations count too, so it is a little
        /// more than their limit. It protects the reputation of the mail server.
        MailsPerIp = "mails_per_ip":
            "Register, ResendVerification, RequestReset and RequestEmailChange from an IP address, to any recipient",
        /// Mails that anybody causes to one recipient: 5 an hour. A person whose mail is late repeats the request two
        /// or three times; five mails do not flood a mailbox.
        MailsPerRecipient = "mails_per_recipient": "the same calls for one recipient, from any IP address",
        /// Attempts to redeem a link or a code from an IP address (Verify, Reset, ConfirmEmailChange): 3 a minute, 30
        /// at once. One code allows five attempts; this limits attempts at many codes, as OWASP ASVS 5.0 6.6.3
        /// requires.
        RedemptionsPerIp = "redemptions_per_ip": "Verify, Reset and ConfirmEmailChange from an IP address",
        /// Comparisons of a new password with the former ones of an account (Reset, ChangePassword): 5 at once, then
        /// one in 6 minutes. The answer says that a password was used before, so a person with a link or the password
        /// could test a list of leaked ones. Nobody else draws, so an attacker cannot use the limit up; a person who
        /// used it up waits for minutes, less than the lifetime of a link.
        PasswordHistoryChecksPerAccount = "password_history_checks_per_account":
            "comparisons of a new password with former ones of an account, in Reset and ChangePassword",
        /// Refreshes of a session: 20 a minute, 200 at once. A usual client refreshes every ten minutes, and a hundred
        /// tabs refresh at the same time when a computer wakes up; each refresh writes a row.
        RefreshesPerSession = "refreshes_per_session": "Refresh of a session",
        /// Mails that warn the owner of an account of a very different client in a session: 4 an hour. One warning is
        /// enough. A client that changes again and again would cause many, and the audit log has each change.
        ClientChangeMailsPerAccount = "client_change_mails_per_account":
            "mails to the owner about a changed client of a session; the call succeeds without the mail",
        /// Mails that report a login from a new device or country to the owner of an account: 8 an hour. Only such
        /// logins count, so the owner got the first mail before an attacker could exhaust the limit; the audit log has
        /// each login.
        NewLoginMailsPerAccount = "new_login_mails_per_account":
            "mails to the owner about a login from a new device or country; the call succeeds without the mail",
        /// Mails that report a wrong second factor to the owner of an account: 4 an hour. Not counted with the mails
        /// above: whoever knows the password could use those up before logging in.
        FailedFactorMailsPerAccount = "failed_factor_mails_per_account":
            "mails to the owner about a wrong second factor on an unrecognized device; the call is refused alike",
        /// Mails that report a copied passkey to the owner of an account: 4 an hour. Not counted with the mails above,
        /// for the same reason: only somebody who has the passkey causes these.
        PasskeyCopyMailsPerAccount = "passkey_copy_mails_per_account":
            "mails to the owner about a passkey that may have been copied; the call is refused alike",
        /// Codes that are mailed to continue logins of an account: 5 an hour. A person whose mail is late logs in again
        /// two or three times. Only a right password draws; somebody who stole it can use the limit up, and a new
        /// password begins a new one.
        LoginCodeMailsPerAccount = "login_code_mails_per_account":
            "Login with the right password of an account that has to add a factor",
        /// Password changes of an account, with the current password: 5 an hour. Nobody needs more, and each mails the
        /// owner.
        PasswordChangesPerAccount = "password_changes_per_account": "ChangePassword of an account",
        /// Changes of the user name of an account, with its password: 5 an hour. Nobody needs more; each mails the
        /// owner, and the former name stays reserved.
        UsernameChangesPerAccount = "username_changes_per_account": "UpdateMe of an account that changes the user name",
        /// Authenticator apps that a person begins to add: 3 an hour. One is enough; each makes a secret and a row.
        TotpStartsPerAccount = "totp_starts_per_account": "StartTotp of an account",
        /// Codes by which a person confirms a new factor: 10 in 10 minutes. Whoever stole a session could otherwise try
        /// codes against a factor that its owner is just adding.
        TotpConfirmationsPerAccount = "totp_confirmations_per_account": "ConfirmTotp of an account",
        /// Passkeys that are added, factors that are removed and backup codes that are replaced, of an account: 10 an
        /// hour. Each mails the owner. A passkey that is added counts twice.
        FactorChangesPerAccount = "factor_changes_per_account":
            "StartPasskey, FinishPasskey, RemoveFactor and RegenerateBackupCodes of an account",
        /// Tokens that services request from an IP address: 60 a minute, 600 at once. A service requests one every ten
        /// minutes, and hundreds behind one address may start at the same time. Brute force against their secrets is
        /// hopeless, so this only limits work.
        ServiceTokensPerIp = "service_tokens_per_ip": "IssueServiceToken from an IP address",
        /// Audit events about denied calls of an account or a service: one a minute, 20 at once. The first event shows
        /// a mistake; a program that probes for access would fill the audit log. The metrics count all of its calls.
        DeniedCallEventsPerCaller = "denied_call_events_per_caller":
            "events `call_refused` and `service_token_refused` of an account or a service; the call is refused alike",
        /// Introspections by a service: 1,000 a second. Enough for a service that introspects at every call; a service
        /// that needs more should verify offline.
        IntrospectionsPerService = "introspections_per_service": "Introspect by a service",
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

impl Limit {
    /// Whether replicas with a shared Redis count in it: an attacker who tries passwords or causes mails must not gain
    /// by calling another replica. A limit that only bounds work is counted by each replica, so that no call waits for
    /// Redis.
    pub const fn is_shared(self) -> bool {
        matches!(
            self,
            Self::LoginsPerIp
                | Self::RegistrationsPerIp
                | Self::MailsPerIp
                | Self::MailsPerRecipient
                | Self::RedemptionsPerIp
                | Self::PasswordHistoryChecksPerAccount
                | Self::ClientChangeMailsPerAccount
                | Self::NewLoginMailsPerAccount
                | Self::FailedFactorMailsPerAccount
                | Self::PasskeyCopyMailsPerAccount
                | Self::LoginCodeMailsPerAccount
                | Self::PasswordChangesPerAccount
                | Self::UsernameChangesPerAccount
                | Self::TotpStartsPerAccount
                | Self::TotpConfirmationsPerAccount
                | Self::FactorChangesPerAccount
        )
    }

    /// Its name for addresses of shared networks. `None` for a limit that is not counted by address.
    pub const fn shared_name(self) -> Option<&'static str> {
        match self {
            Self::CallsPerIp => Some("shared_calls_per_ip"),
            Self::LoginsPerIp => Some("shared_logins_per_ip"),
            Self::RegistrationsPerIp => Some("shared_registrations_per_ip"),
            Self::MailsPerIp => Some("shared_mails_per_ip"),
            Self::RedemptionsPerIp => Some("shared_redemptions_per_ip"),
            Self::ServiceTokensPerIp => Some("shared_service_tokens_per_ip"),
            _ => None,
        }
    }

    /// Its default size. The documentation of each limit explains the size.
    pub const fn quota(self) -> Quota {
        match self {
            Self::CallsPerIp => Quota::new(3_000, minutes(1)),
            Self::CallsPerTenant => Quota::new(100_000, seconds(10)),
            Self::CallsPerAccount => Quota::new(300, minutes(1)),
            Self::LoginsPerIp => Quota::new(60, minutes(10)),
            Self::RegistrationsPerIp => Quota::new(20, minutes(60)),
            Self::MailsPerIp => Quota::new(30, minutes(60)),
            Self::MailsPerRecipient => Quota::new(5, minutes(60)),
            Self::RedemptionsPerIp => Quota::new(30, minutes(10)),
            Self::PasswordHistoryChecksPerAccount => Quota::new(5, minutes(30)),
            Self::RefreshesPerSession => Quota::new(200, minutes(10)),
            Self::ClientChangeMailsPerAccount => Quota::new(4, minutes(60)),
            Self::NewLoginMailsPerAccount => Quota::new(8, minutes(60)),
            Self::FailedFactorMailsPerAccount => Quota::new(4, minutes(60)),
            Self::PasskeyCopyMailsPerAccount => Quota::new(4, minutes(60)),
            Self::LoginCodeMailsPerAccount => Quota::new(5, minutes(60)),
            Self::PasswordChangesPerAccount => Quota::new(5, minutes(60)),
            Self::UsernameChangesPerAccount => Quota::new(5, minutes(60)),
            Self::TotpStartsPerAccount => Quota::new(3, minutes(60)),
            Self::TotpConfirmationsPerAccount => Quota::new(10, minutes(10)),
            Self::FactorChangesPerAccount => Quota::new(10, minutes(60)),
            Self::ServiceTokensPerIp => Quota::new(600, minutes(10)),
            Self::DeniedCallEventsPerCaller => Quota::new(20, minutes(20)),
            Self::IntrospectionsPerService => Quota::new(10_000, seconds(10)),
        }
    }
}
