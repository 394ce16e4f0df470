mod audience;
mod audience_command;
mod codes;
mod command;
mod count;
mod hostile;
mod jwks;
mod kek_command;
mod race;
mod replicas;
mod retire;
mod rewrap;
mod rotate;

use crate::support::{App, Rows};
use countersign::{grpc::wire::proto::*, usecase::Origin};
use countersign_domain::key::{KeyPurpose, KeySlot};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const ADA: &str = "ada@example.org";
/// The `x` of RFC 8037 appendix A.6.
const PUBLIC_KEY: &str = "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08";

/// Ids and states of the keys of one purpose, oldest first.
async fn keys(app: &App, purpose: &str) -> Vec<(String, String)> {
    keys_of(app, purpose, if purpose == "access_encryption" { "default" } else { "" }).await
}

async fn keys_of(app: &App, purpose: &str, audience: &str) -> Vec<(String, String)> {
    let sql = format!(
        "SELECT id, state FROM keys WHERE purpose = '{purpose}' AND audience = '{audience}' ORDER BY created_at, id"
    );
    let rows = Rows::of(&app.database_url).await.all(&sql).await;
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(row, "id"), text(row, "state"))).collect()
}

/// The id of the one key of a purpose in this state.
async fn key(app: &App, purpose: &str, state: &str) -> String {
    let mut found: Vec<_> = keys(app, purpose).await.into_iter().filter(|(_, at)| at == state).collect();
    assert_eq!(found.len(), 1, "{state} keys for {purpose}");
    found.remove(0).0
}

/// Rotates to the next key of a purpose, and lets the service load it.
async fn rotate(app: &App, purpose: KeyPurpose) -> String {
    let slot = match purpose {
        KeyPurpose::AccessEncryption => KeySlot::of_audience(Origin::terminal().tenant(), "default"),
        _ => KeySlot::shared(purpose),
    };
    let kid = app.key_operations.rotate.now(&Origin::terminal(), &slot).await.unwrap().unwrap();
    assert!(app.keys.reload.reload().await.unwrap(), "a rotation is news");
    kid
}

/// Opens a session whose access tokens are for `audience`.
async fn log_in_for(app: &App, audience: &str) -> Session {
    app.log_in_for(ADA, audience).await
}

/// The id of the key that encrypted an access token.
fn kid(session: &Session) -> String {
    countersign_token::named_key(&session.access_token).unwrap().to_string()
}

/// Every slot has one active and one staged key.
async fn assert_whole(app: &App) {
    for state in ["active", "staged"] {
        let sql = format!(
            "SELECT count(*) FROM (SELECT DISTINCT tenant_id, purpose, audience FROM keys) AS slots WHERE 1 <> (SELECT \
             count(*) FROM keys WHERE keys.tenant_id = slots.tenant_id AND keys.purpose = slots.purpose AND \
             keys.audience = slots.audience AND keys.state = '{state}')"
        );
        assert_eq!(app.number(&sql).await, 0, "a slot without exactly one {state} key");
    }
    assert_eq!(app.number("SELECT count(*) FROM keys WHERE state = 'gone' AND sealed <> ''").await, 0);
    assert_eq!(app.number("SELECT count(*) FROM keys WHERE state <> 'gone' AND sealed = ''").await, 0);
}
