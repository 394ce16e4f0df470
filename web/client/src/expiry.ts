import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Session } from "./generated/countersign/v1/auth_service_pb.js";

/** How long before the access token expires a call refreshes first, in milliseconds. */
const AHEAD = 30_000;

/**
 * From when on, by the clock of this browser, a call had better refresh first; `undefined` when that is not known or tokens live
 * so short that it would be most of the time. `header` is that of the answer: clocks of browsers are wrong, so what counts is for
 * how long the token was good when it was sent. Only a service of another origin does not tell.
 */
export function renewAt(session: Session | undefined, header: Headers, now: number): number | undefined {
  if (session?.accessExpireTime === undefined) return undefined;
  const sent = Date.parse(header.get("date") ?? "");
  const lifetime = timestampMs(session.accessExpireTime) - (Number.isNaN(sent) ? now : sent);
  return lifetime > 2 * AHEAD ? now + lifetime - AHEAD : undefined;
}
