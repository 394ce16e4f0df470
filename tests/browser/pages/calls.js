import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccountService } from "@countersign/client/generated/countersign/v1/account_service_pb.js";
import { AuthService } from "@countersign/client/generated/countersign/v1/auth_service_pb.js";
import { DevMailboxService } from "@countersign/client/generated/countersign/v1/dev_mailbox_service_pb.js";
import { SessionService } from "@countersign/client/generated/countersign/v1/session_service_pb.js";

export { reasonOf } from "@countersign/client";

/** Makes calls without a browser, with these cookies; `onHeader` gets the headers of the answer. */
export function calls(baseUrl, cookie = "") {
  const withCookie = (next) => (request) => {
    if (cookie) request.header.set("cookie", cookie);
    return next(request);
  };
  const transport = createGrpcWebTransport({ baseUrl, interceptors: [withCookie] });
  return {
    account: createClient(AccountService, transport),
    auth: createClient(AuthService, transport),
    mailbox: createClient(DevMailboxService, transport),
    sessions: createClient(SessionService, transport),
  };
}
