//! Former names of settings, so that an old configuration is refused with the name to use.

/// Former and present key.
pub(super) const RENAMED: [(&str, &str); 30] = [
    ("audit.log", "audit.output"),
    ("captcha.on", "captcha.required_for"),
    ("limits.calls_of_account", "limits.calls_per_account"),
    ("limits.calls_of_address", "limits.calls_per_ip"),
    ("limits.calls_of_tenant", "limits.calls_per_tenant"),
    ("limits.client_news_of_account", "limits.client_change_mails_per_account"),
    ("limits.denials_of_caller", "limits.denied_call_events_per_caller"),
    ("limits.introspections_of_service", "limits.introspections_per_service"),
    ("limits.login_news_of_account", "limits.new_login_mails_per_account"),
    ("limits.logins_of_address", "limits.logins_per_ip"),
    ("limits.mails_of_address", "limits.mails_per_ip"),
    ("limits.mails_to_recipient", "limits.mails_per_recipient"),
    ("limits.password_changes_of_account", "limits.password_changes_per_account"),
    ("limits.past_passwords_of_account", "limits.password_history_checks_per_account"),
    ("limits.refreshes_of_session", "limits.refreshes_per_session"),
    ("limits.registrations_of_address", "limits.registrations_per_ip"),
    ("limits.service_tokens_of_address", "limits.service_tokens_per_ip"),
    ("limits.shared_calls_of_address", "limits.shared_calls_per_ip"),
    ("limits.shared_logins_of_address", "limits.shared_logins_per_ip"),
    ("limits.shared_mails_of_address", "limits.shared_mails_per_ip"),
    ("limits.shared_registrations_of_address", "limits.shared_registrations_per_ip"),
    ("limits.shared_service_tokens_of_address", "limits.shared_service_tokens_per_ip"),
    ("limits.shared_tries_of_address", "limits.shared_redemptions_per_ip"),
    ("limits.tries_of_address", "limits.redemptions_per_ip"),
    ("limits.username_changes_of_account", "limits.username_changes_per_account"),
    ("risk.on_mismatch", "risk.on_client_change"),
    ("risk.places_file", "risk.geoip_database"),
    ("server.max_anonymous_streams_per_address", "server.max_anonymous_streams_per_ip"),
    ("server.max_connections_per_address", "server.max_connections_per_ip"),
    ("verification.look", "verification.poll_interval"),
];

/// The present name of a setting, by a former name, with or without `_file`.
pub(super) fn current_name(written: &str) -> Option<&'static str> {
    let stem = written.strip_suffix("_file").unwrap_or(written);
    RENAMED.iter().find(|(former, _)| *former == written || *former == stem).map(|(_, present)| *present)
}
