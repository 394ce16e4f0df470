import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import type { Session } from "./generated/countersign/v1/auth_service_pb.js";

/** How long before the expiry of the access token a call refreshes first, in milliseconds. */
const AHEAD = 30_000;

/**
 * The time, by the clock of this browser, from which on a call should refresh first; `undefined` when the expiry is
 * unknown or tokens live so short that most calls would refresh. `header` has the headers of the answer.
 */
export function renewAt(session: Session | undefined, header: Headers, now: number): number | undefined {
  if (session?.accessExpireTime === undefined) return undefined;
  const lifetime = until(session.accessExpireTime, header, now);
  return lifetime > 2 * AHEAD ? now + lifetime - AHEAD : undefined;
}

/**
 * How long it is until `time`, in milliseconds. `header` has the headers of the answer: clocks of browsers are wrong,
 * so the duration counts from the time when the answer was sent. Only a service of another origin does not reveal that
 * time.
 */
export function until(time: Timestamp, header: Headers, now: number): number {
  const sent = Date.parse(header.get("date") ?? "");
  return timestampMs(time) - (Number.isNaN(sent) ? now : sent);
}

/** When something ends, by the clock of this browser, in milliseconds. */
export function endOf(expireTime: Timestamp | undefined, header: Headers, now: number): number {
  return expireTime === undefined ? Infinity : now + until(expireTime, header, now);
}
