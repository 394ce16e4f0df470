import { ConnectError } from "@connectrpc/connect";
import { ErrorReason } from "./generated/countersign/v1/error_reason_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./generated/google/rpc/error_details_pb.js";

/** Why a call was refused: the closed list of `error_reason.proto`. */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED">;

/** What is wrong with one field of a request. */
export interface FieldFault {
  /** The field's name in the proto, such as `display_name`. */
  readonly field: string;
  /** What is wrong, for programs. Empty when the service says nothing closer. */
  readonly reason: string;
  /** What is wrong, for people, in English. */
  readonly description: string;
}

/**
 * The reason a call was refused for; `undefined` when the service gave none, as when the network failed, or one that
 * this version does not know.
 */
export function reasonOf(error: unknown): Reason | undefined {
  const info = ConnectError.from(error).findDetails(ErrorInfoSchema).find(({ domain }) => domain === "countersign");
  return info !== undefined && isReason(info.reason) ? info.reason : undefined;
}

function isReason(name: string): name is Reason {
  return name !== "UNSPECIFIED" && Object.hasOwn(ErrorReason, name) && Number.isNaN(Number(name));
}

/** The fields that the service refused, in its order; empty when it named none. */
export function fieldsOf(error: unknown): FieldFault[] {
  const refused = ConnectError.from(error).findDetails(BadRequestSchema);
  return refused.flatMap(({ fieldViolations }) =>
    fieldViolations.map(({ field, reason, description }) => ({ field, reason, description })),
  );
}

/** How long to wait before the call is made again, in milliseconds; `undefined` when waiting does not help. */
export function retryAfter(error: unknown): number | undefined {
  const delay = ConnectError.from(error).findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay && Math.max(0, Number(delay.seconds) * 1000 + Math.ceil(delay.nanos / 1e6));
}
