use crate::{
    runtime::{Clock, Entropy},
    store::{
        Store, Tx, account, account::Account, account::Admission, device, expected_device, session, session::Session,
    },
    usecase::{
        About, Failure, Journal, Letter, Origin, Post,
        account::Me,
        gate::{ArrivingDevice, Lookout, PasswordProven, Throttle},
        session::{IssueTokens, OpenedSession},
    },
};
use countersign_domain::{
    audit::EventKind,
    client::DeviceSignal,
    display_name::DisplayName,
    id::SessionId,
    lockout::Standing,
    mail::MailTemplate,
    refresh::FIRST_GENERATION,
    refusal::Reason,
    risk::{LoginNews, Sighting, judge_login},
    session::{Keeping, SessionLives},
};

/// Opens a session for somebody who has proven who they are.
#[derive(Clone, Debug)]
pub struct OpenSession {
    pub store: Store,
    pub lookout: Lookout,
    pub throttle: Throttle,
    pub tokens: IssueTokens,
    pub lives: SessionLives,
    pub post: Post,
    pub journal: Journal,
    pub clock: Clock,
    pub entropy: Entropy,
}

/// What somebody arrives with.
#[derive(Debug)]
pub struct Arrival {
    pub audience: String,
    pub device_name: DisplayName,
    pub device: ArrivingDevice,
    pub keeping: Keeping,
    pub standing: Standing,
}

/// Devices of an account that are known at the same time. Programs that keep no token are a new one each time.
const MAX_DEVICES: u64 = 50;
/// Sessions of an account by which it is told what is news.
const MAX_SIGHTINGS: u64 = 50;

impl OpenSession {
    /// # Errors
    /// CREDENTIALS_INVALID when the account was disabled, or its password became worthless, while it was being checked.
    pub async fn run(
        &self,
        origin: &Origin,
        proven: &PasswordProven,
        arrival: Arrival,
    ) -> Result<OpenedSession, Failure> {
        let account = proven.account();
        let (tenant, now) = (account.tenant, self.clock.now());
        let Arrival { audience, device_name, device, keeping, standing } = arrival;
        let seen = self.lookout.see(origin, DeviceSignal::Shown(device.id));
        let session = Session {
            id: SessionId::new(now, self.entropy.bytes()),
            account: account.id,
            audience,
            generation: FIRST_GENERATION,
            device_name: device_name.as_str().to_owned(),
            user_agent: origin.user_agent.clone(),
            address: origin.address.clone(),
            methods: "pwd".to_owned(),
            created_at: now,
            authenticated_at: now,
            refreshed_at: now,
            expiry: self.lives.opened(now),
            ended_at: None,
            device: Some(device.id),
            in_cookies: keeping == Keeping::Cookies,
            place: seen.place,
            void_generation: None,
            seen_generation: FIRST_GENERATION,
            answered_unrecognized: false,
        };
        let profile = Me::profile(&self.store.read(), account.clone()).await?;
        let before = session::sightings(&self.store.read(), tenant, account.id, MAX_SIGHTINGS).await?;
        // Made before anything is kept: a session nobody has the tokens of would be a row for nothing.
        let opened = self.tokens.run(&session, profile)?;
        let admission = Admission {
            password_version: account.password_version,
            standing,
            had_failures: account.password_failures > 0,
        };
        let tx = self.store.begin().await?;
        if !account::admit(&tx, tenant, account.id, admission).await? {
            return Err(Reason::CredentialsInvalid.into());
        }
        session::open(&tx, tenant, &session).await?;
        device::remember(&tx, tenant, account.id, device.id, now).await?;
        if standing == Standing::Expected {
            expected_device::forget(&tx, tenant, account.id, device.shown).await?;
        }
        if standing != Standing::Known {
            device::forget_older(&tx, tenant, account.id, MAX_DEVICES).await?;
        }
        let about = About::own(account.id).in_session(session.id);
        self.journal.did(&tx, tenant, origin, EventKind::LoggedIn, about).await?;
        let news = judge_login(standing, &seen, &before);
        let is_told = self.tell(&tx, origin, account, &session, (news, &seen)).await?;
        tx.commit().await?;
        if is_told {
            self.post.collect();
        }
        Ok(opened)
    }

    /// Notes what is news about a login, and tells the owner: returns whether a mail was queued. What limits the mails is used up by such
    /// news alone, so nobody hides behind mails that anybody may ask for.
    async fn tell(
        &self,
        tx: &Tx,
        origin: &Origin,
        account: &Account,
        session: &Session,
        (news, seen): (LoginNews, &Sighting),
    ) -> Result<bool, Failure> {
        let events = [(news.new_device, EventKind::NewDeviceSeen), (news.new_place, EventKind::NewPlaceSeen)];
        for (_, kind) in events.into_iter().filter(|(is_news, _)| *is_news) {
            let about = About::own(account.id).in_session(session.id);
            self.journal.did(tx, account.tenant, origin, kind, about).await?;
        }
        let is_told = news.is_any() && self.throttle.tells_of_login(account.id).await;
        if is_told {
            let letter = Letter::of_client(MailTemplate::NewLogin, account, seen, &origin.address);
            self.post.queue(tx, account.tenant, letter, session.created_at).await?;
        }
        Ok(is_told)
    }
}
