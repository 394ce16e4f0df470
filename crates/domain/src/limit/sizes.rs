use super::Quota;
use crate::closed_list::closed_list;
use std::time::Duration;

closed_list! {
    /// Everything that is limited.
    ///
    /// OWASP ASVS 5.0 asks for controls against stuffed and guessed credentials (6.3.1), and against excessive calls (2.4.1). A limit
    /// of an address counts many people: those behind one router, one company or one carrier's translator (RFC 6888). So these are
    /// generous, and what is precious is limited by what is called as well: a recipient, a session.
    pub enum Limit {
        /// All calls from an address, but those that only a service may make: 50 a second. A person makes a few in a minute, so a thousand may share an address; one program
        /// cannot take a whole service for itself.
        CallsOfAddress = "calls_of_address": "all calls from an address but those of services",
        /// All calls of a tenant: 10,000 a second. About what one database carries, so it stops one tenant from starving the others
        /// and is not felt otherwise.
        CallsOfTenant = "calls_of_tenant": "all calls of a tenant",
        /// All calls of an account with its access tokens: 5 a second. Pages of ours make a handful when they open; what makes more
        /// is a program that went astray, or somebody else's.
        CallsOfAccount = "calls_of_account": "all calls with an account's access tokens",
        /// Logins from an address: 6 a minute. An office of hundreds signs in now and then, because sessions live for weeks; lists of
        /// stolen passwords have millions of lines, and would need years. One from a device that is recognized, or after a captcha that
        /// was solved, draws a tenth: neither is what a list of passwords brings along.
        LoginsOfAddress = "logins_of_address": "Login from an address",
        /// Registrations from an address: 20 an hour. A class signs up together; each costs a hash, a row for a month and a mail.
        RegistrationsOfAddress = "registrations_of_address": "Register from an address",
        /// Mails that an address asks for, to whomever: 30 an hour. Registrations count too, so it is a little more than those; the
        /// reputation of our mail server is what is spent.
        MailsOfAddress = "mails_of_address": "Register, ResendVerification, RequestReset and RequestEmailChange from an address, to whomever",
        /// Mails that anybody asks for to one recipient: 5 an hour. Somebody whose mail is late asks again twice or thrice; a mailbox
        /// is not flooded by five.
        MailsToRecipient = "mails_to_recipient": "the same to one recipient, from wherever",
        /// Links and codes tried from an address (Verify, Reset, ConfirmEmailChange): 3 a minute, 30 at once. A code has five tries by
        /// itself; this bounds tries of many codes at once, as OWASP ASVS 5.0 6.6.3 asks.
        TriesOfAddress = "tries_of_address": "Verify, Reset and ConfirmEmailChange from an address",
        /// Passwords compared with the former ones of an account (Reset, ChangePassword): 5 at once, then one in 6 minutes. Who holds a
        /// link or knows the password is told that a password was used before, and could otherwise try a whole list of leaked ones. Nobody
        /// else draws, so no stranger uses it up; and whoever did waits for minutes, less than a link lives.
        PastPasswordsOfAccount = "past_passwords_of_account": "passwords compared with former ones of an account, in Reset and ChangePassword",
        /// Refreshes of a session: 20 a minute, 200 at once. Honest ones come every ten minutes, and from a hundred tabs at once after a
        /// night; each writes a row.
        RefreshesOfSession = "refreshes_of_session": "Refresh of a session",
        /// Mails that tell the owner of an account of a very different client in a session: 4 an hour. One is news; a client that comes and
        /// goes would bury it, and the audit trail has each.
        ClientNewsOfAccount = "client_news_of_account": "mails to an owner of sessions that have another client; the call goes on",
        /// Mails that tell the owner of an account of a login from a new device or country: 8 an hour. Only such logins use them up, so
        /// whoever hides behind the last was told of by the first; the audit trail has each.
        LoginNewsOfAccount = "login_news_of_account": "mails to an owner of logins from a new device or country; the call goes on",
        /// Passwords that an account is given by whoever knows the one before: 5 an hour. Nobody changes it as often, and each writes to its
        /// owner.
        PasswordChangesOfAccount = "password_changes_of_account": "ChangePassword of an account",
        /// User names that an account takes by whoever knows its password: 5 an hour. Nobody changes it as often; each writes to its owner, and
        /// the former one is kept.
        UsernameChangesOfAccount = "username_changes_of_account": "UpdateMe of an account, where it names the user name",
        /// Tokens that services ask for from an address: 60 a minute, 600 at once. A service asks every ten minutes, and hundreds
        /// behind one address may start together. Their secrets cannot be guessed, so this bounds work alone.
        ServiceTokensOfAddress = "service_tokens_of_address": "IssueServiceToken from an address",
        /// Refusals of an account or a service that leave an event each: one a minute, 20 at once. A mistake shows with the first; a program
        /// that tries what is not its own would fill the audit trail, and is counted all the same.
        DenialsOfCaller = "denials_of_caller": "events `call_refused` and `service_token_refused` of an account or a service; the answer stays the same",
        /// Single tokens that a service asks about: 1,000 a second. One that asks at every call is a customer, one that asks more
        /// should check offline.
        IntrospectionsOfService = "introspections_of_service": "Introspect by a service",
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

impl Limit {
    /// Whether it is counted together with other replicas, where they share a Redis: whoever guesses or has mails sent must not
    /// gain by asking another one. What only bounds work is counted by each replica for itself, and no call waits for it.
    pub const fn is_shared(self) -> bool {
        matches!(
            self,
            Self::LoginsOfAddress
                | Self::RegistrationsOfAddress
                | Self::MailsOfAddress
                | Self::MailsToRecipient
                | Self::TriesOfAddress
                | Self::PastPasswordsOfAccount
                | Self::ClientNewsOfAccount
                | Self::LoginNewsOfAccount
                | Self::PasswordChangesOfAccount
                | Self::UsernameChangesOfAccount
        )
    }

    /// Its name for addresses of shared networks. `None` for what is not counted by address.
    pub const fn shared_name(self) -> Option<&'static str> {
        match self {
            Self::CallsOfAddress => Some("shared_calls_of_address"),
            Self::LoginsOfAddress => Some("shared_logins_of_address"),
            Self::RegistrationsOfAddress => Some("shared_registrations_of_address"),
            Self::MailsOfAddress => Some("shared_mails_of_address"),
            Self::TriesOfAddress => Some("shared_tries_of_address"),
            Self::ServiceTokensOfAddress => Some("shared_service_tokens_of_address"),
            _ => None,
        }
    }

    /// Its usual size. Why it is this large stands on each limit.
    pub const fn quota(self) -> Quota {
        match self {
            Self::CallsOfAddress => Quota::new(3_000, minutes(1)),
            Self::CallsOfTenant => Quota::new(100_000, seconds(10)),
            Self::CallsOfAccount => Quota::new(300, minutes(1)),
            Self::LoginsOfAddress => Quota::new(60, minutes(10)),
            Self::RegistrationsOfAddress => Quota::new(20, minutes(60)),
            Self::MailsOfAddress => Quota::new(30, minutes(60)),
            Self::MailsToRecipient => Quota::new(5, minutes(60)),
            Self::TriesOfAddress => Quota::new(30, minutes(10)),
            Self::PastPasswordsOfAccount => Quota::new(5, minutes(30)),
            Self::RefreshesOfSession => Quota::new(200, minutes(10)),
            Self::ClientNewsOfAccount => Quota::new(4, minutes(60)),
            Self::LoginNewsOfAccount => Quota::new(8, minutes(60)),
            Self::PasswordChangesOfAccount => Quota::new(5, minutes(60)),
            Self::UsernameChangesOfAccount => Quota::new(5, minutes(60)),
            Self::ServiceTokensOfAddress => Quota::new(600, minutes(10)),
            Self::DenialsOfCaller => Quota::new(20, minutes(20)),
            Self::IntrospectionsOfService => Quota::new(10_000, seconds(10)),
        }
    }
}
