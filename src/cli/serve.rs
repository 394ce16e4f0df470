use super::{Outcome, Screen, block_on};
use crate::{
    config::{Config, LogFormat, Profile},
    runtime::{Shutdown, spawn},
    telemetry::{self, Metrics},
    wiring::{Listeners, Service, World},
};
use std::net::SocketAddr;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

pub(super) fn run(config: &Config, screen: &Screen) -> Outcome {
    let format = match config.log.format {
        LogFormat::Text => telemetry::LogFormat::Text,
        LogFormat::Json => telemetry::LogFormat::Json,
    };
    telemetry::start_log(format, &config.log.filter)?;
    block_on(serve(config, screen))
}

async fn serve(config: &Config, screen: &Screen) -> Outcome {
    // Before anything else, so that a second service on the same address changes nothing.
    let listeners = Listeners {
        calls: listen(config.listen).await?,
        operators: match config.admin_listen {
            Some(address) => Some(listen(address).await?),
            None => None,
        },
    };
    let metrics = Metrics::start()?;
    let service = Service::assemble(config, World::real(), Some(metrics)).await.map_err(|fault| fault.to_string())?;
    let (stop, shutdown) = Shutdown::new();
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: calls under way are finished, new ones refused");
        stop.request();
    });
    greet(config, &listeners, screen);
    Box::pin(service.run(listeners, shutdown)).await.map_err(|fault| fault.to_string())
}

async fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}

fn greet(config: &Config, listeners: &Listeners, screen: &Screen) {
    let address =
        |listener: &TcpListener| listener.local_addr().map_or_else(|_| String::new(), |addr| addr.to_string());
    let calls = address(&listeners.calls);
    let profile = match config.profile {
        Profile::Dev => "dev",
        Profile::Production => "production",
    };
    screen.say(&format!("Countersign {} ({profile})", env!("CARGO_PKG_VERSION")));
    screen.say(&format!("  gRPC and grpc-web   {calls}"));
    if config.browser.pages {
        screen.say(&format!("  sign in             {}sign-in", config.public_url));
    }
    if let Some(listener) = &listeners.operators {
        screen.say(&format!("  operators           http://{}/readyz", address(listener)));
        if config.profile == Profile::Dev && config.admin.token.is_none() {
            let file = config.data_dir.join("admin-token");
            screen.say(&format!("  operators' token    {}  (for AuditService there)", file.display()));
        }
    }
    screen.say(&format!("  data                {}", config.data_dir.display()));
    if config.smtp_url.is_none() {
        let folder = config.data_dir.join("mail");
        screen.say(&format!("  mail                {}  (read it with: countersign mail show)", folder.display()));
    }
    if config.server.reflection {
        screen.say("Try it:");
        screen.say(&format!(
            "  grpcurl -plaintext -d '{{\"email\": \"ada@example.org\", \"password\": \"seven quiet herons at dusk\"}}' \
             {calls} countersign.v1.AccountService/Register"
        ));
    }
}
