use crate::support::{Callers, Person, Rpc, call, details, on_sqlite, own_rpcs, reason, rpc, with_header};
use countersign::runtime::Entropy;
use prost_types::field_descriptor_proto::Type;
use tonic::Code;

/// Groups within groups, deeper than any decoder accepts, in field 15, which no message has.
fn nested(depth: usize) -> Vec<u8> {
    [vec![0x7b; depth], vec![0x7c; depth]].concat()
}

/// A tag of protobuf.
fn tag(number: i32, wire_type: i32) -> u8 {
    u8::try_from(number << 3 | wire_type).unwrap()
}

/// Bodies that cannot be decoded as a request of this RPC.
fn undecodable(rpc: &Rpc, chance: &Entropy) -> Vec<(&'static str, Vec<u8>)> {
    let mut bodies = vec![
        ("a truncated varint", vec![0xff]),
        ("a varint that never ends", vec![0x80; 32]),
        ("a length beyond the end", vec![tag(1, 2), 0x7f]),
        ("a wire type that does not exist", vec![0x0f, 0, 0, 0, 0]),
        ("a field with the number zero", vec![0x02, 0x00]),
        ("a group that ends before it starts", vec![0x7c]),
        ("groups 200 deep", nested(200)),
        // The first bytes are a tag that is too long; the rest is random.
        ("random bytes", [vec![0xff; 10], chance.bytes::<64>().to_vec()].concat()),
    ];
    for (number, _, kind) in &rpc.fields {
        match kind {
            Type::String => {
                bodies.push(("a text as a number", vec![tag(*number, 0), 1]));
                bodies.push(("a text of eight bytes", [vec![tag(*number, 1)], vec![0; 8]].concat()));
                bodies.push(("text that is not UTF-8", vec![tag(*number, 2), 2, 0xc3, 0x28]));
                bodies.push(("half a surrogate pair", vec![tag(*number, 2), 3, 0xed, 0xa0, 0x80]));
            }
            Type::Message => bodies.push(("a message that is none", vec![tag(*number, 2), 1, 0xff])),
            _ => bodies.push(("a number as a text", vec![tag(*number, 2), 1, b'a'])),
        }
    }
    bodies
}

#[test]
fn what_cannot_be_decoded_is_refused_by_every_rpc_in_the_same_words() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let callers = Callers::with(app, &person.session).await;
        let chance = Entropy::seeded(7);
        for known in own_rpcs(app).await {
            let authorization = callers.authorization(&known.path);
            for (what, body) in undecodable(&known, &chance) {
                let request = with_header(call(&known.path, &body), "authorization", authorization.as_bytes());
                let status = rpc(app.address, request).await;
                let told = (status.code(), reason(&status), status.message().to_owned());
                let expected =
                    (Code::InvalidArgument, "MALFORMED_REQUEST".to_owned(), "the request cannot be decoded".to_owned());
                assert_eq!(told, expected, "{} to {}", what, known.path);
                let details = details(&status);
                assert!(details.bad_request().is_none(), "{what} to {}: fields are told: {details:?}", known.path);
            }
        }
        assert_eq!(app.rows("sessions").await, 1);
    });
}

#[test]
fn fields_that_no_message_knows_are_passed_over() {
    on_sqlite(async |app| {
        let person = Person::sign_up(app, "ada@example.org").await;
        let authorization = format!("Bearer {}", person.session.access_token);
        for body in [vec![0x7a, 0x03, b'a', b'b', b'c'], nested(20)] {
            let request = call("/countersign.v1.AccountService/GetMe", &body);
            let status = rpc(app.address, with_header(request, "authorization", authorization.as_bytes())).await;
            assert_eq!(status.code(), Code::Ok, "{body:?}: {status:?}");
        }
    });
}
