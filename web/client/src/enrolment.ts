import type { CallOptions, Client } from "@connectrpc/connect";
import type { FactorService, StartTotpResponse } from "./generated/countersign/v1/factor_service_pb.js";
import type { Opening, SessionKeeper } from "./keeper.js";
import type { Enrolled } from "./login.js";
import type { Passkeys } from "./passkeys.js";

/** Adds the factor that a login waits for, and opens its session for all tabs. */
export interface Enrolment {
  /** Begins to add an authenticator app with this name. */
  startApp(name: string, options?: CallOptions): Promise<StartTotpResponse>;
  /**
   * Enables the app with its first code, and opens the session. Rejects with CODE_INVALID for a wrong code: another one
   * may be tried. After CHALLENGE_INVALID, and when no answer arrived, log in again.
   */
  confirmApp(app: { readonly factorId: string; readonly code: string }, options?: CallOptions): Promise<Enrolled>;
  /**
   * Adds a passkey, named after its authenticator unless there is a name, and opens the session. Rejects with
   * `NoPasskey` when the browser created none, and with PASSKEYS_UNAVAILABLE where the service has none.
   */
  addPasskey(passkey?: { readonly name?: string }, options?: CallOptions): Promise<Enrolled>;
}

/** A request for the login whose challenge is in the cookie. */
const BY_COOKIE = { challengeToken: "" } as const;

/** `factors` must not contain the interceptor of the keeper: the browser may still have a session of somebody else. */
export function enrolment(factors: Client<typeof FactorService>, keeper: SessionKeeper, passkeys: Passkeys): Enrolment {
  const open = async (
    ask: (given: CallOptions) => Promise<Opening & { readonly backupCodes: string[] }>,
    options?: CallOptions,
  ): Promise<Enrolled> => {
    const [opened, { backupCodes }] = await keeper.open(ask, options);
    return { ...opened, backupCodes };
  };
  return {
    startApp: (name, options) => keeper.challenged(() => factors.startTotp({ name, ...BY_COOKIE }, options)),
    confirmApp: (app, options) => open((given) => factors.confirmTotp({ ...app, ...BY_COOKIE }, given), options),
    addPasskey: ({ name = "" } = {}, options) =>
      passkeys.instead(async () => {
        const start = () => factors.startPasskey({ name, ...BY_COOKIE }, options);
        const { factorId, passkeyCreationJson } = await keeper.challenged(start);
        const passkeyCredentialJson = await passkeys.create(passkeyCreationJson, options?.signal);
        const request = { factorId, passkeyCredentialJson, ...BY_COOKIE };
        return open((given) => factors.finishPasskey(request, given), options);
      }),
  };
}
