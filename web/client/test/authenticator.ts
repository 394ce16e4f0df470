import type { WebAuthn } from "../src/index.js";

/** A request that reached the browser. */
export interface Asked {
  readonly kind: "create" | "get";
  readonly autofill: boolean;
  readonly challenge: string;
}

const NEVER = new Promise<void>(() => {});

/**
 * The dialogs and the autofill of a browser, and an authenticator that signs. It has no cryptography: what it signs is
 * the challenge.
 */
export class Authenticator {
  /** Every request, in its order. */
  readonly asked: Asked[] = [];
  /** What the person does: resolves when they agree, or rejects with the browser's error. */
  person: (asked: Asked) => Promise<void> = async ({ autofill }) => (autofill ? NEVER : undefined);
  /** Whether the browser ends a request when its signal is aborted. */
  endsOnAbort = true;
  #pending = 0;

  /** What a page of this browser sees of it: an older one, which has none of the JSON functions. */
  browser(): WebAuthn {
    return {
      credentials: {
        create: (options) => this.#ask("create", options?.publicKey, options as CredentialRequestOptions),
        get: (options) => this.#ask("get", options?.publicKey, options),
      },
      statics: {},
    };
  }

  /** The last request. */
  get last(): Asked | undefined {
    return this.asked.at(-1);
  }

  async #ask(
    kind: Asked["kind"],
    publicKey: { readonly challenge: BufferSource } | undefined,
    options: CredentialRequestOptions | undefined,
  ): Promise<Credential> {
    const { signal, mediation } = options ?? {};
    if (this.#pending > 0) throw new DOMException("A request is already pending.", "OperationError");
    const challenge = Buffer.from(publicKey?.challenge as Uint8Array).toString("base64url");
    const asked = { kind, autofill: mediation === "conditional", challenge };
    this.asked.push(asked);
    this.#pending++;
    try {
      const aborted = new Promise<never>((_, reject) => {
        const abort = () => reject(new DOMException("aborted", "AbortError"));
        if (signal?.aborted) abort();
        if (this.endsOnAbort) signal?.addEventListener("abort", abort);
      });
      await Promise.race([this.person(asked), aborted]);
    } finally {
      this.#pending--;
    }
    return signed(asked);
  }
}

function signed({ kind, challenge }: Asked): Credential {
  const bytes = (text: string) => new TextEncoder().encode(text).buffer;
  const clientDataJSON = bytes(JSON.stringify({ challenge }));
  const response =
    kind === "create"
      ? { clientDataJSON, attestationObject: bytes("attested"), getTransports: () => ["internal"] }
      : { clientDataJSON, authenticatorData: bytes("data"), signature: bytes("signature"), userHandle: bytes("ada") };
  const id = Buffer.from("a passkey").toString("base64url");
  const credential = { id, rawId: bytes("a passkey"), type: "public-key", response, getClientExtensionResults: () => ({}) };
  return credential as unknown as Credential;
}

/** The challenge that was signed. */
export function challengeIn(json: string | undefined): string | undefined {
  const { clientDataJSON } = JSON.parse(json ?? "").response;
  return JSON.parse(Buffer.from(clientDataJSON, "base64url").toString()).challenge;
}
