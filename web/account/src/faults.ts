import {
  captchaOf,
  CookiesNotKept,
  fieldsOf,
  NoPasskey,
  proofMethodsOf,
  reasonOf,
  retryAfter,
  type Captcha,
  type FieldFault,
  type PasskeyFault,
  type ProofMethod,
  type Reason,
} from "@countersign/client";
import type { Errors } from "./texts";

/** The reasons for which there is a text. */
export type Told =
  | Reason
  | "ORIGIN_NOT_ALLOWED"
  | "NO_ANSWER"
  | "COOKIES_NOT_KEPT"
  | "COOKIES_NEED_HTTPS"
  | "PASSKEY_DISMISSED"
  | "PASSKEY_UNUSABLE";

/** Why a call failed, in no language: the text is chosen when the fault is shown. */
export interface Fault {
  /** `NO_ANSWER` when the service gave no reason. */
  readonly reason: Told;
  /** The fields that were refused. */
  readonly fields: readonly FieldFault[];
  /** How long to wait before another try, in milliseconds. */
  readonly wait: number | undefined;
  /** The captcha that has to be solved before another try. */
  readonly captcha: Captcha | undefined;
  /** How the fresh proof can be given that the call needs; empty when the service does not say. */
  readonly proofs: readonly ProofMethod[];
}

/** A fault about which nothing else is known. */
export function faultFor(reason: Told): Fault {
  return { reason, fields: [], wait: undefined, captcha: undefined, proofs: [] };
}

/** Reasons that are about one field, even where the service names none. */
const ABOUT: Partial<Record<Told, string>> = { CODE_INVALID: "code" };

/** Reasons whose text is shown at the field that the service names, because it says more than the text of the field. */
const CLOSER: ReadonlySet<Told> = new Set(["USERNAME_TAKEN", "EMAIL_TAKEN", "CURRENT_PASSWORD_WRONG", "CODE_INVALID"]);

/** The closer reason of a field that was left empty. Such a form is not sent. */
const EMPTY = "EMPTY";

function missing(fields: readonly string[]): Fault {
  return { ...faultFor("INVALID_FIELD"), fields: fields.map((field) => ({ field, reason: EMPTY, description: "" })) };
}

/** A fault for the fields that have to be filled in and were not; `undefined` when there is none. */
export function emptyAmong<N extends string>(values: Readonly<Record<N, string>>, optional: readonly NoInfer<N>[]): Fault | undefined {
  const left = (Object.keys(values) as N[]).filter((name) => values[name] === "" && !optional.includes(name));
  return left.length > 0 ? missing(left) : undefined;
}

/** The fault of a call that failed. */
export function faultOf(error: unknown): Fault {
  if (error instanceof NoPasskey) return passkeyFault(error.fault);
  const reason = error instanceof CookiesNotKept ? notKept() : (reasonOf(error) ?? "NO_ANSWER");
  // `account.display_name` is the input `display_name`.
  const named = fieldsOf(error).map((fault) => ({ ...fault, field: fault.field.split(".").at(-1) ?? fault.field }));
  const about = ABOUT[reason];
  const fields = named.length === 0 && about ? [{ field: about, reason: "", description: "" }] : named;
  return { reason, fields, wait: retryAfter(error), captcha: captchaOf(error), proofs: proofMethodsOf(error) };
}

/**
 * Why the browser has no passkey. `ORIGIN` means the same as the closer reason of the service. `KNOWN` and `REGISTERED`
 * do not: an authenticator that has a passkey of the account creates none, so the service gets none to register.
 */
function passkeyFault(fault: PasskeyFault): Fault {
  if (fault === "DISMISSED" || fault === "UNUSABLE") return faultFor(`PASSKEY_${fault}`);
  const closer = { field: "passkey_credential_json", reason: fault, description: "" };
  return { ...faultFor("PASSKEY_INVALID"), fields: [closer] };
}

/** The same fault for a form whose inputs have other names than the fields of the service. */
export function renamed(fault: Fault, inputs: Readonly<Record<string, string>>): Fault {
  return { ...fault, fields: fault.fields.map((each) => ({ ...each, field: inputs[each.field] ?? each.field })) };
}

/** On localhost without https some browsers keep cookies, and Safari does not. */
function notKept(): Told {
  return globalThis.location?.protocol === "http:" ? "COOKIES_NEED_HTTPS" : "COOKIES_NOT_KEPT";
}

/** What is wrong, for people, where it is shown at no field. */
export function faultText({ reason, fields }: Fault, errors: Errors): string {
  const closer = fields.map((field) => closerText(reason, field, errors));
  return closer.find((text) => text !== undefined) ?? errors.reasons[reason];
}

/** What is wrong with one field, for people. */
export function fieldText(fault: Fault, refused: FieldFault, errors: Errors): string {
  const { field, reason, description } = refused;
  if (reason === EMPTY) return errors.empty[field] ?? errors.fields[field] ?? errors.unknownField("");
  const closer = closerText(fault.reason, refused, errors);
  if (closer !== undefined) return closer;
  if (fault.reason === "CODE_INVALID" && errors.wrong[field]) return errors.wrong[field];
  if (CLOSER.has(fault.reason)) return errors.reasons[fault.reason];
  return errors.fields[field] ?? errors.unknownField(description);
}

/** The text of the closer reason that the service gives for a field. Those of a passkey are never those of a code. */
function closerText(of: Told, { reason, description }: FieldFault, errors: Errors): string | undefined {
  return of === "PASSKEY_INVALID" ? errors.passkey[reason] : errors.rules[reason]?.(numberIn(description));
}

/** The bound in a description such as `has fewer than 15 characters`; the operator may have chosen another one. */
function numberIn(description: string): number | undefined {
  const digits = /\d+/.exec(description)?.[0];
  return digits === undefined ? undefined : Number(digits);
}
