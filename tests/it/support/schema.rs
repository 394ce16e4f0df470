//! The RPCs of a running service, from its reflection.

use super::App;
use prost::Message as _;
use prost_types::{FileDescriptorProto, field_descriptor_proto::Type};
use std::collections::BTreeMap;
use tonic::transport::Channel;
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

/// A method that is served.
#[derive(Clone, Debug)]
pub(crate) struct Rpc {
    /// `/countersign.v1.AuthService/Login`
    pub(crate) path: String,
    /// Number, name and type of each field of the request.
    pub(crate) fields: Vec<(i32, String, Type)>,
}

impl Rpc {
    /// Number and name of each field of the request that holds text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (i32, &str)> {
        let texts = self.fields.iter().filter(|(_, _, kind)| *kind == Type::String);
        texts.map(|(number, name, _)| (*number, name.as_str()))
    }

    pub(crate) fn field(&self, name: &str) -> i32 {
        let found = self.texts().find(|(_, known)| *known == name);
        found.unwrap_or_else(|| panic!("{} has no text field {name}", self.path)).0
    }
}

/// Every method of every service that reflection lists.
pub(crate) async fn served_rpcs(app: &App) -> Vec<Rpc> {
    described_rpcs(&app.channel()).await
}

/// The same, on the operators' listener.
pub(crate) async fn admin_rpcs(app: &App) -> Vec<Rpc> {
    described_rpcs(&app.admin_channel()).await
}

async fn described_rpcs(app: &Channel) -> Vec<Rpc> {
    let mut rpcs = Vec::new();
    for service in services(app).await {
        let files = describe(app, &service).await;
        let (package, name) = service.rsplit_once('.').unwrap();
        let of_package: Vec<_> = files.iter().filter(|file| file.package() == package).collect();
        let described = of_package.iter().flat_map(|file| &file.service).find(|service| service.name() == name);
        for method in &described.unwrap().method {
            let request = method.input_type().rsplit('.').next().unwrap();
            let message = files.iter().flat_map(|file| &file.message_type).find(|known| known.name() == request);
            let fields = message.map(|message| &message.field).into_iter().flatten();
            rpcs.push(Rpc {
                path: format!("/{service}/{}", method.name()),
                fields: fields.map(|field| (field.number(), field.name().to_owned(), field.r#type())).collect(),
            });
        }
    }
    rpcs
}

/// The methods of Countersign's own services.
pub(crate) async fn own_rpcs(app: &App) -> Vec<Rpc> {
    let mut rpcs = served_rpcs(app).await;
    rpcs.retain(|rpc| rpc.path.starts_with("/countersign."));
    assert!(rpcs.len() > 15, "reflection left RPCs out: {rpcs:?}");
    rpcs
}

async fn services(app: &Channel) -> Vec<String> {
    match ask(app, MessageRequest::ListServices(String::new())).await {
        MessageResponse::ListServicesResponse(list) => list.service.into_iter().map(|service| service.name).collect(),
        other => panic!("no list of services: {other:?}"),
    }
}

/// The file that declares a symbol, and its imports.
async fn describe(app: &Channel, symbol: &str) -> Vec<FileDescriptorProto> {
    let mut found = BTreeMap::new();
    let mut wanted = vec![MessageRequest::FileContainingSymbol(symbol.to_owned())];
    while let Some(question) = wanted.pop() {
        let MessageResponse::FileDescriptorResponse(answer) = ask(app, question).await else {
            panic!("{symbol} is not described");
        };
        for bytes in answer.file_descriptor_proto {
            let file = FileDescriptorProto::decode(bytes.as_slice()).unwrap();
            let new = file.dependency.iter().filter(|import| !found.contains_key(*import));
            wanted.extend(new.map(|import| MessageRequest::FileByFilename(import.clone())));
            found.insert(file.name().to_owned(), file);
        }
    }
    found.into_values().collect()
}

async fn ask(app: &Channel, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(app.clone());
    let answer = client.server_reflection_info(tokio_stream::iter([request])).await.unwrap();
    answer.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
}
