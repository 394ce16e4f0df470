export { createCountersign, type Countersign, type Options } from "./countersign.js";
export {
  captchaOf,
  CookiesNotKept,
  fieldsOf,
  NoPasskey,
  proofMethodsOf,
  reasonOf,
  retryAfter,
  type Captcha,
  type FactorMethod,
  type FieldFault,
  type LoginMethod,
  type PasskeyFault,
  type ProofMethod,
  type Reason,
} from "./errors.js";
export type { Enrolment } from "./enrolment.js";
export type { Account } from "./generated/countersign/v1/account_service_pb.js";
export {
  FactorKind,
  type Factor,
  type RememberedDevice,
  type StartTotpResponse,
} from "./generated/countersign/v1/factor_service_pb.js";
export type { SessionInfo } from "./generated/countersign/v1/session_service_pb.js";
export type {
  Challenge,
  CodeProof,
  Completion,
  Credentials,
  Enrolled,
  LoginProof,
  LoginResult,
  PasskeyLogin,
  PasskeyProof,
  Proof,
  SignedIn,
} from "./login.js";
export type { PasskeyAdded } from "./passkeys.js";
export type { Surroundings } from "./surroundings.js";
export type { SessionChange, Wait } from "./tabs.js";
export { grpcWeb } from "./transport.js";
export { passkeyAutofillAvailable, passkeysAvailable, type WebAuthn } from "./webauthn.js";
