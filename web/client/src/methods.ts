import { clone, getOption, type DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { UnaryRequest } from "@connectrpc/connect";
import { Caller, contract } from "./generated/countersign/v1/contract_pb.js";

/** Whether the call needs somebody who is signed in, as far as is known: other services than Countersign do not say. */
export function needsSession(method: DescMethod): boolean {
  return [Caller.ACCOUNT, Caller.UNSPECIFIED].includes(getOption(method, contract).caller);
}

/** Whether the call may end the caller's own session, so that the answer may take the cookies away that another one just set. */
export function mayEndSession(method: DescMethod): boolean {
  return getOption(method, contract).endsSession;
}

/** Whether a call can be made twice and take effect once. Give it what `identified` returned. */
export function isRepeatable(method: DescMethod): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS || "requestId" in method.input.field;
}

/** The call with a `request_id` of its own where it can have one and has none (Google AIP-155). */
export function identified(call: UnaryRequest): UnaryRequest {
  const given = call.message as { requestId?: string };
  if (!("requestId" in call.method.input.field) || given.requestId) return call;
  // A copy: whoever made the message may send it again, and means another call by it.
  const message = clone(call.method.input, call.message);
  return { ...call, message: Object.assign(message, { requestId: crypto.randomUUID() }) };
}
