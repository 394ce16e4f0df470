"""A client that knows an address and nothing else: every message comes from reflection."""

import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

PASSWORD = "seven quiet herons at dusk"
EMAIL = "ada@example.org"

channel = grpc.insecure_channel(sys.argv[1])
pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))


def call(service, method, token=None, compression=None, **fields):
    rpc = pool.FindServiceByName(f"countersign.v1.{service}").FindMethodByName(method)
    invoke = channel.unary_unary(
        f"/countersign.v1.{service}/{method}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(rpc.output_type).FromString,
    )
    metadata = [("authorization", f"Bearer {token}")] if token else None
    return invoke(GetMessageClass(rpc.input_type)(**fields), metadata=metadata, timeout=20, compression=compression)


def reason(error):
    """The reason in the google.rpc.Status that travels beside a gRPC status."""
    status = GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))
    info = GetMessageClass(pool.FindMessageTypeByName("google.rpc.ErrorInfo"))
    packed = status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    # As `grpc_status.rpc_status.from_call` demands; it throws otherwise.
    assert (packed.code, packed.message) == (error.code().value[0], error.details()), error
    for detail in packed.details:
        if detail.type_url.endswith("/google.rpc.ErrorInfo"):
            read = info.FromString(detail.value)
            assert read.domain == "countersign", read
            return read.reason
    raise AssertionError("an error without a reason")


done = []
call("AccountService", "Register", email=EMAIL, password=PASSWORD, display_name="Ada")
done.append("registered")
mail = call("DevMailboxService", "WaitFor", recipient=EMAIL).mail
call("AccountService", "Verify", email=EMAIL, code=mail.code)
done.append("verified")
session = call("AuthService", "Login", identifier=EMAIL, password=PASSWORD).session
assert call("AccountService", "GetMe", token=session.access_token).account.display_name == "Ada"
done.append("logged in")
session = call("AuthService", "Refresh", refresh_token=session.refresh_token).session
done.append("refreshed")
call("AuthService", "Logout", refresh_token=session.refresh_token)
done.append("logged out")
try:
    call("AccountService", "GetMe", token=session.access_token)
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED, error
    assert reason(error) == "SESSION_ENDED", error
    done.append("refused")
for compression, code, expected in [
    (grpc.Compression.Gzip, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
    (grpc.Compression.Deflate, grpc.StatusCode.UNIMPLEMENTED, "MALFORMED_REQUEST"),
]:
    try:
        call("AccountService", "Register", compression=compression, email="x" * 100, password=PASSWORD)
    except grpc.RpcError as error:
        assert (error.code(), reason(error)) == (code, expected), error
done.append("compressed")
print(", ".join(done))
