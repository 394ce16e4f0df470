import { createClient, type Client } from "@connectrpc/connect";
import { DevMailboxService } from "./generated/countersign/v1/dev_mailbox_service_pb.js";
import { bounded, grpcWeb } from "./transport.js";

export type { DevMail } from "./generated/countersign/v1/dev_mailbox_service_pb.js";

/** The mails of a Countersign with the `dev` profile. */
export function createMailbox({ baseUrl }: { readonly baseUrl: string }): Client<typeof DevMailboxService> {
  return createClient(DevMailboxService, bounded(grpcWeb(baseUrl)));
}
