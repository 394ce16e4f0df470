//! Who may read the mails of a development machine.

use crate::support::{App, AppOptions, Database, call, in_own_network, reason, send_from, with_header};
use std::net::{IpAddr, Ipv4Addr};
use tonic::{Code, Status};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn list_from(app: &App, own: IpAddr, header: Option<(&'static str, &str)>) -> Status {
    let list = call("/countersign.v1.DevMailboxService/List", &[]);
    let list = header.into_iter().fold(list, |list, (name, value)| with_header(list, name, value.as_bytes()));
    send_from(own, app.address, list).await.rpc_status()
}

/// The listener is on loopback, and every call names a loopback address as its host.
#[test]
fn the_dev_mailbox_answers_no_other_address_than_loopback_whatever_name_it_is_called_by() {
    const TEST: &str =
        "transport::dev_mailbox::the_dev_mailbox_answers_no_other_address_than_loopback_whatever_name_it_is_called_by";
    in_own_network(TEST, |elsewhere| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = Box::pin(App::start(&Database::Sqlite, &AppOptions::default())).await;
            assert_eq!(list_from(&app, LOOPBACK, None).await.code(), Code::Ok);
            for name in [None, Some(("host", "localhost")), Some(("host", "127.0.0.1"))] {
                let status = list_from(&app, elsewhere, name).await;
                assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
            }
            Box::pin(app.close()).await;
        });
    });
}

#[test]
fn the_dev_mailbox_answers_nothing_that_a_proxy_passes_on() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let app = Box::pin(App::start(&Database::Sqlite, &AppOptions::default())).await;
        for header in ["x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-real-ip"] {
            let status = list_from(&app, LOOPBACK, Some((header, "127.0.0.1"))).await;
            assert_eq!(reason(&status), "CALLER_NOT_ALLOWED", "{header}");
        }
        Box::pin(app.close()).await;
        let behind_a_proxy = AppOptions::with("COUNTERSIGN_SERVER__TRUSTED_PROXIES", "127.0.0.1");
        let app = Box::pin(App::start(&Database::Sqlite, &behind_a_proxy)).await;
        assert_eq!(reason(&list_from(&app, LOOPBACK, None).await), "CALLER_NOT_ALLOWED", "the peer is a proxy");
        Box::pin(app.close()).await;
    });
}
