import { durationMs, timestampDate } from "@bufbuild/protobuf/wkt";
import type { CallOptions } from "@connectrpc/connect";
import type { LoginMethod } from "./errors.js";
import { endOf } from "./expiry.js";
import type { Account } from "./generated/countersign/v1/account_service_pb.js";
import {
  LoginMethod as LoginMethods,
  type Challenge as ChallengeMessage,
  type Session,
} from "./generated/countersign/v1/auth_service_pb.js";

/** The identifier and password of a login. */
export interface Credentials {
  /** An e-mail address or a user name. */
  readonly identifier: string;
  readonly password: string;
  /** The group of backends that the session is for; `default` when absent. */
  readonly audience?: string;
  /** The token of the captcha that the service required: `captchaOf` returns the captcha. */
  readonly captchaToken?: string;
  /** The person's name for this device, at most 100 characters. */
  readonly deviceName?: string;
}

/** How somebody signs in with a passkey. */
export interface PasskeyLogin {
  /** As for a login with a password. */
  readonly audience?: string;
  /** As for a login with a password. */
  readonly deviceName?: string;
  /**
   * Whether the passkeys are offered in the autofill of a field with `autocomplete="username webauthn"`, without a
   * dialog. The offer stays until somebody signs in, or the signal is aborted. Browsers refuse it where
   * `passkeyAutofillAvailable` is false.
   */
  readonly autofill?: boolean;
  /** Called when the person has chosen a passkey, before the service has accepted it. */
  readonly onChosen?: () => void;
  readonly signal?: AbortSignal;
}

/** A session that was opened. Its tokens are in cookies that no script can read. */
export interface SignedIn {
  readonly sessionId: string;
  readonly account: Account | undefined;
  /** When the session ends, unless it is used before. */
  readonly expireTime: Date | undefined;
}

/** A login that needs more than the password. No session is open. */
export interface Challenge {
  /**
   * How the login can continue now; one of them is enough. `EMAIL_CODE` continues with `proveEmail`, `ENROL` with
   * `enrolment`, and the others with `completeLogin`.
   */
  readonly methods: readonly LoginMethod[];
  /** When it is too late to continue, by the clock of this browser. */
  readonly expireTime: Date | undefined;
  /** For how long this device can be remembered, in milliseconds; `undefined` where no device is remembered. */
  readonly rememberFor: number | undefined;
}

/** How a login is completed. */
export interface Completion extends CallOptions {
  /**
   * Whether the password alone opens a session on this device from now on, for `rememberFor` of the challenge. Has no
   * effect where no device is remembered.
   */
  readonly rememberDevice?: boolean;
}

/** A session that was opened, or the challenge that comes before it. */
export type LoginResult = (SignedIn & { readonly challenge?: undefined }) | { readonly challenge: Challenge };

/** A second factor: the six digits of an authenticator app, or a backup code, as the person typed them. */
export type CodeProof = { readonly totpCode: string } | { readonly backupCode: string };
/** A passkey, which the browser asks the person for. */
export type PasskeyProof = { readonly passkey: true };
/** A second factor. */
export type LoginProof = CodeProof | PasskeyProof;
/** What proves who the person is. */
export type Proof = { readonly password: string } | LoginProof;

/** The session that the first factor of an account opened. */
export interface Enrolled extends SignedIn {
  /** Shown once, and each works once. */
  readonly backupCodes: readonly string[];
}

export function codeOf(proof: CodeProof) {
  if ("totpCode" in proof) return { case: "totpCode", value: proof.totpCode } as const;
  return { case: "backupCode", value: proof.backupCode } as const;
}

export function proofOf(proof: Exclude<Proof, PasskeyProof>) {
  return "password" in proof ? ({ case: "password", value: proof.password } as const) : codeOf(proof);
}

/** The methods that this version knows. A later service may have more. */
export function challenge(message: ChallengeMessage, header: Headers, now: number): Challenge {
  const { methods, expireTime, rememberDuration } = message;
  const named = methods.map((method) => LoginMethods[method] as keyof typeof LoginMethods | undefined);
  return {
    methods: named.filter((name): name is LoginMethod => name !== undefined && name !== "UNSPECIFIED"),
    expireTime: expireTime && new Date(endOf(expireTime, header, now)),
    rememberFor: rememberDuration && durationMs(rememberDuration),
  };
}

export function signedIn({ sessionId, account, refreshExpireTime }: Session): SignedIn {
  return { sessionId, account, expireTime: refreshExpireTime && timestampDate(refreshExpireTime) };
}
