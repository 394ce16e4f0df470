import { clone, getOption, type DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { UnaryRequest } from "@connectrpc/connect";
import { Caller, contract } from "./generated/countersign/v1/contract_pb.js";

/**
 * Who may call what the client calls in a session. `enrolment` makes its calls for a login that waits without the
 * interceptor that asks this.
 */
const SIGNED_IN: ReadonlySet<Caller> = new Set([Caller.ACCOUNT, Caller.ACCOUNT_OR_CHALLENGE, Caller.UNSPECIFIED]);

/**
 * Whether the call needs a session. Other services than Countersign do not declare it; their calls count as if they
 * did.
 */
export function needsSession(method: DescMethod): boolean {
  return SIGNED_IN.has(getOption(method, contract).caller);
}

/**
 * Whether the call may end the caller's own session, so that its answer may clear cookies that another answer just set.
 */
export function mayEndSession(method: DescMethod): boolean {
  return getOption(method, contract).endsSession;
}

/** Whether a call can be made twice and takes effect once. The call must come from `identified`. */
export function isRepeatable(method: DescMethod): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS || "requestId" in method.input.field;
}

/** The call with a new `request_id`, if its message has that field and the field is empty (Google AIP-155). */
export function identified(call: UnaryRequest): UnaryRequest {
  const given = call.message as { requestId?: string };
  if (!("requestId" in call.method.input.field) || given.requestId) return call;
  // A copy: the caller may send the same message again, as another call.
  const message = clone(call.method.input, call.message);
  return { ...call, message: Object.assign(message, { requestId: crypto.randomUUID() }) };
}
