//! Which server the program trusts as its database, and what it sends before it does.

use crate::support::{Certificate, Cluster, ProcessOptions};
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

fn migrating(folder: &std::path::Path, url: &str) -> ProcessOptions {
    ProcessOptions::in_folder(folder)
        .and("COUNTERSIGN_DATABASE_URL", url)
        .and("COUNTERSIGN_DATABASE__ACQUIRE_TIMEOUT", "2s")
}

/// Claims to support no TLS, as an attacker on the network can, and returns what the program sends then.
fn strip_tls(listener: TcpListener) -> Vec<u8> {
    let mut said = Vec::new();
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = [0; 8];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(request, [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], "an SSLRequest comes first");
    stream.write_all(b"N").unwrap();
    stream.read_to_end(&mut said).unwrap();
    said
}

#[test]
fn where_the_database_has_to_be_verified_nobody_who_strips_tls_gets_anything() {
    for mode in ["verify-full", "require"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let attacker = thread::spawn(move || strip_tls(listener));
        let folder = tempfile::tempdir().unwrap();
        let url = format!("postgres://ann:c4n4ry@localhost:{port}/x?sslmode={mode}");
        let complaint = migrating(folder.path(), &url).fail(&["migrate"]);
        assert!(complaint.contains("TLS") && !complaint.contains("c4n4ry"), "{mode}: {complaint}");
        assert!(attacker.join().unwrap().is_empty(), "{mode}: something was said in clear text");
    }
}

#[test]
fn with_verify_full_only_a_certificate_for_the_name_of_the_database_is_taken() {
    let (Some(certificate), Some(other)) = (Certificate::made_for("localhost"), Certificate::made_for("localhost"))
    else {
        return;
    };
    let Some(cluster) = Cluster::start_with_tls(&certificate) else { return };
    let folder = tempfile::tempdir().unwrap();
    cluster.run_sql("CREATE DATABASE verified");
    let (port, trusted, untrusted) = (cluster.port(), certificate.authority(), other.authority());
    let url = |host: &str, mode: &str, authority: &std::path::Path| {
        let authority = authority.display();
        format!("postgres://countersign@{host}:{port}/verified?sslmode={mode}&sslrootcert={authority}")
    };
    for (host, authority, complaint) in
        [("localhost", &untrusted, "invalid peer certificate"), ("127.0.0.1", &trusted, "not valid for name")]
    {
        let said = migrating(folder.path(), &url(host, "verify-full", authority)).fail(&["migrate"]);
        assert!(said.contains(complaint), "{host}: {said}");
    }
    migrating(folder.path(), &url("localhost", "verify-full", &trusted)).succeed(&["migrate"]);
    // Why production requires more: this mode trusts any server with a certificate.
    migrating(folder.path(), &url("127.0.0.1", "require", &untrusted)).succeed(&["migrate"]);
}

#[test]
fn a_database_without_tls_is_refused_where_it_has_to_be_verified() {
    let Some(cluster) = Cluster::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{}?sslmode=verify-full", cluster.create_database().replace("127.0.0.1", "localhost"));
    let said = migrating(folder.path(), &url).fail(&["migrate"]);
    assert!(said.contains("server does not support TLS"), "{said}");
}
