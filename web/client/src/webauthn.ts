import { NoPasskey } from "./errors.js";

type Statics = typeof PublicKeyCredential;

/** What the client uses of WebAuthn. */
export interface WebAuthn {
  readonly credentials: Pick<CredentialsContainer, "create" | "get">;
  /** Static functions of `PublicKeyCredential`. Older browsers lack some. */
  readonly statics: Partial<
    Pick<Statics, "isConditionalMediationAvailable" | "parseCreationOptionsFromJSON" | "parseRequestOptionsFromJSON">
  >;
}

/** The WebAuthn of this page; `undefined` where there is none, as on a page without https. */
export function webAuthn(): WebAuthn | undefined {
  const { PublicKeyCredential: statics, navigator } = globalThis;
  if (statics === undefined || navigator?.credentials === undefined) return undefined;
  return { credentials: navigator.credentials, statics };
}

/** An IPv6 address is in brackets in a URL, and the last label of no domain name is a number. */
const ADDRESS = /^\[|(^|\.)\d+$/;

/**
 * Whether this page can use passkeys. An authenticator may still be missing. Passkeys belong to a domain name, so no
 * page at an IP address has any.
 */
export function passkeysAvailable(): boolean {
  return webAuthn() !== undefined && !ADDRESS.test(globalThis.location?.hostname ?? "");
}

/** Whether the browser offers passkeys in the autofill of a field with `autocomplete="username webauthn"`. */
export async function passkeyAutofillAvailable(): Promise<boolean> {
  if (!passkeysAvailable()) return false;
  return (await webAuthn()?.statics.isConditionalMediationAvailable?.()) ?? false;
}

/** How a passkey is requested: by a dialog of the browser, or in its autofill. */
export interface Asking {
  readonly autofill?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates a passkey for a `PublicKeyCredentialCreationOptionsJSON`. Resolves to its `RegistrationResponseJSON`; rejects
 * with `NoPasskey` when the browser created none.
 */
export function create(browser: WebAuthn | undefined, json: string, { signal }: Asking): Promise<string> {
  return written(signal, browser, ({ credentials, statics }) => {
    const options: PublicKeyCredentialCreationOptionsJSON = JSON.parse(json);
    const publicKey = statics.parseCreationOptionsFromJSON?.(options) ?? creationOptions(options);
    return credentials.create({ publicKey, ...(signal && { signal }) });
  });
}

/**
 * Signs a `PublicKeyCredentialRequestOptionsJSON` with a passkey. Resolves to the `AuthenticationResponseJSON`; rejects
 * with `NoPasskey` when no passkey signed.
 */
export function sign(browser: WebAuthn | undefined, json: string, { autofill, signal }: Asking): Promise<string> {
  return written(signal, browser, ({ credentials, statics }) => {
    const options: PublicKeyCredentialRequestOptionsJSON = JSON.parse(json);
    const publicKey = statics.parseRequestOptionsFromJSON?.(options) ?? requestOptions(options);
    return credentials.get({ publicKey, ...(signal && { signal }), ...(autofill && { mediation: "conditional" }) });
  });
}

type Ask = (browser: WebAuthn) => Promise<Credential | null>;

async function written(signal: AbortSignal | undefined, browser: WebAuthn | undefined, ask: Ask): Promise<string> {
  if (browser === undefined) throw new NoPasskey("UNUSABLE");
  try {
    const credential = (await ask(browser)) as PublicKeyCredential | null;
    if (credential !== null) return JSON.stringify(credential.toJSON?.() ?? toJson(credential));
  } catch (error) {
    throw refusal(error, signal);
  }
  throw new NoPasskey("UNUSABLE");
}

/** WebAuthn names its errors in sections 5.1.3 and 5.1.4, and deliberately says little. */
function refusal(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  switch ((error as Partial<Error> | undefined)?.name) {
    case "NotAllowedError":
    case "AbortError":
      return new NoPasskey("DISMISSED", error);
    case "InvalidStateError":
      return new NoPasskey("KNOWN", error);
    case "SecurityError":
      return new NoPasskey("ORIGIN", error);
    default:
      return new NoPasskey("UNUSABLE", error);
  }
}

function creationOptions(json: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptions {
  const { challenge, user, excludeCredentials = [] } = json;
  return {
    ...(json as object as PublicKeyCredentialCreationOptions),
    challenge: bytesOf(challenge),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: excludeCredentials.map(descriptor),
  };
}

function requestOptions(json: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  const { challenge, allowCredentials = [] } = json;
  return {
    ...(json as object as PublicKeyCredentialRequestOptions),
    challenge: bytesOf(challenge),
    allowCredentials: allowCredentials.map(descriptor),
  };
}

function descriptor(json: PublicKeyCredentialDescriptorJSON): PublicKeyCredentialDescriptor {
  return { ...(json as object as PublicKeyCredentialDescriptor), id: bytesOf(json.id) };
}

/** What `toJSON` answers, where the browser has none. */
function toJson(credential: PublicKeyCredential): object {
  const { id, rawId, type, authenticatorAttachment } = credential;
  return {
    id,
    rawId: textOf(rawId),
    type,
    ...(authenticatorAttachment && { authenticatorAttachment }),
    response: responseOf(credential.response),
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

function responseOf(response: AuthenticatorResponse): object {
  const clientDataJSON = textOf(response.clientDataJSON);
  if (isRegistration(response)) {
    const publicKey = response.getPublicKey?.();
    return {
      clientDataJSON,
      attestationObject: textOf(response.attestationObject),
      transports: response.getTransports?.() ?? [],
      ...(response.getAuthenticatorData && { authenticatorData: textOf(response.getAuthenticatorData()) }),
      ...(response.getPublicKeyAlgorithm && { publicKeyAlgorithm: response.getPublicKeyAlgorithm() }),
      ...(publicKey && { publicKey: textOf(publicKey) }),
    };
  }
  const { authenticatorData, signature, userHandle } = response as AuthenticatorAssertionResponse;
  return {
    clientDataJSON,
    authenticatorData: textOf(authenticatorData),
    signature: textOf(signature),
    ...(userHandle && { userHandle: textOf(userHandle) }),
  };
}

function isRegistration(response: AuthenticatorResponse): response is AuthenticatorAttestationResponse {
  return "attestationObject" in response;
}

/** Base64url without padding (RFC 4648 section 5), as WebAuthn writes it. */
function textOf(bytes: ArrayBuffer): string {
  const letters = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}
