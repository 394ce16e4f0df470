import { ConnectError } from "@connectrpc/connect";
import { LoginMethod as LoginMethods } from "./generated/countersign/v1/auth_service_pb.js";
import { ErrorReason } from "./generated/countersign/v1/error_reason_pb.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./generated/google/rpc/error_details_pb.js";

/**
 * The browser keeps no cookies of the service, so nobody can be signed in: they are blocked for the site, or the page
 * is on another site than the service, or the browser (Safari) accepts `Secure` cookies only over https and the service
 * is at `http://localhost`.
 */
export class CookiesNotKept extends Error {
  override readonly name = "CookiesNotKept";

  constructor() {
    super("the browser does not keep the cookies of the service");
  }
}

/**
 * Why there is no passkey:
 *
 * - `DISMISSED`: the person cancelled or took too long, or has no passkey for this site. Browsers do not say which.
 * - `KNOWN`: the authenticator has a passkey of the account already.
 * - `ORIGIN`: the page is at an address that may not use the passkeys of the service.
 * - `UNUSABLE`: the browser or the authenticator cannot do what the service requires.
 */
export type PasskeyFault = "DISMISSED" | "KNOWN" | "ORIGIN" | "UNUSABLE";

/** The browser created no passkey, or no passkey signed. The service did not refuse anything. */
export class NoPasskey extends Error {
  override readonly name = "NoPasskey";

  constructor(
    readonly fault: PasskeyFault,
    cause?: unknown,
  ) {
    super(`no passkey: ${fault}`, { cause });
  }
}

/** Why a call was refused: the closed list of `error_reason.proto`. */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED">;

/**
 * How a login can continue: with a code of an authenticator app, a backup code, or a passkey; with the code that was
 * mailed; or by adding a factor.
 */
export type LoginMethod = Exclude<keyof typeof LoginMethods, "UNSPECIFIED">;
/** A second factor. */
export type FactorMethod = Exclude<LoginMethod, "EMAIL_CODE" | "ENROL">;
/** How a person can prove again who they are. */
export type ProofMethod = "PASSWORD" | FactorMethod;

/** What is wrong with one field of a request. */
export interface FieldFault {
  /** The field's name in the proto, such as `display_name`. */
  readonly field: string;
  /** What is wrong, for programs. Empty when the service gives no closer reason. */
  readonly reason: string;
  /** What is wrong, for people, in English. */
  readonly description: string;
}

/**
 * The reason why a call was refused; `undefined` when the service gave none, as after a network failure, or one that
 * this version does not know.
 */
export function reasonOf(error: unknown): Reason | undefined {
  const info = infoOf(error);
  return info !== undefined && isReason(info.reason) ? info.reason : undefined;
}

function infoOf(error: unknown) {
  return ConnectError.from(error).findDetails(ErrorInfoSchema).find(({ domain }) => domain === "countersign");
}

function isReason(name: string): name is Reason {
  return name !== "UNSPECIFIED" && Object.hasOwn(ErrorReason, name) && Number.isNaN(Number(name));
}

/** A captcha that has to be solved before a call is made again. */
export interface Captcha {
  readonly provider: "recaptcha_v2" | "recaptcha_v3" | "hcaptcha" | "turnstile";
  /** The key by which the provider identifies the site. */
  readonly siteKey: string;
  /** The action that the captcha is for. Providers that take an action must get this one. */
  readonly action: string;
}

const PROVIDERS: ReadonlySet<string> = new Set<Captcha["provider"]>(["recaptcha_v2", "recaptcha_v3", "hcaptcha", "turnstile"]);

/**
 * The captcha that the service requires for a call; `undefined` when the call was refused for another reason, or when
 * this version does not know the captcha. Its token belongs in `captchaToken` of the same call.
 */
export function captchaOf(error: unknown): Captcha | undefined {
  const info = infoOf(error);
  const { captcha_provider: provider = "", captcha_site_key: siteKey = "", captcha_action: action = "" } = info?.metadata ?? {};
  return PROVIDERS.has(provider) && siteKey !== "" ? { provider: provider as Captcha["provider"], siteKey, action } : undefined;
}

const PROOFS: ReadonlySet<string> = new Set<ProofMethod>(["PASSWORD", "TOTP", "BACKUP_CODE", "PASSKEY"]);

/**
 * How the person can give the fresh proof that a call needs (`STEP_UP_REQUIRED`), for `reauthenticate`; empty when the
 * call was refused for another reason, or when this version knows none of the ways.
 */
export function proofMethodsOf(error: unknown): ProofMethod[] {
  const named = (reasonOf(error) === "STEP_UP_REQUIRED" && infoOf(error)?.metadata["methods"]) || "";
  return named.split(/[\s,]+/).filter((method): method is ProofMethod => PROOFS.has(method));
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
