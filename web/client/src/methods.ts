import { clone, getOption, type DescMethod } from "@bufbuild/protobuf";
import type { UnaryRequest } from "@connectrpc/connect";
import { AccountService } from "./generated/countersign/v1/account_service_pb.js";
import { Caller, caller } from "./generated/countersign/v1/caller_pb.js";
import { SessionService } from "./generated/countersign/v1/session_service_pb.js";

/** Calls that change nothing, so that they can be repeated. */
const READ_ONLY = new Set<DescMethod>([
  AccountService.method.getMe,
  AccountService.method.exportMe,
  SessionService.method.listSessions,
]);

/** Calls that may end the caller's own session, so that an answer to them may take the cookies away that another one just set. */
const MAY_END_SESSION = new Set<DescMethod>([
  AccountService.method.changePassword,
  AccountService.method.deleteMe,
  AccountService.method.requestEmailChange,
  SessionService.method.revokeSession,
]);

/** Whether the call needs somebody who is signed in, as far as is known: other services than Countersign do not say. */
export function needsSession(method: DescMethod): boolean {
  return [Caller.ACCOUNT, Caller.UNSPECIFIED].includes(getOption(method, caller));
}

/** Whether the answer may take the cookies away. */
export function mayEndSession(method: DescMethod): boolean {
  return MAY_END_SESSION.has(method);
}

/** Whether a call can be made twice and take effect once. Give it what `identified` returned. */
export function isRepeatable(method: DescMethod): boolean {
  return READ_ONLY.has(method) || "requestId" in method.input.field;
}

/** The call with a `request_id` of its own where it can have one and has none (Google AIP-155). */
export function identified(call: UnaryRequest): UnaryRequest {
  const given = call.message as { requestId?: string };
  if (!("requestId" in call.method.input.field) || given.requestId) return call;
  // A copy: whoever made the message may send it again, and means another call by it.
  const message = clone(call.method.input, call.message);
  return { ...call, message: Object.assign(message, { requestId: crypto.randomUUID() }) };
}
